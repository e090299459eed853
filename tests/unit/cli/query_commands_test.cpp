// status, version, wait, log, flows, state and trace, with canned answers and golden output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/client/value.hpp"
#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

void fill_status(schema::AdminRequest::Reader, schema::AdminReply::Builder reply) {
  auto status = reply.initStatus();
  status.setVersion("0.1.0");
  set_uuid(status.initHostId(), *Uuid::parse(FakeDaemon::kHostId));
  status.setHostName("node-1");
  status.setDatapath("ebpf");
  status.setCommittedRevision(12);
  status.setAppliedRevision(11);
  status.setUpSeconds(3725);
  auto actor = status.initActors(1)[0];
  actor.setName("topology_store");
  actor.setKind("core");
  actor.setState("running");
  actor.setRestarts(2);
  actor.setMailbox(1);
  actor.setUpSeconds(12.34);
  auto port = status.initPorts(1)[0];
  port.setName("vm1");
  port.setInterface("vt-vm1");
  port.setNumber(3);
  port.setActive(true);
  port.setRxPackets(18'000'000'000'000'000'000ULL);
  auto drop = status.initDrops(1)[0];
  drop.setReason("no_route");
  drop.setCount(5);
}

struct Queries : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};
};

TEST_F(Queries, StatusForPeople) {
  daemon.answer(schema::AdminRequest::STATUS, fill_status);
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 0);
  EXPECT_EQ(status.out,
            "daemon              viaductd 0.1.0, up 1h 2m\n"
            "host                node-1 11111111-1111-4111-8111-111111111111\n"
            "datapath            ebpf\n"
            "revision committed  12\n"
            "revision applied    11\n"
            "flows               0\n"
            "flows adopted       0\n"
            "\n"
            "ACTOR           KIND  STATE    RESTARTS  MAILBOX  UP\n"
            "topology_store  core  running         2        1  12.3s\n"
            "\n"
            "PORT  INTERFACE  NUMBER  ACTIVE            RX PACKETS  RX BYTES  TX PACKETS  TX BYTES  UPCALLS  LOST\n"
            "vm1   vt-vm1          3  yes     18000000000000000000         0           0         0        0     0\n"
            "\n"
            "DROPPED BECAUSE  PACKETS\n"
            "no_route               5\n");
}

TEST_F(Queries, StatusInJson) {
  daemon.answer(schema::AdminRequest::STATUS, fill_status);
  Json status = tool({"status", "--json"}).json();
  std::vector<std::string> names;
  for (const auto& [name, value] : status.items()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "version",          "host_id",    "host_name",     "datapath",        "committed_revision",
                       "applied_revision", "flows",      "actors",        "ports",           "drops",
                       "metrics_url",      "up_seconds", "adopted_flows", "unlisted_actors", "tunnels",
                       "problems",         "cluster",    "agents",        "nodes",           "bgp",
                       "bgp_problems"}));
  EXPECT_EQ(status["actors"][0]["last_error"], "");
  EXPECT_EQ(status["ports"][0]["rx_packets"], 18'000'000'000'000'000'000ULL);
  EXPECT_EQ(status["ports"][0]["port"], nullptr);
}

void fill_bgp(schema::AdminRequest::Reader, schema::AdminReply::Builder reply) {
  auto status = reply.initStatus();
  auto peers = status.initBgp(2);
  peers[0].setRouter("edge");
  peers[0].setPort("up1");
  peers[0].setPeer("192.0.2.1");
  peers[0].setAsNumber(65001);
  peers[0].setState("Established");
  peers[0].setUpSeconds(62);
  peers[0].setPrefixesIn(100'000);
  peers[0].setPrefixesOut(2);
  peers[0].setBfd("up");
  peers[1].setRouter("other");
  peers[1].setPort("up2");
  peers[1].setPeer("2001:db8::1");
  peers[1].setAsNumber(65002);
  peers[1].setState("Idle");
  peers[1].setBfd("off");
  peers[1].setLastError("Peer closed the session");
  status.initProblems(1).set(0, "a tunnel's, which is no business of BGP");
  status.initBgpProblems(1).set(0, "router other, port up2: bgpd has ended");
}

TEST_F(Queries, BgpSessions) {
  daemon.answer(schema::AdminRequest::STATUS, fill_bgp);
  EXPECT_EQ(tool({"bgp"}).out,
            "ROUTER  PORT  PEER            AS  STATE        UP         IN  OUT  BFD  LAST ERROR\n"
            "edge    up1   192.0.2.1    65001  Established  1m 2s  100000    2  up\n"
            "other   up2   2001:db8::1  65002  Idle                     0    0  off  Peer closed the session\n"
            "problem: router other, port up2: bgpd has ended\n");
  tool({"router", "create", "edge"});
  const Json json = tool({"bgp", "--router", "edge", "--json"}).json();
  EXPECT_EQ(json["sessions"].size(), 1U);
  EXPECT_EQ(json["problems"].size(), 1U);
}

TEST_F(Queries, BgpRoutes) {
  daemon.answer(schema::AdminRequest::ROUTES, [](auto, schema::AdminReply::Builder reply) {
    auto routes = reply.initRoutes();
    routes.setTotal(200'000);
    auto line = routes.initRoutes(1)[0];
    line.setRouterName("edge");
    line.setPrefix("198.51.100.0/24");
    line.setGateway("192.0.2.1");
    line.setPortName("up1");
    line.setHostName("gw-1");
    line.setState("used");
  });
  EXPECT_EQ(tool({"bgp", "routes", "--to", "198.51.100.7", "--limit", "1"}).out,
            "ROUTER  PREFIX           GATEWAY    PORT  HOST  STATE\n"
            "edge    198.51.100.0/24  192.0.2.1  up1   gw-1  used\n"
            "1 of 200000 routes\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("destination = \"198.51.100.7\", limit = 1"));
  EXPECT_EQ(tool({"bgp", "routes", "no-such-router"}).code, 1);
  EXPECT_EQ(tool({"bgp", "routes", "--limit", "0"}).code, 2);
}

TEST_F(Queries, VersionWithAndWithoutADaemon) {
  EXPECT_EQ(tool({"version"}).out, "viaduct " VIADUCT_VERSION " (protocol 1)\nviaductd 0.1.0\n");
  tool.address = "127.0.0.1:1";
  Outcome alone = tool({"version", "--json"});
  EXPECT_EQ(alone.code, 0);
  EXPECT_EQ(alone.json()["daemon"], nullptr);
  EXPECT_EQ(alone.json()["protocol"], 1);
  EXPECT_EQ(tool({"--version"}).out, "viaduct " VIADUCT_VERSION "\n");
}

TEST_F(Queries, Wait) {
  EXPECT_EQ(tool({"wait", "42"}).out, "revision 42 is applied\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("wait = (revision = 42, timeoutMs = 10000)"));
  EXPECT_EQ(tool({"wait", "--timeout", "2.5", "--json"}).json()["applied"], 1);
  EXPECT_THAT(daemon.requests().back(), HasSubstr("timeoutMs = 2500"));
  daemon.answer(schema::AdminRequest::WAIT, [](auto, schema::AdminReply::Builder reply) {
    auto error = reply.initError();
    error.setCode(schema::ErrorCode::TIMEOUT);
    error.setMessage("revision 42 is not applied by node-1");
  });
  Outcome late = tool({"wait", "42"});
  EXPECT_EQ(late.code, 4);
  EXPECT_THAT(late.err, HasSubstr("not applied by node-1"));
}

TEST_F(Queries, Log) {
  EXPECT_EQ(tool({"log", "debug", "datapath"}).out, "datapath logs at level debug\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("setLogLevel = (component = \"datapath\", level = \"debug\")"));
  EXPECT_EQ(tool({"log", "loud"}).code, 2);
}

TEST_F(Queries, Flows) {
  daemon.answer(schema::AdminRequest::FLOWS, [](auto, schema::AdminReply::Builder reply) {
    reply.initFlows().setTotal(2000);
    auto flow = reply.getFlows().initFlows(1)[0];
    flow.setId("7f");
    flow.setMatch("in_port=3,ip,nw_dst=10.0.2.0/24");
    flow.setActions("set(ttl=63),output:4");
    flow.setPackets(10);
    flow.setBytes(980);
    flow.setIdleSeconds(0.25);
    flow.setPortName("vm1");
    flow.setTags(6);
  });
  EXPECT_EQ(tool({"flows", "--limit", "1"}).out,
            "PORT  PACKETS  BYTES  IDLE  TAGS  MATCH                            ACTIONS\n"
            "vm1        10    980  0.2s     6  in_port=3,ip,nw_dst=10.0.2.0/24  set(ttl=63),output:4\n"
            "1 of 2000 flows\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("limit = 1"));
  EXPECT_EQ(tool({"flows", "--port", "nope"}).code, 1);
  EXPECT_EQ(tool({"flows", "--json"}).json()["flows"][0]["idle_seconds"], 0.25);
}

TEST_F(Queries, StateAndFlush) {
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", "00000000-0000-4000-8000-00000000b10e"}).code, 0);
  EXPECT_EQ(tool({"state"}).out, "nothing learned\n");
  daemon.answer(schema::AdminRequest::STATE, [](auto, schema::AdminReply::Builder reply) {
    auto entry = reply.initState().initEntries(1)[0];
    entry.initDevice().setKind(schema::Kind::BRIDGE);
    entry.setDeviceName("blue");
    entry.setTable("mac");
    entry.setKey("02:00:00:00:00:01");
    entry.setValue("vm1");
    entry.setState("learned");
    entry.setAgeSeconds(61);
  });
  EXPECT_EQ(tool({"state", "blue"}).out,
            "DEVICE  NAME  TABLE  KEY                VALUE  STATE    AGE\n"
            "bridge  blue  mac    02:00:00:00:00:01  vm1    learned  1m 1s\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("state = (device = (high = 16384, low = "));
  EXPECT_EQ(tool({"state", "flush", "blue"}).out, "learned state of blue is flushed\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("flush = (device = (high = 16384, low = "));
  EXPECT_EQ(tool({"state", "nope"}).code, 1);
  EXPECT_THAT(tool({"state", "nope"}).err, HasSubstr("there is no bridge or router or pool 'nope'"));
}

void fill_trace(schema::AdminRequest::Reader, schema::AdminReply::Builder reply) {
  auto trace = reply.initTrace();
  trace.setDescription("icmp 10.0.1.10 -> 10.0.2.10");
  trace.setOutcome("forward");
  trace.setMatch("in_port=3,icmp");
  trace.setActions("output:4");
  trace.initOutputs(1).set(0, "vm3");
  auto steps = trace.initSteps(3);
  steps[0].initDevice().setKind(schema::Kind::PORT);
  steps[0].setDeviceName("vm1");
  steps[0].setStage("port_in");
  steps[1].initDevice().setKind(schema::Kind::ROUTER);
  steps[1].setDeviceName("r1");
  steps[1].setStage("route");
  steps[1].setDetail("10.0.2.0/24 by r1-green");
  steps[2].setDepth(1);
  steps[2].initDevice().setKind(schema::Kind::ROUTER);
  steps[2].setDeviceName("r1");
  steps[2].setStage("arp_request");
}

// Its words may be another host's: none drives a terminal.
TEST_F(Queries, TraceOfAnotherHost) {
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  daemon.answer(schema::AdminRequest::TRACE, [](auto, schema::AdminReply::Builder reply) {
    auto trace = reply.initTrace();
    trace.setDescription("icmp\x1b[2J");
    trace.setOutcome("drop");
    trace.setDropReason("no_route\x07");
    trace.setHost("h2");
    auto step = trace.initSteps(1)[0];
    step.setStage("route");
    step.setDetail("\x1b]0;owned\x07");
  });
  EXPECT_EQ(tool({"trace", "vm1", "icmp", "to", "10.0.2.10"}).out,
            "packet: icmp\\x1b[2J\n"
            "  route: \\x1b]0;owned\\x07\n"
            "verdict: drop (no_route\\x07)\n"
            "answered by host h2\n");
}

TEST_F(Queries, Trace) {
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  daemon.answer(schema::AdminRequest::TRACE, fill_trace);
  EXPECT_EQ(tool({"trace", "vm1", "icmp", "to", "10.0.2.10"}).out,
            "packet: icmp 10.0.1.10 -> 10.0.2.10\n"
            "  port vm1  port_in\n"
            "  router r1  route: 10.0.2.0/24 by r1-green\n"
            "    router r1  arp_request\n"
            "verdict: forward to vm3\n"
            "flow:    in_port=3,icmp\n"
            "actions: output:4\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("packet = ("));
  EXPECT_EQ(tool({"trace", "vm1", "icmp", "to", "10.0.2.10", "--json"}).json()["outputs"][0], "vm3");
  EXPECT_EQ(tool({"trace", "11111111-2222-4333-8444-555555555555", "icmp", "to", "10.0.2.10"}).code, 0)
      << "the daemon knows what it needs, and the port's host is asked";
  EXPECT_THAT(daemon.requests().back(), HasSubstr("trace"));
  EXPECT_EQ(tool({"trace", "11111111", "icmp", "to", "10.0.2.10"}).code, 1);
  EXPECT_EQ(tool({"trace", "vm1", "icmp"}).code, 2);
  EXPECT_EQ(tool({"trace", "vm1"}).code, 2);
  EXPECT_EQ(tool({"trace", "nope", "icmp", "to", "10.0.2.10"}).code, 1);
}

constexpr const char* kChange = "bridges: [{name: blue, ports: [{name: vm1, admin-up: false}]}]";

TEST_F(Queries, TraceAsIfAFileWereApplied) {
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  daemon.answer(schema::AdminRequest::SUPPOSE, [](auto, schema::AdminReply::Builder reply) {
    auto supposed = reply.initSupposed();
    auto now = supposed.initNow();
    now.setDescription("icmp 10.0.1.10 -> 10.0.2.10");
    now.setOutcome("forward");
    now.initOutputs(1).set(0, "vm3");
    supposed.initChanged().setOutcome("drop");
    supposed.getChanged().setDropReason("port_down");
    supposed.setOutcomeDiffers(true);
    supposed.setPathDiffers(true);
    supposed.initDifferences(1).set(0, "verdict: forward now, drop (port_down) with the change");
    supposed.initNotes(1).set(0, "something is not known");
  });
  tool.input = kChange;
  const std::vector<std::string> ask = {"trace", "vm1", "icmp", "to", "10.0.2.10", "--if", "-"};
  const auto revision = daemon.snapshot().revision();
  EXPECT_EQ(tool(ask).out,
            "  ~ port vm1 of bridge blue\n"
            "      admin_up: true -> false\n"
            "plan: 0 to create, 1 to update, 0 to delete\n"
            "packet: icmp 10.0.1.10 -> 10.0.2.10\n"
            "\n"
            "now:\n"
            "verdict: forward to vm3\n"
            "\n"
            "with the change:\n"
            "verdict: drop (port_down)\n"
            "\n"
            "the outcome differs:\n"
            "  verdict: forward now, drop (port_down) with the change\n"
            "note: something is not known\n");
  EXPECT_THAT(daemon.requests().back(), HasSubstr("suppose = (trace = (port = "));
  EXPECT_THAT(daemon.requests().back(), HasSubstr("change = (operations = [(update = "));
  EXPECT_EQ(daemon.snapshot().revision(), revision);
  auto json_ask = ask;
  json_ask.emplace_back("--json");
  Json json = tool(json_ask).json();
  EXPECT_EQ(json["plan"].size(), 1U);
  EXPECT_EQ(json["supposed"]["changed"]["drop_reason"], "port_down");
}

TEST_F(Queries, TraceAsIfNamesWhatIsWrongWithTheChange) {
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  daemon.answer(schema::AdminRequest::SUPPOSE, [](auto, schema::AdminReply::Builder reply) {
    auto error = reply.initError();
    error.setCode(schema::ErrorCode::INVALID);
    auto violation = error.initViolations(1)[0];
    violation.setRule("address_in_use");
    violation.setMessage("10.0.1.1 is taken");
    violation.setCure("choose another");
  });
  tool.input = kChange;
  const Outcome refused = tool({"trace", "vm1", "icmp", "to", "10.0.2.10", "--if", "-"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("10.0.1.1 is taken [address_in_use]\n    cure: choose another"));
  tool.input = "bridges: 7";
  EXPECT_EQ(tool({"trace", "vm1", "icmp", "to", "10.0.2.10", "--if", "-"}).code, 2);
  EXPECT_EQ(tool({"trace", "vm1", "icmp", "to", "10.0.2.10", "--prune"}).code, 2);
  EXPECT_EQ(tool({"trace", "vm1", "icmp", "to", "10.0.2.10", "--if", "/no/such/file"}).code, 2);
}

TEST_F(Queries, APoolIsShownWithTheHealthOfItsMembers) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"health-monitor", "create", "site", "--type", "http"},
        {"pool", "create", "web", "--health-monitor", "site"},
        {"pool", "create", "plain"}}) {
    ASSERT_EQ(tool(words).code, 0);
  }
  daemon.answer(schema::AdminRequest::STATE, [](schema::AdminRequest::Reader, schema::AdminReply::Builder reply) {
    auto entries = reply.initState().initEntries(2);
    entries[0].setTable("checker");
    entries[0].setKey("node-2");
    entries[1].setTable("member");
    entries[1].setKey("10.0.1.10:8080");
    entries[1].setValue("HTTP status 503");
    entries[1].setState("down");
    entries[1].setAgeSeconds(61);
  });
  EXPECT_THAT(tool({"pool", "show", "web"}).out, HasSubstr("\nhealth: checked by node-2\n"
                                                           "MEMBER          STATE  WHY              FOR\n"
                                                           "10.0.1.10:8080  down   HTTP status 503  1m 1s\n"));
  EXPECT_THAT(tool({"pool", "show", "web", "--json"}).out, HasSubstr("\"health\""));
  EXPECT_THAT(tool({"pool", "show", "plain"}).out, testing::Not(HasSubstr("\nhealth:")));
}

}  // namespace
}  // namespace viaduct::api::cli
