// Consistent hashing with weights: Maglev (Eisenbud and others, NSDI 2016).
//
// A table of prime size in which each member has its share of the slots, in an order that its own name gives. The same
// members give the same table on every host, in whatever order they come; when one of n goes, about 1/n of the slots
// change, and few of the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace viaduct::flows::simulation {

class MaglevTable {
 public:
  struct Member {
    uint64_t name = 0;  // unique; a hash of what the member is called
    uint32_t weight = 1;
  };
  static constexpr uint32_t kNone = ~0U;

  MaglevTable() = default;
  // Members of weight 0 get no slot.
  explicit MaglevTable(const std::vector<Member>& members);
  // The index of the member for this hash; kNone when there is none.
  uint32_t pick(uint64_t hash) const { return slots_.empty() ? kNone : slots_[hash % slots_.size()]; }
  size_t size() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }

 private:
  std::vector<uint32_t> slots_;
};

}  // namespace viaduct::flows::simulation
