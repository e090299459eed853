// What is measured is passed on, and counted by call; what workers do is shown without their doing.
#include "actors/agent/measured_datapath.hpp"

#include <gtest/gtest.h>

#include "agent_bench.hpp"
#include "flows/datapath/fake.hpp"

namespace viaduct::actors {
namespace {

uint64_t calls(observability::Registry& registry, const std::string& call) {
  return registry.histogram("viaduct_datapath_call_seconds", "", {{"call", call}}).value().count;
}

TEST(MeasuredDatapath, PassesEverythingOnAndMeasuresIt) {
  observability::Registry registry;
  auto kernel = std::make_shared<flows::FakeKernel>();
  kernel->add_interface("tap1");
  auto datapath = measured(flows::open_fake(kernel, {}), registry);
  EXPECT_EQ(datapath->kind(), "fake");
  std::error_code error;
  const auto port = datapath->add_port("tap1", error);
  EXPECT_FALSE(error);
  datapath->add_port("tap2", error);
  EXPECT_EQ(error, std::errc::no_such_device) << "an error comes through";
  EXPECT_EQ(datapath->ports().size(), 1u);
  EXPECT_TRUE(datapath->port_stats(port.number));
  datapath->dump_stats([](const auto&, const auto&) {});
  datapath->dump_flows([](const auto&, const auto&) {});
  EXPECT_EQ(datapath->remove_flows({}, {}), 0u);
  EXPECT_FALSE(datapath->remove_port(port.number));
  EXPECT_EQ(calls(registry, "add_port"), 2u);
  for (const char* call : {"ports", "dump_stats", "dump_flows", "remove_flows", "remove_port"}) {
    EXPECT_EQ(calls(registry, call), 1u) << call;
  }
  const auto channel = datapath->open_channel(0);
  channel->install({}, {});
  channel->execute({});
  std::array<flows::Upcall, 1> upcalls;
  EXPECT_EQ(channel->poll(upcalls, std::chrono::milliseconds(0)), 0u);
  EXPECT_EQ(calls(registry, "install"), 1u);
  EXPECT_EQ(calls(registry, "execute"), 1u);
}

TEST(WorkerNumbers, AreReadWhenScraped) {
  AgentBench bench;
  bench.announce({1, 2});
  EXPECT_EQ(bench.metric("viaduct_worker_upcalls_total", "0"), bench.metric("viaduct_upcalls_total"));
  EXPECT_GT(bench.metric("viaduct_worker_upcalls_total", "0"), 0);
  EXPECT_EQ(bench.metric("viaduct_worker_inbox_requests", "0"), 0);
}

TEST(WorkerNumbers, WhatIsParkedIsCountedByWhatItWaitsFor) {
  AgentBench bench;
  bench.announce({1});
  bench.send("p1", udp(1, scenario::mac(kGreenMac), ip_of(3)));  // nobody knows vm3's address yet
  EXPECT_EQ(bench.metric("viaduct_parked_packets_total", "neighbour"), 1);
  EXPECT_EQ(bench.metric("viaduct_parked_packets_total", "replication"), 0);
}

}  // namespace
}  // namespace viaduct::actors
