// The forwarding table of one router: longest-prefix match on the destination, for both families.
//
// Semantics (devices.md 1.4): at each prefix that holds the destination, longest first, only routes whose source
// prefix holds the source count; of these the least weight wins; several of that weight share by resilient hashing
// (rendezvous: when a next hop goes or comes, only its own flows move). When none counts, the next shorter prefix is
// asked.
//
// A Fib is immutable; with() and without() share all but the path to the changed prefix, so a change costs its prefix
// length and not the size of the table. Threads: const methods from any thread; entries live as long as a copy of the
// Fib that returned them.
//
// It is a path-compressed binary trie (Patricia) for each family, made anew along the changed path. A node is one cache
// line, so a look-up costs one line a level, about log2(prefixes) levels, and one for the entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "routing/fib/fib_entry.hpp"
#include "routing/fib/trie.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::routing {

struct FibMatch {
  const FibEntry* entry = nullptr;  // null: no route
  uint32_t candidates = 0;   // of equal weight; above 1 the hash decided, and the flow must match what was hashed
  bool source_read = false;  // a source prefix was compared, also in vain: the flow must match its source
};

class Fib {
 public:
  // `flow_hash` is asked for only when more than one candidate is left.
  FibMatch lookup(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash) const;
  // Replaces the entry of the same id and destination, if any. Host bits of the destination do not count; a source of
  // length 0 holds every source.
  Fib with(const FibEntry& entry) const;
  Fib without(RouteId id, const IpPrefix& destination) const;
  // By family, then destination from short to long along each branch, then weight and id.
  void for_each(const std::function<void(const FibEntry&)>& visit) const;
  size_t size() const { return size_; }

 private:
  const TrieRef& root(IpFamily family) const { return family == IpFamily::v4 ? v4_ : v6_; }
  TrieRef& root(IpFamily family) { return family == IpFamily::v4 ? v4_ : v6_; }

  TrieRef v4_, v6_;
  size_t size_ = 0;
};

}  // namespace viaduct::routing
