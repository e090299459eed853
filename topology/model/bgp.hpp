// How a router speaks BGP (RFC 4271): its peers and what it announces to them by itself. The router's own AS number is a
// field of Router.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::topology {

// Holds the prefixes within `prefix` whose length is min_length to max_length, both included.
struct PrefixRule {
  IpPrefix prefix;  // no host bits
  uint8_t min_length = 0;
  uint8_t max_length = 0;
  bool permit = true;
  friend bool operator==(const PrefixRule&, const PrefixRule&) = default;
};

// A neighbour in another AS, or in the router's own (iBGP).
//
// Of each filter the first rule that holds a prefix decides. Without rules all pass; with rules, what none holds is
// refused.
struct BgpPeer {
  BgpPeerId id;
  uint64_t revision = 0;
  std::string name;
  RouterId router;
  IpAddress address;  // of no other peer of the router
  uint32_t as_number = 0;
  bool admin_up = true;
  uint32_t keep_alive = 60;       // seconds between keepalives; less than hold_time
  uint32_t hold_time = 180;       // seconds of silence until the session has failed
  uint32_t connect_retry = 5;     // seconds between attempts to connect
  std::string password = {};      // of TCP MD5 signatures (RFC 2385); empty: none
  bool bfd = false;               // a BFD session decides, too, whether the peer lives (RFC 5882)
  uint8_t multihop = 0;           // 0: the peer is on a link of the router; else the TTL of packets to it
  bool graceful_restart = true;   // RFC 4724
  uint32_t prefix_limit = 10000;  // greatest number of routes taken from it; 0: none are
  std::vector<PrefixRule> import_filter = {}, export_filter = {};  // of what it announces; of what it is told
  friend bool operator==(const BgpPeer&, const BgpPeer&) = default;
};

// A prefix that is announced to all peers of a router.
struct BgpNetwork {
  BgpNetworkId id;
  uint64_t revision = 0;
  RouterId router;
  IpPrefix prefix;  // no host bits; 0.0.0.0/0 and ::/0 are allowed
  friend bool operator==(const BgpNetwork&, const BgpNetwork&) = default;
};

}  // namespace viaduct::topology
