// The stream that zebra sends to a forwarding plane manager: frames of a version, a type, a length in network order, and
// netlink messages (rtnetlink(7)): one, or a removal and the route that replaces it. Nothing in it is trusted: lengths are checked before they are used, tables are bounded.
//
//   0  version (1)    1  type (1: netlink)    2  length with this header    4  nlmsghdr, then rtmsg or nhmsg, attributes; perhaps again
//
// Next hops come in a route (RTA_GATEWAY, RTA_VIA, RTA_MULTIPATH) or by id (RTA_NH_ID of an RTM_NEWNEXTHOP before it, which
// may be a group); a next hop that changes changes the routes that name it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "topology/address/ip_address.hpp"

namespace viaduct::routing::bgp {

// One route as zebra has it now. A change arrives as a removal and a new route just after.
struct RouteNews {
  IpPrefix prefix;                       // network form
  std::vector<IpAddress> gateways = {};  // sorted, each once; empty when removed
  bool removed = false;
  friend bool operator==(const RouteNews&, const RouteNews&) = default;
};

struct FpmCounters {
  uint64_t frames = 0;
  uint64_t routes = 0;        // news given out
  uint64_t other_routes = 0;  // of other protocols or tables
  uint64_t unknown = 0;       // other message types
  uint64_t malformed = 0;     // messages that contradict themselves; ignored
  uint64_t no_gateway = 0;    // routes without a gateway that we know (blackhole, unknown next hop): told as removed
  uint64_t over_bound = 0;    // next hops beyond kMaxNextHops
};

class FpmDecoder {
 public:
  static constexpr size_t kMaxNextHops = 65536;
  static constexpr size_t kMaxGateways = 256;   // of one route: FRR's own limit
  static constexpr uint8_t kBgpProtocol = 186;  // RTPROT_BGP

  // Bytes as they come; whole frames turn into news. False: not an FPM stream, and the connection must be closed.
  bool feed(std::span<const uint8_t> bytes, std::vector<RouteNews>& out);
  // A new connection: nothing of the one before counts, but counters.
  void reset();
  const FpmCounters& counters() const { return counters_; }

 private:
  struct NextHop {
    std::optional<IpAddress> gateway;
    std::vector<uint32_t> group;
  };
  void messages(std::span<const uint8_t> bytes, std::vector<RouteNews>& out);
  void message(uint16_t type, std::span<const uint8_t> body, std::vector<RouteNews>& out);
  void route(std::span<const uint8_t> body, bool removed, std::vector<RouteNews>& out);
  void next_hop(std::span<const uint8_t> body, bool removed, std::vector<RouteNews>& out);
  std::vector<IpAddress> gateways_of(uint32_t id) const;
  void tell(const IpPrefix& prefix, std::vector<IpAddress> gateways, std::vector<RouteNews>& out);

  std::vector<uint8_t> pending_;  // the beginning of a frame
  std::map<uint32_t, NextHop> next_hops_;
  std::map<IpPrefix, uint32_t> routes_by_id_;  // that name a next hop by id
  FpmCounters counters_;
};

}  // namespace viaduct::routing::bgp
