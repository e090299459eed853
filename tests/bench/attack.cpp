// The "tuple space explosion": a guest sends packets of its choice, so that as many masks and flows are made as can be,
// and another guest's packets take longer to find their flow.
//
//   attack [--packets N] [--rounds N]
//
// Every field that a guest can choose is random: MAC addresses, tags, addresses of either family, protocols, ports, TTLs,
// types of service, fragments. Each packet is simulated, what it opens is opened, and its flow goes into the eBPF datapath
// of the running kernel. A line of JSON for each chain that the packets meet at the router.
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "bench_network.hpp"
#include "flows/datapath/ebpf/ebpf.hpp"
#include "program_run.hpp"
#include "rules.hpp"
#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using namespace flows;
using scenario::when;

constexpr uint64_t kSeed = 7;
constexpr int kKnown = 256;            // addresses behind the router
constexpr size_t kMaxFlows = 131'072;  // of the datapath
const MacAddress kRouter = MacAddress::from_uint64(0x0200'00ff'0000);

struct Case {
  int rules;
  bool stateful;
};

// One destination and port a rule, none of which is met, and an accept behind them.
void add_chain(scenario::ScenarioNetwork& net, const Case& which) {
  net.chain("acl");
  if (which.stateful) net.rule("acl", when().returning().accept());
  for (int i = 0; i < which.rules; ++i) {
    const std::string host = "172.16." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
    const uint8_t proto = i % 2 == 0 ? ip_proto::kTcp : ip_proto::kUdp;
    net.rule("acl", when().to(host + "/32").proto(proto).dst_port(static_cast<uint16_t>(i % 1'000 + 1)).drop());
  }
  net.filter("r0", "inbound", "acl");
}

class Attacker {
 public:
  std::vector<uint8_t> packet() {
    PacketBuilder out;
    const auto random_mac = [&] { return MacAddress::from_uint64(0x0200'0000'0000 | (random_() & 0xff'ffff'ffff)); };
    out.eth(one_in(2) ? random_mac() : MacAddress::from_uint64(0x0200'0000'0001), one_in(4) ? random_mac() : kRouter);
    if (one_in(10)) out.vlan(random_() & 0xfff);
    const bool v6 = one_in(4);
    // Half of the packets go where they are forwarded, the others anywhere.
    const IpAddress to =
        one_in(2) && !v6 ? IpAddress::v4(0x0a01'1000 + static_cast<uint32_t>(random_() % kKnown)) : address(v6);
    out.ip(address(v6), to).ttl(static_cast<uint8_t>(random_())).tos(static_cast<uint8_t>(random_()));
    layer4(out);
    if (one_in(4)) out.fragment(one_in(2) ? 0 : 8 * (1 + random_() % 100), one_in(2));
    return out.payload(16).build();
  }

 private:
  bool one_in(unsigned count) { return random_() % count == 0; }
  IpAddress address(bool v6) {
    IpAddress::Bytes bytes{};
    for (auto& byte : bytes) byte = static_cast<uint8_t>(random_());
    if (v6) bytes[0] = 0x20;
    return v6 ? IpAddress::v6(bytes) : IpAddress::v4(static_cast<uint32_t>(random_() % 0xe000'0000));
  }
  void layer4(PacketBuilder& out) {
    const auto src = static_cast<uint16_t>(random_()), dst = static_cast<uint16_t>(random_());
    switch (random_() % 5) {
      case 0:
        out.tcp(src, dst, static_cast<uint8_t>(random_() & 0x3f));
        return;
      case 1:
        out.udp(src, dst);
        return;
      case 2:
        out.icmp_echo_request(src, dst);
        return;
      case 3:
        out.icmp(static_cast<uint8_t>(src), static_cast<uint8_t>(dst), 0);
        return;
      default:
        out.protocol(static_cast<uint8_t>(random_()));
    }
  }
  std::mt19937_64 random_{kSeed};
};

struct Counts {
  std::set<uint32_t> masks;
  std::set<FlowId> flows;
  size_t installed = 0, full = 0, unsupported = 0, opened = 0, refused = 0;
  double simulate_ns = 0;  // a packet
};

// Interfaces guest, far and victim are ports 1, 2 and 3, as in the network.
class Switch {
 public:
  Switch() {
    std::error_code error;
    check(unshare(CLONE_NEWNET) == 0, "a network namespace");
    check(std::system("for i in guest far victim; do ip link add $i type veth peer name p$i && ip link set $i up && "
                      "ip link set p$i up || exit 1; done") == 0,
          "ip link");
    datapath_ =
        open_ebpf({.name = "bench-attack-" + std::to_string(getpid()), .workers = 1, .max_flows = kMaxFlows}, error);
    check(datapath_ != nullptr, "the eBPF datapath");
    channel_ = datapath_->open_channel(0);
    for (uint32_t number = 1; const char* name : {"guest", "far", "victim"}) {
      check(datapath_->add_port(name, error).number == PortNumber{number++}, name);
    }
    program_ = ingress_program();
  }
  ~Switch() {
    channel_.reset();
    datapath_->destroy();
    close(program_);
  }
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  InstallResult install(const FlowInstall& flow) {
    InstallResult result = InstallResult::error;
    channel_->install(std::span(&flow, 1), std::span(&result, 1));
    return result;
  }
  uint64_t flows() { return datapath_->stats().flows; }
  // Nanoseconds; every run must find its flow.
  double cost(const std::vector<uint8_t>& frame, int rounds) {
    std::vector<double> seen;
    const uint64_t hits = datapath_->stats().hits;
    for (int i = 0; i < rounds; ++i) seen.push_back(run_once(program_, frame, if_nametoindex("victim")));
    check(datapath_->stats().hits - hits == static_cast<uint64_t>(rounds) * kRunsOfAPacket,
          "every run finds the victim's flow (did another datapath start meanwhile?)");
    std::sort(seen.begin(), seen.end());
    return seen[seen.size() / 2];
  }

 private:
  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<PacketChannel> channel_;
  int program_ = -1;
};

// What an attacker's packets do to the tables.
Counts attack(BenchNetwork& network, Switch& kernel, size_t packets) {
  Counts out;
  Attacker attacker;
  std::chrono::nanoseconds spent{};
  simulation::Verdict verdict;
  for (size_t i = 0; i < packets; ++i) {
    std::vector<uint8_t> frame = attacker.packet();
    const Packet packet = parse(frame, PortNumber{1});
    const auto start = std::chrono::steady_clock::now();
    simulation::simulate(network.input(packet), verdict);
    spent += std::chrono::steady_clock::now() - start;
    bool refused = false;
    for (const auto& open : verdict.opens) {
      refused |= network.connections().open(open.key, open.entry) > OpenResult::same;
    }
    out.opened += verdict.opens.size();
    out.refused += refused ? 1 : 0;
    if (refused || !verdict.cacheable) continue;
    const Flow flow = Flow::make(packet.key, verdict.mask, verdict.actions);
    out.masks.insert(verdict.mask.bits());
    out.flows.insert(flow.id);
    const InstallResult result = kernel.install({flow, packet.key});
    out.installed += result == InstallResult::installed || result == InstallResult::replaced ? 1 : 0;
    out.full += result == InstallResult::table_full ? 1 : 0;
    out.unsupported += result == InstallResult::unsupported ? 1 : 0;
  }
  out.simulate_ns = static_cast<double>(spent.count()) / static_cast<double>(packets);
  return out;
}

// A packet that the attack is to slow down. Its flow does what is done to it, but ends where it began, so that the next
// run finds it again.
std::vector<uint8_t> victim(BenchNetwork& network, Switch& kernel, const MacAddress& to_mac, const char* to) {
  const MacAddress mac = MacAddress::from_uint64(0x0200'0000'0009);
  const PacketBuilder builder =
      PacketBuilder{}.eth(mac, to_mac).ip("10.0.1.9", to).ttl(255).udp(4000, 5000).payload(1000);
  std::vector<uint8_t> frame = builder.build();
  const Packet packet = parse(frame, PortNumber{3});
  simulation::Verdict verdict;
  simulation::simulate(network.input(packet), verdict);
  check(verdict.outcome == simulation::Outcome::forward && verdict.cacheable, "the victim's packet is forwarded");
  ActionList actions{Output{PortNumber{1}}};
  if (to_mac == kRouter) actions = {SetEthernet{mac, kRouter}, DecrementTtl{}, CheckMtu{1500}, Output{PortNumber{2}}};
  check(kernel.install({Flow::make(packet.key, verdict.mask, actions), packet.key}) == InstallResult::installed,
        "the victim's flow is installed");
  return builder.build();
}

void print(const Case& which, size_t packets, const Counts& counts, uint64_t flows) {
  std::printf("{\"rules\": %d, \"stateful\": %s, \"packets\": %zu, \"masks\": %zu, \"flows\": %zu, ", which.rules,
              which.stateful ? "true" : "false", packets, counts.masks.size(), counts.flows.size());
  std::printf("\"installed\": %zu, \"table_full\": %zu, \"unsupported\": %zu, \"kernel_flows\": %lu, ",
              counts.installed, counts.full, counts.unsupported, flows);
  std::printf("\"opened\": %zu, \"refused\": %zu, \"simulate_ns\": %.1f, ", counts.opened, counts.refused,
              counts.simulate_ns);
}

void play(const Case& which, size_t packets, int rounds) {
  BenchNetwork network(3, IpFamily::v4);
  network.scenario().guest_port("b0", "victim");
  add_chain(network.scenario(), which);
  network.compile();
  network.know_destinations(kKnown);
  Switch kernel;
  const auto routed = victim(network, kernel, kRouter, "10.1.16.0");
  const auto bridged = victim(network, kernel, MacAddress::from_uint64(0x0200'0000'0001), "10.0.1.0");
  const double routed_before = kernel.cost(routed, rounds), bridged_before = kernel.cost(bridged, rounds);
  const Counts counts = attack(network, kernel, packets);
  const double routed_after = kernel.cost(routed, rounds), bridged_after = kernel.cost(bridged, rounds);
  print(which, packets, counts, kernel.flows());
  std::printf("\"routed_before_ns\": %.1f, \"routed_after_ns\": %.1f, ", routed_before, routed_after);
  std::printf("\"bridged_before_ns\": %.1f, \"bridged_after_ns\": %.1f}\n", bridged_before, bridged_after);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  const size_t packets = std::stoul(argument(argc, argv, "--packets", "200000"));
  const int rounds = std::stoi(argument(argc, argv, "--rounds", "501"));
  for (const Case& which : {Case{10, false}, Case{10'000, false}, Case{10, true}, Case{10'000, true}}) {
    play(which, packets, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
