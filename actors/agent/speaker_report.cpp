#include "actors/agent/speaker_report.hpp"

#include <algorithm>
#include <chrono>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace bgp = routing::bgp;
using bgp::PeerState;
using bgp::PeerStatus;

namespace {

const PeerStatus* find_peer(const SpeakerStatus& status, const IpAddress& address) {
  const auto found = std::ranges::find(status.peers, address, &PeerStatus::address);
  return found == status.peers.end() ? nullptr : &*found;
}

bool is_established(const PeerStatus* peer) { return peer != nullptr && peer->state == PeerState::established; }

BgpReport::Line line_of(const SpeakerPlan& plan, const SpeakerStatus& status, const bgp::SpeakerPeer& wanted) {
  BgpReport::Line out;
  out.router = plan.router_name;
  out.port = plan.port_name;
  out.peer = wanted.address.to_string();
  out.as_number = wanted.as_number;
  PeerStatus peer{.address = wanted.address, .bfd = wanted.bfd ? bgp::BfdState::down : bgp::BfdState::off};
  if (const auto* known = find_peer(status, wanted.address)) peer = *known;
  out.state = bgp::to_string(peer.state);
  if (peer.state == PeerState::established) {
    const auto since = std::chrono::steady_clock::now() - status.asked;
    out.since = peer.uptime + std::chrono::duration_cast<std::chrono::milliseconds>(since);
  }
  out.prefixes_in = peer.prefixes_in;
  out.prefixes_out = peer.prefixes_out;
  out.bfd = bgp::to_string(peer.bfd);
  out.last_error = peer.last_error;
  return out;
}

// `now`: null, when bgpd does not say anything of it any more.
void announce(const SpeakerPlan& plan, const IpAddress& address, const PeerStatus* now,
              observability::BgpProbe& probe) {
  const bool up = is_established(now);
  probe.turned(up);
  log::event(log::Component::routing, up ? log::Level::info : log::Level::warning,
             up ? observability::EventKind::bgp_up : observability::EventKind::bgp_down,
             up ? "a BGP session is established" : "a BGP session has ended",
             {{"router", plan.router_name},
              {"port", plan.port_name},
              {"peer", address.to_string()},
              {"reason", up               ? ""
                         : now != nullptr ? now->last_error
                                          : "bgpd is away, or does not know the peer any more"},
              {"routes_kept", !up && (now == nullptr || now->restarting)}});
}

void tell_sessions(const SpeakerPlan& plan, const SpeakerStatus& before, const SpeakerStatus& now,
                   observability::BgpProbe& probe) {
  for (const PeerStatus& peer : now.peers) {
    if (is_established(&peer) != is_established(find_peer(before, peer.address)))
      announce(plan, peer.address, &peer, probe);
  }
  for (const PeerStatus& peer : before.peers) {
    if (is_established(&peer) && find_peer(now, peer.address) == nullptr) announce(plan, peer.address, nullptr, probe);
  }
}

// Numbers of a speaker that has begun anew begin anew.
uint64_t more(uint64_t now, uint64_t before) { return now >= before ? now - before : now; }

}  // namespace

void describe(const SpeakerPlan& plan, const SpeakerStatus& status, BgpReport& out) {
  const std::string where = "router " + plan.router_name + ", port " + plan.port_name + ": ";
  if (!status.problem.empty()) out.problems.push_back(where + status.problem);
  for (size_t i = 0; i < status.daemons.size(); ++i) {
    const auto& daemon = status.daemons[i];
    if (daemon.running || daemon.last_end.empty()) continue;
    out.problems.push_back(where + bgp::to_string(static_cast<bgp::FrrDaemon>(i)) + " was started " +
                           std::to_string(daemon.starts) +
                           " times, has ended, and is started again: " + daemon.last_end);
  }
  if (status.surplus > 0) {
    out.problems.push_back(where + std::to_string(status.surplus) +
                           " routes are beyond the peers' prefix limits and not used: raise the limits or filter");
  }
  for (const auto& peer : plan.config.peers) out.peers.push_back(line_of(plan, status, peer));
}

void add_numbers(PortId port, const SpeakerPlan& plan, const SpeakerStatus& status, BgpNumbers& out) {
  const bool runs = std::ranges::all_of(status.daemons, &bgp::DaemonStatus::running);
  const std::string id = port.to_string();
  out.speakers.push_back({plan.router_name, plan.port_name, id, runs, status.prefixes, status.surplus});
  for (const PeerStatus& peer : status.peers) {
    out.peers.push_back({plan.router_name, plan.port_name, id, peer.address.to_string(), is_established(&peer),
                         peer.prefixes_in, peer.prefixes_out});
  }
}

void tell_changes(const SpeakerPlan& plan, const SpeakerStatus& before, const SpeakerStatus& now,
                  observability::BgpProbe& probe) {
  tell_sessions(plan, before, now, probe);
  for (size_t i = 0; i < now.daemons.size(); ++i) {
    for (uint64_t n = std::max<uint64_t>(1, before.daemons[i].starts); n < now.daemons[i].starts; ++n)
      probe.daemon_restarted(bgp::to_string(static_cast<bgp::FrrDaemon>(i)));
  }
  for (size_t i = 0; i < now.refused.size(); ++i) {
    const uint64_t routes = more(now.refused[i], before.refused[i]);
    if (routes > 0) probe.refused(bgp::to_string(static_cast<bgp::RouteRefusal>(i)), routes);
  }
  probe.malformed(more(now.malformed, before.malformed));
}

}  // namespace viaduct::actors
