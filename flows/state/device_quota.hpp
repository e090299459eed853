// How many entries of a table each device has, and the most that one may have, so that the guests of one network cannot
// fill a table for all. Threads: any. It counts at most `max_devices` devices; entries of further ones are refused.
#pragma once

#include <cstdint>

#include "flows/state/concurrent_table.hpp"
#include "topology/address/id.hpp"

namespace viaduct::flows {

class DeviceQuota {
 public:
  DeviceQuota(size_t max_devices, uint64_t per_device, uint64_t seed)
      : per_device_(per_device), counts_(max_devices, seed) {}

  // Takes one entry of the device's share; false when it has none left.
  bool take(const Uuid& device) {
    bool taken = false;
    const TableOutcome outcome = counts_.modify(device, [&](std::optional<uint64_t>& count) {
      taken = count.value_or(0) < per_device_;
      if (taken) count = count.value_or(0) + 1;
      return taken ? TableChange::store : TableChange::keep;
    });
    return taken && outcome != TableOutcome::full;
  }
  void give_back(const Uuid& device) {
    counts_.modify(device, [](std::optional<uint64_t>& count) {
      if (!count) return TableChange::keep;
      return --*count == 0 ? TableChange::erase : TableChange::store;
    });
  }
  uint64_t count(const Uuid& device) const { return counts_.find(device).value_or(0); }

 private:
  const uint64_t per_device_;
  ConcurrentTable<Uuid, uint64_t> counts_;
};

}  // namespace viaduct::flows
