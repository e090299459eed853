// Two hosts over an imaginary network beneath: the tunnel managers of a real actor system, workers on their threads.
#include "actors/agent/tunnel_manager.hpp"

#include "actor_bench.hpp"
#include "agent_bench.hpp"
#include "flows/datapath/fake_underlay.hpp"
#include "routing/underlay/tunnel_keys.hpp"
#include "tests/unit/agent/fake_addresses.hpp"
#include "tests/unit/agent/host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using flows::FakeUnderlay;
using std::chrono::milliseconds;

// Host N has 192.0.2.N.
struct TunnelHost {
  TunnelHost(uint64_t number, FakeUnderlay& underlay)
      : id(topology::testing::id<HostId>(number)), address(IpAddress::v4(0xc000'0200 + static_cast<uint32_t>(number))) {
    underlay.connect(address, kernel);
    addresses.set({{address, "eth0", 1500, true}});
    pool.start();
  }
  void start(caf::actor_system& system) {
    routing::underlay::LivenessOptions liveness;
    liveness.interval = milliseconds(40);
    liveness.silent_interval = milliseconds(40);
    liveness.multiplier = 4;
    tunnels = spawn_tunnel_manager(system, {id, state, *datapath, pool, addresses, publisher, probe, liveness});
  }

  const HostId id;
  const IpAddress address;
  std::shared_ptr<flows::FakeKernel> kernel = std::make_shared<flows::FakeKernel>();
  std::unique_ptr<flows::Datapath> datapath = flows::open_fake(kernel, {});
  observability::Registry registry;
  observability::TunnelProbe probe{registry};
  AgentState state;
  FakeAddresses addresses;
  WorkerPool pool{state, *datapath, 1, registry};
  StatePublisherActor publisher;  // nobody, unless a test says so before start()
  TunnelManagerActor tunnels;
};

// A base, so that it outlives the actor system.
struct TwoHosts {
  FakeUnderlay underlay;
  TunnelHost a{1, underlay}, b{2, underlay};
};

class TunnelManagerTest : protected TwoHosts, public ActorTest {
 protected:
  TunnelManagerTest() {
    a.start(system);
    b.start(system);
  }
  ~TunnelManagerTest() override {
    for (TunnelHost* host : {&a, &b}) {
      self->send(host->tunnels, Shutdown{});
      self->wait_for(host->tunnels);
      host->tunnels = nullptr;  // a detached actor's thread lasts as long as its handles
      host->pool.stop();
    }
  }
  static UnderlayTopology one_zone() {
    using namespace topology::testing;
    return {{tunnel_zone(50)},
            {tunnel_zone_host(51, 50, 1, "192.0.2.1"), tunnel_zone_host(52, 50, 2, "192.0.2.2")},
            {{kHere, "a"}, {kThere, "b"}}};
  }
  void join() {
    for (TunnelHost* host : {&a, &b}) ask<HostPaths>(host->tunnels, one_zone());
  }
  TunnelReport::Line line(const TunnelHost& host) {
    auto report = ask<TunnelReport>(host.tunnels, ReportTunnels{});
    return report.tunnels.empty() ? TunnelReport::Line{} : report.tunnels.front();
  }
  // a tells whether b is alive.
  bool told(bool alive) {
    bool so = false, late = false;
    while (!so && !late) {
      self->receive(
          [&](const HostPaths& paths) {
            const auto path = paths.paths.find(kThere);  // b tells of a
            so = path != paths.paths.end() && path->second.alive == alive;
          },
          caf::after(kPatience) >> [&] { late = true; });
    }
    return so;
  }
  bool up(const TunnelHost& host) { return line(host).state == "up"; }
  bool both_up() {
    return eventually([&] { return up(a) && up(b); });
  }
};

TEST_F(TunnelManagerTest, TellsThePathsAndTheTunnelsComeUp) {
  auto paths = ask<HostPaths>(a.tunnels, one_zone());
  ASSERT_EQ(paths.paths.size(), 1);
  EXPECT_EQ(paths.paths.at(kThere).dst, b.address);
  EXPECT_EQ(paths.paths.at(kThere).mtu, 1450);
  EXPECT_FALSE(up(a)) << "nobody answers yet";
  ask<HostPaths>(b.tunnels, one_zone());
  ASSERT_TRUE(both_up());
  EXPECT_EQ(line(a).name, "b");
  EXPECT_TRUE(eventually([&] { return line(a).round_trip.count() > 0; }));
  EXPECT_TRUE(eventually([&] { return metric(a.registry, "viaduct_tunnel_up") == 1; }));
}

TEST_F(TunnelManagerTest, TellsTheInterfaces) {
  Journal<OwnInterfaces> told;
  TunnelHost host{3, underlay};
  host.addresses.set_interfaces({{"eth0", {}, 1500, "", true, true, {host.address}}});
  host.publisher = system.spawn([&]() -> StatePublisherActor::behavior_type {
    return {[](const ReportStatus&) { return observability::ActorStatus{}; },
            [](const Shutdown&) {},
            [](const NewsWaits&) {},
            [](const OwnLocations&) {},
            [&](const OwnInterfaces& news) { told.add(news); },
            [](const NatLeases&) {},
            [](const HealthClaims&) {},
            [](const RoutesLearned&) {},
            [](const SessionChanged&) {},
            [](const Tick&) {}};
  });
  host.start(system);
  const auto last = [&] {
    auto all = told.wait_for(1);
    return all.empty() ? OwnInterfaces{}.entries : all.back().entries;
  };
  ASSERT_TRUE(eventually([&] { return last().size() == 1; })) << "at once";
  const topology::StateEntry entry = last().front();
  EXPECT_EQ(std::get<topology::HostInterface>(entry.fact),
            (topology::HostInterface{"eth0", {}, 1500, "", true, true, {host.address}}));
  EXPECT_EQ(entry.device, host.id.uuid());
  host.addresses.set_interfaces({});
  EXPECT_TRUE(eventually([&] { return last().empty(); })) << "when the kernel hints at a change";
  self->send(host.tunnels, Shutdown{});
  self->wait_for(host.tunnels);
  self->send_exit(host.publisher, caf::exit_reason::user_shutdown);
  host.tunnels = nullptr;
  host.publisher = nullptr;
  host.pool.stop();
}

TEST_F(TunnelManagerTest, LossInOneDirectionIsNoticedAtBothEnds) {
  join();
  ASSERT_TRUE(both_up());
  underlay.set_path(a.address, b.address, FakeUnderlay::Path::down);
  EXPECT_TRUE(eventually([&] { return !up(b) && line(b).loss > 0; })) << "it hears nothing";
  EXPECT_TRUE(eventually([&] { return !up(a); })) << "it is told";
  EXPECT_TRUE(eventually([&] { return metric(b.registry, "viaduct_tunnel_up") == 0; }));
  underlay.set_path(a.address, b.address, FakeUnderlay::Path::up);
  EXPECT_TRUE(both_up());
}

TEST_F(TunnelManagerTest, AHostThatStopsSaysSo) {
  join();
  ASSERT_TRUE(both_up());
  self->send(b.tunnels, Shutdown{});
  self->wait_for(b.tunnels);
  EXPECT_TRUE(eventually([&] { return !up(a); }));
  b.start(system);
  ask<HostPaths>(b.tunnels, one_zone());
  EXPECT_TRUE(both_up());
}

TEST_F(TunnelManagerTest, PathsThatChangeByThemselvesAreTold) {
  join();
  a.addresses.set({{a.address, "eth0", 9000, true}});
  bool told = false;
  self->receive(
      [&](const HostPaths& paths) {
        told = true;
        EXPECT_EQ(paths.paths.at(kThere).mtu, 8950);
      },
      caf::after(kPatience) >> [] {});
  EXPECT_TRUE(told);
}

TEST_F(TunnelManagerTest, AHostThatFallsSilentIsToldToTheMirror) {
  join();
  ASSERT_TRUE(both_up());
  underlay.set_path(b.address, a.address, FakeUnderlay::Path::down);
  EXPECT_TRUE(told(false));
  underlay.set_path(b.address, a.address, FakeUnderlay::Path::up);
  EXPECT_TRUE(told(true));
}

// Silent for the third time within a minute, it stays doubtful for a second after it is up.
TEST_F(TunnelManagerTest, AHostThatIsSilentAgainAndAgainIsHeld) {
  join();
  ASSERT_TRUE(both_up());
  for (int i = 0; i < 3; ++i) {
    underlay.set_path(b.address, a.address, FakeUnderlay::Path::down);
    ASSERT_TRUE(told(false));
    underlay.set_path(b.address, a.address, FakeUnderlay::Path::up);
    if (i < 2) {
      ASSERT_TRUE(told(true));
    }
  }
  ASSERT_TRUE(both_up());
  EXPECT_TRUE(eventually([&] { return metric(a.registry, "viaduct_tunnel_held_peers") == 1; }));
  EXPECT_TRUE(told(true)) << "when the hold is over";
  EXPECT_TRUE(eventually([&] { return metric(a.registry, "viaduct_tunnel_held_peers") == 0; }));
}

TEST_F(TunnelManagerTest, AHostThatLeavesTheZoneIsNotProbedAnyMore) {
  join();
  ASSERT_TRUE(both_up());
  auto alone = one_zone();
  alone.members.pop_back();
  EXPECT_TRUE(ask<HostPaths>(a.tunnels, alone).paths.empty());
  EXPECT_TRUE(ask<TunnelReport>(a.tunnels, ReportTunnels{}).tunnels.empty());
  EXPECT_EQ(metric(a.registry, "viaduct_tunnel_mtu_bytes"), 0) << "nor shown";
  EXPECT_TRUE(eventually([&] { return !up(b); }));
}

TEST_F(TunnelManagerTest, WhatIsNoProbeIsCountedByItsReason) {
  join();
  a.state.probes.post({routing::underlay::kProbeKey, b.address, a.address}, Frame(60, 7));
  EXPECT_TRUE(eventually([&] { return metric(a.registry, "viaduct_tunnel_probes_refused_total") == 1; }));
}

TEST_F(TunnelManagerTest, ProblemsAreReported) {
  a.addresses.set({});
  ask<HostPaths>(a.tunnels, one_zone());
  auto report = ask<TunnelReport>(a.tunnels, ReportTunnels{});
  ASSERT_EQ(report.problems.size(), 1);
  EXPECT_THAT(report.problems[0], testing::HasSubstr("none of its interfaces has it"));
}

}  // namespace
}  // namespace viaduct::actors
