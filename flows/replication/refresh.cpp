// What is in use is said again, by whoever sees it; and everything, to a host that has lost it.
#include <algorithm>

#include "flows/replication/replicator.hpp"

namespace viaduct::flows {

namespace {
constexpr size_t kRefreshesAPoll = 4'096;
}  // namespace

void Replicator::look_later(const ConnectionKey& key, Shared& shared, Time now) {
  shared.refresh = now + options_.refresh;
  refreshes_.emplace_back(shared.refresh, key);
}

// What has been seen says how long the entry lives: a state that one host alone knows would end it there at another time
// than elsewhere, and its key be given out again while others have it.
bool Replicator::is_news(const ConnectionEntry& entry, const Shared& shared) const {
  return entry.last_seen > shared.told || (seen_of(entry) & ~shared.told_seen) != 0;
}

// Says again what is still in use.
void Replicator::refresh(Time now, Work& work) {
  for (size_t left = kRefreshesAPoll; left > 0 && !refreshes_.empty() && refreshes_.front().first <= now; --left) {
    const auto [due, key] = refreshes_.front();
    refreshes_.pop_front();
    const auto at = shared_.find(key);
    if (at == shared_.end() || at->second.refresh != due) continue;
    const auto entry = table_.find(key);
    if (!entry) {  // it has aged, here as there
      forget(at);
      continue;
    }
    if (end_if_unheard(key, *entry, at->second, work)) continue;
    look_later(key, at->second, now);
    if (!is_news(*entry, at->second)) continue;
    if (!entry->owned && passes_on(*entry, at->second)) adopt(key, now);
    at->second.told = std::max(at->second.told, entry->last_seen);
    at->second.told_seen = seen_of(*entry);
    for (const HostId& peer : at->second.peers) put(key, *entry, peer, 0, now);
  }
}

// Its owner is silent: whoever else may need it, and its other half, hears of it from here.
void Replicator::adopt(const ConnectionKey& key, Time now) {
  const std::span<const PortId> ends = ends_.of(key);
  if (ends.empty()) return;
  const std::vector<HostId> peers = peers_of_(ends);
  shared_.at(key).adopted = true;
  const auto entry = table_.find(key);
  const auto partner = entry ? partner_of(key, *entry) : std::nullopt;
  if (const auto other = partner ? shared_.find(*partner) : shared_.end(); other != shared_.end()) {
    const auto half = table_.find(*partner);
    other->second.adopted = half && !half->owned;
  }
  share({{&key, 1}, {}, peers}, now);
}

void Replicator::resync(HostId peer, ReplicationLink& link, Time now) {
  ++counters_.resyncs;
  for (const auto& [key, shared] : shared_) {
    if (std::find(shared.peers.begin(), shared.peers.end(), peer) == shared.peers.end()) continue;
    if (const auto entry = table_.find(key)) link.put(key, update_of(key, *entry, peer), 0, now);
  }
}

}  // namespace viaduct::flows
