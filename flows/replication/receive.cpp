// What other hosts say, and what is believed of it.
#include <algorithm>

#include "flows/replication/replicator.hpp"

namespace viaduct::flows {

Replicator::Received Replicator::receive(const StateFrame& frame, HostId by, Time now) {
  Received out;
  if (frame.sender != by || frame.receiver != self_) {
    ++counters_.not_for_us;
    return out;
  }
  if (const auto* batch = std::get_if<StateBatch>(&frame.content)) {
    for (const ConnectionUpdate& update : batch->updates) apply(update, by, now, out);
    out.answer = StateFrame{self_, by, life_, StateAcknowledgement{frame.life, {batch->sequence}}};
    return out;
  }
  if (const auto* question = std::get_if<StateQuestion>(&frame.content)) {
    hand_over(*question, by, frame.life, now);
    return out;
  }
  if (const auto* handed = std::get_if<StateHandedOver>(&frame.content)) {
    const auto at = questions_.find(handed->number);
    if (at == questions_.end() || at->second.from != by) return out;
    questions_.erase(at);
    answered_.push_back(handed->number);
    return out;
  }
  const auto& acknowledgement = std::get<StateAcknowledgement>(frame.content);
  const auto link = links_.find(by);
  if (link == links_.end() || acknowledgement.of_life != life_) return out;
  release(link->second.acknowledged(acknowledgement.sequences, frame.life, now), out.released);
  return out;
}

// Believed from whoever has the entry too; its owner tells all others who have.
void Replicator::apply_end(const ConnectionKey& key, HostId by, Time now, Received& out) {
  const auto at = shared_.find(key);
  if (at == shared_.end()) return;  // it has aged
  const auto& peers = at->second.peers;
  if (std::find(peers.begin(), peers.end(), by) == peers.end()) {
    ++counters_.not_theirs;
    return;
  }
  for (const HostId& peer : peers) {
    const auto link = links_.find(peer);
    if (at->second.owned && peer != by && link != links_.end()) link->second.put(key, {key, {}, true}, 0, now);
  }
  forget(at);
  if (table_.erase(key)) out.changed.push_back(key);
}

// Its key is another connection's by now: it has ended, with both halves. Flags of TCP begin anew with the other one.
void Replicator::drop_copy(const ConnectionKey& key, const ConnectionEntry& entry, Received& out) {
  if (const auto at = shared_.find(key); at != shared_.end()) at->second.told = {}, at->second.told_seen = 0;
  table_.erase(key);
  const auto partner = partner_of(key, entry);
  const auto other = partner ? table_.find(*partner) : std::nullopt;
  if (!other || other->owned || partner_of(*partner, *other) != key) return;
  if (const auto at = shared_.find(*partner); at != shared_.end()) forget(at);
  if (table_.erase(*partner)) out.changed.push_back(*partner);
}

void Replicator::apply(const ConnectionUpdate& update, HostId by, Time now, Received& out) {
  ++counters_.received;
  if (!may_claim_(by, update)) {
    ++counters_.not_theirs;
    return;
  }
  if (update.ended) return apply_end(update.key, by, now, out);
  if (update.ownership == Ownership::refused) return apply_refusal(update, by, out);
  if (update.ownership == Ownership::receivers && holder_of_(update.key) == self_) {
    return take_over(update, by, now, out);
  }
  if (correct(update, by, now, out)) return;
  OpenResult result = table_.open(update.key, update.entry);
  if (result == OpenResult::taken) {
    const auto known = table_.find(update.key);
    if (known && known->owned) {
      ++counters_.conflicts;
      return;
    }
    if (known) drop_copy(update.key, *known, out);
    result = table_.open(update.key, update.entry);
    out.changed.push_back(update.key);
  }
  if (result == OpenResult::refused) {
    ++counters_.table_full;
    return;
  }
  if (result == OpenResult::added) out.changed.push_back(update.key);
  Shared& shared = shared_of(update.key, now);
  if (!update.ends.empty()) ends_.note(update.key, update.ends);
  const auto entry = table_.find(update.key);
  // An owner passes on to the others what one of them has seen; a copy has told nobody else anything.
  const bool passes_on = entry && entry->owned;
  if (!passes_on) {
    shared.told = std::max(shared.told, update.entry.last_seen);
    shared.told_seen |= seen_of(update.entry);
  }
  // A copy tells its owner, and he the others.
  const bool owners = update.ownership == Ownership::senders && entry && !entry->owned;
  if (owners && holder_of(update.key, *entry) == by) {
    shared.adopted = shared.unheard = false;
    shared.peers.clear();
  }
  if (std::find(shared.peers.begin(), shared.peers.end(), by) == shared.peers.end()) shared.peers.push_back(by);
}

}  // namespace viaduct::flows
