// The gateway as a host's agent sees it, both in one process; the transport is not part of it.
#include "actors/cluster/gateway.hpp"

#include "cluster_node.hpp"

namespace viaduct::actors::cluster_test {
namespace {

using namespace topology::testing;
using ::testing::HasSubstr;
using topology::JoinAnswer;
using topology::JoinRequest;
using topology::StateWrite;
using topology::StateWritten;

const HostId kHost = id<HostId>(101);

// A host's agent: its sink acknowledges everything.
struct Agent {
  Agent(caf::actor_system& system, std::string name, HostId host = kHost, std::string instance = "first")
      : request{host, std::move(name), std::move(instance), 0, {}} {
    sink = system.spawn([this](FeedSinkActor::pointer) -> FeedSinkActor::behavior_type {
      return {[this](const FeedFrame& frame) {
        EXPECT_EQ(frame.sink, feed);
        auto batch = topology::decode_feed(*frame.frame);
        EXPECT_TRUE(batch) << batch.error();
        batches.add(*batch);
        return FeedApplied{batch->revision, false};
      }};
    });
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() { die(); }
  void die() {
    if (sink) caf::anon_send_exit(sink, caf::exit_reason::kill);
    if (sink) caf::scoped_actor(sink->home_system())->wait_for(sink);
    sink = nullptr;
  }

  JoinRequest request;
  FeedSinkActor sink;
  const Secret feed = random_secret();
  Journal<topology::FeedBatch> batches;
  AgentSessionActor session;
  Secret secret;
};

class GatewayTest : public ActorTest {
 protected:
  JoinAnswer join(Agent& agent, const Secret& proven) {
    auto joined = ask<GatewayJoined>(node.gateway,
                                     GatewayJoin{proven, topology::encode_join(agent.request), agent.sink, agent.feed});
    agent.session = joined.session;
    agent.secret = joined.secret;
    auto answer = topology::decode_joined(joined.joined);
    EXPECT_TRUE(answer) << answer.error();
    return *answer;
  }
  JoinAnswer join(Agent& agent) { return join(agent, node.local); }
  StateWritten write(Agent& agent, const StateWrite& what) {
    auto answer = ask<SessionWrite>(agent.session, SessionWrite{agent.secret, topology::encode_state_write(what)});
    auto written = topology::decode_state_written(answer.frame);
    EXPECT_TRUE(written) << written.error();
    return *written;
  }
  // The error's category is not asked for: whoever has no secret learns nothing.
  template <class Message>
  bool refused(const AgentSessionActor& session, const Message& message) {
    bool failed = false;
    self->request(session, kPatience, message)
        .receive([](const Message&) {}, [&](const caf::error&) { failed = true; });
    return failed;
  }
  static StateWrite flood_key(HostId host) {
    return {{{{host, {}, 0, topology::FloodKey{id<BridgeId>(1), 7}}, StateWrite::Mode::claim}}, {}, false};
  }
  size_t stored(const std::string& prefix) { return nsdb->range({prefix})->entries.size(); }
  std::string state_of(HostId host) {
    for (const auto& line : ask<AgentsReport>(node.store, ReadAgents{}).agents) {
      if (line.host == host) return line.state;
    }
    return "unknown";
  }

  MemoryNsdb nsdb;
  store::Revision topology = write_topology();
  ClusterNode node{system, *nsdb, {}};

 private:
  store::Revision write_topology() { return cluster_test::write(*nsdb, {bridge(1)}); }
};

TEST_F(GatewayTest, AnAgentThatJoinsIsRegisteredFedAndHeard) {
  Agent agent(system, "h1");
  auto joined = join(agent);
  EXPECT_EQ(joined.refused, "");
  EXPECT_TRUE(joined.fresh);
  EXPECT_EQ(joined.node, "node");
  EXPECT_EQ(joined.beat, std::chrono::milliseconds(2'500));
  auto snapshot = ask<SnapshotPtr>(node.store, ReadTopology{});
  ASSERT_NE(snapshot->find(kHost), nullptr);
  EXPECT_EQ(snapshot->find(kHost)->name, "h1");
  auto batches = agent.batches.wait_for(1);
  ASSERT_FALSE(batches.empty());
  EXPECT_TRUE(batches[0].complete);
  EXPECT_FALSE(write(agent, flood_key(kHost)).ended);
  EXPECT_EQ(stored("/state/flood/"), 1);
  EXPECT_FALSE(ask<SessionBeat>(agent.session, SessionBeat{agent.secret, 0, false}).ended);
  EXPECT_EQ(state_of(kHost), "served");
  EXPECT_EQ(node.count("viaduct_gateway_sessions"), 1);
}

TEST_F(GatewayTest, WhoeverHasNotProvenWhoItIsGetsNothing) {
  Agent agent(system, "h1");
  for (const Secret& wrong : {Secret{}, random_secret(), Secret(node.local.begin(), node.local.end() - 1)}) {
    EXPECT_THAT(join(agent, wrong).refused, HasSubstr("has not proven"));
    EXPECT_FALSE(agent.session);
  }
  EXPECT_EQ(agent.batches.size(), 0);
  EXPECT_EQ(ask<SnapshotPtr>(node.store, ReadTopology{})->find(kHost), nullptr);
  EXPECT_EQ(node.count("viaduct_gateway_refused_total", "join"), 3);
}

TEST_F(GatewayTest, ASessionListensOnlyToWhoHasItsSecret) {
  Agent agent(system, "h1");
  join(agent);
  for (const Secret& wrong : {Secret{}, random_secret(), node.local}) {
    EXPECT_TRUE(refused(agent.session, SessionWrite{wrong, topology::encode_state_write(flood_key(kHost))}));
    EXPECT_TRUE(refused(agent.session, SessionBeat{wrong, 0, false}));
  }
  EXPECT_EQ(stored("/state/flood/"), 0);
}

TEST_F(GatewayTest, ASecondHostOfANameIsRefused) {
  Agent first(system, "h1"), second(system, "h1", id<HostId>(102));
  EXPECT_EQ(join(first).refused, "");
  EXPECT_THAT(join(second).refused, HasSubstr("name"));
  EXPECT_FALSE(refused(first.session, SessionBeat{first.secret, 0, false}));
}

TEST_F(GatewayTest, ACopyOfAHostIsRefused) {
  Agent first(system, "h1"), copy(system, "h1", kHost, "a copy");
  EXPECT_EQ(join(first).refused, "");
  EXPECT_THAT(join(copy).refused, HasSubstr("is in use"));
  EXPECT_FALSE(ask<SessionBeat>(first.session, SessionBeat{first.secret, 0, false}).ended);
}

TEST_F(GatewayTest, AnAgentThatComesBackGoesOnWhereItWas) {
  Agent agent(system, "h1");
  join(agent);
  write(agent, flood_key(kHost));
  auto earlier = agent.session;
  auto old_secret = agent.secret;
  agent.request.revision = agent.batches.wait_for(1)[0].revision;
  auto again = join(agent);
  EXPECT_EQ(again.refused, "");
  EXPECT_FALSE(again.fresh);
  EXPECT_EQ(stored("/state/flood/"), 1);
  auto batches = agent.batches.wait_for(2);
  EXPECT_FALSE(batches.back().complete) << "only what it has not seen";
  EXPECT_TRUE(refused(agent.session, SessionBeat{old_secret, 0, false}));
  self->wait_for(earlier);
  EXPECT_EQ(node.count("viaduct_gateway_sessions"), 1);
}

TEST_F(GatewayTest, AnAgentThatDiesLeavesNoSessionBehind) {
  Agent agent(system, "h1");
  join(agent);
  agent.die();
  EXPECT_TRUE(eventually([&] { return node.count("viaduct_gateway_sessions") == 0; }));
  EXPECT_TRUE(eventually([&] { return state_of(kHost) == "elsewhere"; })) << "until its lease ends";
  nsdb.pass(std::chrono::seconds(11));
  EXPECT_TRUE(eventually([&] { return state_of(kHost) == "away"; }));
}

TEST_F(GatewayTest, AHostWhoseLeaseHasEndedIsToldSo) {
  Agent agent(system, "h1");
  join(agent);
  nsdb.pass(std::chrono::seconds(11));
  EXPECT_TRUE(ask<SessionBeat>(agent.session, SessionBeat{agent.secret, 0, false}).ended);
  EXPECT_TRUE(write(agent, flood_key(kHost)).ended);
  EXPECT_EQ(stored("/state/"), 0);
  JoinAnswer again;
  EXPECT_TRUE(eventually([&] { return (again = join(agent)).refused.empty(); })) << again.refused;
  EXPECT_TRUE(again.fresh);
}

TEST_F(GatewayTest, GarbageIsRefusedByName) {
  Agent agent(system, "h1");
  for (const std::vector<uint8_t>& bytes : {std::vector<uint8_t>{}, std::vector<uint8_t>(64, 0xff)}) {
    auto joined = ask<GatewayJoined>(node.gateway, GatewayJoin{node.local, {bytes}, agent.sink, agent.feed});
    EXPECT_THAT(topology::decode_joined(joined.joined)->refused, HasSubstr("unreadable"));
  }
  join(agent);
  auto answer = ask<SessionWrite>(agent.session, SessionWrite{agent.secret, {std::vector<uint8_t>(64, 0xff)}});
  EXPECT_THAT(topology::decode_state_written(answer.frame)->error, HasSubstr("unreadable"));
}

TEST_F(GatewayTest, ANodeWithoutCertificatesTakesNoRemoteAgents) {
  auto answer = ask<GatewayHello>(node.gateway, GatewayHello{{std::vector<uint8_t>(8, 1)}, {}});
  EXPECT_TRUE(answer.exchange.empty());
  EXPECT_GT(node.count("viaduct_gateway_refused_total"), 0);
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
