#include "flows/replication/replicator.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::flows {

namespace {
constexpr size_t kBatchesAPoll = 32;  // to one peer
}  // namespace

Replicator::Replicator(HostId self, uint64_t life, ConnectionTable& table, MayClaim may_claim, PeersOf peers_of,
                       HolderOf holder_of, const Options& options)
    : self_(self),
      life_(life),
      table_(table),
      may_claim_(std::move(may_claim)),
      peers_of_(std::move(peers_of)),
      holder_of_(std::move(holder_of)),
      options_(options) {}

// --- out ------------------------------------------------------------------------------------------

ConnectionUpdate Replicator::update_of(const ConnectionKey& key, const ConnectionEntry& entry, HostId peer) const {
  const std::span<const PortId> ends = ends_.of(key);
  const auto shared = shared_.find(key);
  const bool yielded = yielded_.contains(key) && shared != shared_.end() && shared->second.yielded_to == peer;
  const Ownership whose = entry.owned ? Ownership::senders : yielded ? Ownership::receivers : Ownership::unsaid;
  ConnectionUpdate out{key, entry, false, {ends.begin(), ends.end()}, whose};
  out.entry.owned = false;  // as it arrives
  return out;
}

// False when the peer is silent, and is sent it whenever it answers.
bool Replicator::put(const ConnectionKey& key, const ConnectionEntry& entry, HostId peer, ReplicationTicket ticket,
                     Time now) {
  auto link = links_.find(peer);
  if (link == links_.end()) return false;
  const bool answers = !link->second.silent();
  if (link->second.put(key, update_of(key, entry, peer), ticket, now)) ++awaited_[ticket].updates;
  return answers;
}

void Replicator::wait_for_what_is_sent(const ConnectionKey& key, HostId peer, ReplicationTicket ticket) {
  if (ticket == 0) return;
  const auto link = links_.find(peer);
  if (link != links_.end() && link->second.wait_for(key, ticket)) ++awaited_[ticket].updates;
}

// Who made an entry tells those whom it concerns; who has a copy does so when nobody else with the entry is left.
bool Replicator::passes_on(const ConnectionEntry& entry, const Shared& shared) const {
  if (entry.owned || shared.adopted) return true;
  return std::none_of(shared.peers.begin(), shared.peers.end(), [&](const HostId& peer) {
    const auto link = links_.find(peer);
    return link != links_.end() && !link->second.silent();
  });
}

void Replicator::forget(SharedKeys::iterator shared) {
  ends_.forget(shared->first);
  yielded_.erase(shared->first);
  shared_.erase(shared);
}

// The key is another entry's from now on. Returns who has the one before, perhaps.
SmallVector<HostId, 4> Replicator::begin_anew(const ConnectionKey& key, Shared& shared) {
  ends_.forget(key);
  yielded_.erase(key);
  const Time refresh = shared.refresh;
  SmallVector<HostId, 4> former = std::exchange(shared, {}).peers;
  shared.refresh = refresh;
  return former;
}

Replicator::Shared& Replicator::shared_of(const ConnectionKey& key, Time now) {
  const auto [at, is_new] = shared_.try_emplace(key);
  if (is_new) look_later(key, at->second, now);
  return at->second;
}

// A pair's halves go together, whichever of them a packet has used.
bool Replicator::share(const Share& what, Time now) {
  bool all_answer = true;
  for (size_t i = 0; i < what.keys.size(); ++i) {
    const ConnectionKey& key = what.keys[i];
    const auto entry = table_.find(key);
    if (!entry) continue;
    all_answer = share_one(key, *entry, what, i < what.opened, now) && all_answer;
    const auto partner = partner_of(key, *entry);
    const auto other = partner ? table_.find(*partner) : std::nullopt;
    if (other) all_answer = share_one(*partner, *other, what, false, now) && all_answer;
  }
  if (!all_answer && what.ticket != 0) ++counters_.unacknowledged;
  return what.ticket != 0 && awaited_.contains(what.ticket);
}

// False when one of those who are to know is silent.
bool Replicator::share_one(const ConnectionKey& key, const ConnectionEntry& entry, const Share& what, bool opened,
                           Time now) {
  if (shared_.size() >= options_.max_shared && !shared_.contains(key)) {
    ++counters_.not_shared;
    return false;
  }
  Shared& shared = shared_of(key, now);
  SmallVector<HostId, 4> former;
  if (opened && entry.owned) former = begin_anew(key, shared);
  shared.owned = entry.owned;
  if (!what.ends.empty()) ends_.note(key, what.ends);
  if (!what.by_anybody && !passes_on(entry, shared)) return true;
  if (shared.peers.empty()) {  // later ones know more than these do
    shared.told = entry.last_seen;
    shared.told_seen = seen_of(entry);
  }
  bool all_answer = true;
  for (const HostId& peer : what.peers) {
    if (peer == self_) continue;
    if (std::find(shared.peers.begin(), shared.peers.end(), peer) != shared.peers.end()) {
      wait_for_what_is_sent(key, peer, what.ticket);
      continue;
    }
    shared.peers.push_back(peer);
    all_answer = put(key, entry, peer, what.ticket, now) && all_answer;
  }
  for (const HostId& peer : former) {
    if (std::find(shared.peers.begin(), shared.peers.end(), peer) != shared.peers.end()) continue;
    shared.peers.push_back(peer);
    put(key, entry, peer, 0, now);
  }
  return all_answer;
}

void Replicator::moved(std::span<const PortId> ports, Time now) {
  for (const ConnectionEnds::Found& found : ends_.at(ports)) {
    const std::vector<HostId> peers = peers_of_(found.ends);
    share({found.keys, {}, peers}, now);
  }
}

bool Replicator::made_here(const ConnectionKey& key) const {
  const auto at = shared_.find(key);
  return at != shared_.end() && at->second.owned;
}

void Replicator::ended(std::span<const ConnectionKey> keys, Time now) {
  for (const ConnectionKey& key : keys) {
    const auto at = shared_.find(key);
    if (at == shared_.end()) continue;
    const auto again = table_.find(key);
    const bool opened_again = again && again->owned;
    for (const HostId& peer : at->second.peers) {
      const auto link = links_.find(peer);
      if (link == links_.end()) continue;
      link->second.put(key, opened_again ? update_of(key, *again, peer) : ConnectionUpdate{key, {}, true}, 0, now);
    }
    if (!opened_again) forget(at);
  }
}

void Replicator::reach(const std::vector<HostId>& hosts) {
  for (const HostId& host : hosts) {
    if (host == self_) continue;
    const auto [link, is_new] = links_.try_emplace(host, options_.link);
    if (is_new && !shared_.empty()) link->second.start_over();
  }
  for (auto link = links_.begin(); link != links_.end();) {
    if (std::find(hosts.begin(), hosts.end(), link->first) != hosts.end()) {
      ++link;
      continue;
    }
    const auto tickets = link->second.all_tickets();
    orphaned_.insert(orphaned_.end(), tickets.begin(), tickets.end());
    link = links_.erase(link);
  }
}

void Replicator::lost(HostId host, Time now) {
  const auto link = links_.find(host);
  if (link == links_.end()) return;
  link->second.hush();
  std::vector<ConnectionKey> orphans;
  for (const auto& [key, shared] : shared_) {
    if (std::find(shared.peers.begin(), shared.peers.end(), host) != shared.peers.end()) orphans.push_back(key);
  }
  for (const ConnectionKey& key : orphans) {
    const auto entry = table_.find(key);
    if (entry && !entry->owned && passes_on(*entry, shared_.at(key))) adopt(key, now);
  }
}

void Replicator::back(HostId host, Time now) {
  if (const auto link = links_.find(host); link != links_.end()) link->second.expect(now);
}

Replicator::Work Replicator::poll(Time now) {
  Work work;
  refresh(now, work);
  ask_again(now, work);
  for (StateFrame& answer : std::exchange(answers_, {})) work.frames.push_back(std::move(answer));
  const auto orphaned = std::exchange(orphaned_, {});
  release(orphaned, work.released);
  counters_.unacknowledged += work.released.size();
  for (auto& [peer, link] : links_) {
    const auto given_up = link.give_up(now);
    const size_t before = work.released.size();
    release(given_up, work.released);
    counters_.unacknowledged += work.released.size() - before;
    if (link.resync()) resync(peer, link, now);
    for (StateBatch& batch : link.poll(now, kBatchesAPoll)) {
      counters_.sent += batch.updates.size();
      work.frames.push_back({self_, peer, life_, std::move(batch)});
    }
  }
  return work;
}

std::optional<Time> Replicator::next_deadline() const {
  std::optional<Time> next;
  if (!refreshes_.empty()) next = refreshes_.front().first;
  const auto consider = [&](Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [number, question] : questions_) consider(std::min(question.again, question.until));
  if (!answers_.empty() || !answered_.empty() || !orphaned_.empty()) consider(Time{});
  for (const auto& [peer, link] : links_) {
    const auto at = link.next_deadline();
    if (at) consider(*at);
  }
  return next;
}

void Replicator::release(std::span<const ReplicationTicket> tickets, std::vector<ReplicationTicket>& out) {
  for (const ReplicationTicket ticket : tickets) {
    const auto at = awaited_.find(ticket);
    if (at == awaited_.end() || --at->second.updates > 0) continue;
    awaited_.erase(at);
    if ((ticket & kOwn) != 0) {
      handed_over(ticket);
    } else {
      out.push_back(ticket);
    }
  }
}

Replicator::Counters Replicator::counters() const {
  Counters out = counters_;
  for (const auto& [peer, link] : links_) {
    out.sent_again += link.sent_again();
    out.overflows += link.overflows();
  }
  return out;
}

size_t Replicator::backlog() const {
  size_t out = 0;
  for (const auto& [peer, link] : links_) out += link.waiting();
  return out;
}

bool Replicator::owes(HostId peer) const {
  const auto link = links_.find(peer);
  return link != links_.end() && link->second.in_flight() + link->second.waiting() > 0;
}

std::chrono::nanoseconds Replicator::lag(Time now) const {
  std::chrono::nanoseconds lag{};
  for (const auto& [peer, link] : links_) {
    const auto oldest = link.oldest();
    if (oldest && !link.silent()) lag = std::max<std::chrono::nanoseconds>(lag, now - *oldest);
  }
  return lag;
}

bool Replicator::silent(HostId peer) const {
  const auto link = links_.find(peer);
  return link != links_.end() && link->second.silent();
}

}  // namespace viaduct::flows
