// Translated connections follow the lease of their ports: who has lost it gives them over, and who has it takes them over.
//
// One update says it of both entries of a connection, so that no host ever has one half of another's say. The old owner has
// copies before he says it, and the new one says so to all others with copies: at any time one of them at most is owner, who
// passes on what the others see.
#include <algorithm>
#include <array>

#include "flows/replication/replicator.hpp"

namespace viaduct::flows {

struct Replicator::Pair {
  struct Half {
    ConnectionKey key;
    ConnectionEntry entry;
  };
  std::array<Half, 2> halves;  // the snat_reverse entry, and snat
};

std::optional<Replicator::Pair> Replicator::pair_of(const ConnectionKey& reverse, const ConnectionEntry& entry) {
  if (reverse.kind != ConnectionKind::snat_reverse || entry.address.family() != reverse.src.family())
    return std::nullopt;
  const auto partner = partner_of(reverse, entry);
  if (!partner) return std::nullopt;
  return Pair{{{{reverse, entry}, {*partner, partner_entry(reverse, entry)}}}};
}

std::optional<Replicator::Pair> Replicator::pair_of_half(const ConnectionKey& key, const ConnectionEntry& entry) {
  if (key.kind == ConnectionKind::snat_reverse) return pair_of(key, entry);
  if (key.kind != ConnectionKind::snat || entry.address.family() != key.src.family()) return std::nullopt;
  const auto reverse = partner_of(key, entry);
  return reverse ? pair_of(*reverse, partner_entry(key, entry)) : std::nullopt;
}

std::optional<HostId> Replicator::holder_of(const ConnectionKey& key, const ConnectionEntry& entry) const {
  if (key.kind == ConnectionKind::snat_reverse) return holder_of_(key);
  const auto reverse = key.kind == ConnectionKind::snat ? partner_of(key, entry) : std::nullopt;
  return reverse ? holder_of_(*reverse) : std::nullopt;
}

namespace {
bool means_the_same(const ConnectionEntry& a, const ConnectionEntry& b) {
  return a.address == b.address && a.port == b.port;
}
}  // namespace

// One of its entries is another connection's.
bool Replicator::clashes(const Pair& pair) const {
  return std::any_of(pair.halves.begin(), pair.halves.end(), [&](const Pair::Half& half) {
    const auto known = table_.find(half.key);
    return known && !means_the_same(*known, half.entry);
  });
}

// What the table has of it is this host's own, or a copy. Returns that.
std::vector<ConnectionKey> Replicator::own(const Pair& pair, bool owned, Time now) {
  std::vector<ConnectionKey> out;
  for (const auto& [key, entry] : pair.halves) {
    const auto known = table_.find(key);
    if (!known || !means_the_same(*known, entry) || !table_.set_owned(key, owned)) continue;
    Shared& shared = shared_of(key, now);
    shared.owned = owned;
    shared.adopted = false;
    shared.yielded_to = {};
    shared.unheard = false;
    out.push_back(key);
  }
  return out;
}

std::vector<ConnectionKey> Replicator::end(const Pair& pair) {
  std::vector<ConnectionKey> out;
  for (const auto& [key, entry] : pair.halves) {
    const auto known = table_.find(key);
    if (known && !means_the_same(*known, entry)) continue;
    if (const auto at = shared_.find(key); at != shared_.end()) forget(at);
    if (table_.erase(key)) out.push_back(key);
  }
  return out;
}

// --- by who has lost the ports ----------------------------------------------------------------------

std::vector<ConnectionKey> Replicator::yield(std::span<const ConnectionKey> keys, Time now) {
  std::vector<ConnectionKey> out;
  for (const ConnectionKey& key : keys) {
    const auto entry = table_.find(key);
    const auto pair = entry ? pair_of(key, *entry) : std::nullopt;
    if (!pair || !entry->owned) continue;
    const auto copies = own(*pair, false, now);
    out.insert(out.end(), copies.begin(), copies.end());
    yielded_.insert(key);
    give_over(*pair, now);
  }
  return out;
}

void Replicator::leases_changed(Time now) {
  const std::vector<ConnectionKey> keys(yielded_.begin(), yielded_.end());
  for (const ConnectionKey& key : keys) {
    const auto entry = table_.find(key);
    const auto pair = entry ? pair_of(key, *entry) : std::nullopt;
    if (pair) give_over(*pair, now);
  }
}

void Replicator::give_over(const Pair& pair, Time now) {
  const ConnectionKey& key = pair.halves.front().key;
  const auto holder = holder_of_(key);
  Shared& shared = shared_of(key, now);
  if (!holder || *holder == shared.yielded_to) return;
  if (*holder == self_) {  // once more
    yielded_.erase(key);
    own(pair, true, now);
    const std::vector<HostId> peers = peers_of_(ends_.of(key));
    share({{&key, 1}, {}, peers}, now);
    return;
  }
  if (shared.yielded_to.is_nil()) ++counters_.yielded;
  shared.yielded_to = *holder;
  shared.unheard = std::find(shared.peers.begin(), shared.peers.end(), *holder) == shared.peers.end();
  for (const auto& [half, entry] : pair.halves) {
    const auto at = shared_.find(half);
    if (at == shared_.end()) continue;
    at->second.peers.clear();
    at->second.peers.push_back(*holder);
  }
  if (shared.unheard) look_later(key, shared, now);  // end_if_unheard()
  if (const auto entry = table_.find(key)) put(key, *entry, *holder, 0, now);
}

// The new holder has never been told of it and cannot be.
bool Replicator::end_if_unheard(const ConnectionKey& key, const ConnectionEntry& entry, const Shared& shared,
                                Work& work) {
  if (!shared.unheard || !yielded_.contains(key)) return false;
  const auto link = links_.find(shared.yielded_to);
  if (link != links_.end() && !link->second.silent()) return false;
  const auto pair = pair_of(key, entry);
  if (!pair) return false;
  ++counters_.yields_unheard;
  const auto gone = end(*pair);
  work.ended.insert(work.ended.end(), gone.begin(), gone.end());
  return true;
}

void Replicator::apply_refusal(const ConnectionUpdate& update, HostId by, Received& out) {
  const auto at = shared_.find(update.key);
  const auto known = table_.find(update.key);
  const bool ours = at != shared_.end() && yielded_.contains(update.key) && at->second.yielded_to == by;
  if (!ours || !known || !means_the_same(*known, update.entry)) return;  // it is over already
  const auto pair = pair_of(update.key, *known);
  if (!pair) return;
  const auto gone = end(*pair);
  out.changed.insert(out.changed.end(), gone.begin(), gone.end());
  ++out.refused;
  ++counters_.yields_refused;
}

// --- by who gives them out --------------------------------------------------------------------------

// A connection that had one of this host's ports until its time was over here, and lives on where it was last heard of.
// True when the port is another one's by now: who still says it is told whose, and that the old one has ended.
bool Replicator::correct(const ConnectionUpdate& update, HostId by, Time now, Received& out) {
  const auto pair = pair_of_half(update.key, update.entry);
  if (!pair || holder_of_(pair->halves.front().key) != self_) return false;
  const auto is_ours = [&](const Pair::Half& half) {
    const auto known = table_.find(half.key);
    return known && known->owned && !means_the_same(*known, half.entry);
  };
  if (std::none_of(pair->halves.begin(), pair->halves.end(), is_ours)) return false;
  ++counters_.conflicts;
  const auto link = links_.find(by);
  for (const Pair::Half& half : pair->halves) {
    const auto known = table_.find(half.key);
    if (known && known->owned && means_the_same(*known, half.entry)) continue;  // alone, it ages
    if (known && !means_the_same(*known, half.entry)) {
      Shared& shared = shared_of(half.key, now);
      shared.owned = known->owned;
      if (std::find(shared.peers.begin(), shared.peers.end(), by) == shared.peers.end()) shared.peers.push_back(by);
      put(half.key, *known, by, 0, now);
      continue;
    }
    if (const auto at = shared_.find(half.key); at != shared_.end()) forget(at);
    if (table_.erase(half.key)) out.changed.push_back(half.key);
    if (link != links_.end()) link->second.put(half.key, {half.key, {}, true}, 0, now);
  }
  return true;
}

// --- by who has got them ----------------------------------------------------------------------------

// Both halves, or none. False when there is no room.
bool Replicator::open(const Pair& pair, Received& out) {
  std::vector<ConnectionKey> added;
  for (const auto& [key, entry] : pair.halves) {
    const OpenResult result = table_.open(key, entry);
    if (result == OpenResult::added) added.push_back(key);
    if (result == OpenResult::added || result == OpenResult::same) continue;
    for (const ConnectionKey& one : added) table_.erase(one);
    return false;
  }
  out.changed.insert(out.changed.end(), added.begin(), added.end());
  return true;
}

void Replicator::take_over(const ConnectionUpdate& update, HostId by, Time now, Received& out) {
  const auto pair = pair_of(update.key, update.entry);
  if (!pair) return;
  if (clashes(*pair)) {
    ++counters_.conflicts;
    ConnectionUpdate refusal = update;
    refusal.ownership = Ownership::refused;
    if (const auto link = links_.find(by); link != links_.end()) link->second.put(update.key, refusal, 0, now);
    return;
  }
  if (!open(*pair, out)) {  // it is said again when the connection is used
    ++counters_.table_full;
    return;
  }
  const auto known = shared_.find(update.key);
  const auto before = table_.find(update.key);
  const bool is_new = known == shared_.end() || !known->second.owned || !before || !before->owned;
  yielded_.erase(update.key);
  if (is_new) own(*pair, true, now);
  for (const auto& [key, entry] : pair->halves) {
    Shared& shared = shared_of(key, now);
    if (!update.ends.empty()) ends_.note(key, update.ends);
    if (std::find(shared.peers.begin(), shared.peers.end(), by) == shared.peers.end()) shared.peers.push_back(by);
  }
  if (!is_new) return;
  ++counters_.taken_over;
  const std::vector<HostId> peers = peers_of_(ends_.of(update.key));
  share({{&update.key, 1}, {}, peers}, now);
  for (const auto& [key, entry] : pair->halves) {  // also those who have it: their owner is another one now
    const auto owned = table_.find(key);
    const auto at = shared_.find(key);
    if (!owned || at == shared_.end()) continue;
    for (const HostId& peer : at->second.peers) put(key, *owned, peer, 0, now);
  }
}

}  // namespace viaduct::flows
