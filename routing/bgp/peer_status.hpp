// What bgpd says of its peers: `show bgp neighbors json`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topology/address/ip_address.hpp"

namespace viaduct::routing::bgp {

// RFC 4271 8.2.2; unknown: bgpd has not said yet, or does not run.
enum class PeerState : uint8_t { unknown, idle, connect, active, open_sent, open_confirm, established };
const char* to_string(PeerState state);

enum class BfdState : uint8_t { off, down, up };
const char* to_string(BfdState state);

struct PeerStatus {
  IpAddress address;
  PeerState state = PeerState::unknown;
  std::chrono::milliseconds uptime{0};  // established since; otherwise 0
  uint64_t prefixes_in = 0;             // that the import filter let through
  uint64_t prefixes_out = 0;
  uint64_t sessions_lost = 0;  // since bgpd started
  bool end_of_rib = false;     // it has told everything (RFC 4724 2)
  bool restarting = false;     // its session has ended and bgpd keeps its routes for a while (RFC 4724 4.2)
  BfdState bfd = BfdState::off;
  std::string last_error = {};  // why the last session ended; bgpd's words
  friend bool operator==(const PeerStatus&, const PeerStatus&) = default;
};
// Its session was there, is not, and its routes are not kept: nothing should be sent that way any more.
bool is_lost(const PeerStatus& peer);

std::vector<IpAddress> established(const std::vector<PeerStatus>& peers);

// Nothing: not what bgpd of FRR 8 would say. Peers whose name is no address are skipped.
std::optional<std::vector<PeerStatus>> parse_peer_status(std::string_view json);

}  // namespace viaduct::routing::bgp
