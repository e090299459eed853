#include "actors/agent/speaker_plan.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "actors/agent/announced_nat.hpp"

namespace viaduct::actors {

using routing::bgp::Filter;
using routing::bgp::SpeakerPeer;
using topology::BgpPeer;
using topology::Port;
using topology::Router;
using topology::Snapshot;

namespace {

std::string hex(uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return std::string(text).substr(static_cast<size_t>(16 - digits));
}

// Random ids, and those that a person has made up, all differ in their bits somewhere.
uint64_t mixed(const Uuid& id) {
  uint64_t out = id.high() * 0x9e37'79b9'7f4a'7c15ULL ^ id.low();
  out ^= out >> 32;
  out *= 0xbf58'476d'1ce4'e5b9ULL;
  return out ^ out >> 29;
}

std::string name_of(const std::string& name, const Uuid& id) { return name.empty() ? id.to_string() : name; }

Filter filter_of(const std::vector<topology::PrefixRule>& rules) {
  Filter out;
  for (const auto& rule : rules) out.push_back({rule.prefix, rule.min_length, rule.max_length, rule.permit});
  return out;
}

SpeakerPeer peer_of(const BgpPeer& peer) {
  SpeakerPeer out{.address = peer.address, .as_number = peer.as_number};
  out.keep_alive = std::chrono::seconds(peer.keep_alive);
  out.hold_time = std::chrono::seconds(peer.hold_time);
  out.connect_retry = std::chrono::seconds(peer.connect_retry);
  out.password = peer.password;
  out.bfd = peer.bfd;
  out.multihop = std::max<uint8_t>(1, peer.multihop);
  out.graceful_restart = peer.graceful_restart;
  out.prefix_limit = peer.prefix_limit;
  out.import_filter = filter_of(peer.import_filter);
  out.export_filter = filter_of(peer.export_filter);
  if (peer.prefix_limit == 0) {  // the speaker's 0 is no limit
    const IpFamily family = peer.address.family();
    out.import_filter = {{IpPrefix::any(family), 0, static_cast<uint8_t>(peer.address.width_bits()), false}};
    out.prefix_limit = 1;
  }
  return out;
}

bool on_link(const Port& port, const IpAddress& address) {
  return std::any_of(port.addresses.begin(), port.addresses.end(),
                     [&](const IpPrefix& own) { return own.network().contains(address) && own.address() != address; });
}

// The gateway on the port's link that leads to an address beyond it.
std::optional<IpAddress> gateway_to(const Snapshot& topology, const Port& port, const IpAddress& address) {
  const topology::Route* best = nullptr;
  topology.for_each_route_through(port.id, [&](const topology::Route& route) {
    if (!route.gateway || !route.destination.contains(address) || !on_link(port, *route.gateway)) return;
    if (best == nullptr || route.destination.length() > best->destination.length()) best = &route;
  });
  return best == nullptr ? std::nullopt : best->gateway;
}

// Of the router's ports, its first IPv4 address; without any, of the port's id: one from 128.0.0.0 to 191.255.255.255, as some
// take no identifier that is no host's address (RFC 4271 6.2).
IpAddress router_id_of(const Port& port) {
  for (const IpPrefix& own : port.addresses) {
    if (own.address().is_v4()) return own.address();
  }
  return IpAddress::v4((static_cast<uint32_t>(mixed(port.id.uuid())) & 0x3fff'ffff) | 0x8000'0000);
}

class Planner {
 public:
  Planner(const Snapshot& topology, HostId host) : topology_(topology), host_(host) {}

  SpeakerPlans plan() {
    topology_.for_each_port_bound_to(host_, [&](const Port& port) {
      if (!port.on_router() || !port.is_exterior() || !port.admin_up) return;
      const Router* router = topology_.find(port.router);
      if (router != nullptr && router->as_number != 0 && router->admin_up) add(*router, port);
    });
    return std::move(out_);
  }

 private:
  void add(const Router& router, const Port& port) {
    SpeakerPlan plan;
    plan.router = router.id;
    plan.router_name = name_of(router.name, router.id.uuid());
    plan.port_name = name_of(port.name, port.id.uuid());
    plan.interface = port.interface;
    plan.uplink = {speaker_link(host_, port.id), port.mac, port.addresses, port.mtu};
    plan.config.as_number = router.as_number;
    plan.config.router_id = router_id_of(port);
    topology_.for_each_bgp_peer_of(router.id, [&](const BgpPeer& peer) {
      if (peer.admin_up) add_peer(router, port, peer, plan);
    });
    if (plan.config.peers.empty()) return;
    // The order of a set of objects is not told; the same plan must compare equal.
    std::ranges::sort(plan.config.peers, {}, &SpeakerPeer::address);
    std::ranges::sort(plan.uplink.routes, {}, &routing::bgp::UplinkRoute::destination);
    plan.config.networks = networks(router);
    if (auto problem = routing::bgp::check(plan.config)) {
      complain("router " + plan.router_name + ", port " + plan.port_name + " speaks no BGP: " + *problem);
      return;
    }
    out_.speakers.emplace(port.id, std::move(plan));
  }

  void add_peer(const Router& router, const Port& port, const BgpPeer& peer, SpeakerPlan& plan) {
    if (!on_link(port, peer.address)) {
      if (peer.multihop == 0) {
        if (!reached_elsewhere(router, peer.address)) {
          complain(
              "BGP peer " + peer.address.to_string() + " of router " + plan.router_name +
              " is in no subnet of the router's exterior ports: give a port an address there, or set multihop and a "
              "route to it");
        }
        return;
      }
      const auto gateway = gateway_to(topology_, port, peer.address);
      if (!gateway) {
        if (!routed_elsewhere(router, peer.address)) {
          complain("BGP peer " + peer.address.to_string() + " of router " + plan.router_name +
                   " is beyond the links, and no route with a gateway leads to it through an exterior port: add one");
        }
        return;
      }
      plan.uplink.routes.push_back({IpPrefix::host(peer.address), *gateway});
    }
    plan.config.peers.push_back(peer_of(peer));
  }

  bool reached_elsewhere(const Router& router, const IpAddress& address) const {
    bool found = false;
    topology_.for_each_port_of(router.id.uuid(),
                               [&](const Port& port) { found |= port.is_exterior() && on_link(port, address); });
    return found;
  }
  bool routed_elsewhere(const Router& router, const IpAddress& address) const {
    bool found = false;
    topology_.for_each_port_of(router.id.uuid(), [&](const Port& port) {
      found |= port.is_exterior() && gateway_to(topology_, port, address).has_value();
    });
    return found;
  }

  std::vector<IpPrefix> networks(const Router& router) {
    std::vector<IpPrefix> out;
    topology_.for_each_bgp_network_of(router.id,
                                      [&](const topology::BgpNetwork& network) { out.push_back(network.prefix); });
    if (router.advertise_nat) {
      AnnouncedNat nat = announced_nat(topology_, router.id, out);
      if (nat.cut) {
        complain("router " + name_of(router.name, router.id.uuid()) + " has more NAT addresses than the " +
                 std::to_string(AnnouncedNat::kMost) +
                 " prefixes that are announced: announce a network that holds them");
      }
      std::ranges::move(nat.prefixes, std::back_inserter(out));
    }
    std::ranges::sort(out);
    return out;
  }

  // Once, also when several ports find the same.
  void complain(std::string problem) {
    auto& all = out_.problems;
    if (std::find(all.begin(), all.end(), problem) == all.end()) all.push_back(std::move(problem));
  }

  const Snapshot& topology_;
  const HostId host_;
  SpeakerPlans out_;
};

}  // namespace

SpeakerPlans plan_speakers(const Snapshot& topology, HostId host) { return Planner(topology, host).plan(); }

std::string speaker_namespace_prefix(HostId host) { return "viaduct-bgp-" + hex(mixed(host.uuid()), 10) + "-"; }
std::string speaker_namespace(HostId host, PortId port) {
  return speaker_namespace_prefix(host) + hex(mixed(port.uuid()), 11);
}
std::string speaker_link_prefix(HostId host) { return "vb" + hex(mixed(host.uuid()), 4) + "-"; }
std::string speaker_link(HostId host, PortId port) { return speaker_link_prefix(host) + hex(mixed(port.uuid()), 8); }

}  // namespace viaduct::actors
