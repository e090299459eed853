// Group F of the acceptance scenarios: health checks of pool members, from the checking host's probes to where new
// connections go. The members' kernels and programs are those of the checks' own tests.
#include <map>

#include "flows/health/checker.hpp"
#include "flows/simulation/health_check.hpp"
#include "rules.hpp"
#include "tests/unit/health/servers.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using namespace std::chrono_literals;
using flows::health::Answer;
using flows::health::Behaviour;
using flows::health::HealthChecker;
using flows::health::Probe;
using topology::CheckResult;
using topology::HealthCheck;

class Health : public TwoSubnets {
 protected:
  Health() {
    for (int n = 1; n <= 4; ++n) announce(guest(n));
    net.route("default", "r1", pick("0.0.0.0/0", "::/0"), "up1", gateway().ip.to_string());
    net.load_balancer("r1", "lb").pool("lb", "pool").vip("pool", "web", vip(), 80).checked_by("pool", 0);
    for (const int n : {1, 3}) {
      net.member("pool", "m" + std::to_string(n), guest(n).ip.to_string(), 8080);
      servers[n] = {{address(n <= 2 ? 1 : 2, 254), guest(n).ip}, Behaviour::serves};
      servers[n].mac = guest(n).mac;
      servers[n].router_mac = mac(n <= 2 ? kGreenMac : kBlueMac);
    }
    apply();
    plan.pool = PoolId(net.id("pool"));
    plan.router = RouterId(net.id("r1"));
    plan.monitor.type = HealthCheck::http;
    plan.monitor.delay = 2;
    plan.monitor.timeout = 1;
    for (const int n : {1, 3}) plan.members.push_back({member(n), guest(n).ip, 8080});
    checker.check(plan, {}, now);
  }
  void apply() {
    driver.apply(net);
    driver.send("up1", who_has(gateway(), address(9, 1)));
  }
  std::string vip() const { return pick("203.0.113.10", "2001:db8:10::10"); }
  PoolMemberId member(int n) const { return PoolMemberId(net.id("m" + std::to_string(n))); }

  void run(std::chrono::seconds time) {
    const flows::Time end = now + time;
    while (checker.next_deadline() && *checker.next_deadline() <= end) {
      now = std::max(now, *checker.next_deadline());
      flows::health::HealthActions actions;
      checker.tick(now, actions);
      while (!actions.send.empty()) {
        for (const Probe& probe : std::exchange(actions.send, {})) exchange(probe, actions);
      }
      for (const auto& turned : actions.turned) follow(turned);
    }
    now = end;
  }
  void exchange(const Probe& probe, flows::health::HealthActions& actions) {
    for (const Delivery& delivery : driver.send_check(checking, probe)) {
      const int n = delivery.port.back() - '0';
      if (delivery.port.front() != 'p' || dead.contains(n)) continue;
      ++probes;
      for (const Frame& reply : servers.at(n).hear(delivery.frame)) driver.send(delivery.port, reply);
    }
    for (const auto& [host, answer] : driver.take_answers()) {
      EXPECT_EQ(host, checking);
      checker.answer(answer, now, actions);
    }
  }
  void follow(const flows::health::MemberTurned& turned) {
    health[turned.health.member] = turned.health;
    if (!turned.turned) return;
    for (const int n : {1, 3}) {
      if (member(n) == turned.health.member) net.unhealthy("m" + std::to_string(n), !turned.health.up);
    }
    apply();
  }
  std::vector<topology::MemberHealth> known() const {
    std::vector<topology::MemberHealth> out;
    for (const auto& [_, one] : health) out.push_back(one);
    return out;
  }
  // Where new connections go.
  std::map<std::string, int> shares(int connections = 100) {
    std::map<std::string, int> out;
    for (int i = 0; i < connections; ++i) {
      const IpAddress client = ip(pick("198.51.100.", "2001:db8:100::") + std::to_string(i % 200 + 1));
      const auto port = static_cast<uint16_t>(1000 + ++connection);
      ++out[ports_of(driver.send(
          "up1", PacketBuilder{}.eth(gateway().mac, mac(kUpMac)).ip(client, ip(vip())).tcp(port, 80).build()))];
    }
    return out;
  }
  void expect_both_healthy() {
    run(5s);
    for (const int n : {1, 3}) EXPECT_EQ(health[member(n)].result, CheckResult::healthy) << n;
  }

  ScenarioNetwork net = network();
  flows::health::PoolChecks plan{{}, {}, {}, {}};
  HealthChecker checker{7};
  int checking = 0;  // host
  std::map<int, flows::health::Server> servers;
  std::set<int> dead;
  std::map<PoolMemberId, topology::MemberHealth> health;
  flows::Time now{1h};
  int probes = 0, connection = 0;
};

TEST_P(Health, F3_a_member_that_dies_is_left_alone_and_comes_back) {
  expect_both_healthy();
  EXPECT_EQ(shares().size(), 2U);
  EXPECT_EQ(servers[1].request.substr(0, 15), "GET / HTTP/1.1\r");
  dead = {3};
  run(7s);
  EXPECT_EQ(health[member(3)].result, CheckResult::no_answer);
  EXPECT_EQ(shares(), (std::map<std::string, int>{{"p1", 100}}));
  servers[1].page = "HTTP/1.1 503 Away\r\n\r\n";
  run(7s);
  EXPECT_EQ(health[member(1)].detail, 503);
  EXPECT_EQ(shares(), (std::map<std::string, int>{{"nothing", 100}}));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::no_pool_member) << "closed, and counted";
  dead = {};
  run(7s);
  EXPECT_EQ(shares(), (std::map<std::string, int>{{"p3", 100}}));
  servers[1].page = "HTTP/1.1 200 OK\r\n\r\n";
  run(7s);
  EXPECT_EQ(shares().size(), 2U);
}

TEST_P(Health, Every_kind_of_check_gets_its_answers) {
  for (const HealthCheck type : {HealthCheck::tcp, HealthCheck::udp, HealthCheck::icmp}) {
    plan.monitor.type = type;
    servers[3].behaviour = Behaviour::unreachable;
    health.clear();
    checker.stop(plan.pool);
    checker.check(plan, {}, now);
    run(7s);
    EXPECT_EQ(health[member(1)].result, CheckResult::healthy) << static_cast<int>(type);
    EXPECT_EQ(health[member(3)].result, CheckResult::unreachable) << static_cast<int>(type);
    EXPECT_EQ(shares(), (std::map<std::string, int>{{"p1", 100}}));
  }
}

TEST_P(Health, F3_another_host_goes_on_where_the_first_one_was) {
  dead = {3};
  run(7s);
  EXPECT_EQ(health[member(3)].result, CheckResult::no_answer);
  checking = GetParam().hosts - 1;
  net.checked_by("pool", checking);
  apply();
  HealthChecker other(8);
  std::swap(checker, other);
  checker.check(plan, known(), now);
  run(1s);
  EXPECT_EQ(shares(), (std::map<std::string, int>{{"p1", 100}})) << "nothing turns because the checker did";
  dead = {};
  run(7s);
  EXPECT_EQ(shares().size(), 2U);
}

// The router's rules are for what it forwards.
TEST_P(Health, Rules_and_translations_of_the_router_do_not_concern_checks) {
  net.chain("out").chain("in");
  net.rule("out", when().snat(pick("203.0.113.99", "2001:db8:10::99"), 1'024, 65'535).accept());
  net.rule("in", when().drop());
  net.filter("r1", "outbound", "out").filter("r1", "inbound", "in");
  apply();
  expect_both_healthy();
}

// Other things that members say to the router are flows, of their ports alone.
TEST_P(Health, What_a_member_says_besides_hides_no_answer) {
  const IpAddress router = address(1, 254);
  for (const uint16_t port : {80, 5'000, 61'439}) {
    driver.send("p1", packet(guest(1), kGreenMac, router).tcp(8080, port).build());
    EXPECT_TRUE(driver.verdict().cacheable);
    EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_to_local_service);
  }
  driver.send("p1", packet(guest(1), kGreenMac, router).tcp(8080, 61'500).build());
  ASSERT_EQ(driver.take_answers().size(), 1U) << "for the checker to judge";
  driver.send("p2", packet(guest(2), kGreenMac, router).tcp(8080, 61'500).build());
  EXPECT_TRUE(driver.take_answers().empty()) << "no member";
  EXPECT_TRUE(driver.verdict().cacheable);
  net.checked_by("pool", -1);
  apply();
  driver.send("p1", packet(guest(1), kGreenMac, router).tcp(8080, 61'500).build());
  EXPECT_TRUE(driver.take_answers().empty()) << "nobody checks";
}

TEST_P(Health, A_member_that_nobody_finds_is_told_as_such) {
  net.member("pool", "m9", text(1, 99), 8080);
  apply();
  const auto& host = driver.host(0);
  const auto way = flows::simulation::way_to_member(host.network, plan.router, address(1, 99));
  ASSERT_TRUE(way);
  EXPECT_EQ(way->source, address(1, 254));
  Frame frame = flows::health::make_frame(
      {plan.router, way->source, address(1, 99), flows::health::ProbeKind::tcp, 61'500, 8080, 1, 0, 2}, way->mac);
  const flows::Packet packet = flows::parse(frame, {});
  flows::simulation::Verdict verdict;
  flows::simulation::simulate_emitted({host.network, host.state(), packet, driver.now()}, way->port, verdict);
  EXPECT_EQ(verdict.outcome, Outcome::park);
  flows::simulation::simulate_emitted({host.network, host.state(), packet, driver.now(), true}, way->port, verdict);
  EXPECT_EQ(verdict.drop_reason, DropReason::next_hop_unresolved);
  ASSERT_TRUE(verdict.check_answer);
  EXPECT_TRUE(verdict.check_answer->here);
  EXPECT_EQ(verdict.check_answer->answer.kind, Answer::Kind::no_neighbour);
  EXPECT_EQ(verdict.check_answer->answer.from, address(1, 99));
  EXPECT_FALSE(flows::simulation::way_to_member(host.network, plan.router, address(1, 254))) << "the router itself";
}

// A connection of a guest through the router's address may have any port: its answers are its own.
TEST_P(Health, Answers_to_translated_connections_stay_with_them) {
  net.chain("out").chain("in");
  net.rule("out", when().snat(text(1, 254), 61'440, 65'535).accept());
  net.rule("in", when().reverse_snat().accept());
  net.filter("r1", "outbound", "out").filter("r1", "inbound", "in");
  apply();
  const auto there = driver.send("p4", packet(guest(4), kBlueMac, guest(1).ip).tcp(5'000, 8080, 2).build());
  ASSERT_EQ(ports_of(there), "p1");
  Frame heard = there.front().frame;
  const auto key = flows::parse(heard, {}).key;
  EXPECT_EQ(key.ip_src, address(1, 254));
  ASSERT_TRUE(flows::health::is_check_port(key.l4_src));
  EXPECT_EQ(
      ports_of(driver.send("p1", packet(guest(1), kGreenMac, address(1, 254)).tcp(8080, key.l4_src, 0x12).build())),
      "p4");
  EXPECT_TRUE(driver.take_answers().empty());
}

INSTANTIATE_TEST_SUITE_P(F, Health, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
