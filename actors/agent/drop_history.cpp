#include "actors/agent/drop_history.hpp"

#include <algorithm>

namespace viaduct::actors {

using flows::Time;
using flows::simulation::DropSite;

bool DropTally::add(const DropNote& note) {
  for (size_t i = 0; i < size_; ++i) {
    DropNote& known = notes_[i];
    if (known.reason != note.reason || !known.site.same_place(note.site)) continue;
    const uint64_t before = known.packets;
    known = note;
    known.packets += before;
    return true;
  }
  if (size_ == kNotes) return false;
  notes_[size_++] = note;
  return true;
}

uint64_t DropTally::flush(DropRing& ring, Time now) {
  uint64_t lost = 0;
  for (size_t i = 0; i < size_; ++i) {
    if (!ring.try_push(notes_[i])) lost += notes_[i].packets;
  }
  size_ = 0;
  flushed_ = now;
  return lost;
}

size_t DropHistory::KeyHash::operator()(const Key& key) const noexcept {
  size_t hash = static_cast<size_t>(key.reason);
  const auto mix = [&hash](size_t more) { hash = (hash ^ more) * 0x9e37'79b9'7f4a'7c15ULL; };
  mix(std::hash<PortId>{}(key.site.entered));
  mix(std::hash<PortId>{}(key.site.out));
  mix(std::hash<Uuid>{}(key.site.device));
  mix(std::hash<RuleId>{}(key.site.rule));
  mix(std::hash<HostId>{}(key.site.host));
  return hash;
}

DropEntry& DropHistory::entry(const Key& key, Time now) {
  if (const auto known = entries_.find(key); known != entries_.end()) {
    order_.splice(order_.begin(), order_, known->second);
    return order_.front();
  }
  if (order_.size() == capacity_) {
    const DropNote& oldest = order_.back().note;
    entries_.erase(Key{oldest.reason, oldest.site});
    order_.pop_back();
    ++evictions_;
  }
  order_.push_front({DropNote{key.reason, key.site}, now});
  entries_.emplace(key, order_.begin());
  return order_.front();
}

void DropHistory::add(const DropNote& note) {
  DropEntry& known = entry({note.reason, note.site}, note.last);
  const uint64_t before = known.note.packets;
  const Time last = std::max(known.note.last, note.last);
  known.note = note;
  known.note.packets += before;
  known.note.last = last;
}

void DropHistory::count(flows::DropReason reason, const DropSite& site, uint64_t packets, Time now) {
  if (packets == 0) return;
  DropEntry& known = entry({reason, site}, now);
  known.note.packets += packets;
  known.note.last = std::max(known.note.last, now);
}

std::vector<DropEntry> DropHistory::entries(PortId port) const {
  std::vector<DropEntry> out;
  for (const DropEntry& entry : order_) {
    const DropSite& site = entry.note.site;
    if (port.is_nil() || site.entered == port || site.out == port || site.device == port.uuid()) out.push_back(entry);
  }
  return out;
}

}  // namespace viaduct::actors
