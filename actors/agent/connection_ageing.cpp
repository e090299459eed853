#include "actors/agent/connection_ageing.hpp"

#include <utility>

#include "flows/packet/flow_key.hpp"

namespace viaduct::actors {

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::ConnectionState;
using flows::Time;

namespace {

// Tables erase what is strictly older than a deadline; what ends at `now` is included.
constexpr Time::duration kJustAfter{1};

bool is_reverse(ConnectionKind kind) {
  return kind == ConnectionKind::snat_reverse || kind == ConnectionKind::dnat_reverse;
}

size_t protocol_index(uint8_t proto) {
  switch (proto) {
    case flows::ip_proto::kTcp:
      return 0;
    case flows::ip_proto::kUdp:
      return 1;
    case flows::ip_proto::kIcmp:
    case flows::ip_proto::kIcmpv6:
      return 2;
    case flows::ip_proto::kSctp:
      return 3;
    default:
      return 4;
  }
}

Expiry expiry_of(const ConnectionKey& key, const ConnectionEntry& entry) {
  if (key.kind == ConnectionKind::sticky) return Expiry::sticky;
  if (key.kind == ConnectionKind::fragment) return Expiry::fragment;
  switch (entry.state()) {
    case ConnectionState::opening:
      return Expiry::opening;
    case ConnectionState::established:
      return Expiry::established;
    case ConnectionState::closing:
      return Expiry::closing;
    case ConnectionState::closed:
      break;
  }
  return Expiry::closed;
}

}  // namespace

std::string_view to_string(Expiry expiry) {
  switch (expiry) {
    case Expiry::opening:
      return "opening";
    case Expiry::established:
      return "established";
    case Expiry::closing:
      return "closing";
    case Expiry::closed:
      return "closed";
    case Expiry::sticky:
      return "sticky";
    case Expiry::fragment:
      return "fragment";
    case Expiry::orphaned:
      return "orphaned";
  }
  return "unknown";
}

void ConnectionCensus::add(const ConnectionKey& key, const ConnectionEntry& entry) {
  ++kinds[static_cast<size_t>(key.kind)];
  const bool counts =
      key.kind == ConnectionKind::track || key.kind == ConnectionKind::snat || key.kind == ConnectionKind::dnat;
  if (counts) ++connections[protocol_index(key.proto)][static_cast<size_t>(entry.state())];
}

EndedConnections ConnectionAgeing::walk(Time now) {
  EndedConnections ended;
  if (phase_ == Phase::ageing) begin_when_crowded(now);
  ended.evicting = phase_ == Phase::evicting;
  const size_t slice = hurries() ? kSlice : slice_;
  at_ = table_.visit_some(at_, slice, [&](const ConnectionKey& key, const ConnectionEntry& entry) {
    switch (phase_) {
      case Phase::ageing:
        return age(key, entry, now, ended);
      case Phase::counting:
        if (!is_reverse(key.kind)) planner_.add(entry, partner_of(key, entry) ? 2 : 1);
        return;
      case Phase::evicting:
        return evict(key, entry, ended);
    }
  });
  if (at_ == 0) next_phase();
  return ended;
}

void ConnectionAgeing::begin_when_crowded(Time now) {
  if (now - last_eviction_ < kEvictionPause) return;
  if (table_.size() <= crowded_above(limits_.capacity) && !crowded_share_) return;
  last_eviction_ = now;
  phase_ = Phase::counting;
  resume_ = std::exchange(at_, 0);
  crowded_share_ = false;
}

void ConnectionAgeing::next_phase() {
  switch (phase_) {
    case Phase::ageing:
      census_ = std::exchange(counted_, {});
      crowded_share_ = a_share_is_crowded();
      accounts_.clear();
      return;
    case Phase::counting:
      plan_ = std::exchange(planner_, {}).plan(limits_);
      if (plan_.empty()) return resume();
      phase_ = Phase::evicting;
      return;
    case Phase::evicting:
      return resume();
  }
}

void ConnectionAgeing::resume() {
  plan_ = {};
  phase_ = Phase::ageing;
  at_ = resume_;
}

bool ConnectionAgeing::a_share_is_crowded() const {
  std::unordered_map<uint32_t, size_t> tenants;
  for (const auto& [account, entries] : accounts_) {
    if (entries > crowded_above(limits_.per_port)) return true;
    if ((tenants[account.tenant] += entries) > crowded_above(limits_.per_tenant)) return true;
  }
  return false;
}

void ConnectionAgeing::age(const ConnectionKey& key, const ConnectionEntry& entry, Time now, EndedConnections& ended) {
  counted_.add(key, entry);
  ++accounts_[account_of(entry)];
  if (is_reverse(key.kind)) return age_reverse(key, entry, now, ended);
  // Times of use are exact to kTouchInterval.
  const Time deadline = now - timeouts_.of(key, entry) - flows::kTouchInterval + kJustAfter;
  if (entry.last_seen < deadline) {
    if (end(key, entry, deadline, ended.keys) > 0) ++ended.expired[static_cast<size_t>(expiry_of(key, entry))];
    return;
  }
  // Of what another host opened, the other half may be on its way.
  const bool may_come = !entry.owned && entry.last_seen >= now - kOrphanGrace;
  if (!may_come && !has_partner(key, entry) && end(key, entry, entry.last_seen + kJustAfter, ended.keys) > 0) {
    ++ended.expired[static_cast<size_t>(Expiry::orphaned)];
  }
}

void ConnectionAgeing::age_reverse(const ConnectionKey& key, const ConnectionEntry& entry, Time now,
                                   EndedConnections& ended) {
  const Time deadline = now - kOrphanGrace;
  if (entry.last_seen >= deadline || has_partner(key, entry)) return;
  if (!table_.erase_if_older(key, deadline)) return;
  ended.keys.push_back(key);
  ++ended.expired[static_cast<size_t>(Expiry::orphaned)];
}

void ConnectionAgeing::evict(const ConnectionKey& key, const ConnectionEntry& entry, EndedConnections& ended) {
  if (is_reverse(key.kind)) return;
  const EvictionPlan::Cut* cut = plan_.takes(entry);
  if (cut == nullptr) return;
  const Shortage why = cut->why;
  const size_t entries = end(key, entry, entry.last_seen + kJustAfter, ended.keys);
  if (entries == 0) return;  // used meanwhile
  plan_.gone(entry, entries);
  ++ended.evicted[static_cast<size_t>(why)];
}

EndedConnections ConnectionAgeing::flush(const ConnectionFilter& filter) {
  EndedConnections ended;
  table_.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    if (!filter.matches(key, entry) || !table_.erase(key)) return;
    ended.keys.push_back(key);
    ++ended.flushed;
    const auto partner = partner_of(key, entry);
    const auto other = partner ? table_.find(*partner) : std::nullopt;
    if (other && partner_of(*partner, *other) == key && table_.erase(*partner)) ended.keys.push_back(*partner);
  });
  return ended;
}

size_t ConnectionAgeing::end(const ConnectionKey& key, const ConnectionEntry& entry, Time deadline,
                             std::vector<ConnectionKey>& ended) {
  const bool pair = has_partner(key, entry);  // else the other half, if there is one, is another connection's
  if (!table_.erase_if_older(key, deadline)) return 0;
  ended.push_back(key);
  // A half that a worker has just opened anew is younger than the deadline, and stays with its new other half.
  const auto partner = partner_of(key, entry);
  if (!pair || !partner || !table_.erase_if_older(*partner, deadline)) return 1;
  ended.push_back(*partner);
  return 2;
}

bool ConnectionAgeing::has_partner(const ConnectionKey& key, const ConnectionEntry& entry) const {
  const auto partner = partner_of(key, entry);
  if (!partner) return true;
  const auto other = table_.find(*partner);
  return other && partner_of(*partner, *other) == key;
}

}  // namespace viaduct::actors
