// When each fact last changed, so that a flow simulated before the change is refused when it comes to be installed.
//
// A fixed array of counters indexed by a part of the tag's hash: two tags may share one, which refuses a flow too many
// (simulated again) and never one too few. Any thread reads; writers are the actors and workers that change facts.
//
//   worker:  epoch = now();  simulate;  if (!unchanged_since(tags, epoch)) simulate again;  install
//   changer: change the fact (publish snapshot, write table);  bump(tags);  remove the flows that carry the tags
//   index:   take the worker's record in; if (!unchanged_since(tags, epoch)) remove the flow at once
//
// The index asks again because a change may pass between the worker's question and the arrival of its record: then the
// changer has looked for the flow before it was in the index. The index and the removal run on one thread, so that
// either the record is there when the changer looks, or the epoch is when the record comes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "flows/match/tag.hpp"

namespace viaduct::flows {

class TagEpochs {
 public:
  TagEpochs();
  uint64_t now() const;
  void bump(std::span<const Tag> tags);
  bool unchanged_since(std::span<const Tag> tags, uint64_t epoch) const;

 private:
  static constexpr size_t kSlots = 1 << 16;  // half a megabyte
  static size_t slot_of(Tag tag) { return tag.value * 0x9e37'79b9'7f4a'7c15ULL >> 48; }

  std::atomic<uint64_t> epoch_{1};
  std::unique_ptr<std::atomic<uint64_t>[]> slots_;
};

}  // namespace viaduct::flows
