// What the tc program costs a packet, by what its flow does: the kernel runs it on one packet many times (BPF's test
// run), so that neither veth nor guests are in the figure.
//
//   flow_actions [--rounds N]
//
// Prints "<flow> <nanoseconds>" a line: bridged, routed and translated, over IPv4 and IPv6. All flows take turns in each
// round; a figure is the median. Addresses and ports are set to what they were, so that the next run finds the flow again.
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "flows/datapath/ebpf/ebpf.hpp"
#include "flows/packet/packet_builder.hpp"
#include "program_run.hpp"
#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using namespace flows;

constexpr int kPacketsARound = 100;

struct Case {
  std::string name;
  std::vector<uint8_t> frame;
  std::vector<double> nanoseconds = {};  // a packet, by round
};

class Bench {
 public:
  Bench() {
    std::error_code error;
    check(unshare(CLONE_NEWNET) == 0, "a network namespace");
    check(std::system("ip link add left type veth peer name right && ip link set left up && ip link set right up") == 0,
          "ip link");
    datapath_ = open_ebpf({.name = "bench-actions-" + std::to_string(getpid())}, error);
    if (!datapath_) fail("the eBPF datapath", error);
    channel_ = datapath_->open_channel(0);
    a_ = datapath_->add_port("left", error).number;
    b_ = datapath_->add_port("right", error).number;
    if (error) fail("ports", error);
    program_ = ingress_program();
  }
  ~Bench() {
    channel_.reset();
    datapath_->destroy();
    close(program_);
  }

  void add_family(const std::string& family, const IpAddress& src, const IpAddress& dst) {
    const MacAddress x = MacAddress::from_uint64(0x0200'0000'0001), y = MacAddress::from_uint64(0x0200'0000'0002);
    const ActionList routed{SetEthernet{x, y}, DecrementTtl{}, CheckMtu{1500}, Output{b_}};
    const ActionList translated{SetEthernet{x, y}, SetIp{src, dst}, SetPorts{3, 80},
                                DecrementTtl{},    CheckMtu{1500},  Output{b_}};
    const PacketBuilder start = PacketBuilder{}.eth(x, y).ip(src, dst).ttl(255).payload(1000);
    add("bridged_" + family, PacketBuilder(start).tcp(1, 80).build(), {Output{b_}});
    add("routed_" + family, PacketBuilder(start).tcp(2, 80).build(), routed);
    add("translated_" + family, PacketBuilder(start).tcp(3, 80).build(), translated);
  }

  void run(int rounds) {
    const uint32_t ifindex = if_nametoindex("left");
    for (int round = 0; round < rounds; ++round) {
      for (Case& one : cases_) {
        double sum = 0;
        for (int i = 0; i < kPacketsARound; ++i) sum += run_once(program_, one.frame, ifindex);
        one.nanoseconds.push_back(sum / kPacketsARound);
      }
    }
    const uint64_t expected = cases_.size() * static_cast<uint64_t>(rounds) * kPacketsARound * kRunsOfAPacket;
    if (datapath_->stats().hits != expected) {
      std::fprintf(stderr, "not every run hit its flow\n");
      std::exit(1);
    }
    for (Case& one : cases_) {
      std::sort(one.nanoseconds.begin(), one.nanoseconds.end());
      std::printf("%s %.1f\n", one.name.c_str(), one.nanoseconds[one.nanoseconds.size() / 2]);
    }
  }

 private:
  [[noreturn]] static void fail(const char* what, const std::error_code& error) {
    std::fprintf(stderr, "%s: %s\n", what, error.message().c_str());
    std::exit(1);
  }

  void add(const std::string& name, std::vector<uint8_t> frame, const ActionList& actions) {
    FieldSet mask = FieldSet::ethernet();
    mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::fragment, Field::l4_src, Field::l4_dst});
    const FlowKey key = parse(frame, a_).key;
    const FlowInstall flow{Flow::make(key, mask, actions), key};
    InstallResult result = InstallResult::error;
    channel_->install(std::span(&flow, 1), std::span(&result, 1));
    if (result != InstallResult::installed) fail(name.c_str(), std::make_error_code(std::errc::not_supported));
    cases_.push_back({name, std::move(frame)});
  }

  std::unique_ptr<Datapath> datapath_;
  std::unique_ptr<PacketChannel> channel_;
  PortNumber a_, b_;
  int program_ = -1;
  std::vector<Case> cases_;
};

int run(int argc, char** argv) {
  Bench bench;
  bench.add_family("v4", IpAddress::v4(0x0a00'0001), IpAddress::v4(0x0a00'0002));
  bench.add_family("v6", *IpAddress::parse("fd00::1"), *IpAddress::parse("fd00::2"));
  bench.run(std::stoi(argument(argc, argv, "--rounds", "15")));
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
