// What a router that announces its NAT addresses announces: the outside addresses of its rules and its load balancer.
#pragma once

#include <vector>

#include "topology/snapshot.hpp"

namespace viaduct::actors {

// Source NAT: the targets. Destination NAT: the destinations that rules name. Load balancer: VIPs that are up. Of the
// router's chains, its ports', and all that these jump to. Sorted, none within another; neither what is within one of
// `covered` nor an address of the router's own.
struct AnnouncedNat {
  static constexpr size_t kMost = 4'096;  // prefixes, of one router
  std::vector<IpPrefix> prefixes;
  bool cut = false;  // there are more
};
AnnouncedNat announced_nat(const topology::Snapshot& topology, RouterId router, const std::vector<IpPrefix>& covered);

// The least prefixes that are together the addresses from `first` to `last`, which are of one family and in this order;
// at most `most` of them.
std::vector<IpPrefix> prefixes_of(const IpAddress& first, const IpAddress& last, size_t most);

}  // namespace viaduct::actors
