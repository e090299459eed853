// What one BGP speaker is to do: the whole desired state of one uplink router port.
//
// A peer's family decides what is spoken with it: IPv4 unicast with an IPv4 peer, IPv6 unicast with an IPv6 peer; rules and
// networks of the other family do not concern it. Only `networks` are announced, never what another peer has told.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "topology/address/ip_address.hpp"

namespace viaduct::routing::bgp {

// Prefixes inside `prefix` whose length is in [min_length, max_length]; 0 stands for the length of `prefix`.
struct FilterRule {
  IpPrefix prefix;
  uint8_t min_length = 0;
  uint8_t max_length = 0;
  bool permit = true;
  friend bool operator==(const FilterRule&, const FilterRule&) = default;
};
// The first rule that matches decides; nothing matches: denied. No rules at all: everything is permitted.
using Filter = std::vector<FilterRule>;

struct SpeakerPeer {
  IpAddress address;  // not link-local
  uint32_t as_number = 0;
  // Offered in the next OPEN (RFC 4271 4.2, 10): a change does not end the session, and counts from the next one on.
  std::chrono::seconds keep_alive{60};
  std::chrono::seconds hold_time{180};     // 0, or at least 3
  std::chrono::seconds connect_retry{10};  // at least 1
  std::string password = {};               // TCP MD5 (RFC 2385); empty: none. A change ends the session.
  bool bfd = false;                        // RFC 5880, with SpeakerConfig's intervals
  uint8_t multihop = 1;                    // TTL of packets to an external peer; 1: on the link (RFC 4271 5.1.3)
  bool graceful_restart = true;            // RFC 4724. A change ends the session.
  uint32_t prefix_limit = 0;  // that it may tell us; 0: no limit. The session stays, the surplus is not used.
  Filter import_filter = {};
  Filter export_filter = {};
  friend bool operator==(const SpeakerPeer&, const SpeakerPeer&) = default;
};

struct SpeakerConfig {
  uint32_t as_number = 0;
  IpAddress router_id;  // IPv4
  std::vector<SpeakerPeer> peers = {};
  std::vector<IpPrefix> networks = {};  // announced
  std::chrono::milliseconds bfd_interval{100};
  uint8_t bfd_multiplier = 3;
  std::chrono::seconds restart_time{120};  // routes outlive a restart for at most this long (RFC 4724 3)
  friend bool operator==(const SpeakerConfig&, const SpeakerConfig&) = default;
};

// What is wrong with it, naming the object; nothing if it can be rendered. Whatever passes can go into a command: no text of
// an operator's adds one.
std::optional<std::string> check(const SpeakerConfig& config);

}  // namespace viaduct::routing::bgp
