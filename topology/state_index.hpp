// The state tables as they are, by key, device and owner. Not shared between threads: its owner hands out entries.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "topology/host_state.hpp"

namespace viaduct::topology {

// null: absent
struct StateChange {
  StatePtr before;
  StatePtr after;
};

class StateIndex {
 public:
  // What was there, and what is now.
  StateChange put(StateEntry entry);
  StateChange erase(const std::string& key);
  StatePtr find(const std::string& key) const;

  using Visit = std::function<void(const std::string& key, const StatePtr& entry)>;
  void for_each(const Visit& visit) const;
  void for_each_of_device(const Uuid& device, const Visit& visit) const;
  void for_each_of_host(HostId host, const Visit& visit) const;
  size_t size() const { return entries_.size(); }

 private:
  using Keys = std::unordered_set<std::string_view>;  // of entries_
  void visit_keys(const Keys* keys, const Visit& visit) const;

  std::unordered_map<std::string, StatePtr> entries_;  // nodes: their keys stay where they are
  std::unordered_map<Uuid, Keys> by_device_;
  std::unordered_map<HostId, Keys> by_host_;
};

}  // namespace viaduct::topology
