#include "actors/agent/mac_ageing.hpp"

#include <algorithm>

namespace viaduct::actors {

using flows::MacEntry;
using flows::MacKey;
using flows::NeighbourEntry;
using flows::NeighbourKey;
using flows::Time;

namespace {
// Tables erase what is strictly older than a deadline; what ends at `now` is included.
constexpr Time::duration kInclusive{1};
}  // namespace

void MacAgeing::learned(const MacKey& key, Time now) {
  if (key.bridge != bridge_ || macs_.has(key)) return;
  if (macs_.size() >= options_.max_tracked) {
    ++untracked_;
    return;
  }
  macs_.add(key, now + options_.mac_timeout);
}

void MacAgeing::learned(const NeighbourKey& key, Time now) {
  if (key.device != bridge_.uuid() || bindings_.has(key)) return;
  if (bindings_.size() >= options_.max_tracked) {
    ++untracked_;
    return;
  }
  bindings_.add(key, now + options_.binding_timeout);
}

void MacAgeing::adopt(const flows::MacTable& macs, const flows::NeighbourTable& neighbours, Time now) {
  macs.for_each([&](const MacKey& key, const MacEntry& entry) { learned(key, std::min(entry.last_seen, now)); });
  neighbours.for_each(
      [&](const NeighbourKey& key, const NeighbourEntry& entry) { learned(key, std::min(entry.confirmed, now)); });
}

Ended MacAgeing::tick(Time now, flows::MacTable& macs, flows::NeighbourTable& neighbours, const IsRemote& remote) {
  Ended out;
  for (const MacKey& key : macs_.take_due(now)) {
    const auto entry = macs.find(key);
    if (!entry || remote(key)) continue;
    if (macs.erase_if_older(key, now - options_.mac_timeout + kInclusive)) {
      out.macs.push_back({key, entry->port});
    } else {  // seen since; when it was seen only just now, in a full timeout
      macs_.add(key,
                std::max(entry->last_seen, now - options_.mac_timeout + flows::kTouchInterval) + options_.mac_timeout);
    }
  }
  for (const NeighbourKey& key : bindings_.take_due(now)) {
    const auto entry = neighbours.find(key);
    if (!entry || remote(key)) continue;
    if (neighbours.erase_if_older(key, now - options_.binding_timeout + kInclusive)) {
      out.bindings.push_back(key);
    } else {
      bindings_.add(key, std::max(entry->confirmed, now - options_.binding_timeout + flows::kTouchInterval) +
                             options_.binding_timeout);
    }
  }
  return out;
}

Ended MacAgeing::flush(flows::MacTable& macs, flows::NeighbourTable& neighbours) {
  Ended out;
  macs.for_each([&](const MacKey& key, const MacEntry& entry) {
    if (key.bridge == bridge_ && macs.erase(key)) out.macs.push_back({key, entry.port});
  });
  neighbours.for_each([&](const NeighbourKey& key, const NeighbourEntry&) {
    if (key.device == bridge_.uuid() && neighbours.erase(key)) out.bindings.push_back(key);
  });
  macs_.clear();
  bindings_.clear();
  return out;
}

std::optional<Time> MacAgeing::next_deadline() const {
  const auto mac = macs_.next(), binding = bindings_.next();
  return mac && binding ? std::min(mac, binding) : mac ? mac : binding;
}

}  // namespace viaduct::actors
