#include "topology/store/lease_table.hpp"

namespace viaduct::topology::store {

bool LeaseTable::alive(LeaseId id, TimePoint now) const {
  const auto found = leases_.find(id);
  return found != leases_.end() && now < found->second.deadline;
}

bool LeaseTable::keep_alive(LeaseId id, TimePoint now) {
  if (!alive(id, now)) return false;
  Lease& lease = leases_[id];
  lease.deadline = now + lease.ttl;
  return true;
}

std::vector<LeaseId> LeaseTable::ended(TimePoint now) const {
  std::vector<LeaseId> ids;
  for (const auto& [id, lease] : leases_) {
    if (now >= lease.deadline) ids.push_back(id);
  }
  return ids;
}

void LeaseTable::detach(LeaseId id, const std::string& key) {
  if (auto found = leases_.find(id); found != leases_.end()) found->second.keys.erase(key);
}

}  // namespace viaduct::topology::store
