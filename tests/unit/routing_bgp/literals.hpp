#pragma once

#include "routing/bgp/rib.hpp"
#include "routing/bgp/speaker_config.hpp"

namespace viaduct::routing::bgp {

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline IpPrefix net(const char* text) { return *IpPrefix::parse(text); }

// 10.9.0.1, AS 65001, with a peer of each family in AS 65002.
inline SpeakerConfig two_peers() {
  SpeakerConfig out{.as_number = 65001, .router_id = ip("10.9.0.1")};
  out.peers.push_back({.address = ip("10.9.0.2"), .as_number = 65002});
  out.peers.push_back({.address = ip("2001:db8:9::2"), .as_number = 65002});
  out.networks = {net("203.0.113.0/24"), net("2001:db8:100::/48")};
  return out;
}

}  // namespace viaduct::routing::bgp
