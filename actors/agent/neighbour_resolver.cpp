#include "actors/agent/neighbour_resolver.hpp"

#include <algorithm>

namespace viaduct::actors {

using flows::NeighbourEntry;
using flows::NeighbourState;
using flows::NeighbourTable;
using flows::Time;

namespace {
// Tables change what is strictly older than a deadline; this one includes the entry that was looked at, and none that
// was confirmed after it.
Time just_after(Time confirmed) { return confirmed + Time::duration(1); }
}  // namespace

NeighbourResolver::NeighbourResolver(RouterId router, uint64_t seed, const ResolverOptions& options)
    : router_(router), options_(options), random_(static_cast<uint32_t>(seed ^ seed >> 32)) {}

// ±25 %
Time::duration NeighbourResolver::jittered(Time::duration interval) {
  std::uniform_int_distribution<int64_t> thousandths(750, 1250);
  return interval * thousandths(random_) / 1000;
}

NeighbourResolver::Neighbour* NeighbourResolver::track(const Key& key) {
  if (auto known = neighbours_.find(key); known != neighbours_.end()) return &known->second;
  if (neighbours_.size() >= options_.max_tracked) {
    ++refused_;
    return nullptr;
  }
  Neighbour& neighbour = neighbours_[key];
  timers_.emplace(neighbour.due, key);
  return &neighbour;
}

void NeighbourResolver::forget(Neighbours::iterator at) {
  if (at->second.state == State::incomplete) --pending_;
  timers_.erase({at->second.due, at->first});
  neighbours_.erase(at);
}

void NeighbourResolver::schedule(const Key& key, Neighbour& neighbour, Time due) {
  timers_.erase({neighbour.due, key});
  neighbour.due = due;
  timers_.emplace(due, key);
}

void NeighbourResolver::enter(Neighbour& neighbour, State state, Time now) {
  if (neighbour.state == State::incomplete) --pending_;
  if (state == State::incomplete) ++pending_;
  neighbour.state = state;
  neighbour.since = now;
  neighbour.asked = 0;
}

void NeighbourResolver::confirm(const Key& key, Neighbour& neighbour, Time confirmed) {
  enter(neighbour, State::reachable, confirmed);
  std::uniform_int_distribution<int64_t> thousandths(1000, 1200);
  schedule(key, neighbour, confirmed + Time::duration(options_.stale_after) * thousandths(random_) / 1000);
}

// The next request of the first three; the last wait is what is left of their whole time.
void NeighbourResolver::ask_again(const Key& key, Neighbour& neighbour, Time now, ResolverActions& out) {
  out.ask.push_back({key.port, key.address, std::nullopt});
  ++neighbour.asked;
  const Time give_up = neighbour.since + options_.retransmit * options_.probes;
  const bool last = neighbour.asked >= options_.probes;
  schedule(key, neighbour, last ? give_up : std::min(give_up, now + jittered(options_.retransmit)));
}

void NeighbourResolver::wanted(PortId port, const IpAddress& address, Time now, const NeighbourTable& table,
                               ResolverActions& out) {
  const Key key{port, address};
  const auto entry = table.find(table_key(key));
  const auto known = neighbours_.find(key);
  const bool in_table = entry && entry->state != NeighbourState::failed;
  if (in_table) {  // a worker was faster than the news
    out.ready.push_back(waiting(key));
    if (known == neighbours_.end()) learned(port, address, entry->confirmed);
    return;
  }
  if (known != neighbours_.end()) {
    known->second.last_wanted = now;
    const State state = known->second.state;
    if (state == State::incomplete) return;
    if (state == State::failed) {  // parked before it failed
      out.failed.push_back(waiting(key));
      return;
    }
  }
  if (pending_ >= options_.max_pending) {
    ++refused_;
    return;
  }
  Neighbour* neighbour = track(key);
  if (neighbour == nullptr) return;
  neighbour->last_wanted = now;
  enter(*neighbour, State::incomplete, now);
  ask_again(key, *neighbour, now, out);
}

void NeighbourResolver::learned(PortId port, const IpAddress& address, Time now) {
  const Key key{port, address};
  if (Neighbour* neighbour = track(key)) confirm(key, *neighbour, now);
}

void NeighbourResolver::refresh(PortId port, const IpAddress& address, Time now, const NeighbourTable& table,
                                ResolverActions& out) {
  const Key key{port, address};
  const auto known = neighbours_.find(key);
  const auto entry = table.find(table_key(key));
  if (!entry || entry->state != NeighbourState::stale || now >= entry->confirmed + options_.expire_after) return;
  if (known == neighbours_.end()) return learned(port, address, entry->confirmed);  // due at once
  if (known->second.state == State::stale && known->second.asked == 0) {
    ask_stale(key, known->second, *entry, now, out);
  }
}

void NeighbourResolver::tick(Time now, const NeighbourTable& table, ResolverActions& out) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    due(neighbours_.find(timers_.begin()->second), now, table, out);
  }
}

// Leaves the neighbour scheduled later than `now`, or forgotten.
void NeighbourResolver::due(Neighbours::iterator at, Time now, const NeighbourTable& table, ResolverActions& out) {
  const Key key = at->first;
  Neighbour& neighbour = at->second;
  const auto entry = table.find(table_key(key));
  if (entry && entry->state != NeighbourState::failed) return known_due(at, *entry, now, out);
  switch (neighbour.state) {
    case State::incomplete:
      return incomplete_due(key, neighbour, now, out);
    case State::failed:
      return failed_due(key, neighbour, entry, now, out);
    case State::retrying:
      return retrying_due(at, now, out);
    case State::reachable:
    case State::stale:
      return forget(at);  // somebody else erased it
  }
}

void NeighbourResolver::incomplete_due(const Key& key, Neighbour& neighbour, Time now, ResolverActions& out) {
  if (neighbour.asked < options_.probes && now < neighbour.since + options_.retransmit * options_.probes) {
    return ask_again(key, neighbour, now, out);
  }
  // Whatever was confirmed since the first request has answered it.
  out.mark.push_back({table_key(key), NeighbourState::failed, neighbour.since});
  out.failed.push_back(waiting(key));
  enter(neighbour, State::failed, now);
  schedule(key, neighbour, now + options_.failed_hold);
}

void NeighbourResolver::failed_due(const Key& key, Neighbour& neighbour, const std::optional<NeighbourEntry>& entry,
                                   Time now, ResolverActions& out) {
  if (entry) out.expire.push_back({table_key(key), just_after(entry->confirmed)});
  const Time failed_at = neighbour.since;
  enter(neighbour, State::retrying, failed_at);
  schedule(key, neighbour, std::max(just_after(now), failed_at + options_.first_backoff));
}

void NeighbourResolver::retrying_due(Neighbours::iterator at, Time now, ResolverActions& out) {
  Neighbour& neighbour = at->second;
  if (now - neighbour.last_wanted >= options_.wanted_memory) return forget(at);
  out.ask.push_back({at->first.port, at->first.address, std::nullopt});
  const int doublings = std::min(++neighbour.asked, 16);
  const Time::duration backoff =
      std::min<Time::duration>(options_.first_backoff * (1 << doublings), options_.last_backoff);
  schedule(at->first, neighbour, now + jittered(backoff));
}

// The table has it, in whatever state this thought it was.
void NeighbourResolver::known_due(Neighbours::iterator at, const NeighbourEntry& entry, Time now,
                                  ResolverActions& out) {
  const Key& key = at->first;
  Neighbour& neighbour = at->second;
  if (now >= entry.confirmed + options_.expire_after) {
    out.expire.push_back({table_key(key), just_after(entry.confirmed)});
    return forget(at);
  }
  if (neighbour.state != State::stale) {
    // Confirmed since, or for longer than this knew.
    const bool is_old = neighbour.state == State::reachable && now >= entry.confirmed + options_.stale_after;
    if (!is_old) {
      confirm(key, neighbour, entry.confirmed);
      if (neighbour.due > now) return;
    }
    out.mark.push_back({table_key(key), NeighbourState::stale, just_after(entry.confirmed)});
    enter(neighbour, State::stale, now);
  } else if (entry.state == NeighbourState::reachable && entry.confirmed >= neighbour.since) {
    confirm(key, neighbour, entry.confirmed);
    if (neighbour.due > now) return;
    enter(neighbour, State::stale, now);
  }
  if (neighbour.asked > 0 || entry.last_used > entry.confirmed) return ask_stale(key, neighbour, entry, now, out);
  schedule(key, neighbour, std::min(now + options_.check_use, entry.confirmed + options_.expire_after));
}

// RFC 4861 7.3.3 (PROBE): the known MAC first; then everybody, since it may have got another one.
void NeighbourResolver::ask_stale(const Key& key, Neighbour& neighbour, const NeighbourEntry& entry, Time now,
                                  ResolverActions& out) {
  const bool unicast = neighbour.asked < 2;
  out.ask.push_back({key.port, key.address, unicast ? std::optional(entry.mac) : std::nullopt});
  ++neighbour.asked;
  const Time next = now + (unicast ? jittered(options_.retransmit) : Time::duration(options_.check_use));
  schedule(key, neighbour, std::min(next, entry.confirmed + options_.expire_after));
}

void NeighbourResolver::port_gone(PortId port, ResolverActions& out) {
  for (auto at = neighbours_.lower_bound({port, IpAddress()}); at != neighbours_.end() && at->first.port == port;) {
    const auto gone = at++;
    out.expire.push_back({table_key(gone->first), Time::max()});
    if (gone->second.state == State::incomplete) out.failed.push_back(waiting(gone->first));
    forget(gone);
  }
}

void NeighbourResolver::flush(const NeighbourTable& table, ResolverActions& out) {
  table.for_each([&](const flows::NeighbourKey& key, const NeighbourEntry&) {
    if (key.device == router_.uuid()) out.expire.push_back({key, Time::max()});
  });
  for (const auto& [key, neighbour] : neighbours_) {
    if (neighbour.state == State::incomplete) out.failed.push_back(waiting(key));
  }
  neighbours_.clear();
  timers_.clear();
  pending_ = 0;
}

void NeighbourResolver::adopt(const NeighbourTable& table, Time now) {
  table.for_each([&](const flows::NeighbourKey& key, const NeighbourEntry& entry) {
    const Key ours{key.port, key.address};
    if (key.device != router_.uuid() || neighbours_.contains(ours)) return;
    Neighbour* neighbour = track(ours);
    if (neighbour == nullptr) return;
    if (entry.state == NeighbourState::failed) {
      neighbour->last_wanted = entry.last_used;
      enter(*neighbour, State::failed, std::max(entry.confirmed, now));
      schedule(ours, *neighbour, now + options_.failed_hold);
    } else {
      confirm(ours, *neighbour, entry.confirmed);
    }
  });
}

std::optional<Time> NeighbourResolver::next_deadline() const {
  return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
}

}  // namespace viaduct::actors
