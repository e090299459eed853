#include "actors/agent/nat_rules.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace viaduct::actors {

using topology::NatTarget;
using topology::Rule;
using topology::Snapshot;

namespace {

bool gives_out(const NatTarget& target, const IpAddress& address) {
  return !target.is_static() && target.first.family() == address.family() && target.first <= address &&
         address <= target.last;
}

bool gives_out(const Rule& rule, const IpAddress& address) {
  if (rule.nat != topology::NatKind::snat) return false;
  return std::any_of(rule.targets.begin(), rule.targets.end(),
                     [&](const NatTarget& target) { return gives_out(target, address); });
}

class Chains {
 public:
  Chains(const Snapshot& topology, const IpAddress& address) : topology_(topology), address_(address) {}

  void add(ChainId chain) {
    if (!chain.is_nil() && seen_.insert(chain).second) waiting_.push_back(chain);
  }
  std::optional<ChainId> find() {
    std::optional<ChainId> found;
    while (!found && !waiting_.empty()) {
      visit_next([&](ChainId chain, const Rule&) { found = chain; });
    }
    return found;
  }
  // All rules that give out ports of the address, of all chains that were added and those that they jump to.
  template <class F>
  void for_each(F&& visit) {
    while (!waiting_.empty()) visit_next(visit);
  }

 private:
  template <class F>
  void visit_next(F&& visit) {
    const ChainId chain = waiting_.back();
    waiting_.pop_back();
    topology_.for_each_rule_of(chain, [&](const Rule& rule) {
      if (gives_out(rule, address_)) visit(chain, rule);
      if (rule.action == topology::RuleAction::jump) add(rule.jump);
    });
  }

  const Snapshot& topology_;
  const IpAddress& address_;
  std::set<ChainId> seen_;
  std::vector<ChainId> waiting_;
};

}  // namespace

namespace {

// The device's own, which are few, and those of its ports.
void add_own_chains(const Snapshot& topology, const NatAddress& address, Chains& chains) {
  if (const auto* router = topology.find(RouterId(address.device))) {
    for (ChainId chain :
         {router->local_redirect, router->inbound_filter, router->forward_filter, router->outbound_filter})
      chains.add(chain);
  } else if (const auto* bridge = topology.find(BridgeId(address.device))) {
    for (ChainId chain : {bridge->inbound_filter, bridge->outbound_filter}) chains.add(chain);
  }
}

void add_chains_of_ports(const Snapshot& topology, const NatAddress& address, Chains& chains) {
  topology.for_each_port_of(address.device, [&](const topology::Port& port) {
    chains.add(port.inbound_filter);
    chains.add(port.outbound_filter);
  });
}

}  // namespace

std::optional<ChainId> chain_that_names(const Snapshot& topology, const NatAddress& address) {
  Chains chains(topology, address.address);
  add_own_chains(topology, address, chains);
  if (auto found = chains.find()) return found;
  add_chains_of_ports(topology, address, chains);
  return chains.find();
}

std::optional<NatBlockRange> blocks_named(const Snapshot& topology, const NatAddress& address) {
  Chains chains(topology, address.address);
  add_own_chains(topology, address, chains);
  add_chains_of_ports(topology, address, chains);
  std::optional<NatBlockRange> out;
  chains.for_each([&](ChainId, const Rule& rule) {
    for (const NatTarget& target : rule.targets) {
      if (!gives_out(target, address.address)) continue;
      const auto first = static_cast<uint16_t>(target.port_first / flows::kNatBlockPorts);
      const auto last = static_cast<uint16_t>(target.port_last / flows::kNatBlockPorts);
      out = out ? NatBlockRange{std::min(out->first, first), std::max(out->last, last)} : NatBlockRange{first, last};
    }
  });
  return out;
}

std::string describe(const Snapshot& topology, const NatAddress& address) {
  std::string out = "device " + address.device.to_string();
  if (const auto* router = topology.find(RouterId(address.device))) {
    out = "router " + (router->name.empty() ? address.device.to_string() : router->name);
  } else if (const auto* bridge = topology.find(BridgeId(address.device))) {
    out = "bridge " + (bridge->name.empty() ? address.device.to_string() : bridge->name);
  }
  out += ", " + address.address.to_string();
  const auto id = chain_that_names(topology, address);
  const auto* chain = id ? topology.find(*id) : nullptr;
  if (chain != nullptr) out += " (chain " + (chain->name.empty() ? id->to_string() : chain->name) + ")";
  return out;
}

}  // namespace viaduct::actors
