// Which connections enter or leave the virtual network at which ports, so that the move of a port costs what goes through
// it. Connections with the same ends share one set.
#pragma once

#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "flows/state/connection_table.hpp"

namespace viaduct::flows {

class ConnectionEnds {
 public:
  // From now on its ends are these. None: nothing is known.
  void note(const ConnectionKey& key, std::span<const PortId> ends);
  void forget(const ConnectionKey& key);
  bool knows(const ConnectionKey& key) const { return members_.contains(key); }

  // Empty when nothing is known.
  std::span<const PortId> of(const ConnectionKey& key) const;

  // Each set that holds one of the ports, once, with its connections.
  struct Found {
    std::vector<PortId> ends;
    std::vector<ConnectionKey> keys;
  };
  std::vector<Found> at(std::span<const PortId> ports) const;
  size_t size() const { return members_.size(); }
  size_t sets() const { return sets_.size(); }

 private:
  struct Set;
  struct Member {
    Set* set = nullptr;
    // Of the set's list.
    const ConnectionKey* previous = nullptr;
    const ConnectionKey* next = nullptr;
  };
  struct Set {
    std::vector<PortId> ends;  // sorted
    const ConnectionKey* first = nullptr;
  };
  void join(const ConnectionKey& key, Member& member, Set& set);
  void leave(Member& member);
  void drop_if_empty(Set& set);

  std::map<std::vector<PortId>, Set> sets_;
  std::unordered_map<PortId, std::vector<Set*>> by_port_;
  std::unordered_map<ConnectionKey, Member, ConnectionKeyHash> members_;
};

}  // namespace viaduct::flows
