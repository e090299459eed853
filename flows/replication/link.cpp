#include "flows/replication/link.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::flows {

bool ReplicationLink::put(const ConnectionKey& key, ConnectionUpdate update, ReplicationTicket ticket, Time now) {
  if (waiting_.size() >= options_.max_waiting && !waiting_.contains(key)) overflow();
  const auto [at, is_new] = waiting_.try_emplace(key);
  at->second.update = std::move(update);
  if (is_new) {
    order_.push_back(key);
    at->second.since = now;
  }
  if (!unanswered_since_) unanswered_since_ = now;
  if (ticket == 0 || silent_) return false;
  at->second.tickets.push_back(ticket);
  return true;
}

bool ReplicationLink::wait_for(const ConnectionKey& key, ReplicationTicket ticket) {
  if (silent_) return false;
  if (const auto waiting = waiting_.find(key); waiting != waiting_.end()) {
    waiting->second.tickets.push_back(ticket);
    return true;
  }
  const auto flying = flying_.find(key);
  if (flying == flying_.end()) return false;
  flights_.at(flying->second).tickets.push_back(ticket);
  return true;
}

// What waits is forgotten, not what is in flight: it may have arrived.
void ReplicationLink::overflow() {
  ++overflows_;
  resync_ = true;
  for (const auto& [key, waiting] : waiting_) {
    forgotten_.insert(forgotten_.end(), waiting.tickets.begin(), waiting.tickets.end());
  }
  waiting_.clear();
  order_.clear();
}

std::vector<StateBatch> ReplicationLink::poll(Time now, size_t limit) {
  std::vector<StateBatch> out;
  for (auto& [sequence, flight] : flights_) {
    if (out.size() >= limit) return out;
    if (flight.due > now) continue;
    flight.timeout = std::min(flight.timeout * 2, options_.last_timeout);
    flight.due = now + flight.timeout;
    if (!flight.again) timeout_ = std::max(timeout_, std::min(flight.timeout, options_.patience / 4));
    flight.again = true;
    ++sent_again_;
    out.push_back(flight.batch);
  }
  const size_t window = silent_ ? 1 : options_.window;  // a silent peer is asked, not flooded
  size_t left = order_.size();
  while (left > 0 && out.size() < limit && flights_.size() < window) {
    Flight flight{{next_sequence_, {}}, {}, now, now, now + timeout_, timeout_};
    for (; left > 0 && flight.batch.updates.size() < kMaxUpdates; --left) {
      const ConnectionKey key = order_.front();
      order_.pop_front();
      if (flying_.contains(key)) {
        order_.push_back(key);
        continue;
      }
      auto node = waiting_.extract(key);
      if (node.empty()) continue;
      flight.since = std::min(flight.since, node.mapped().since);
      flight.batch.updates.push_back(std::move(node.mapped().update));
      flight.tickets.insert(flight.tickets.end(), node.mapped().tickets.begin(), node.mapped().tickets.end());
      flying_.emplace(key, next_sequence_);
    }
    if (flight.batch.updates.empty()) break;
    out.push_back(flight.batch);
    flights_.emplace(next_sequence_++, std::move(flight));
  }
  return out;
}

std::vector<ReplicationTicket> ReplicationLink::acknowledged(const std::vector<uint64_t>& sequences, uint64_t peer_life,
                                                             Time now) {
  if (peer_life_ != 0 && peer_life != peer_life_) resync_ = true;
  peer_life_ = peer_life;
  silent_ = false;
  std::vector<ReplicationTicket> tickets;
  for (uint64_t sequence : sequences) {
    const auto at = flights_.find(sequence);
    if (at == flights_.end()) continue;
    answered(at->second, now);
    for (const ConnectionUpdate& update : at->second.batch.updates) flying_.erase(update.key);
    tickets.insert(tickets.end(), at->second.tickets.begin(), at->second.tickets.end());
    flights_.erase(at);
  }
  if (flights_.empty() && waiting_.empty()) {
    unanswered_since_.reset();
  } else {
    unanswered_since_ = now;
  }
  return tickets;
}

std::optional<Time> ReplicationLink::oldest() const {
  std::optional<Time> oldest;
  const auto consider = [&](Time since) { oldest = oldest ? std::min(*oldest, since) : since; };
  for (const auto& [sequence, flight] : flights_) consider(flight.since);
  for (const ConnectionKey& key : order_) {
    const auto at = waiting_.find(key);
    if (at == waiting_.end()) continue;
    consider(at->second.since);
    break;  // later ones have been put later
  }
  return oldest;
}

void ReplicationLink::answered(const Flight& flight, Time now) {
  if (options_.on_acknowledged) options_.on_acknowledged(now - flight.sent);
  if (flight.again) return;
  const auto took = std::chrono::ceil<std::chrono::milliseconds>(now - flight.sent);
  timeout_ = std::clamp(2 * took, options_.first_timeout, options_.patience / 4);
}

std::vector<ReplicationTicket> ReplicationLink::all_tickets() {
  std::vector<ReplicationTicket> tickets = std::exchange(forgotten_, {});
  const auto take = [&](std::vector<ReplicationTicket>& from) {
    tickets.insert(tickets.end(), from.begin(), from.end());
    from.clear();
  };
  for (auto& [sequence, flight] : flights_) take(flight.tickets);
  for (auto& [key, waiting] : waiting_) take(waiting.tickets);
  return tickets;
}

std::vector<ReplicationTicket> ReplicationLink::give_up(Time now) {
  const bool patient = silent_ || !unanswered_since_ || now - *unanswered_since_ < options_.patience;
  if (patient) return std::exchange(forgotten_, {});
  silent_ = true;
  return all_tickets();
}

void ReplicationLink::hush() {
  if (silent_) return;
  silent_ = true;
  forgotten_ = all_tickets();
}

void ReplicationLink::expect(Time now) {
  silent_ = false;
  if (unanswered_since_) unanswered_since_ = now;
}

std::optional<Time> ReplicationLink::next_deadline() const {
  std::optional<Time> next;
  const auto consider = [&](Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [sequence, flight] : flights_) consider(flight.due);
  if (!silent_ && unanswered_since_) consider(*unanswered_since_ + options_.patience);
  if (!forgotten_.empty() || resync_) consider(Time{});
  return next;
}

bool ReplicationLink::resync() { return std::exchange(resync_, false); }

}  // namespace viaduct::flows
