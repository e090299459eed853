// Which leases run, until when, and which keys hang on them. A value without clock, lock or disk.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "topology/store/store.hpp"

namespace viaduct::topology::store {

using TimePoint = std::chrono::steady_clock::time_point;

class LeaseTable {
 public:
  void add(LeaseId id, std::chrono::seconds ttl, TimePoint now) { leases_[id] = {ttl, now + ttl, {}}; }
  void remove(LeaseId id) { leases_.erase(id); }
  bool contains(LeaseId id) const { return leases_.contains(id); }
  bool alive(LeaseId id, TimePoint now) const;
  bool keep_alive(LeaseId id, TimePoint now);  // false: it has ended
  std::vector<LeaseId> ended(TimePoint now) const;
  size_t size() const { return leases_.size(); }

  void attach(LeaseId id, const std::string& key) { leases_[id].keys.insert(key); }
  void detach(LeaseId id, const std::string& key);
  const std::set<std::string>& keys(LeaseId id) const { return leases_.at(id).keys; }

 private:
  struct Lease {
    std::chrono::seconds ttl{};
    TimePoint deadline;
    std::set<std::string> keys;
  };
  std::map<LeaseId, Lease> leases_;
};

}  // namespace viaduct::topology::store
