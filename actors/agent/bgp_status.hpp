// What operators, metrics and logs are told of one speaker.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "routing/bgp/frr_speaker.hpp"
#include "topology/address/id.hpp"

namespace viaduct::actors {

struct SpeakerStatus {
  std::string problem = {};  // why it does not run, and what helps; empty: it runs
  std::vector<routing::bgp::PeerStatus> peers = {};
  std::chrono::steady_clock::time_point asked{};  // when the peers said so
  std::array<routing::bgp::DaemonStatus, routing::bgp::kFrrDaemons> daemons = {};
  uint64_t prefixes = 0;  // learned and in use
  uint64_t surplus = 0;   // told beyond the limits
  std::array<uint64_t, routing::bgp::kRouteRefusals> refused = {};
  uint64_t malformed = 0;   // messages of zebra's that were not understood
  bool restarting = false;  // routes of daemons that died, or of an earlier life, are kept meanwhile
};

// Whether anything differs but for how long things have been so.
bool same(const SpeakerStatus& a, const SpeakerStatus& b);

}  // namespace viaduct::actors
