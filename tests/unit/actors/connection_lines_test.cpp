// What `viaduct conntrack` is answered with, and what a trace says of connections.
#include "actors/admin/connection_lines.hpp"

#include "agent_bench.hpp"
#include "tests/scenario/rules.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {
namespace {

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using scenario::when;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

ConnectionKey key(const ScenarioNetwork& net, uint32_t number, ConnectionKind kind = ConnectionKind::track) {
  return {kind,        6, static_cast<uint16_t>(number), 80, IpAddress::v4(0x0a000000 + number), IpAddress::v4(7),
          net.id("r1")};
}

class ConnectionLinesTest : public testing::Test {
 protected:
  void open(const ConnectionKey& which, ConnectionEntry entry = {}) {
    entry.last_seen = now - seconds(3);
    entry.seen_forward = flows::seen::kPacket;
    ASSERT_EQ(state.connections.open(which, entry), flows::OpenResult::added);
  }
  void open_pair(uint32_t number) {
    ConnectionEntry entry;
    entry.address = scenario::ip("203.0.113.9");
    entry.port = 40'000;
    entry.port_account = std::hash<PortId>{}(net.port("p1"));
    const ConnectionKey forward = key(net, number, ConnectionKind::snat);
    open(*partner_of(forward, entry), partner_entry(forward, entry));
    open(forward, entry);
  }
  ConnectionLines ask(const ConnectionsRequest& request) {
    return connection_lines(request, net.snapshot(), state, now);
  }

  ScenarioNetwork net = two_subnets();
  AgentState state;
  flows::Time now = std::chrono::steady_clock::now();
};

TEST_F(ConnectionLinesTest, TheFirstInOrderUpToTheLimit) {
  for (uint32_t i = 50; i > 0; --i) open(key(net, i));
  const ConnectionLines lines = ask({{}, 3, false});
  EXPECT_EQ(lines.total, 50U);
  ASSERT_THAT(lines.lines, SizeIs(3));
  EXPECT_EQ(lines.lines[0].key, key(net, 1));
  EXPECT_EQ(lines.lines[2].key, key(net, 3));
  EXPECT_EQ(lines.lines[0].device_name, "r1");
  EXPECT_EQ(lines.lines[0].device.kind, topology::Kind::router);
  EXPECT_NEAR(lines.lines[0].idle_seconds, 3, 0.1);
}

TEST_F(ConnectionLinesTest, PairsStandTogetherAndOnce) {
  open_pair(1);
  open(key(net, 2));
  const ConnectionLines lines = ask({{}, 10, true});
  EXPECT_EQ(lines.total, 3U);
  ASSERT_THAT(lines.lines, SizeIs(3));
  EXPECT_EQ(lines.lines[1].key.kind, ConnectionKind::snat);
  EXPECT_EQ(lines.lines[2].key.kind, ConnectionKind::snat_reverse);
  ConnectionsRequest forward{{}, 10, true};
  forward.filter.kind = ConnectionKind::snat_reverse;
  EXPECT_EQ(ask(forward).total, 1U);
  EXPECT_THAT(ask(forward).lines, SizeIs(2)) << "with its other half";
}

TEST_F(ConnectionLinesTest, EveryFilterCounts) {
  open_pair(1);
  open(key(net, 2));
  auto count = [&](auto edit) {
    ConnectionsRequest request;
    edit(request.filter);
    return ask(request).total;
  };
  EXPECT_EQ(count([](ConnectionFilter& f) { f.kind = ConnectionKind::track; }), 1U);
  EXPECT_EQ(count([](ConnectionFilter& f) { f.proto = 17; }), 0U);
  EXPECT_EQ(count([](ConnectionFilter& f) { f.src = IpPrefix::parse("10.0.0.2/32"); }), 1U);
  EXPECT_EQ(count([](ConnectionFilter& f) { f.dst = IpPrefix::parse("203.0.113.0/24"); }), 1U);
  EXPECT_EQ(count([](ConnectionFilter& f) { f.port = 40'000; }), 2U);
  EXPECT_EQ(count([](ConnectionFilter& f) { f.state = flows::ConnectionState::established; }), 0U);
  EXPECT_EQ(count([&](ConnectionFilter& f) { f.device = net.id("green"); }), 0U);
  EXPECT_EQ(count([&](ConnectionFilter& f) { f.device = net.id("r1"); }), 3U);
}

TEST_F(ConnectionLinesTest, TheReplySaysEveryField) {
  open_pair(1);
  const schema::Frame frame = connections_reply(9, ask({{}, 10, true}));
  ASSERT_TRUE(schema::with_root<schema::AdminReply>(frame, {}, [](schema::AdminReply::Reader reply) {
    const auto lines = reply.getConnections().getConnections();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_STREQ(lines[0].getKind().cStr(), "snat");
    EXPECT_STREQ(lines[0].getProtocol().cStr(), "tcp");
    EXPECT_STREQ(lines[0].getSource().cStr(), "10.0.0.1");
    EXPECT_EQ(lines[0].getDestinationPort(), 80);
    EXPECT_STREQ(lines[0].getAddress().cStr(), "203.0.113.9");
    EXPECT_EQ(lines[0].getPort(), 40'000);
    EXPECT_STREQ(lines[0].getState().cStr(), "opening");
    EXPECT_STREQ(lines[0].getOwner().cStr(), "here");
    EXPECT_STREQ(lines[0].getSeenForward().cStr(), "packets");
    EXPECT_STREQ(lines[0].getSeenBack().cStr(), "");
    EXPECT_STREQ(lines[1].getKind().cStr(), "snat_reverse");
  }));
}

TEST_F(ConnectionLinesTest, TotalsNameTheFullestPorts) {
  open_pair(1);
  open(key(net, 2));
  const ConnectionTotals totals = connection_totals(net.snapshot(), state);
  EXPECT_EQ(totals.entries, 3U);
  EXPECT_EQ(totals.capacity, state.connections.capacity());
  EXPECT_THAT(totals.states, ElementsAre(std::pair<std::string, uint64_t>("tcp opening", 2)));
  EXPECT_THAT(totals.ports, ElementsAre(std::pair<std::string, uint64_t>("p1", 2)));
}

TEST(TraceOfConnections, NamesChainsAndChangesNothing) {
  ScenarioNetwork net = two_subnets();
  net.chain("in").rule("in", when().forward().accept()).filter("p1", "inbound", "in");
  AgentBench bench(net);
  bench.announce({1, 2});
  TraceRequest request;
  request.port = bench.net.port("p1");
  request.packet.frame = flows::PacketBuilder().eth(mac_of(1), mac_of(2)).ip(ip_of(1), ip_of(2)).tcp(1000, 80).build();
  const TraceResult result = run_trace(request, bench.net.snapshot(), bench.state);
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.outcome, "forward");
  EXPECT_THAT(result.trace.steps.back().detail, HasSubstr("would open track tcp 10.0.1.2:80 > 10.0.1.1:1000 at "));
  EXPECT_EQ(bench.state.connections.size(), 0U);
  const schema::Frame frame = trace_reply(1, result, bench.net.snapshot(), "h1");
  ASSERT_TRUE(schema::with_root<schema::AdminReply>(frame, {}, [](schema::AdminReply::Reader reply) {
    std::vector<std::string> chains;
    for (auto step : reply.getTrace().getSteps()) {
      if (step.getDevice().getKind() == schema::Kind::CHAIN) chains.emplace_back(step.getDeviceName());
    }
    EXPECT_THAT(chains, testing::Contains("in"));
  }));
}

}  // namespace
}  // namespace viaduct::actors
