#include "simulation_driver.hpp"

#include <algorithm>
#include <deque>

#include "flows/match/apply.hpp"
#include "flows/packet/build.hpp"
#include "flows/packet/headers.hpp"
#include "flows/simulation/health_check.hpp"

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
  hosts_.reserve(static_cast<size_t>(scenario_.hosts().count()));  // they stay where they are
  for (int number = 0; number < scenario_.hosts().count(); ++number) hosts_.emplace_back(scenario_, number, holders_);
}

void SimulationDriver::adopt(const ScenarioNetwork& network, int hosts) {
  scenario_ = network;
  if (hosts > 1 && network.hosts().count() == 1) scenario_.spread(hosts);
}

void SimulationDriver::apply(const ScenarioNetwork& network) {
  const ScenarioNetwork before = scenario_;
  adopt(network, static_cast<int>(hosts_.size()));
  for (SimulatedHost& host : hosts_) {
    if (host.alive) host.apply(before, scenario_, now_);
  }
  exchange();
  check();
}

void SimulationDriver::check() {
  for (const SimulatedHost& host : hosts_) {
    if (!host.alive) continue;
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
  open(host, verdict);
  tell_checkers(host, verdict);
  execute(host, packet, verdict, out);
  for (const EmittedPacket& emitted : verdict.emits) send_emitted(host, emitted, 1, out);
  for (const NeighbourWanted& wanted : verdict.refresh) ask(host, wanted, out);
  if (verdict.outcome == Outcome::park) {
    const bool first = std::none_of(waiting_.begin(), waiting_.end(), [&](const Waiting& one) {
      return one.host == host.number && one.wanted == verdict.wanted;
    });
    waiting_.push_back({host.number, packet.key.in_port, copy_of(packet.bytes), packet.offload, verdict.wanted});
    const Wanted wanted = verdict.wanted;
    if (first) ask(host, wanted, out);
  }
}

void SimulationDriver::open(SimulatedHost& host, const Verdict& verdict) {
  if (!host.open(verdict, now_)) breach("a connection that could not be opened");
  exchange();  // before the packet leaves
}

// Until nobody has anything to say. Time goes on where frames are lost, until they are sent again.
void SimulationDriver::exchange() {
  std::deque<std::pair<int, StateFrame>> under_way;
  const auto say = [&](const SimulatedHost& host, const std::vector<StateFrame>& frames) {
    for (const StateFrame& frame : frames) {
      if (loss_ == 0 || std::uniform_real_distribution<>()(chance_) >= loss_)
        under_way.emplace_back(host.number, frame);
    }
  };
  for (int rounds = 0; rounds < 1'000; ++rounds) {
    for (SimulatedHost& host : hosts_) {
      if (host.alive) say(host, host.speak(now_));
    }
    const bool quiet = under_way.empty();
    if (quiet && !somebody_owes()) return;
    for (; !under_way.empty(); under_way.pop_front()) {
      const auto [from, frame] = under_way.front();
      for (SimulatedHost& host : hosts_) {
        if (host.alive && ScenarioHosts::id(host.number) == frame.receiver) {
          say(host, host.hear(frame, ScenarioHosts::id(from), now_));
        }
      }
    }
    if (quiet || loss_ > 0) now_ += std::chrono::milliseconds(5);
  }
  breach("hosts talk without end");
}

bool SimulationDriver::somebody_owes() const {
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const SimulatedHost& host) {
    return host.alive && std::any_of(hosts_.begin(), hosts_.end(), [&](const SimulatedHost& other) {
             return other.alive && host.replicator->owes(ScenarioHosts::id(other.number));
           });
  });
}

void SimulationDriver::kill(int number) {
  hosts_.at(static_cast<size_t>(number)).alive = false;
  for (SimulatedHost& host : hosts_) {
    if (host.alive) host.replicator->lost(ScenarioHosts::id(number), now_);
  }
  exchange();
}

void SimulationDriver::sleep(int number) {
  kill(number);
  for (auto& [block, holder] : *holders_) {
    if (holder != number) continue;
    for (SimulatedHost& host : hosts_) {
      bool has_copies = false;
      host.connections.for_each([&, &wanted = block](const ConnectionKey& key, const ConnectionEntry&) {
        has_copies |= key.kind == ConnectionKind::snat_reverse && key.device == wanted.device &&
                      key.dst == wanted.address && key.dst_port / kNatBlockPorts == wanted.block;
      });
      if (!host.alive || !has_copies) continue;
      holder = host.number;
      host.nat_blocks.add(block);
      break;
    }
  }
  for (SimulatedHost& host : hosts_) {
    if (host.alive) host.replicator->leases_changed(now_);
  }
  exchange();
}

void SimulationDriver::wake(int number) {
  SimulatedHost& host = hosts_.at(static_cast<size_t>(number));
  host.alive = true;
  for (SimulatedHost& other : hosts_) {
    if (other.alive) other.replicator->back(ScenarioHosts::id(number), now_);
  }
  std::vector<NatBlock> lost;
  host.nat_blocks.for_each([&](const NatBlock& block) {
    if (holders_->at(block) != number) lost.push_back(block);
  });
  host.yield(lost, now_);
  exchange();
  check();
}

void SimulationDriver::lose(double share, uint64_t seed) {
  loss_ = share;
  chance_.seed(seed);
}

std::vector<Delivery> SimulationDriver::send_check(int number, const health::Probe& probe) {
  std::vector<Delivery> out;
  SimulatedHost& host = hosts_.at(static_cast<size_t>(number));
  const auto way = way_to_member(host.network, probe.router, probe.to);
  if (!way) return out;
  health::Probe whole = probe;
  if (!whole.from) whole.from = way->source;
  trace_ = {};
  send_emitted(host, {way->port, health::make_frame(whole, way->mac), EmittedPacket::Limit::none, {}}, 0, out);
  release(out);
  check();
  return out;
}

void SimulationDriver::tell_checkers(const SimulatedHost& host, const Verdict& verdict) {
  if (!verdict.check_answer) return;
  const auto& [answer, here, others] = *verdict.check_answer;
  if (here) answers_.emplace_back(host.number, answer);
  for (const TunnelOutput& to : others) {
    const int at = scenario_.hosts().host_at(to.tunnel.dst);
    if (at < 0 || to.tunnel.key != health::kAnswerKey) return breach("an answer for nobody");
    answers_.emplace_back(at, std::get<health::Answer>(health::decode_answer(health::encode(answer))));
  }
}

void SimulationDriver::close(const ConnectionKey& key) {
  for (SimulatedHost& host : hosts_) host.close(key, now_);
  exchange();
  check();
}

void SimulationDriver::close_on(const std::vector<int>& hosts, const ConnectionKey& key) {
  for (int number : hosts) hosts_.at(static_cast<size_t>(number)).forget(key);
  check();
}

// The first block of the range that no host has.
void SimulationDriver::lease(SimulatedHost& host, const NatBlockWanted& wanted) {
  for (unsigned block = wanted.first; block <= wanted.last; ++block) {
    const NatBlock one{wanted.device, wanted.address, static_cast<uint16_t>(block)};
    if (!holders_->emplace(one, host.number).second) continue;
    host.nat_blocks.add(one);
    learned_ = true;
    return;
  }
  host.nat_blocks.set_spent(wanted.device, wanted.address, wanted.first, wanted.last);
  learned_ = true;
}

void SimulationDriver::ask(SimulatedHost& host, const Wanted& wanted, Deliveries& out) {
  if (const auto* neighbour = std::get_if<NeighbourWanted>(&wanted)) {
    ask(host, *neighbour, out);
  } else {
    lease(host, std::get<NatBlockWanted>(wanted));
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
  Frame copy = verdict.frame.empty() ? copy_of(packet.bytes) : verdict.frame;
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
  if (!alive(at)) return;
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
  open(host, verdict);
  tell_checkers(host, verdict);
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
