#include "agent_bench.hpp"

#include "flows/packet/build.hpp"
#include "flows/simulation/invalidation.hpp"

namespace viaduct::actors {

using flows::simulation::Network;

ScenarioNetwork two_subnets() {
  ScenarioNetwork net;
  net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
  net.bridge("blue").guest_port("blue", "p3").guest_port("blue", "p4");
  net.router("r1");
  net.link("green", "r1-green", kGreenMac, {"10.0.1.254/24"});
  net.link("blue", "r1-blue", kBlueMac, {"10.0.2.254/24"});
  return net;
}

MacAddress mac_of(int vm) { return scenario::mac("02:00:00:00:00:0" + std::to_string(vm)); }
IpAddress ip_of(int vm) {
  return scenario::ip((vm <= 2 ? std::string("10.0.1.") : std::string("10.0.2.")) + std::to_string(vm));
}
std::string port_of(int vm) { return "p" + std::to_string(vm); }

Frame udp(int vm, const MacAddress& to_mac, const IpAddress& to, uint16_t source_port) {
  return flows::PacketBuilder().eth(mac_of(vm), to_mac).ip(ip_of(vm), to).udp(source_port, 53).payload(20).build();
}

Frame udp(int from, int to) {
  bool same_bridge = (from <= 2) == (to <= 2);
  return udp(from, same_bridge ? mac_of(to) : scenario::mac(from <= 2 ? kGreenMac : kBlueMac), ip_of(to));
}

Frame announcement(int vm) { return flows::make_gratuitous_arp(mac_of(vm), ip_of(vm)); }

double metric(const observability::Registry& registry, std::string_view name, std::string_view label_value) {
  double sum = 0;
  for (const auto& family : registry.collect()) {
    if (family.name != name) continue;
    for (const auto& sample : family.samples) {
      bool wanted = label_value.empty();
      for (const auto& label : sample.labels) wanted |= label.second == label_value;
      if (wanted) sum += sample.value;
    }
  }
  return sum;
}

AgentBench::AgentBench(ScenarioNetwork network, unsigned workers, const FlowControllerOptions& given,
                       const std::optional<FlowLogSettings>& flow_log)
    : net(std::move(network)),
      kernel(std::make_shared<flows::FakeKernel>([time = now] { return *time; })),
      options(given) {
  datapath = flows::open_fake(kernel, {"test", workers, 131072});
  if (flow_log) state.flow_log = std::make_unique<FlowLogInlet>(*flow_log, 1'000, registry);
  pool = std::make_unique<WorkerPool>(state, *datapath, workers, registry);
  for (uint32_t number = 1; net.name_of(flows::PortNumber{number}).starts_with("p"); ++number) {
    std::string port = net.name_of(flows::PortNumber{number});
    if (port.starts_with("port ")) break;
    kernel->add_interface("if-" + port);
    std::error_code error;
    EXPECT_EQ(datapath->add_port("if-" + port, error).number.value, number) << error.message();
  }
  state.network.publish(std::make_shared<const Network>(net.compile()));
  restart_keeper();
}

void AgentBench::restart_keeper() {
  FlowControllerLinks links{state, *datapath, *pool, flow_probe};
  keeper = std::make_unique<FlowKeeper>(links, options, [time = now] { return *time; });
}

void AgentBench::work() {
  // A round handles 64 upcalls, and its own consequences; one more serves what it told the other workers.
  for (bool more = true; more;) {
    double before = metric("viaduct_verdicts_total");
    for (size_t i = 0; i < pool->size(); ++i) pool->worker(i).round(std::chrono::milliseconds(0));
    more = metric("viaduct_verdicts_total") != before;
  }
}

void AgentBench::send(const std::string& port, const Frame& frame) {
  ASSERT_TRUE(inject(port, frame));
  work();
}

std::vector<Frame> AgentBench::output(const std::string& port) {
  std::vector<Frame> out;
  for (auto& frame : kernel->take_output("if-" + port)) out.push_back(std::move(frame.bytes));
  return out;
}

std::string AgentBench::where() {
  std::string text;
  for (const auto& port : datapath->ports()) {
    for (size_t count = kernel->take_output(port.interface).size(); count > 0; --count) {
      text += (text.empty() ? "" : " ") + port.interface.substr(3);
    }
  }
  return text.empty() ? "nothing" : text;
}

void AgentBench::announce(std::initializer_list<int> vms) {
  for (int vm : vms) send(port_of(vm), announcement(vm));
  where();
}

size_t AgentBench::apply(const ScenarioNetwork& network, const std::vector<PortId>& rebound) {
  auto before = state.network.load();
  auto delta = topology::Delta::between(net.snapshot(), network.snapshot());
  net = network;
  const flows::simulation::Moved moved{.ports = rebound, .bridges = {}, .hosts = {}, .keys = {}};
  auto after = std::make_shared<const Network>(before->updated(net.snapshot(), delta, net.locations(), moved));
  auto what = flows::simulation::invalidated_by(*before, *after, delta, moved);
  state.network.publish(after);
  state.epochs.bump(what.tags);
  state.epochs.bump(what.epochs);
  return keeper->invalidate(what);
}

double AgentBench::dropped(flows::DropReason reason) const {
  return metric("viaduct_dropped_packets_total", flows::to_string(reason));
}

std::vector<FlowLogTap::Record> AgentBench::logged() {
  std::vector<FlowLogTap::Record> out;
  FlowLogTap::Record record;
  for (size_t i = 0; i < pool->size(); ++i) {
    auto* ring = pool->worker(i).flow_log();
    while (ring != nullptr && ring->try_pop(record)) out.push_back(record);
  }
  return out;
}

std::vector<observability::flow_log::Ended> AgentBench::ended() {
  uint64_t lost = 0;
  return state.flow_log->ends.take(lost);
}

std::vector<flows::Flow> AgentBench::dump() {
  std::vector<flows::Flow> out;
  datapath->dump_flows([&](const flows::Flow& flow, const flows::FlowStats&) { out.push_back(flow); });
  return out;
}

}  // namespace viaduct::actors
