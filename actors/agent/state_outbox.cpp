#include "actors/agent/state_outbox.hpp"

#include <utility>

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
  located_.clear();
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
  const auto key_of = [&](const topology::HostFact& fact) { return topology::state_key({host_, {}, 0, fact}); };
  for (const topology::HostFact& fact : news.ended) routes_.erase(*routes_waiting_.insert(key_of(fact)).first);
  for (const topology::HostFact& fact : news.said) {
    routes_.insert_or_assign(*routes_waiting_.insert(key_of(fact)).first, fact);
  }
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
  for (const std::string& key : state.remote_claims.take_taken()) published_.erase(key);
  const auto now_s =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  out_.emplace();
  StateWrite write;
  write.complete = std::exchange(complete_, false);
  out_->complete = write.complete;
  while (!waiting_.empty() && (write.complete || write.puts.size() < kMaxPuts)) {
    auto node = waiting_.extract(waiting_.begin());
    add(node.key(), node.mapped(), state, now_s, write);
    out_->keys.insert(std::move(node));
  }
  if (write.complete) add_everything(state, now_s, write);
  add_locations(write);
  add_claims(write);
  add_routes(write);
  if (write.complete || !write.puts.empty() || !write.deletes.empty()) return write;
  out_.reset();
  return std::nullopt;
}

void StateOutbox::put(const std::string& key, StateEntry entry, Mode mode, StateWrite& write) {
  if (!out_->puts.emplace(key, entry).second) return;
  write.puts.push_back({std::move(entry), mode});
}

// This host has seen it change: whoever's it was, it is this host's now.
void StateOutbox::add(const std::string& key, const Learned& entry, AgentState& state, uint64_t now_s,
                      StateWrite& write) {
  auto fact = std::visit(ClaimOf{state, now_s}, entry);
  auto known = published_.find(key);
  if (!fact) {
    if (known == published_.end()) return;
    write.deletes.push_back(key);
    out_->deletes.push_back(key);
    return;
  }
  const bool was_remote = state.remote_claims.erase(key);
  if (!write.complete && !was_remote && known != published_.end() && says_nothing_new(known->second, *fact)) return;
  put(key, {host_, {}, 0, std::move(*fact)}, Mode::claim, write);
}

void StateOutbox::add_everything(AgentState& state, uint64_t now_s, StateWrite& write) {
  auto restore = [&](const Learned& entry) {
    std::string key = state_key_of(entry);
    if (state.remote_claims.has(key)) return;
    auto fact = std::visit(ClaimOf{state, now_s}, entry);
    if (fact) put(key, {host_, {}, 0, std::move(*fact)}, Mode::restore, write);
  };
  state.macs.for_each([&](const flows::MacKey& key, const flows::MacEntry&) { restore(key); });
  state.neighbours.for_each([&](const flows::NeighbourKey& key, const flows::NeighbourEntry&) { restore(key); });
}

void StateOutbox::add_locations(StateWrite& write) {
  if (!std::exchange(located_changed_, false) && !write.complete) return;
  for (const auto& [key, entry] : located_) {
    auto known = published_.find(key);
    if (write.complete || known == published_.end() || known->second != entry) put(key, entry, Mode::claim, write);
  }
  for (const auto& [key, entry] : published_) {
    bool location = std::holds_alternative<topology::PortActive>(entry.fact) ||
                    std::holds_alternative<topology::FloodKey>(entry.fact);
    if (!location || located_.contains(key)) continue;
    write.deletes.push_back(key);
    out_->deletes.push_back(key);
  }
}

// First come, first served: a host never takes a block or a pool from another one.
void StateOutbox::add_claims(StateWrite& write) {
  auto add = [&](const std::string& key, const topology::HostFact& fact) {
    put(key, {host_, {}, 0, fact}, Mode::restore, write);
    out_->claims.emplace(key, fact);
  };
  out_->claim_keys = std::exchange(claims_waiting_, {});
  if (write.complete) {
    for (const auto& [key, fact] : claims_) add(key, fact);
    return;
  }
  for (const std::string& key : out_->claim_keys) {
    if (auto wanted = claims_.find(key); wanted != claims_.end()) {
      add(key, wanted->second);
    } else {
      write.deletes.push_back(key);
      out_->deletes.push_back(key);
    }
  }
}

void StateOutbox::add_routes(StateWrite& write) {
  if (write.complete) {
    routes_waiting_.clear();
    for (const auto& [key, fact] : routes_) put(key, {host_, {}, 0, fact}, Mode::claim, write);
    return;
  }
  size_t prefixes = 0;
  while (!routes_waiting_.empty() && write.puts.size() < kMaxPuts && prefixes < kMaxPrefixes) {
    const std::string& key = *out_->routes.insert(routes_waiting_.extract(routes_waiting_.begin())).position;
    const auto fact = routes_.find(key);
    if (fact == routes_.end()) {
      write.deletes.push_back(key);
      out_->deletes.push_back(key);
      continue;
    }
    if (const auto* routes = std::get_if<topology::LearnedRoutes>(&fact->second)) prefixes += routes->prefixes.size();
    put(key, {host_, {}, 0, fact->second}, Mode::claim, write);
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
  if (written == nullptr || written->ended || !written->error.empty()) {  // again, after the next join or at once
    waiting_.merge(out.keys);
    claims_waiting_.merge(out.claim_keys);
    routes_waiting_.merge(out.routes);
    complete_ |= out.complete;
    located_changed_ = true;
    return;
  }
  if (out.complete) published_.clear();
  for (auto& [key, entry] : out.puts) published_.insert_or_assign(key, std::move(entry));
  for (const std::string& key : out.deletes) published_.erase(key);
  for (const std::string& key : written->lost) published_.erase(key);
  answer_claims(out, written->lost);
  lost_ += written->lost.size();
}

}  // namespace viaduct::actors
