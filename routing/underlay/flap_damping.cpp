#include "routing/underlay/flap_damping.hpp"

#include <algorithm>

namespace viaduct::routing::underlay {

void FlapDamping::fell_silent(HostId host, Time now) {
  Peer& peer = peers_[host];
  if (now - peer.last >= options_.memory) peer.silences = 0;
  ++peer.silences;
  peer.last = now;
  peer.held.reset();
}

bool FlapDamping::came_back(HostId host, Time now) {
  const auto at = peers_.find(host);
  if (at == peers_.end() || at->second.silences <= options_.free) return true;
  auto hold = options_.first;
  for (unsigned i = options_.free + 1; i < at->second.silences && hold < options_.most; ++i) hold *= 2;
  at->second.held = now + std::min(hold, options_.most);
  at->second.last = now;
  return false;
}

std::vector<HostId> FlapDamping::released(Time now) {
  std::vector<HostId> out;
  for (auto& [host, peer] : peers_) {
    if (!peer.held || *peer.held > now) continue;
    peer.held.reset();
    out.push_back(host);
  }
  return out;
}

std::optional<FlapDamping::Time> FlapDamping::next_release() const {
  std::optional<Time> out;
  for (const auto& [host, peer] : peers_) {
    if (peer.held) out = out ? std::min(*out, *peer.held) : *peer.held;
  }
  return out;
}

size_t FlapDamping::held() const {
  return static_cast<size_t>(
      std::count_if(peers_.begin(), peers_.end(), [](const auto& peer) { return peer.second.held.has_value(); }));
}

void FlapDamping::forget(const std::function<bool(HostId)>& gone, Time now) {
  std::erase_if(peers_, [&](const auto& peer) {
    return gone(peer.first) || (!peer.second.held && now - peer.second.last >= options_.memory);
  });
}

}  // namespace viaduct::routing::underlay
