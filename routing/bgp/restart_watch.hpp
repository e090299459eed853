// When a restart is over: everybody who was there before, and is still wanted, has told everything again.
#pragma once

#include <algorithm>
#include <set>
#include <vector>

#include "routing/bgp/peer_status.hpp"
#include "routing/bgp/speaker_config.hpp"

namespace viaduct::routing::bgp {

class RestartWatch {
 public:
  // Who speaks no graceful restart may not say End-of-RIB: up as long, it has told everything.
  static constexpr std::chrono::seconds kToldEverything{5};

  void begin(const std::vector<IpAddress>& expected) { expected_ = {expected.begin(), expected.end()}; }
  bool over(const std::vector<PeerStatus>& now, const SpeakerConfig& config) const {
    return std::all_of(expected_.begin(), expected_.end(),
                       [&](const IpAddress& one) { return !wanted(one, config) || back(one, now); });
  }

 private:
  static bool wanted(const IpAddress& address, const SpeakerConfig& config) {
    return std::any_of(config.peers.begin(), config.peers.end(),
                       [&](const SpeakerPeer& one) { return one.address == address; });
  }
  static bool back(const IpAddress& address, const std::vector<PeerStatus>& now) {
    return std::any_of(now.begin(), now.end(), [&](const PeerStatus& one) {
      return one.address == address && one.state == PeerState::established &&
             (one.end_of_rib || one.uptime > kToldEverything);
    });
  }

  std::set<IpAddress> expected_;
};

}  // namespace viaduct::routing::bgp
