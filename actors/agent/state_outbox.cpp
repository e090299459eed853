#include "actors/agent/state_outbox.hpp"

#include <algorithm>
#include <utility>

#include "topology/codec.hpp"

namespace viaduct::actors {

using flows::simulation::Learned;
using topology::StateEntry;
using topology::StateWrite;
using Mode = StateWrite::Mode;

namespace {

// The table's entry as a claim; nothing when it is not there.
struct ClaimOf {
  const AgentState& state;
  uint64_t now_s;

  std::optional<topology::HostFact> operator()(const flows::MacKey& key) const {
    auto entry = state.macs.find(key);
    if (!entry) return std::nullopt;
    return topology::MacClaim{key.bridge, key.vlan, key.mac, entry->port};
  }
  std::optional<topology::HostFact> operator()(const flows::NeighbourKey& key) const {
    auto entry = state.neighbours.find(key);
    if (!entry || entry->state == flows::NeighbourState::failed) return std::nullopt;
    return topology::NeighbourClaim{key.device, key.port, key.address, entry->mac, now_s};
  }
};

topology::NatBlockClaim claim_of(const flows::NatBlock& block) { return {block.device, block.address, block.block}; }

// A confirmation that is not worth a write. Only neighbours are news without a change.
bool says_nothing_new(const StateEntry& known, const topology::HostFact& now) {
  const auto* before = std::get_if<topology::NeighbourClaim>(&known.fact);
  const auto* after = std::get_if<topology::NeighbourClaim>(&now);
  if (before == nullptr || after == nullptr) return false;
  return before->mac == after->mac &&
         after->confirmed < before->confirmed + static_cast<uint64_t>(StateOutbox::kConfirmInterval.count());
}

}  // namespace

void StateOutbox::learned(StateNews::Taken news) {
  if (news.overflow) complete_ = true;
  waiting_.merge(news.keys);
}

void StateOutbox::located(const std::vector<StateEntry>& entries) {
  own({"port", "flood"}, entries);
  routes_waiting_.merge(std::exchange(routes_refused_, {}));
}

void StateOutbox::described(const std::vector<StateEntry>& entries) { own({"interface"}, entries); }

// What the host says of itself in these tables is this, and nothing else.
void StateOutbox::own(std::initializer_list<std::string_view> tables, const std::vector<StateEntry>& entries) {
  std::erase_if(located_,
                [&](const auto& each) { return std::ranges::count(tables, topology::state_table(each.first)) != 0; });
  for (const StateEntry& entry : entries) located_.emplace(topology::state_key(entry), entry);
  located_changed_ = true;
}

void StateOutbox::lease(const std::vector<NatLease>& leases) {
  primed_ = true;
  for (const auto& [block, wanted] : leases) {
    wanted ? claim(claim_of(block)) : give_up(claim_of(block));
  }
}

void StateOutbox::report(const std::vector<HealthClaim>& claims) {
  for (const HealthClaim& one : claims) one.claim ? claim(one.report) : give_up(one.report);
}

void StateOutbox::routed(const RoutesLearned& news) {
  const auto changed = [&](const topology::HostFact& fact) -> const std::string& {
    const std::string& key = *routes_waiting_.insert(topology::state_key({host_, {}, 0, fact})).first;
    routes_refused_.erase(key);
    return key;
  };
  for (const topology::HostFact& fact : news.ended) routes_.erase(changed(fact));
  for (const topology::HostFact& fact : news.said) routes_.insert_or_assign(changed(fact), fact);
}

void StateOutbox::claim(topology::HostFact fact) {
  std::string key = topology::state_key({host_, {}, 0, fact});
  claims_.insert_or_assign(key, std::move(fact));
  claims_waiting_.insert(std::move(key));
}

void StateOutbox::give_up(const topology::HostFact& fact) {
  std::string key = topology::state_key({host_, {}, 0, fact});
  claims_.erase(key);
  claims_waiting_.insert(std::move(key));
}

std::optional<StateWrite> StateOutbox::next(AgentState& state, std::chrono::system_clock::time_point now) {
  if (out_ || !waiting()) return std::nullopt;
  for (const std::string& key : state.remote_claims.take_taken()) {
    published_.erase(key);
    if (routes_.contains(key)) routes_waiting_.insert(key);
  }
  if (std::exchange(complete_, false)) begin_telling(state);
  const auto now_s =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  out_.emplace();
  out_->telling = telling_;
  StateWrite write;
  add_locations(write);
  add_claims(write);
  add_changes(state, now_s, write);
  add_restored(state, now_s, write);
  add_routes(write);
  note_progress(write);
  if (write.complete || write.ends || !write.puts.empty() || !write.deletes.empty()) return write;
  out_.reset();
  return std::nullopt;
}

void StateOutbox::begin_telling(const AgentState& state) {
  telling_ = Telling::begins;
  published_.clear();
  doubtful_.clear();
  restoring_.clear();
  const auto restore = [&](const Learned& entry) {
    std::string key = state_key_of(entry);
    if (!state.remote_claims.has(key)) restoring_.emplace(std::move(key), entry);
  };
  state.macs.for_each([&](const flows::MacKey& key, const flows::MacEntry&) { restore(key); });
  state.neighbours.for_each([&](const flows::NeighbourKey& key, const flows::NeighbourEntry&) { restore(key); });
  located_changed_ = true;
  for (const auto& [key, fact] : claims_) claims_waiting_.insert(key);
  for (const auto& [key, fact] : routes_) routes_waiting_.insert(key);
  routes_untold_ = routes_waiting_;
  routes_refused_.clear();
}

// Changes that go on waiting are no part of it.
void StateOutbox::note_progress(StateWrite& write) {
  if (telling_ == Telling::none) return;
  const bool begins = telling_ == Telling::begins;
  const bool told = !located_changed_ && claims_waiting_.empty() && restoring_.empty() && routes_untold_.empty();
  write.complete = begins && told;
  write.begins = begins && !told;
  write.ends = !begins && told;
  telling_ = told ? Telling::none : Telling::goes_on;
}

bool StateOutbox::has_room(size_t bytes) const {
  const size_t entries = out_->puts.size() + out_->deletes.size();
  return entries == 0 || (entries < kMaxEntries && out_->bytes + bytes <= kMaxBytes);
}

void StateOutbox::put(const std::string& key, StateEntry entry, Mode mode, StateWrite& write) {
  const auto* routes = std::get_if<topology::LearnedRoutes>(&entry.fact);
  StateEntry known{entry.host, {}, 0, {}};
  if (routes != nullptr) {
    known.fact = topology::LearnedRoutes{routes->port, routes->gateway, routes->part};
  } else {
    known = entry;
  }
  if (!out_->puts.emplace(key, std::move(known)).second) return;
  out_->bytes += topology::encoded_bound(entry);
  write.puts.push_back({std::move(entry), mode});
}

void StateOutbox::remove(const std::string& key, StateWrite& write) {
  out_->bytes += key.size();
  out_->deletes.push_back(key);
  write.deletes.push_back(key);
}

// A flood of these leaves half of the write to what else there is.
void StateOutbox::add_changes(AgentState& state, uint64_t now_s, StateWrite& write) {
  const auto is_half = [&] { return out_->puts.size() + out_->deletes.size() >= kMaxEntries / 2; };
  while (!waiting_.empty() && has_room()) {
    if (is_half() && !(restoring_.empty() && routes_waiting_.empty())) return;
    auto node = waiting_.extract(waiting_.begin());
    restoring_.erase(node.key());
    add(node.key(), node.mapped(), state, now_s, write);
    out_->keys.insert(std::move(node));
  }
}

// This host has seen it change: whoever's it was, it is this host's now.
void StateOutbox::add(const std::string& key, const Learned& entry, AgentState& state, uint64_t now_s,
                      StateWrite& write) {
  auto fact = std::visit(ClaimOf{state, now_s}, entry);
  auto known = published_.find(key);
  if (!fact) {
    if (known != published_.end() || doubtful_.contains(key)) remove(key, write);
    return;
  }
  const bool was_remote = state.remote_claims.erase(key);
  if (!was_remote && known != published_.end() && says_nothing_new(known->second, *fact)) return;
  put(key, {host_, {}, 0, std::move(*fact)}, Mode::claim, write);
}

void StateOutbox::add_restored(const AgentState& state, uint64_t now_s, StateWrite& write) {
  while (!restoring_.empty() && has_room()) {
    auto node = restoring_.extract(restoring_.begin());
    if (state.remote_claims.has(node.key())) continue;
    if (auto fact = std::visit(ClaimOf{state, now_s}, node.mapped())) {
      put(node.key(), {host_, {}, 0, std::move(*fact)}, Mode::restore, write);
      out_->restored.insert(std::move(node));
    } else if (doubtful_.contains(node.key())) {
      remove(node.key(), write);
      out_->restored.insert(std::move(node));
    }
  }
}

void StateOutbox::add_locations(StateWrite& write) {
  if (!std::exchange(located_changed_, false)) return;
  const auto fits = [&] { return has_room() || (located_changed_ = true, false); };
  const auto end = [&](const std::string& key) {
    const std::string_view table = topology::state_table(key);
    if ((table == "port" || table == "flood" || table == "interface") && !located_.contains(key) && fits())
      remove(key, write);
  };
  for (const auto& [key, entry] : published_) end(key);
  for (const std::string& key : doubtful_) {
    if (!published_.contains(key)) end(key);
  }
  for (const auto& [key, entry] : located_) {
    auto known = published_.find(key);
    const bool is_known = known != published_.end() && known->second == entry;
    if (!is_known && fits()) put(key, entry, Mode::claim, write);
  }
}

// First come, first served: a host never takes a block or a pool from another one.
void StateOutbox::add_claims(StateWrite& write) {
  while (!claims_waiting_.empty()) {
    const auto wanted = claims_.find(*claims_waiting_.begin());
    const bool is_wanted = wanted != claims_.end();
    StateEntry entry{host_, {}, 0, is_wanted ? wanted->second : topology::HostFact{}};
    if (!has_room(topology::encoded_bound(entry))) return;
    const std::string& key = *out_->claim_keys.insert(claims_waiting_.extract(claims_waiting_.begin())).position;
    if (is_wanted) {
      out_->claims.emplace(key, wanted->second);
      put(key, std::move(entry), Mode::restore, write);
    } else {
      remove(key, write);
    }
  }
}

std::set<std::string>::iterator StateOutbox::next_route() {
  const auto first = routes_waiting_.begin();  // the keys of lost gateways are before all others
  if (topology::state_table(*first) == "gateway_lost") return first;
  const auto next = routes_waiting_.upper_bound(route_said_);
  return next == routes_waiting_.end() ? first : next;
}

void StateOutbox::add_routes(StateWrite& write) {
  while (!routes_waiting_.empty()) {
    const auto next = next_route();
    const auto fact = routes_.find(*next);
    const bool is_so = fact != routes_.end();
    StateEntry entry{host_, {}, 0, is_so ? fact->second : topology::HostFact{}};
    if (!has_room(topology::encoded_bound(entry))) return;
    const std::string& key = *out_->routes.insert(routes_waiting_.extract(next)).position;
    route_said_ = key;
    routes_untold_.erase(key);
    is_so ? put(key, std::move(entry), Mode::claim, write) : remove(key, write);
  }
}

void StateOutbox::answer_claims(const Out& out, const std::vector<std::string>& lost) {
  const std::set<std::string_view> taken(lost.begin(), lost.end());
  for (const auto& [key, fact] : out.claims) {
    const bool is_lost = taken.contains(key);
    if (is_lost) claims_.erase(key);
    if (const auto* block = std::get_if<topology::NatBlockClaim>(&fact)) {
      (is_lost ? answered_.lost : answered_.won).push_back({block->device, block->address, block->block});
    } else if (const auto* report = std::get_if<topology::HealthReport>(&fact)) {
      (is_lost ? answered_.pools_lost : answered_.pools_won).push_back(report->pool);
    }
  }
}

void StateOutbox::written(const topology::StateWritten* written) {
  if (!out_) return;
  Out out = std::move(*out_);
  out_.reset();
  if (written == nullptr || written->ended || written->again || !written->error.empty()) {
    complete_ |= written != nullptr && written->again;
    return not_written(std::move(out));
  }
  for (auto& [key, entry] : out.puts) {
    doubtful_.erase(key);
    published_.insert_or_assign(key, std::move(entry));
  }
  for (const std::string& key : out.deletes) {
    doubtful_.erase(key);
    published_.erase(key);
  }
  for (const std::string& key : written->lost) {
    published_.erase(key);
    if (routes_.contains(key)) routes_refused_.insert(key);
  }
  answer_claims(out, written->lost);
  lost_ += written->lost.size();
}

// Again, after the next join or at once.
void StateOutbox::not_written(Out out) {
  for (const auto& [key, entry] : out.puts) doubtful_.insert(key);
  if (out.telling != Telling::none) {
    telling_ = out.telling;
    routes_untold_.insert(out.routes.begin(), out.routes.end());
  }
  waiting_.merge(out.keys);
  restoring_.merge(out.restored);
  claims_waiting_.merge(out.claim_keys);
  routes_waiting_.merge(out.routes);
  located_changed_ = true;
}

}  // namespace viaduct::actors
