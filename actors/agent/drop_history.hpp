// What was dropped here, by whom and why: the memory behind `viaduct why`.
//
//   worker: verdict -> DropTally (a few notes, merged) -> ring -> FlowKeeper -> DropHistory <- counters of drop flows
//
// One entry for each way to be dropped: the reason, the port where packets came in and the place (DropSite without the next
// hop). It counts packets, knows the first and the last time, and the newest packet as an example. Packets that a flow drops in
// the kernel are counted by that flow's statistics, a second later; the example is then the one that made the flow.
//
// Limits: `capacity` entries; the one that was not seen for the longest makes room, and evictions are counted. How many
// there can be follows from the topology (ports, devices, rules), not from what guests send. Entries do not age: what was
// dropped an hour ago is told with its time. They are gone when the agent is.
//
// DropHistory belongs to one thread (the flow controller's), DropTally to a worker's.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "actors/agent/spsc_ring.hpp"
#include "flows/packet/drop_reason.hpp"
#include "flows/packet/flow_key.hpp"
#include "flows/simulation/drop_site.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::actors {

// Packets that were dropped alike. `example` is the last of them, as it came in.
struct DropNote {
  flows::DropReason reason = flows::DropReason::none;
  flows::simulation::DropSite site;
  flows::FlowKey example = {};
  uint32_t bytes = 0;  // of the example's frame; 0: unknown
  uint64_t packets = 0;
  flows::Time last = {};
};
using DropRing = SpscRing<DropNote>;

// One worker's drops of a few milliseconds. Neither allocates nor waits.
class DropTally {
 public:
  static constexpr size_t kNotes = 32;
  static constexpr std::chrono::milliseconds kPause{20};  // between two looks into the ring, unless it is full

  // False: it is full, flush and add again.
  bool add(const DropNote& note);
  bool due(flows::Time now) const { return size_ == kNotes || (size_ > 0 && now - flushed_ >= kPause); }
  // Returns the packets that the ring had no room for.
  uint64_t flush(DropRing& ring, flows::Time now);

 private:
  std::array<DropNote, kNotes> notes_;
  size_t size_ = 0;
  flows::Time flushed_ = {};
};

struct DropEntry {
  DropNote note;
  flows::Time first = {};
};

class DropHistory {
 public:
  static constexpr size_t kCapacity = 4096;
  explicit DropHistory(size_t capacity = kCapacity) : capacity_(capacity) {}

  void add(const DropNote& note);
  // More packets of an entry, or of one that has made room meanwhile: then it begins anew, without an example.
  void count(flows::DropReason reason, const flows::simulation::DropSite& site, uint64_t packets, flows::Time now);
  // What concerns a port: packets that came in by it, would have left by it, or were dropped at it. Nil: all. The newest
  // first.
  std::vector<DropEntry> entries(PortId port) const;

  size_t size() const { return order_.size(); }
  uint64_t evictions() const { return evictions_; }

 private:
  struct Key {
    flows::DropReason reason;
    flows::simulation::DropSite site;
    friend bool operator==(const Key& a, const Key& b) { return a.reason == b.reason && a.site.same_place(b.site); }
  };
  struct KeyHash {
    size_t operator()(const Key& key) const noexcept;
  };
  using Order = std::list<DropEntry>;  // the newest first
  DropEntry& entry(const Key& key, flows::Time now);

  const size_t capacity_;
  Order order_;
  std::unordered_map<Key, Order::iterator, KeyHash> entries_;
  uint64_t evictions_ = 0;
};

}  // namespace viaduct::actors
