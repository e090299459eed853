// The agent's index of installed flows: which flow depends on what, how long it has been idle, whose it is.
//
// Owned by one thread (the flow controller's actor). All methods are pure book-keeping: they say which flows to remove
// from the datapath and leave that to the caller; from the index these are gone when the method returns.
//
// Limits: at most `max_flows`. When the table is full, the flow to go is the longest idle one of the port that has the
// most flows (the newcomer counted with its port), so that one port's scan cannot push out another's connections. Before
// it comes to that, idle flows go sooner: above 80 % of max_flows the idle timeout shrinks linearly, to a tenth at 100 %.
//
// Cost: add and remove O(tags), update O(1), invalidate O(flows concerned), expire O(flows expired); for destinations
// and ports times the logarithm of their number. About 300 bytes a flow with six shared tags and one destination, plus
// the attachment.
//
// `Attachment` is what the caller hangs on a flow, e.g. what it keeps alive while it carries packets.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "flows/match/chunked_vector.hpp"
#include "flows/match/flow.hpp"
#include "flows/match/flow_id_map.hpp"
#include "flows/match/small_vector.hpp"
#include "flows/match/tag.hpp"
#include "flows/table/flow_ages.hpp"
#include "flows/table/linked_index.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows {

// The flow was routed by `router` towards `address`: a new route to a prefix that holds it concerns the flow. Ordered so
// that the addresses of one prefix are neighbours.
struct FlowDestination {
  RouterId router;
  IpAddress address;
  friend constexpr auto operator<=>(const FlowDestination&, const FlowDestination&) = default;
};

template <class Attachment>
struct FlowRecord {
  using Destination = FlowDestination;
  FlowId id;
  PortNumber in_port;
  uint64_t epoch = 0;  // TagEpochs::now() before the simulation; for the caller, the index does not keep it
  TagList tags;
  SmallVector<FlowDestination, 4> routed;
  Attachment attachment{};
};

template <class Attachment>
class FlowIndex {
 public:
  using Duration = std::chrono::steady_clock::duration;
  struct View {
    FlowId id;
    PortNumber in_port;
    uint64_t packets, bytes;  // as of the last update
    Time last_used;
    const Attachment& attachment;
  };
  // What update() found.
  struct Use {
    const Attachment* attachment = nullptr;  // null: no such flow; valid until the next change of the index
    uint64_t packets = 0, bytes = 0;         // since the last update
    bool used() const { return packets != 0; }
  };

  // Called for each flow that leaves the index, for whatever reason, before its attachment goes. Must not change the index.
  using OnLeave = std::function<void(const View&)>;

  // `max_flows` is at least 1.
  explicit FlowIndex(size_t max_flows, OnLeave on_leave = {}) : max_flows_(max_flows), on_leave_(std::move(on_leave)) {}

  // Returns the flows that must go for this one. A flow of the same id is replaced: new tags, destinations and
  // attachment; its counters go on. A new flow counts as used `now`.
  std::vector<FlowId> add(FlowRecord<Attachment> record, Time now);
  bool remove(FlowId id);
  // The flows that carry any of the tags.
  std::vector<FlowId> invalidate(std::span<const Tag> tags);
  // The flows that `router` routed to an address in `destination`.
  std::vector<FlowId> invalidate(RouterId router, const IpPrefix& destination);
  // `packets` and `bytes` are the datapath's counters, which count up while the flow is installed; lower ones than
  // before are those of the flow installed anew.
  Use update(FlowId id, uint64_t packets, uint64_t bytes, Time now);
  // The flows that have been idle for at least effective_timeout(idle_timeout). Update first: idle means that no update
  // has seen packets.
  std::vector<FlowId> expire(Time now, Duration idle_timeout);
  Duration effective_timeout(Duration idle_timeout) const;
  std::vector<FlowId> remove_port(PortNumber port);

  // Longest idle first.
  std::vector<FlowId> flows_of(PortNumber port) const;
  size_t count(PortNumber port) const { return ages_.count(port); }
  PortNumber fullest_port() const { return ages_.fullest(); }
  std::optional<View> find(FlowId id) const;
  std::vector<Tag> tags_of(FlowId id) const;
  // In no order; `visit(const View&)` must not change the index.
  template <class Visit>
  void for_each(Visit&& visit) const {
    ids_.for_each([&](const FlowId&, uint32_t slot) { visit(view(slot)); });
  }
  size_t size() const { return ids_.size(); }
  size_t max_flows() const { return max_flows_; }
  // Of the index's own structures; not what attachments own elsewhere.
  size_t memory_bytes() const;

 private:
  struct Slot {
    FlowId id;
    uint64_t packets = 0, bytes = 0;
    uint32_t tags = kNoLink, destinations = kNoLink;  // chains
    Attachment attachment{};
  };

  View view(uint32_t at) const {
    const Slot& slot = slots_[at];
    return {slot.id, ages_.port(at), slot.packets, slot.bytes, ages_.last_used(at), slot.attachment};
  }
  uint32_t allocate();
  void link(uint32_t at, const FlowRecord<Attachment>& record);
  void unlink(uint32_t at);
  FlowId drop(uint32_t at);  // frees the slot

  const size_t max_flows_;
  const OnLeave on_leave_;
  FlowIdMap<uint32_t> ids_;
  ChunkedVector<Slot> slots_;
  std::vector<uint32_t> free_;
  LinkedIndex<std::unordered_map<Tag, uint32_t>> tags_;
  LinkedIndex<std::map<FlowDestination, uint32_t>> destinations_;
  FlowAges ages_;
};

template <class Attachment>
uint32_t FlowIndex<Attachment>::allocate() {
  if (free_.empty()) {
    return static_cast<uint32_t>(slots_.append());
  }
  const uint32_t at = free_.back();
  free_.pop_back();
  return at;
}

template <class Attachment>
void FlowIndex<Attachment>::link(uint32_t at, const FlowRecord<Attachment>& record) {
  Slot& slot = slots_[at];
  for (Tag tag : record.tags) tags_.add(tag, at, slot.tags);
  for (const FlowDestination& destination : record.routed) destinations_.add(destination, at, slot.destinations);
}

template <class Attachment>
void FlowIndex<Attachment>::unlink(uint32_t at) {
  Slot& slot = slots_[at];
  tags_.remove(std::exchange(slot.tags, kNoLink));
  destinations_.remove(std::exchange(slot.destinations, kNoLink));
}

template <class Attachment>
FlowId FlowIndex<Attachment>::drop(uint32_t at) {
  const FlowId id = slots_[at].id;
  if (on_leave_) on_leave_(view(at));
  unlink(at);
  ages_.remove(at);
  ids_.erase(id);
  slots_[at] = Slot();
  free_.push_back(at);
  return id;
}

template <class Attachment>
std::vector<FlowId> FlowIndex<Attachment>::add(FlowRecord<Attachment> record, Time now) {
  std::vector<FlowId> evicted;
  uint32_t at;
  if (const uint32_t* known = ids_.find(record.id)) {
    at = *known;
    unlink(at);
    ages_.remove(at);
  } else {
    while (size() >= max_flows_) evicted.push_back(drop(*ages_.victim(record.in_port)));
    at = allocate();
    ids_.insert(record.id, at);
    slots_[at].id = record.id;
  }
  link(at, record);
  ages_.add(at, record.in_port, now);
  slots_[at].attachment = std::move(record.attachment);
  return evicted;
}

template <class Attachment>
bool FlowIndex<Attachment>::remove(FlowId id) {
  const uint32_t* known = ids_.find(id);
  if (known == nullptr) return false;
  drop(*known);
  return true;
}

template <class Attachment>
std::vector<FlowId> FlowIndex<Attachment>::invalidate(std::span<const Tag> tags) {
  std::vector<FlowId> out;
  for (Tag tag : tags) {
    // Dropping a flow takes it from under the tag; with the last one the tag goes.
    for (auto under = tags_.map().find(tag); under != tags_.map().end(); under = tags_.map().find(tag)) {
      out.push_back(drop(tags_.flow_at(under->second)));
    }
  }
  return out;
}

template <class Attachment>
std::vector<FlowId> FlowIndex<Attachment>::invalidate(RouterId router, const IpPrefix& destination) {
  std::vector<FlowId> out;
  const auto& map = destinations_.map();
  const FlowDestination first{router, destination.network().address()};
  for (auto at = map.lower_bound(first);
       at != map.end() && at->first.router == router && destination.contains(at->first.address);
       at = map.lower_bound(first)) {
    out.push_back(drop(destinations_.flow_at(at->second)));
  }
  return out;
}

template <class Attachment>
typename FlowIndex<Attachment>::Use FlowIndex<Attachment>::update(FlowId id, uint64_t packets, uint64_t bytes,
                                                                  Time now) {
  const uint32_t* known = ids_.find(id);
  if (known == nullptr) return {};
  Slot& slot = slots_[*known];
  const bool anew = packets < slot.packets || bytes < slot.bytes;
  const Use use{&slot.attachment, packets - (anew ? 0 : slot.packets), bytes - (anew ? 0 : slot.bytes)};
  slot.packets = packets;
  slot.bytes = bytes;
  if (use.used()) ages_.use(*known, now);
  return use;
}

template <class Attachment>
typename FlowIndex<Attachment>::Duration FlowIndex<Attachment>::effective_timeout(Duration idle_timeout) const {
  const size_t relaxed = max_flows_ - max_flows_ / 5;
  if (size() <= relaxed) return idle_timeout;
  const double pressure = static_cast<double>(size() - relaxed) / static_cast<double>(max_flows_ - relaxed);
  return std::chrono::duration_cast<Duration>(idle_timeout * (1.0 - 0.9 * pressure));
}

template <class Attachment>
std::vector<FlowId> FlowIndex<Attachment>::expire(Time now, Duration idle_timeout) {
  std::vector<FlowId> out;
  for (auto oldest = ages_.oldest(); oldest && now - ages_.last_used(*oldest) >= effective_timeout(idle_timeout);
       oldest = ages_.oldest()) {
    out.push_back(drop(*oldest));
  }
  return out;
}

template <class Attachment>
std::vector<FlowId> FlowIndex<Attachment>::remove_port(PortNumber port) {
  std::vector<FlowId> out;
  for (uint32_t at : ages_.flows_of(port)) out.push_back(drop(at));
  return out;
}

template <class Attachment>
std::vector<FlowId> FlowIndex<Attachment>::flows_of(PortNumber port) const {
  std::vector<FlowId> out;
  for (uint32_t at : ages_.flows_of(port)) out.push_back(slots_[at].id);
  return out;
}

template <class Attachment>
std::optional<typename FlowIndex<Attachment>::View> FlowIndex<Attachment>::find(FlowId id) const {
  const uint32_t* known = ids_.find(id);
  if (known == nullptr) return std::nullopt;
  return view(*known);
}

template <class Attachment>
std::vector<Tag> FlowIndex<Attachment>::tags_of(FlowId id) const {
  std::vector<Tag> out;
  if (const uint32_t* known = ids_.find(id)) {
    tags_.for_each_key(slots_[*known].tags, [&](Tag tag) { out.push_back(tag); });
  }
  return out;
}

template <class Attachment>
size_t FlowIndex<Attachment>::memory_bytes() const {
  return ids_.memory_bytes() + slots_.capacity() * sizeof(Slot) + free_.capacity() * sizeof(uint32_t) +
         tags_.memory_bytes() + destinations_.memory_bytes() + ages_.memory_bytes();
}

}  // namespace viaduct::flows
