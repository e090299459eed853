#include "actors/agent/nat_rules.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace viaduct::actors {

using topology::NatTarget;
using topology::Rule;
using topology::Snapshot;

namespace {

bool gives_out(const Rule& rule, const IpAddress& address) {
  if (rule.nat != topology::NatKind::snat) return false;
  return std::any_of(rule.targets.begin(), rule.targets.end(), [&](const NatTarget& target) {
    return !target.is_static() && target.first.family() == address.family() && target.first <= address &&
           address <= target.last;
  });
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
      const ChainId chain = waiting_.back();
      waiting_.pop_back();
      topology_.for_each_rule_of(chain, [&](const Rule& rule) {
        if (gives_out(rule, address_)) found = chain;
        if (rule.action == topology::RuleAction::jump) add(rule.jump);
      });
    }
    return found;
  }

 private:
  const Snapshot& topology_;
  const IpAddress& address_;
  std::set<ChainId> seen_;
  std::vector<ChainId> waiting_;
};

}  // namespace

std::optional<ChainId> chain_that_names(const Snapshot& topology, const NatAddress& address) {
  Chains chains(topology, address.address);
  if (const auto* router = topology.find(RouterId(address.device))) {
    for (ChainId chain :
         {router->local_redirect, router->inbound_filter, router->forward_filter, router->outbound_filter})
      chains.add(chain);
  } else if (const auto* bridge = topology.find(BridgeId(address.device))) {
    for (ChainId chain : {bridge->inbound_filter, bridge->outbound_filter}) chains.add(chain);
  }
  if (auto found = chains.find()) return found;
  topology.for_each_port_of(address.device, [&](const topology::Port& port) {
    chains.add(port.inbound_filter);
    chains.add(port.outbound_filter);
  });
  return chains.find();
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
