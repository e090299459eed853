// The health checker of a real actor system: a test that plays mirror, publisher and cluster, and a guest with a server.
#include "actors/agent/health_checker.hpp"

#include "actor_bench.hpp"
#include "agent_bench.hpp"
#include "tests/unit/health/servers.hpp"

namespace viaduct::actors {
namespace {

using flows::health::Behaviour;
using flows::health::Server;
using topology::CheckResult;
using topology::HealthReport;

// vm1 is a member of the pool.
ScenarioNetwork watched() {
  auto net = two_subnets();
  net.load_balancer("r1", "lb").pool("lb", "pool").member("pool", "m1", ip_of(1).to_string(), 80);
  topology::HealthMonitor monitor;
  monitor.id = HealthMonitorId(Uuid::from_words(77, 1));
  monitor.type = topology::HealthCheck::http;
  monitor.delay = monitor.timeout = monitor.max_retries = 1;
  net.put(monitor);
  net.change<topology::Pool>("pool", [&](auto& pool) { pool.health_monitor = monitor.id; });
  return net;
}

// A base, so that it outlives the actor system.
struct HealthBench {
  AgentBench bench{watched()};
  observability::Registry registry;
  observability::HealthProbe probe{registry, topology::kCheckResultNames};
  Journal<HealthClaims> claims;
  Journal<OwnHealth> own;
};

class HealthCheckerTest : protected HealthBench, public ActorTest {
 protected:
  HealthCheckerTest() {
    bench.announce({1, 2});
    server.mac = mac_of(1);
    server.router_mac = scenario::mac(kGreenMac);
    publisher = system.spawn([this](caf::event_based_actor*) {
      return caf::behavior{[this](const HealthClaims& news) { claims.add(news); }};
    });
    mirror = system.spawn(
        [this](caf::event_based_actor*) { return caf::behavior{[this](const OwnHealth& news) { own.add(news); }}; });
    checker = spawn_health_checker(system, {HostId(Uuid::from_words(1, 1)), bench.state, *bench.pool,
                                            caf::actor_cast<StatePublisherActor>(publisher), probe});
    caf::send_as(mirror, checker, PoolsChanged{std::make_shared<const topology::Snapshot>(bench.net.snapshot()), {}});
    auto locations = bench.net.locations();
    locations.checkers.put(pool(), HostId{});
    using flows::simulation::Network;
    bench.state.network.publish(std::make_shared<const Network>(Network::compile(bench.net.snapshot(), locations)));
  }
  ~HealthCheckerTest() override {
    self->send(checker, Shutdown{});
    self->wait_for(checker);
    for (const auto& actor : {publisher, mirror}) self->send_exit(actor, caf::exit_reason::kill);
    self->wait_for(publisher, mirror);
  }
  PoolId pool() const { return PoolId(bench.net.id("pool")); }
  // Packets go and the server answers, until the mirror was told so.
  bool finds(CheckResult result) {
    return eventually([&] {
      bench.work();
      for (const Frame& frame : bench.output("p1")) {
        Frame copy = frame;
        if (flows::parse(copy, {}).key.ip_proto != flows::ip_proto::kTcp) continue;
        for (const Frame& reply : server.hear(frame)) bench.send("p1", reply);
      }
      const auto told = own.wait_for(0);
      if (told.empty() || !told.back().reports.contains(pool())) return false;
      return told.back().reports.at(pool()).members.front().result == result;
    });
  }

  Server server{{scenario::ip("10.0.1.254"), ip_of(1)}, Behaviour::serves};
  caf::actor publisher, mirror;
  HealthCheckerActor checker;
};

TEST_F(HealthCheckerTest, ClaimsAPoolChecksItsMembersAndSaysWhatItFinds) {
  ASSERT_EQ(claims.wait_for(1).size(), 1U) << "who is answered";
  self->send(checker, HealthSession{true});
  ASSERT_EQ(claims.wait_for(2).size(), 2U);
  EXPECT_EQ(claims.wait_for(2)[1].claims.at(0).report.pool, pool());
  EXPECT_EQ(own.size(), 0U) << "asked for is not had";
  self->send(checker, HealthClaimsAnswered{{pool()}, {}});
  EXPECT_TRUE(finds(CheckResult::healthy));
  server.page = "HTTP/1.1 500 Oops\r\n\r\n";
  EXPECT_TRUE(finds(CheckResult::wrong_status));
  const auto last = own.wait_for(0).back().reports.at(pool()).members.front();
  EXPECT_FALSE(last.up);
  EXPECT_EQ(last.detail, 500);
  EXPECT_GT(last.since, 1'700'000'000U);
  EXPECT_TRUE(eventually([&] { return claims.wait_for(0).back().claims.at(0).report.members.front() == last; }))
      << "the cluster hears the same";
  EXPECT_EQ(metric(registry, "viaduct_health_members_down"), 1);
  EXPECT_EQ(metric(registry, "viaduct_health_turns_total", "down"), 1);
  EXPECT_GE(metric(registry, "viaduct_health_checks_total", "wrong_status"), 1);
  self->send(checker, HealthClaimsAnswered{{}, {pool()}});
  EXPECT_TRUE(eventually([&] { return own.wait_for(0).back().reports.empty(); })) << "another host has it";
}

}  // namespace
}  // namespace viaduct::actors
