#include "simulation_driver.hpp"

#include <algorithm>

#include "flows/match/apply.hpp"
#include "flows/packet/build.hpp"

namespace viaduct::scenario {

using namespace viaduct::flows;
using namespace viaduct::flows::simulation;

namespace {

constexpr int kMaxDepth = 8;  // packets that cause packets

Moved between(const Locations& before, const Locations& after) {
  Moved moved;
  Bindings::diff(before.bindings, after.bindings,
                 [&](const PortId& id, const PortNumber*, const PortNumber*) { moved.ports.push_back(id); });
  return moved;
}

}  // namespace

SimulationDriver::SimulationDriver(const ScenarioNetwork& network)
    : scenario_(network), network_(network.compile()), macs_(4096, 1024), neighbours_(4096, 1024) {}

void SimulationDriver::apply(const ScenarioNetwork& network) {
  const auto delta = topology::Delta::between(scenario_.snapshot(), network.snapshot());
  const Moved moved = between(scenario_.locations(), network.locations());
  const Network next = network_.updated(network.snapshot(), delta, network.locations(), moved);
  oracle_.invalidate(invalidated_by(network_, next, delta, moved));
  network_ = next;
  scenario_ = network;
  check();
}

void SimulationDriver::check() {
  for (std::string& breach : oracle_.stale_flows(network_, state(), now_)) breaches_.push_back(std::move(breach));
}

std::vector<Delivery> SimulationDriver::send(const std::string& port, const Frame& frame) {
  return send(port, frame, Offload{});
}

std::vector<Delivery> SimulationDriver::send(const std::string& port, const Frame& frame, const Offload& offload) {
  std::vector<Delivery> out;
  Frame bytes = frame;
  const Packet packet = parse(bytes, scenario_.number(port), offload);
  trace_ = {};
  simulate({network_, state(), packet, now_}, verdict_, &trace_);
  for (std::string& breach : oracle_.disagreements(packet, verdict_)) breaches_.push_back(std::move(breach));
  work(packet, verdict_, out);
  release(out);
  check();
  return out;
}

void SimulationDriver::work(const Packet& packet, const Verdict& verdict, std::vector<Delivery>& out) {
  // What a packet teaches may concern itself: one that a router sends back to its sender, seen for the first time.
  bool outdated = false;
  for (const StateWrite& one : verdict.writes) outdated = FlowOracle::concerns(write(one), verdict) || outdated;
  if (verdict.cacheable && !outdated) {
    oracle_.install(packet.key, {packet.bytes.begin(), packet.bytes.end()}, packet.offload, verdict);
  }
  execute(packet, verdict, out);
  for (const EmittedPacket& emitted : verdict.emits) send_emitted(emitted, 1, out);
  for (const NeighbourWanted& wanted : verdict.refresh) ask(wanted, out);
  if (verdict.outcome == Outcome::park) {
    const bool first = std::none_of(waiting_.begin(), waiting_.end(),
                                    [&](const Waiting& one) { return one.wanted == verdict.wanted; });
    waiting_.push_back(
        {packet.key.in_port, {packet.bytes.begin(), packet.bytes.end()}, packet.offload, verdict.wanted});
    if (first) ask(verdict.wanted, out);
  }
}

Invalidation SimulationDriver::write(const StateWrite& one) {
  LearnResult result;
  PortId previous;
  if (const auto* mac = std::get_if<LearnMac>(&one)) {
    result = macs_.learn(mac->key, mac->port, now_, &previous);
  } else {
    const auto& neighbour = std::get<LearnNeighbour>(one);
    result = neighbours_.learn(neighbour.key, neighbour.mac, now_);
    answered_.push_back({RouterId(neighbour.key.device), neighbour.key.port, neighbour.key.address});
  }
  Invalidation concerned = invalidated_by(one, result, previous);
  oracle_.invalidate(concerned);
  return concerned;
}

void SimulationDriver::execute(const Packet& packet, const Verdict& verdict, std::vector<Delivery>& out) {
  if (verdict.outcome != Outcome::forward) return;
  Frame copy(packet.bytes.begin(), packet.bytes.end());
  flows::apply(verdict.actions.view(), copy, packet.offload,
               [&](const flows::OutputTarget& to, std::span<uint8_t> frame, const Offload&) {
                 out.push_back({scenario_.name_of(to.port), {frame.begin(), frame.end()}});
               });
}

void SimulationDriver::send_emitted(const EmittedPacket& emitted, int depth, std::vector<Delivery>& out) {
  if (depth > kMaxDepth) {
    breaches_.push_back("packets cause packets without end");
    return;
  }
  Frame bytes = emitted.frame;
  const Packet packet = parse(bytes, PortNumber{});
  Verdict verdict;
  trace_.depth = static_cast<uint16_t>(depth);
  simulate_emitted({network_, state(), packet, now_}, emitted.from, verdict, &trace_);
  trace_.depth = static_cast<uint16_t>(depth - 1);
  for (const StateWrite& one : verdict.writes) write(one);
  execute(packet, verdict, out);
  for (const EmittedPacket& next : verdict.emits) send_emitted(next, depth + 1, out);
}

void SimulationDriver::ask(const NeighbourWanted& wanted, std::vector<Delivery>& out) {
  const PortView* port = network_.port(wanted.port);
  const auto source = port == nullptr ? std::nullopt : port->source_for(wanted.address);
  if (!source) return;
  send_emitted({wanted.port,
                wanted.address.is_v4() ? make_arp_request(port->mac, *source, wanted.address)
                                       : make_neighbour_solicitation(port->mac, *source, wanted.address),
                EmittedPacket::Limit::none, wanted.router},
               1, out);
}

// What was learned may be what packets wait for.
void SimulationDriver::release(std::vector<Delivery>& out) {
  while (!answered_.empty()) {
    answered_.clear();
    std::vector<Waiting> ready;
    std::swap(ready, waiting_);
    for (Waiting& one : ready) {
      const Packet packet = parse(one.frame, one.in_port, one.offload);
      Verdict verdict;
      simulate({network_, state(), packet, now_}, verdict);
      if (verdict.outcome == Outcome::park && verdict.wanted == one.wanted) {
        waiting_.push_back(std::move(one));
      } else {
        work(packet, verdict, out);
      }
    }
  }
}

std::vector<Delivery> SimulationDriver::give_up() {
  std::vector<Delivery> out;
  std::vector<Waiting> late;
  std::swap(late, waiting_);
  for (Waiting& one : late) {
    const Packet packet = parse(one.frame, one.in_port, one.offload);
    trace_ = {};
    simulate({network_, state(), packet, now_, true}, verdict_, &trace_);
    work(packet, verdict_, out);
  }
  check();
  return out;
}

std::string SimulationDriver::step(Stage stage) const {
  for (const TraceStep& one : trace_.steps) {
    if (one.stage == stage) return one.detail;
  }
  return "no step";
}

void SimulationDriver::set_neighbour_state(const NeighbourKey& key, NeighbourState state) {
  neighbours_.set_state(key, state, now_);
  if (state == NeighbourState::failed) oracle_.invalidate(invalidated_by_expiry(key));
  check();
}

void SimulationDriver::expire(const NeighbourKey& key) {
  if (neighbours_.erase(key)) oracle_.invalidate(invalidated_by_expiry(key));
  check();
}

void SimulationDriver::expire(const MacKey& key) {
  const auto entry = macs_.find(key);
  if (entry && macs_.erase(key)) oracle_.invalidate(invalidated_by_expiry(key, entry->port));
  check();
}

NeighbourKey SimulationDriver::neighbour(const std::string& router, const std::string& port,
                                         const std::string& address) const {
  return {scenario_.id(router), scenario_.port(port), ip(address)};
}
NeighbourKey SimulationDriver::binding(const std::string& bridge, const std::string& address) const {
  return {scenario_.id(bridge), PortId{}, ip(address)};
}
MacKey SimulationDriver::mac_key(const std::string& bridge, const std::string& mac_text) const {
  return {BridgeId(scenario_.id(bridge)), 0, mac(mac_text)};
}

}  // namespace viaduct::scenario
