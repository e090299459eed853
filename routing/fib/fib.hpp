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
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/model/route.hpp"

namespace viaduct::routing {

struct FibEntry {
  RouteId id;  // a stored route's id; for connected and local routes one derived from port and prefix
  IpPrefix source;
  IpPrefix destination;
  topology::NextHop kind = topology::NextHop::port;
  PortId port;
  std::optional<IpAddress> gateway;
  uint32_t weight = 100;
  friend bool operator==(const FibEntry&, const FibEntry&) = default;
};

struct FibMatch {
  const FibEntry* entry = nullptr;  // null: no route
  uint32_t candidates = 0;          // of equal weight; above 1 the hash decided, and the flow must match what was hashed
};

class Fib {
 public:
  // `flow_hash` is asked for only when more than one candidate is left.
  FibMatch lookup(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash) const;
  // Replaces the entry of the same id and destination, if any.
  Fib with(const FibEntry& entry) const;
  Fib without(RouteId id, const IpPrefix& destination) const;
  void for_each(const std::function<void(const FibEntry&)>& visit) const;
  size_t size() const { return size_; }

 private:
  struct Node;
  std::shared_ptr<const Node> v4_, v6_;
  size_t size_ = 0;
};

}  // namespace viaduct::routing
