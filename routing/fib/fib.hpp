// The forwarding table of one router: longest-prefix match on the destination, for both families.
//
// Semantics (devices.md 1.4): at each prefix that holds the destination, longest first, only routes whose source
// prefix holds the source and whose next hop stands count; of these the least weight wins; several of that weight share
// by resilient hashing (rendezvous: when a next hop goes or comes, only its own flows move). Where all that count are
// doubtful, they serve. When none counts, the next shorter prefix is asked.
//
// Routes are not touched when a next hop goes or comes back (prefix-independent convergence): how it stands is kept once
// for its port, by stand(), and asked at each look-up.
//
// A value: copies share everything, and a change copies what it changes and others share, so a change costs its prefix
// length and not the size of the table, and many changes in a row copy a node once. Threads: const methods from any
// thread, each thread with a copy of its own where one of them changes it; entries live as long as a copy of the Fib that
// returned them is not changed.
//
// It is a path-compressed binary trie (Patricia) for each family, made anew along the changed path. A node is one cache
// line, so a look-up costs one line a level, about log2(prefixes) levels, and one for the entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <vector>

#include "routing/fib/fib_entry.hpp"
#include "routing/fib/trie.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/persistent_map.hpp"

namespace viaduct::routing {

enum class Standing : uint8_t {
  none,      // packets do not get through
  doubtful,  // they may: better than nothing
  good
};
// Of a port that routes lead through.
struct NextHops {
  Standing standing = Standing::good;
  std::vector<IpAddress> dead = {};  // gateways behind it that are gone, sorted

  Standing of(const std::optional<IpAddress>& gateway) const;
  friend bool operator==(const NextHops&, const NextHops&) = default;
};

struct FibMatch {
  const FibEntry* entry = nullptr;  // null: no route
  uint32_t candidates = 0;   // of equal weight; above 1 the hash decided, and the flow must match what was hashed
  bool source_read = false;  // a source prefix was compared, also in vain: the flow must match its source
};

class Fib {
 public:
  // `flow_hash` is asked for only when more than one candidate is left. `passed_over` is called with the port of each
  // entry that would have been a candidate, or stood before them, had its next hop been good: the answer depends on it.
  template <class PassedOver>
  FibMatch lookup(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash,
                  PassedOver&& passed_over) const {
    return find(source, destination, flow_hash,
                {&passed_over, [](void* to, PortId port) { (*static_cast<std::decay_t<PassedOver>*>(to))(port); }});
  }
  FibMatch lookup(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash) const {
    return lookup(source, destination, flow_hash, [](PortId) {});
  }
  // Replaces the entry of the same id and destination, if any. Host bits of the destination do not count; a source of
  // length 0 holds every source.
  void put(const FibEntry& entry);
  void remove(RouteId id, const IpPrefix& destination);
  // How the next hops of entries of kind `port` by this port stand. One of which nothing was said is good.
  void stand(PortId port, const NextHops& next_hops);
  const topology::PersistentMap<PortId, NextHops>& next_hops() const { return next_hops_; }  // other than good
  // By family, then destination from short to long along each branch, then weight and id.
  void for_each(const std::function<void(const FibEntry&)>& visit) const;
  size_t size() const { return size_; }

 private:
  struct PassedOver {
    void* to;
    void (*call)(void* to, PortId port);
  };
  FibMatch find(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash,
                PassedOver passed_over) const;
  bool select(const EntryList& list, const IpAddress& source, uint64_t flow_hash, PassedOver passed_over,
              FibMatch& match) const;
  Standing standing_of(const FibEntry& entry) const;
  const TrieRef& root(IpFamily family) const { return family == IpFamily::v4 ? v4_ : v6_; }
  TrieRef& root(IpFamily family) { return family == IpFamily::v4 ? v4_ : v6_; }

  TrieRef v4_, v6_;
  size_t size_ = 0;
  topology::PersistentMap<PortId, NextHops> next_hops_;  // other than good
};

}  // namespace viaduct::routing
