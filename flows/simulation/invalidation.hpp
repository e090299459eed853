// Which flows a change concerns, in tags. Pure: from two networks and what changed between them.
#pragma once

#include <vector>

#include "flows/match/tag.hpp"
#include "flows/simulation/network.hpp"
#include "flows/simulation/verdict.hpp"

namespace viaduct::flows::simulation {

struct Invalidation {
  std::vector<Tag> tags;  // flows that carry one of them go
  struct Prefix {
    RouterId router;
    IpPrefix destination;
  };
  std::vector<Prefix> prefixes;  // flows routed by `router` to an address in here go
  std::vector<Tag> epochs;  // no installed flow goes, but simulations older than this may not install (tag::routes)

  bool empty() const { return tags.empty() && prefixes.empty() && epochs.empty(); }
};

// For a change of the topology or of locations. devices.md 2.3 is the table; precise where cheap.
Invalidation invalidated_by(const Network& before, const Network& after, const topology::Delta& delta,
                            const Moved& moved);
// For what a table write changed.
Invalidation invalidated_by(const StateWrite& write, LearnResult result, PortId previous);
// For an entry that ended.
Invalidation invalidated_by_expiry(const MacKey& key, PortId port);
Invalidation invalidated_by_expiry(const NeighbourKey& key);

}  // namespace viaduct::flows::simulation
