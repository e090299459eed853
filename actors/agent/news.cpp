#include "actors/agent/news.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace viaduct::actors {

using flows::simulation::Invalidation;

namespace {

template <class List>
void append_all(List& to, const List& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void unique(std::vector<flows::Tag>& tags) {
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
}

template <class List>
void move_some(List& to, List& from, size_t& room) {
  size_t moved = std::min(room, from.size());
  to.insert(to.end(), std::make_move_iterator(from.begin()),
            std::make_move_iterator(from.begin() + static_cast<ptrdiff_t>(moved)));
  room -= moved;
}

}  // namespace

void FlowNews::changed(const Invalidation& what) {
  if (what.empty()) return;
  {
    std::lock_guard lock(mutex_);
    append_all(waiting_.tags, what.tags);
    append_all(waiting_.prefixes, what.prefixes);
    append_all(waiting_.epochs, what.epochs);
    if (waiting_.tags.size() >= tidy_at_) tidy();
  }
  bell_.ring();
}

void FlowNews::tidy() {
  unique(waiting_.tags);
  unique(waiting_.epochs);
  tidy_at_ = std::max(kFirstTidyAt, 2 * waiting_.tags.size());
}

Invalidation FlowNews::take() {
  bell_.answer();
  std::lock_guard lock(mutex_);
  tidy_at_ = kFirstTidyAt;
  return std::exchange(waiting_, {});
}

void DeviceNews::add(DeviceEvents&& events) {
  size_t lost;
  {
    std::lock_guard lock(mutex_);
    lost = append(waiting_, std::move(events), kCapacity);
  }
  if (lost > 0) count_lost(lost);
  bell_.ring();
}

DeviceEvents DeviceNews::take() {
  bell_.answer();
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void NatNews::wanted(const NatWant& want) {
  {
    std::lock_guard lock(mutex_);
    if (std::find(waiting_.begin(), waiting_.end(), want) != waiting_.end()) return;
    if (waiting_.size() >= kCapacity) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_.push_back(want);
  }
  bell_.ring();
}

std::vector<NatWant> NatNews::take() {
  bell_.answer();
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void ConnectionNews::changed(std::span<const flows::ConnectionKey> keys) {
  if (keys.empty()) return;
  std::lock_guard lock(mutex_);
  const size_t room = kCapacity - waiting_.keys.size();
  waiting_.overflow |= keys.size() > room;
  waiting_.keys.insert(waiting_.keys.end(), keys.begin(),
                       keys.begin() + static_cast<ptrdiff_t>(std::min(keys.size(), room)));
}

ConnectionNews::Taken ConnectionNews::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

size_t count(const DeviceEvents& events) {
  return events.wanted.size() + events.refresh.size() + events.macs.size() + events.neighbours.size();
}

size_t append(DeviceEvents& to, DeviceEvents&& from, size_t capacity) {
  size_t before = count(to);
  size_t offered = count(from);
  if (before == 0 && offered <= capacity) {
    to = std::move(from);
    return 0;
  }
  const size_t space = capacity - std::min(capacity, before);
  size_t room = space;
  move_some(to.neighbours, from.neighbours, room);
  move_some(to.wanted, from.wanted, room);
  move_some(to.refresh, from.refresh, room);
  move_some(to.macs, from.macs, room);
  return offered - (space - room);
}

}  // namespace viaduct::actors
