#include "flow_oracle.hpp"

#include <algorithm>

namespace viaduct::scenario {

using namespace viaduct::flows;
using namespace viaduct::flows::simulation;

namespace {

bool concerned(const TagList& tags, const SmallVector<Routed, 4>& routed, const Invalidation& invalidation) {
  for (Tag tag : invalidation.tags) {
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) return true;
  }
  for (const auto& prefix : invalidation.prefixes) {
    for (const Routed& one : routed) {
      if (one.router == prefix.router && prefix.destination.contains(one.destination)) return true;
    }
  }
  return false;
}

std::string describe(const Verdict& verdict) {
  return std::string(to_string(verdict.outcome)) + " " + std::string(to_string(verdict.drop_reason)) + " [" +
         flows::to_string(verdict.actions.view()) + "]";
}

bool agrees(const Flow& flow, const Verdict& verdict) {
  return (verdict.outcome == Outcome::forward || verdict.outcome == Outcome::drop) && verdict.emits.empty() &&
         verdict.actions == flow.actions;
}

// Cut by a router: the pieces are on their way through it, and end where the whole would have.
bool in_pieces(const Verdict& verdict) {
  return verdict.outcome == Outcome::consumed && verdict.drop_reason == DropReason::none;
}

}  // namespace

Handling handling_of(const ActionList& actions, const Packet& packet) {
  int ttl = packet.key.ip_ttl;
  for (const Action& action : actions) {
    if (std::holds_alternative<DecrementTtl>(action) && ttl-- <= 1) return Handling::in_user_space;
    const auto* check = std::get_if<CheckMtu>(&action);
    if (check != nullptr && packet.l3_segment_bytes() > check->mtu) return Handling::in_user_space;
  }
  return Handling::by_flow;
}

void FlowOracle::install(const FlowKey& key, std::vector<uint8_t> frame, const Offload& offload,
                         const Verdict& verdict) {
  Flow flow = Flow::make(key, verdict.mask, verdict.actions);
  std::erase_if(flows_, [&](const Installed& known) { return known.flow.id == flow.id; });
  flows_.push_back({flow, std::move(frame), offload, verdict.tags, verdict.routed, verdict.drop_reason});
}

void FlowOracle::invalidate(const Invalidation& invalidation) {
  std::erase_if(flows_, [&](const Installed& one) { return concerned(one.tags, one.routed, invalidation); });
}

bool FlowOracle::concerns(const Invalidation& invalidation, const Verdict& verdict) {
  return concerned(verdict.tags, verdict.routed, invalidation);
}

std::vector<std::string> FlowOracle::stale_flows(const Network& network, const StateView& state, Time now) const {
  std::vector<std::string> breaches;
  Verdict verdict;
  for (const Installed& one : flows_) {
    std::vector<uint8_t> frame = one.frame;
    Packet packet = parse(frame, one.flow.key.in_port, one.offload);
    packet.key.tunnel = one.flow.key.tunnel;
    simulate({network, state, packet, now}, verdict);
    if (!agrees(one.flow, verdict)) {
      breaches.push_back("stale: " + one.flow.to_string() + " (" + std::string(to_string(one.reason)) +
                         ") but now: " + describe(verdict));
    } else if (!verdict.writes.empty() || !verdict.opens.empty()) {
      breaches.push_back("keeps from learning: " + one.flow.to_string());
    }
  }
  return breaches;
}

std::vector<std::string> FlowOracle::disagreements(const Packet& packet, const Verdict& verdict) const {
  std::vector<std::string> breaches;
  for (const Installed& one : flows_) {
    if (!one.flow.matches(packet.key) || handling_of(one.flow.actions, packet) == Handling::in_user_space) continue;
    if (agrees(one.flow, verdict)) continue;
    // A flow that drops behind an MTU check drops oversize packets too: silence instead of an error, but no delivery.
    if (one.flow.actions.empty() && (verdict.drop_reason == DropReason::packet_too_big || in_pieces(verdict))) continue;
    // The kernel forwards what only user space can see to be broken.
    if (verdict.drop_reason == DropReason::malformed || verdict.drop_reason == DropReason::bad_checksum) continue;
    breaches.push_back("mask too wide: " + one.flow.to_string() + " but simulated: " + describe(verdict));
  }
  return breaches;
}

}  // namespace viaduct::scenario
