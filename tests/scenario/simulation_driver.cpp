#include "simulation_driver.hpp"

#include <algorithm>

#include "flows/match/apply.hpp"
#include "flows/packet/build.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::scenario {

using namespace viaduct::flows;
using namespace viaduct::flows::simulation;

namespace {

constexpr int kMaxDepth = 8;  // packets that cause packets

Frame copy_of(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

SimulationDriver::SimulationDriver(const ScenarioNetwork& network, int hosts, Replication replication)
    : replication_(replication) {
  adopt(network, hosts);
  for (int number = 0; number < scenario_.hosts().count(); ++number) hosts_.emplace_back(scenario_, number);
}

void SimulationDriver::adopt(const ScenarioNetwork& network, int hosts) {
  scenario_ = network;
  if (hosts > 1 && network.hosts().count() == 1) scenario_.spread(hosts);
}

void SimulationDriver::apply(const ScenarioNetwork& network) {
  const ScenarioNetwork before = scenario_;
  adopt(network, static_cast<int>(hosts_.size()));
  for (SimulatedHost& host : hosts_) host.apply(before, scenario_);
  check();
}

void SimulationDriver::check() {
  for (const SimulatedHost& host : hosts_) {
    for (const std::string& one : host.stale_flows(now_)) breach("h" + std::to_string(host.number + 1) + " " + one);
  }
}

std::vector<Delivery> SimulationDriver::send(const std::string& port, const Frame& frame) {
  return send(port, frame, Offload{});
}

std::vector<Delivery> SimulationDriver::send(const std::string& port, const Frame& frame, const Offload& offload) {
  std::vector<Delivery> out;
  Frame bytes = frame;
  SimulatedHost& host = hosts_.at(static_cast<size_t>(host_of(port)));
  const Packet packet = parse(bytes, scenario_.number(port), offload);
  trace_ = {};
  simulate({host.network, host.state(), packet, now_}, verdict_, &trace_);
  for (std::string& one : host.oracle.disagreements(packet, verdict_)) breach(std::move(one));
  work(host, packet, verdict_, out);
  release(out);
  check();
  return out;
}

std::vector<Delivery> SimulationDriver::send_by_tunnel(int host, const Tunnel& tunnel, const Frame& frame) {
  std::vector<Delivery> out;
  Frame bytes = frame;
  Packet packet = parse(bytes, ScenarioHosts::kTunnelPort);
  packet.key.tunnel = tunnel;
  arrive(hosts_.at(static_cast<size_t>(host)), packet, out);
  check();
  return out;
}

void SimulationDriver::work(SimulatedHost& host, const Packet& packet, const Verdict& verdict, Deliveries& out) {
  // What a packet teaches may concern itself: one that a router sends back to its sender, seen for the first time.
  bool outdated = false;
  for (const StateWrite& one : verdict.writes) outdated = FlowOracle::concerns(write(host, one), verdict) || outdated;
  if (verdict.cacheable && !outdated) {
    host.oracle.install(packet.key, copy_of(packet.bytes), packet.offload, verdict);
  }
  execute(host, packet, verdict, out);
  for (const EmittedPacket& emitted : verdict.emits) send_emitted(host, emitted, 1, out);
  for (const NeighbourWanted& wanted : verdict.refresh) ask(host, wanted, out);
  if (verdict.outcome == Outcome::park) {
    const bool first = std::none_of(waiting_.begin(), waiting_.end(), [&](const Waiting& one) {
      return one.host == host.number && one.wanted == verdict.wanted;
    });
    waiting_.push_back({host.number, packet.key.in_port, copy_of(packet.bytes), packet.offload, verdict.wanted});
    if (first) ask(host, verdict.wanted, out);
  }
}

Invalidation SimulationDriver::write(SimulatedHost& host, const StateWrite& one) {
  learned_ = learned_ || std::holds_alternative<LearnNeighbour>(one);
  const Invalidation concerned = host.write(one, now_);
  if (hosts_.size() > 1) unreplicated_.emplace_back(host.number, one);
  if (replication_ == Replication::at_once) replicate();
  return concerned;
}

void SimulationDriver::replicate() {
  for (const auto& [origin, one] : unreplicated_) {
    for (SimulatedHost& host : hosts_) {
      if (host.number != origin) host.write(one, now_);
    }
  }
  unreplicated_.clear();
}

void SimulationDriver::execute(SimulatedHost& host, const Packet& packet, const Verdict& verdict, Deliveries& out) {
  if (verdict.outcome != Outcome::forward) return;
  Frame copy = copy_of(packet.bytes);
  flows::apply(verdict.actions.view(), copy, packet.offload,
               [&](const flows::OutputTarget& to, std::span<uint8_t> frame, const Offload& offload) {
                 if (to.tunnel != nullptr) return cross(host, *to.tunnel, copy_of(frame), offload, out);
                 out.push_back({scenario_.name_of(to.port), copy_of(frame)});
               });
}

void SimulationDriver::cross(SimulatedHost& from, const TunnelOutput& to, const Frame& frame, const Offload& offload,
                             Deliveries& out) {
  const ScenarioHosts& all = scenario_.hosts();
  const int at = all.host_at(to.tunnel.dst);
  if (at < 0 || at == from.number || to.tunnel.src != all.address(from.number) ||
      to.port != ScenarioHosts::kTunnelPort) {
    return breach("sent nowhere: " + flows::to_string(Action{to}));
  }
  Frame bytes = frame;
  Packet packet = parse(bytes, ScenarioHosts::kTunnelPort, offload);
  packet.key.tunnel = to.tunnel;
  const uint16_t mtu = all.mtu_between(from.number, at);
  if (mtu != 0 && packet.l3_segment_bytes() + packet.l3_offset - wire::eth::kBytes > mtu) {
    breach("does not fit into the tunnel: " + std::to_string(packet.l3_segment_bytes()) + " bytes");
  }
  ++crossed_;
  arrive(hosts_.at(static_cast<size_t>(at)), packet, out);
}

void SimulationDriver::arrive(SimulatedHost& at, const Packet& packet, Deliveries& out) {
  arrival_trace_ = {};
  simulate({at.network, at.state(), packet, now_}, arrival_, &arrival_trace_);
  for (std::string& one : at.oracle.disagreements(packet, arrival_)) breach(std::move(one));
  if (arrival_.cacheable) at.oracle.install(packet.key, copy_of(packet.bytes), packet.offload, arrival_);
  if (!arrival_.writes.empty() || !arrival_.emits.empty()) breach("simulated again where it arrived");
  for (const Action& action : arrival_.actions) {
    if (!std::holds_alternative<Output>(action)) breach("changed or sent on: " + flows::to_string(action));
  }
  const Verdict verdict = arrival_;
  execute(at, packet, verdict, out);
}

void SimulationDriver::send_emitted(SimulatedHost& host, const EmittedPacket& emitted, int depth, Deliveries& out) {
  if (depth > kMaxDepth) return breach("packets cause packets without end");
  Frame bytes = emitted.frame;
  const Packet packet = parse(bytes, PortNumber{});
  Verdict verdict;
  trace_.depth = static_cast<uint16_t>(depth);
  simulate_emitted({host.network, host.state(), packet, now_}, emitted.from, verdict, &trace_);
  trace_.depth = static_cast<uint16_t>(depth - 1);
  for (const StateWrite& one : verdict.writes) write(host, one);
  execute(host, packet, verdict, out);
  for (const EmittedPacket& next : verdict.emits) send_emitted(host, next, depth + 1, out);
}

void SimulationDriver::ask(SimulatedHost& host, const NeighbourWanted& wanted, Deliveries& out) {
  const PortView* port = host.network.port(wanted.port);
  const auto source = port == nullptr ? std::nullopt : port->source_for(wanted.address);
  if (!source) return;
  send_emitted(host,
               {wanted.port,
                wanted.address.is_v4() ? make_arp_request(port->mac, *source, wanted.address)
                                       : make_neighbour_solicitation(port->mac, *source, wanted.address),
                EmittedPacket::Limit::none, wanted.router.uuid()},
               1, out);
}

// What was learned may be what packets wait for.
void SimulationDriver::release(Deliveries& out) {
  while (learned_) {
    learned_ = false;
    std::vector<Waiting> ready;
    std::swap(ready, waiting_);
    for (Waiting& one : ready) {
      SimulatedHost& host = hosts_.at(static_cast<size_t>(one.host));
      const Packet packet = parse(one.frame, one.in_port, one.offload);
      Verdict verdict;
      simulate({host.network, host.state(), packet, now_}, verdict);
      if (verdict.outcome == Outcome::park && verdict.wanted == one.wanted) {
        waiting_.push_back(std::move(one));
      } else {
        work(host, packet, verdict, out);
      }
    }
  }
}

std::vector<Delivery> SimulationDriver::give_up() {
  std::vector<Delivery> out;
  std::vector<Waiting> late;
  std::swap(late, waiting_);
  for (Waiting& one : late) {
    SimulatedHost& host = hosts_.at(static_cast<size_t>(one.host));
    const Packet packet = parse(one.frame, one.in_port, one.offload);
    trace_ = {};
    simulate({host.network, host.state(), packet, now_, true}, verdict_, &trace_);
    work(host, packet, verdict_, out);
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
  for (SimulatedHost& host : hosts_) host.set_neighbour_state(key, state, now_);
  check();
}

void SimulationDriver::expire(const NeighbourKey& key) {
  for (SimulatedHost& host : hosts_) host.expire(key);
  check();
}

void SimulationDriver::expire(const MacKey& key) {
  for (SimulatedHost& host : hosts_) host.expire(key);
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
