// The device actors of a real actor system around packet workers on their threads: time, and what it does.
#include "actors/agent/devices.hpp"

#include "actor_bench.hpp"
#include "agent_bench.hpp"
#include "flows/packet/build.hpp"

namespace viaduct::actors {
namespace {

using scenario::describe;
using std::chrono::milliseconds;

// A base, so that it outlives the actor system: device actors may still be at their last message when a test ends.
struct Bench {
  AgentBench bench;
};

class DevicesTest : protected Bench, public ActorTest {
 protected:
  DevicesTest() {
    AgeingOptions ageing;
    ageing.mac_timeout = milliseconds(400);
    ageing.max_tracked = 16;
    bench.state.flow_news.on_ring([this] {
      if (!on_worker() && failing.exchange(false)) throw std::runtime_error("no room for news");
    });
    devices = spawn_devices(system, {bench.state, *bench.pool, ageing, [this](std::string_view) { ++restarts; }});
    bench.state.device_news.on_ring([this] { caf::anon_send(devices, NewsWaits{}); });
    self->send(devices, DevicesChanged{bench.state.network.load(),
                                       {BridgeId(bench.net.id("green")), BridgeId(bench.net.id("blue"))},
                                       {RouterId(bench.net.id("r1"))},
                                       {},
                                       {}});
    bench.pool->start();
  }
  ~DevicesTest() override {
    bench.pool->stop();
    self->send(devices, Shutdown{});
    self->wait_for(devices);
    bench.state.device_news.on_ring({});
    bench.state.flow_news.on_ring({});
  }
  // What comes out of the port next; nothing within the patience: empty.
  Frame next(int vm) {
    auto frame = bench.kernel->wait_output("if-" + port_of(vm), kPatience);
    return frame ? frame->bytes : Frame{};
  }
  static bool on_worker() {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    return std::string_view(name) == "packet_worker";
  }
  flows::MacKey mac_key(int vm) { return {BridgeId(bench.net.id(vm <= 2 ? "green" : "blue")), 0, mac_of(vm)}; }

  std::atomic<int> restarts{0};
  std::atomic<bool> failing{false};  // the next ring of the flow controller's bell by an actor throws
  DevicesActor devices;
};

TEST_F(DevicesTest, ARouterAsksForItsNeighbourAndThePacketArrives) {
  ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  Frame request = next(3);
  ASSERT_EQ(describe(request), "arp request 10.0.2.3 tell 10.0.2.254");
  auto packet = flows::parse(request, {});
  bench.inject("p3", flows::make_arp_reply(*flows::parse_arp(packet), mac_of(3)));
  EXPECT_THAT(describe(next(3)), testing::HasSubstr("10.0.1.1 > 10.0.2.3"));
}

TEST_F(DevicesTest, ANeighbourThatDoesNotAnswerIsAskedThriceAndThenThePacketFails) {
  auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  for (int request = 1; request <= 3; ++request) {
    EXPECT_EQ(describe(next(3)), "arp request 10.0.2.3 tell 10.0.2.254") << request;
  }
  EXPECT_EQ(describe(next(1)), "icmp 3/1 10.0.1.254 > 10.0.1.1");
  auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(took, milliseconds(2'500));
  // Now packets fail at once.
  ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  EXPECT_EQ(describe(next(1)), "icmp 3/1 10.0.1.254 > 10.0.1.1");
}

TEST_F(DevicesTest, AMacThatIsNotSeenAnyMoreIsForgottenWithItsFlows) {
  bench.inject("p1", announcement(1));
  bench.inject("p2", udp(2, 1));
  ASSERT_TRUE(eventually([&] { return bench.state.macs.find(mac_key(1)) && bench.flows() > 0; }));
  EXPECT_TRUE(eventually([&] { return !bench.state.macs.find(mac_key(1)); }));
  bench.pool->stop();
  bench.keeper->take_news();
  EXPECT_EQ(bench.flows(), 0);
  bench.pool->start();
}

TEST_F(DevicesTest, ADeviceThatDiesIsStartedAgainAndGoesOn) {
  auto knows = [&] { return bench.state.macs.find(mac_key(1)).has_value(); };
  bench.inject("p1", announcement(1));
  ASSERT_TRUE(eventually(knows));
  failing = true;
  ASSERT_TRUE(eventually([&] {
    bench.state.flow_news.take();  // or the bell would not ring again
    if (!knows()) bench.inject("p1", announcement(1));
    return !failing;
  })) << "when the MAC's time is over";
  auto trouble = [&] {
    auto actors = ask<NodeReport>(devices, ReportNode{}).actors;
    return actors.empty() ? observability::ActorStatus{} : actors.front();
  };
  EXPECT_TRUE(eventually([&] { return trouble().restarts == 1; })) << "those in trouble come first";
  EXPECT_EQ(trouble().name, bench.net.id("green").to_string());
  EXPECT_EQ(trouble().state, observability::ActorState::running);
  EXPECT_NE(trouble().last_error, "");
  EXPECT_EQ(restarts, 1);
  bench.inject("p1", announcement(1));
  EXPECT_TRUE(eventually(knows));
  EXPECT_TRUE(eventually([&] { return !knows(); })) << "its successor minds the time";
}

TEST_F(DevicesTest, AReportNamesSomeAndCountsTheRest) {
  DevicesChanged news;
  news.network = bench.state.network.load();
  for (uint64_t i = 0; i < 120; ++i) news.bridges.push_back(BridgeId(Uuid::from_words(7, i)));
  self->send(devices, news);
  auto report = ask<NodeReport>(devices, ReportNode{});
  EXPECT_EQ(report.actors.size(), 100);
  EXPECT_EQ(report.unlisted, 23);
}

TEST_F(DevicesTest, WhatIsBeyondADevicesLimitsIsCounted) {
  DeviceEvents events;
  for (uint64_t i = 0; i < 20; ++i) {
    auto key = mac_key(1);
    key.mac = MacAddress::from_uint64(0x0200'0000'7000 + i);
    events.macs.push_back({key, bench.net.port("p1")});
  }
  bench.state.device_news.add(std::move(events));
  EXPECT_TRUE(eventually([&] { return bench.state.untracked == 4; }));
}

TEST_F(DevicesTest, AFlushForgetsOneDeviceOrAll) {
  bench.inject("p3", announcement(3));
  bench.inject("p4", announcement(4));
  auto neighbours = [&] { return bench.state.neighbours.size(); };
  ASSERT_TRUE(eventually([&] { return neighbours() >= 2; }));
  auto flush = [&](const Uuid& device) {
    bool done = false;
    self->request(devices, std::chrono::seconds(20), FlushState{device})
        .receive([&](const StateFlushed&) { done = true; }, [](const caf::error&) {});
    return done;
  };
  EXPECT_TRUE(flush(bench.net.id("blue")));
  EXPECT_FALSE(bench.state.macs.find(mac_key(3)) || bench.state.macs.find(mac_key(4))) << "gone when it is answered";
  EXPECT_TRUE(flush(Uuid()));
  EXPECT_EQ(neighbours(), 0U);
  EXPECT_TRUE(flush(Uuid::from_words(9, 9))) << "of nobody: nothing to do";
}

TEST_F(DevicesTest, ADeviceThatIsRemovedTakesWhatItLearnedAlong) {
  bench.inject("p3", announcement(3));
  ASSERT_TRUE(eventually([&] { return bench.state.macs.find(mac_key(3)).has_value(); }));
  self->send(devices,
             DevicesChanged{bench.state.network.load(), {}, {}, {bench.net.id("blue"), bench.net.id("r1")}, {}});
  EXPECT_TRUE(eventually([&] { return bench.state.macs.size() + bench.state.neighbours.size() == 0; }));
}

TEST_F(DevicesTest, APortWithOtherAddressesForgetsItsNeighbours) {
  flows::NeighbourKey key{bench.net.id("r1"), bench.net.port("r1-blue"), ip_of(3)};
  bench.state.neighbours.learn(key, mac_of(3), std::chrono::steady_clock::now());
  DeviceEvents events;
  events.neighbours.push_back({key, mac_of(3)});
  bench.state.device_news.add(std::move(events));
  DevicesChanged news;
  news.network = bench.state.network.load();
  news.void_ports[RouterId(bench.net.id("r1"))] = {key.port};
  self->send(devices, news);
  EXPECT_TRUE(eventually([&] { return !bench.state.neighbours.find(key); }));
}

}  // namespace
}  // namespace viaduct::actors
