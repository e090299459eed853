#include "actors/agent/remote_state.hpp"

namespace viaduct::actors {

using flows::LearnResult;
using flows::MacKey;
using flows::NeighbourKey;
namespace sim = flows::simulation;

namespace {

MacKey key_of(const topology::MacClaim& claim) { return {claim.bridge, claim.vlan, claim.mac}; }
NeighbourKey key_of(const topology::NeighbourClaim& claim) { return {claim.device, claim.port, claim.address}; }

struct Learn {
  AgentState& state;
  flows::Time now;
  const NeighbourLearned& learned;

  void operator()(const topology::MacClaim& claim) const {
    const MacKey key = key_of(claim);
    PortId previous;
    LearnResult result = state.macs.learn(key, claim.port, now, &previous);
    if (result == LearnResult::added || result == LearnResult::moved) {
      state.changed(sim::invalidated_by(sim::LearnMac{key, claim.port}, result, previous));
    }
  }
  void operator()(const topology::NeighbourClaim& claim) const {
    const NeighbourKey key = key_of(claim);
    const sim::LearnNeighbour write{key, claim.mac};
    LearnResult result = state.neighbours.learn(key, claim.mac, now);
    if (result == LearnResult::refused) return;
    DeviceEvents events;
    events.neighbours.push_back(write);
    state.device_news.add(std::move(events));
    if (result == LearnResult::unchanged) return;
    state.changed(sim::invalidated_by(write, result, PortId{}));
    if (!key.port.is_nil()) learned({RouterId(key.device), key.port, key.address});
  }
  void operator()(const auto&) const {}
};

// Only what is still as the other host had said.
struct Forget {
  AgentState& state;

  void operator()(const topology::MacClaim& claim) const {
    const MacKey key = key_of(claim);
    auto entry = state.macs.find(key);
    if (!entry || entry->port != claim.port || !state.macs.erase(key)) return;
    state.changed(sim::invalidated_by_expiry(key, claim.port));
  }
  void operator()(const topology::NeighbourClaim& claim) const {
    const NeighbourKey key = key_of(claim);
    auto entry = state.neighbours.find(key);
    if (!entry || entry->mac != claim.mac || !state.neighbours.erase(key)) return;
    state.changed(sim::invalidated_by_expiry(key));
  }
  void operator()(const auto&) const {}
};

// Whether this host's table has an entry of this name, whoever's.
struct Knows {
  const AgentState& state;

  bool operator()(const topology::MacClaim& claim) const { return state.macs.find(key_of(claim)).has_value(); }
  bool operator()(const topology::NeighbourClaim& claim) const {
    return state.neighbours.find(key_of(claim)).has_value();
  }
  bool operator()(const auto&) const { return false; }
};

bool is_learned(const topology::StateEntry& entry) {
  return std::holds_alternative<topology::MacClaim>(entry.fact) ||
         std::holds_alternative<topology::NeighbourClaim>(entry.fact);
}

void take_in_claim(const topology::StateEntry& entry, const std::string& key, AgentState& state, flows::Time now,
                   const NeighbourLearned& learned) {
  state.remote_claims.insert(key);
  // What this host has just seen is newer, and goes out as a claim.
  if (state.state_news.pending(key) && std::visit(Knows{state}, entry.fact)) return;
  std::visit(Learn{state, now, learned}, entry.fact);
}

}  // namespace

void take_in(const std::vector<topology::StateChange>& changes, HostId host, AgentState& state, flows::Time now,
             const NeighbourLearned& learned) {
  for (const auto& change : changes) {
    const topology::StateEntry& entry = change.after != nullptr ? *change.after : *change.before;
    const std::string key = topology::state_key(entry);
    const bool was_own = change.before != nullptr && change.before->host == host;
    const bool is_own = change.after != nullptr && change.after->host == host;
    if (was_own && !is_own) state.remote_claims.taken(key);
    if (!is_learned(entry)) continue;
    if (change.after != nullptr && !is_own) {
      take_in_claim(entry, key, state, now, learned);
      continue;
    }
    state.remote_claims.erase(key);
    if (change.after == nullptr && !was_own) std::visit(Forget{state}, entry.fact);
  }
}

}  // namespace viaduct::actors
