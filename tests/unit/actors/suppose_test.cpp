// What would become of a packet if a change were applied: it is what becomes of it when the change is.
#include "actors/admin/suppose_run.hpp"

#include "actors/admin/replies.hpp"
#include "agent_bench.hpp"
#include "tests/scenario/rules.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {
namespace {

using scenario::when;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Change = std::vector<topology::Operation>;

std::vector<std::string> lines_of(const TraceResult& result) {
  std::vector<std::string> out;
  for (const auto& step : result.trace.steps) out.push_back(to_string(step));
  return out;
}

// The builder asks for the ports' host as well.
ScenarioNetwork with_host() {
  ScenarioNetwork net = two_subnets();
  topology::Host host;
  host.id = net.snapshot().find(net.port("p1"))->host;
  host.name = "node-1";
  net.put(host);
  return net;
}

class SupposeTest : public testing::Test {
 protected:
  SupposeTest() { bench.announce({1, 2, 3}); }

  template <class T>
  T object(const std::string& name) const {
    const auto id = decltype(T::id)(bench.net.id(name));
    return *bench.net.snapshot().find(id);
  }
  // The port's outbound filter drops what the condition says.
  Change deny(const std::string& port, scenario::When condition) const {
    topology::Chain chain;
    chain.id = ChainId(Uuid::from_words(7, 1));
    chain.name = "deny";
    topology::Rule rule = condition.drop();
    rule.id = RuleId(Uuid::from_words(7, 2));
    rule.chain = chain.id;
    if (rule.condition.l4_dst.value) rule.condition.fragments = topology::FragmentPolicy::unfragmented;
    auto filtered = object<topology::Port>(port);
    filtered.outbound_filter = chain.id;
    return {topology::Create{chain}, topology::Create{rule}, topology::Update{filtered}};
  }
  TraceRequest tcp(int to = 2, uint16_t port = 80) const {
    TraceRequest request;
    request.port = bench.net.port("p1");
    const MacAddress mac = to == 2 ? mac_of(2) : *MacAddress::parse(kGreenMac);
    request.packet.frame = flows::PacketBuilder().eth(mac_of(1), mac).ip(ip_of(1), ip_of(to)).tcp(1000, port).build();
    return request;
  }
  Supposed suppose(const TraceRequest& trace, const Change& change, Knowledge knowledge = Knowledge::whole) {
    Supposed supposed = run_suppose({trace, change}, bench.net.snapshot(), knowledge, bench.state);
    for (const auto& violation : supposed.violations) refused += topology::to_string(violation) + "\n";
    return supposed;
  }
  ~SupposeTest() override { EXPECT_EQ(refused, ""); }

  AgentBench bench{with_host()};
  std::string refused;
};

TEST_F(SupposeTest, ARuleThatWouldDropIsNamedAndNothingIsWritten) {
  const auto network = bench.state.network.load();
  const Supposed supposed = suppose(tcp(), deny("p2", when().proto(6).dst_port(80)));
  ASSERT_EQ(supposed.error, "");
  EXPECT_EQ(supposed.now.outcome, "forward");
  EXPECT_EQ(supposed.changed.outcome, "drop");
  EXPECT_TRUE(supposed.path_differs);
  EXPECT_THAT(supposed.differences, Contains("verdict: forward now, drop (dropped_by_rule) with the change"));
  EXPECT_THAT(supposed.differences, Contains("leaves by: p2 now, nothing with the change"));
  EXPECT_THAT(lines_of(supposed.changed), Contains(HasSubstr("of deny")));
  EXPECT_THAT(supposed.changes, SizeIs(3));
  EXPECT_THAT(supposed.notes, IsEmpty());
  EXPECT_EQ(bench.state.network.load(), network);
  EXPECT_EQ(run_trace(tcp(), bench.net.snapshot(), bench.state).outcome, "forward");
}

TEST_F(SupposeTest, OtherStepsWithTheSameOutcomeAreSaidApart) {
  const Supposed other = suppose(tcp(), deny("p2", when().proto(6).dst_port(81)));
  EXPECT_THAT(other.differences, IsEmpty());
  EXPECT_TRUE(other.path_differs) << "the chain was read";
  const Supposed unmet = suppose(tcp(), deny("p4", when().proto(6)));
  EXPECT_THAT(unmet.differences, IsEmpty());
  EXPECT_FALSE(unmet.path_differs);
  EXPECT_FALSE(suppose(tcp(), {}).path_differs);
}

TEST_F(SupposeTest, WhatItSaysIsWhatHappens) {
  auto no_router = object<topology::Router>("r1");
  no_router.admin_up = false;
  auto small = object<topology::Port>("r1-blue");
  small.mtu = 576;
  const std::vector<Change> changes = {
      deny("p3", when().proto(6)),
      {topology::Update{small}},
      {topology::Update{no_router}},
      {topology::Erase{topology::ref_of(topology::Object(object<topology::Port>("p3")))}},
      {topology::Erase{topology::ref_of(topology::Object(object<topology::Router>("r1")))}},
      deny("p2", when().condition([](topology::Condition& c) {
        c.ip_proto = {6, true};
      })),
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    SCOPED_TRACE(i);
    for (const auto& [to, knowledge] :
         {std::pair{2, Knowledge::whole}, {3, Knowledge::whole}, {3, Knowledge::closure}}) {
      AgentBench again(with_host());
      again.announce({1, 2, 3});
      const Supposed supposed = run_suppose({tcp(to), changes[i]}, again.net.snapshot(), knowledge, again.state);
      ASSERT_EQ(supposed.error, "");
      for (const auto& violation : supposed.violations) ADD_FAILURE() << topology::to_string(violation);
      ScenarioNetwork next = again.net;
      again.apply(next.replace(supposed.next));
      const TraceResult then = run_trace(tcp(to), again.net.snapshot(), again.state);
      EXPECT_EQ(then.outcome, supposed.changed.outcome);
      EXPECT_EQ(then.drop_reason, supposed.changed.drop_reason);
      EXPECT_EQ(then.actions, supposed.changed.actions);
      EXPECT_EQ(lines_of(then), lines_of(supposed.changed));
    }
  }
}

TEST_F(SupposeTest, AChangeThatBreaksARuleIsRefusedWithTheReason) {
  topology::Rule rule = when().drop();
  rule.id = RuleId(Uuid::from_words(7, 2));
  rule.chain = ChainId(Uuid::from_words(7, 9));
  const Supposed supposed = suppose(tcp(), {topology::Create{rule}});
  ASSERT_THAT(supposed.violations, Not(IsEmpty()));
  EXPECT_EQ(supposed.violations[0].object.id, rule.id.uuid());
  EXPECT_THAT(std::exchange(refused, ""), HasSubstr("unknown_parent (chain)"));
  EXPECT_THAT(supposed.now.trace.steps, IsEmpty());
}

TEST_F(SupposeTest, ThePortItselfMayGo) {
  const Supposed gone =
      suppose(tcp(), {topology::Erase{topology::ref_of(topology::Object(object<topology::Port>("p1")))}});
  EXPECT_EQ(gone.changed.outcome, "absent");
  EXPECT_EQ(gone.changed.drop_reason, "the port is deleted");
  EXPECT_THAT(gone.differences, Contains("verdict: forward now, absent (the port is deleted) with the change"));
  TraceRequest nowhere = tcp();
  nowhere.port = PortId(Uuid::from_words(9, 9));
  EXPECT_THAT(suppose(nowhere, {}).error, HasSubstr("no port"));
}

TEST_F(SupposeTest, ItSaysWhatItDoesNotKnow) {
  EXPECT_THAT(suppose(tcp(), {}, Knowledge::closure).notes, Contains(HasSubstr("part of the topology")));
  // Another bridge does not concern the network; a port of it that has changed does.
  topology::Bridge unrelated;
  unrelated.id = BridgeId(Uuid::from_words(7, 5));
  unrelated.name = "unrelated";
  const auto trace = [&](const topology::Snapshot& committed) {
    return run_suppose({tcp(), {}}, committed, Knowledge::whole, bench.state).notes;
  };
  ScenarioNetwork newer = bench.net;
  newer.put(unrelated);
  EXPECT_THAT(trace(newer.snapshot()), IsEmpty());
  newer.set("p3", ScenarioNetwork::Admin::down);
  EXPECT_THAT(trace(newer.snapshot()), Contains(HasSubstr("this host forwards by revision")));
  topology::Port added = object<topology::Port>("p2");
  added.id = PortId(Uuid::from_words(7, 3));
  added.name = "p9";
  added.interface = "if-p9";
  EXPECT_THAT(suppose(tcp(), {topology::Create{added}}).notes, Contains(HasSubstr("port p9 is not active")));
}

TEST_F(SupposeTest, TheReplyShowsBothWays) {
  const Supposed supposed = suppose(tcp(), deny("p2", when().proto(6)));
  const schema::Frame frame = supposed_reply(3, supposed, bench.net.snapshot());
  ASSERT_TRUE(schema::with_root<schema::AdminReply>(frame, {}, [](schema::AdminReply::Reader reply) {
    const auto both = reply.getSupposed();
    EXPECT_STREQ(both.getNow().getOutcome().cStr(), "forward");
    EXPECT_STREQ(both.getChanged().getDropReason().cStr(), "dropped_by_rule");
    EXPECT_TRUE(both.getOutcomeDiffers());
    EXPECT_TRUE(both.getPathDiffers());
    EXPECT_EQ(both.getChanges().size(), 3U);
    std::vector<std::string> chains;
    for (auto step : both.getChanged().getSteps()) {
      if (step.getDevice().getKind() == schema::Kind::CHAIN) chains.emplace_back(step.getDeviceName());
    }
    EXPECT_THAT(chains, Contains("deny")) << "by the name that it would have";
  }));
}

}  // namespace
}  // namespace viaduct::actors
