#include "actors/agent/speaker_routes.hpp"

#include <algorithm>

namespace viaduct::actors {

using routing::bgp::PeerStatus;
using routing::bgp::RouteChange;
using routing::bgp::SpeakerPeer;

std::vector<IpAddress> SpeakerRoutes::adopt(std::span<const topology::HostFact> said) {
  parts_.adopt(said);
  adopted_lost_ = parts_.lost();
  adopted_ = dirty_ = true;
  std::set<IpAddress> gateways;
  for (const auto& fact : said) {
    const auto* routes = std::get_if<topology::LearnedRoutes>(&fact);
    if (routes != nullptr && routes->port == port_) gateways.insert(routes->gateway);
  }
  return {gateways.begin(), gateways.end()};
}

void SpeakerRoutes::learn(std::vector<RouteChange> changes) {
  dirty_ |= !changes.empty();
  for (RouteChange& change : changes) parts_.learn(change.prefix, std::move(change.gateways));
}

namespace {
bool wants(std::span<const SpeakerPeer> wanted, const IpAddress& address) {
  return std::ranges::any_of(wanted, [&](const SpeakerPeer& peer) { return peer.address == address; });
}
}  // namespace

// bgpd's word is a second old at times: who is not wanted any more may still be in it.
void SpeakerRoutes::hear(std::span<const PeerStatus> peers, std::span<const SpeakerPeer> wanted) {
  for (const PeerStatus& peer : peers) {
    if (!wants(wanted, peer.address)) continue;
    const bool established = peer.state == routing::bgp::PeerState::established;
    if (routing::bgp::is_lost(peer)) {
      parts_.lose(peer.address);
    } else if (established || !adopted_lost_.contains(peer.address)) {
      parts_.find(peer.address);
    }
    if (established) adopted_lost_.erase(peer.address);
  }
}

void SpeakerRoutes::keep_only(std::span<const SpeakerPeer> wanted) {
  const std::set<IpAddress> lost = parts_.lost();
  for (const IpAddress& gateway : lost) {
    if (!wants(wanted, gateway)) parts_.find(gateway);
  }
}

void SpeakerRoutes::doubt() {
  parts_.doubt();
  adopted_lost_.insert(parts_.lost().begin(), parts_.lost().end());
  adopted_ = true;
}

void SpeakerRoutes::settled() {
  if (!std::exchange(adopted_, false)) return;
  parts_.sweep();
  dirty_ = true;
}

void SpeakerRoutes::end() {
  parts_.clear();
  dirty_ = true;
}

RoutesLearned SpeakerRoutes::take(Time now) {
  if (!dirty_ || now < next_routes_) return parts_.take_gateways();
  dirty_ = false;
  RoutesLearned out = parts_.take();
  size_t prefixes = 0;
  for (const auto& fact : out.said) {
    if (const auto* routes = std::get_if<topology::LearnedRoutes>(&fact)) prefixes += routes->prefixes.size();
  }
  next_routes_ = now + std::min<std::chrono::nanoseconds>(prefixes * kPausePerPrefix, kLongestPause);
  return out;
}

std::optional<SpeakerRoutes::Time> SpeakerRoutes::next_deadline() const {
  return dirty_ ? std::optional(next_routes_) : std::nullopt;
}

}  // namespace viaduct::actors
