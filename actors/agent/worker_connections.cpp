// What a verdict says of connections becomes entries of their table, before the packet leaves.
#include "actors/agent/packet_worker.hpp"

namespace viaduct::actors {

using flows::Time;

// All, or none.
PacketWorker::Opened PacketWorker::apply_connections(Time) {
  if (verdict_.opens.empty() && verdict_.closes.empty()) return Opened::all;
  Keys closed, added;
  for (const auto& key : verdict_.closes) {
    if (state_.connections.erase(key)) closed.push_back(key);
  }
  state_.connections_ended({closed.begin(), closed.end()}, EndedWhere::everywhere);
  Opened result = Opened::all;
  for (const auto& open : verdict_.opens) {
    const auto opened = state_.connections.open(open.key, open.entry);
    if (opened == flows::OpenResult::added) added.push_back(open.key);
    if (opened == flows::OpenResult::taken) result = Opened::again;
    if (opened == flows::OpenResult::refused) result = Opened::refused;
    if (result != Opened::all) break;
  }
  for (const auto& key : added) {
    if (result == Opened::all) {
      opened_.push_back(key);
    } else {
      state_.connections.erase(key);
    }
  }
  changed_connections_.insert(changed_connections_.end(), added.begin(), added.end());
  state_.end_flows({added.begin(), added.end()});
  if (result == Opened::all && !added.empty()) probe_.connections_opened(added.size());
  return result;
}

void PacketWorker::use_connections(Time now) {
  Keys ending;
  for (const auto& touch : verdict_.touches) {
    const auto* use = std::get_if<flows::simulation::ConnectionUse>(&touch);
    if (use == nullptr) continue;
    if (!state_.connections.touch(use->key, use->direction, verdict_.tcp_flags, now)) continue;
    changed_connections_.push_back(use->key);
    if (flows::says_end(verdict_.tcp_flags)) ending.push_back(use->key);
  }
  // Its flows are made anew: see FlowKeeper::touch().
  state_.end_flows({ending.begin(), ending.end()});
}

// --- shared with other hosts ----------------------------------------------------------------------

namespace {
// Fragments are of this host alone: the rest of a packet comes where its first part came.
bool is_shared(const flows::ConnectionKey& key) { return key.kind != flows::ConnectionKind::fragment; }
}  // namespace

// Tells the replicator what the packet opens and uses. True when the packet has to wait until others know it.
bool PacketWorker::share(const Job& job, Time now) {
  if (verdict_.outcome != flows::simulation::Outcome::forward || verdict_.ends.empty()) return false;
  if (network_.get().locations().paths.empty()) return false;  // there is no other host
  SharedState state;
  bool opens = false;
  flows::ReplicationTicket ticket = 0;
  for (const auto& key : opened_) {
    if (!is_shared(key)) continue;
    opens = true;
    state.keys.push_back(key);
  }
  state.opened = state.keys.size();
  for (const auto& touch : verdict_.touches) {
    const auto* use = std::get_if<flows::simulation::ConnectionUse>(&touch);
    if (use == nullptr) continue;
    if (const auto waited = unshared_.find(use->key); waited != unshared_.end()) ticket = waited->second;
    state.keys.push_back(use->key);
  }
  if (state.keys.empty()) return false;
  const bool first = opens && !verdict_.peers.empty();
  if (first) {
    ticket = state.ticket = next_ticket_++ << kTicketWorkerBits | index_;
    for (const auto& key : state.keys) unshared_[key] = ticket;
    unshared_keys_[ticket] = state.keys;
  }
  state.ends = verdict_.ends;
  state.peers = verdict_.peers;
  shares_.push_back(state);
  if (ticket == 0) return false;
  ParkedPacket parked = parked_packet(job, ParkCause::replication, now);
  parked.ticket = ticket;
  const flows::Time latest = now + state_.replication_patience + kShareMargin;
  wait(job, flows::simulation::StateShared{ticket}, std::move(parked), latest, now);
  return true;
}

void PacketWorker::forget_ticket(flows::ReplicationTicket ticket) {
  const auto keys = unshared_keys_.find(ticket);
  if (keys == unshared_keys_.end()) return;
  for (const auto& key : keys->second) {
    const auto at = unshared_.find(key);
    if (at != unshared_.end() && at->second == ticket) unshared_.erase(at);
  }
  unshared_keys_.erase(keys);
}

// What there is no room to share goes without: the replicator counts it.
void PacketWorker::tell_replicator() {
  state_.replication_news.share(shares_);
  for (const SharedState& left : shares_) {
    if (left.ticket != 0) inbox_.post(StateReady{left.ticket});
  }
  shares_.clear();
}

}  // namespace viaduct::actors
