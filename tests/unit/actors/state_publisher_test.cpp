// The state publisher of a real actor system, and a test that plays the cluster node.
#include "actors/agent/state_publisher.hpp"

#include "actor_bench.hpp"
#include "agent_bench.hpp"
#include "tests/unit/agent/host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using topology::StateWrite;
using topology::StateWritten;

// What came to one session, and what it answers.
struct FakeNode {
  Journal<StateWrite> writes;
  Journal<Secret> secrets;
  std::atomic<int> failures{0};  // so many writes more are answered by an error
  std::atomic<bool> ended{false};
};

// A base, so that it outlives the actor system.
struct PublisherBench {
  observability::Registry registry;
  observability::PublisherProbe probe{registry};
  AgentState state;
  FakeNode first, second;
};

class StatePublisherTest : protected PublisherBench, public ActorTest {
 protected:
  StatePublisherTest() {
    publisher = spawn_state_publisher(system, {kHere, state, probe});
    self->send(publisher, NatLeases{});  // nothing is left of an earlier life
  }
  ~StatePublisherTest() override {
    self->send(publisher, Shutdown{});
    self->wait_for(publisher);
  }
  void serve(FakeNode& node, Secret secret) {
    auto session = system.spawn([&node](AgentSessionActor::pointer) -> AgentSessionActor::behavior_type {
      return {[&node](const SessionWrite& request) {
                auto write = topology::decode_state_write(request.frame);
                StateWritten written;
                written.ended = node.ended;
                if (node.failures > 0) {
                  --node.failures;
                  written.error = "no quorum";
                }
                node.secrets.add(request.session);
                node.writes.add(write ? *write : StateWrite{});
                return SessionWrite{{}, topology::encode_state_written(written)};
              },
              [](const SessionBeat& beat) { return beat; }, [](const SessionQuestion&) { return SessionAnswer{}; },
              [](const SessionAnswer&) {}};
    });
    self->send(publisher, SessionChanged{session, std::move(secret)});
  }
  void lose() { self->send(publisher, SessionChanged{}); }
  // As a worker.
  void see(uint64_t number) {
    const flows::MacKey key{id<BridgeId>(10), 0, MacAddress::from_uint64(number)};
    state.macs.learn(key, id<PortId>(20), std::chrono::steady_clock::now());
    state.state_news.changed(key);
  }
  // What the node was told, whole and since.
  static std::map<std::string, topology::HostFact> sum_of(const std::vector<StateWrite>& writes) {
    std::map<std::string, topology::HostFact> out;
    for (const auto& write : writes) {
      if (write.complete) out.clear();
      for (const auto& put : write.puts) out[topology::state_key(put.entry)] = put.entry.fact;
      for (const auto& key : write.deletes) out.erase(key);
    }
    return out;
  }
  // Until the node knows so many entries.
  bool knows(FakeNode& node, size_t entries) {
    return eventually([&] { return sum_of(node.writes.wait_for(0)).size() == entries; });
  }

  StatePublisherActor publisher;
};

TEST_F(StatePublisherTest, WhatAWorkerLearnsIsWritten) {
  serve(first, {1, 2, 3});
  ASSERT_THAT(first.writes.wait_for(1), SizeIs(1));
  EXPECT_TRUE(first.writes.wait_for(1)[0].complete) << "a new session starts with everything";
  see(7);
  auto writes = first.writes.wait_for(2);
  ASSERT_THAT(writes, SizeIs(2));
  EXPECT_FALSE(writes[1].complete);
  ASSERT_THAT(writes[1].puts, SizeIs(1));
  EXPECT_EQ(writes[1].puts[0].entry.fact, topology::HostFact(mac_claim(10, 7, 20)));
  EXPECT_EQ(first.secrets.wait_for(2)[1], (Secret{1, 2, 3}));
  EXPECT_TRUE(eventually([&] { return metric(registry, "viaduct_state_published_entries") == 1; }));
}

TEST_F(StatePublisherTest, OwnPortsAreWritten) {
  serve(first, {1});
  self->send(publisher, OwnLocations{{of(kHere, active(20, 5), 0)}});
  EXPECT_TRUE(knows(first, 1));
  self->send(publisher, OwnLocations{});
  EXPECT_TRUE(knows(first, 0));
}

TEST_F(StatePublisherTest, WhoChecksPoolsIsToldOfSessionsAndClaims) {
  Journal<HealthSession> sessions;
  Journal<HealthClaimsAnswered> answers;
  auto checker = system.spawn([&](HealthCheckerActor::pointer me) -> HealthCheckerActor::behavior_type {
    return {[](const ReportStatus&) { return observability::ActorStatus{}; },
            [me](const Shutdown&) { me->quit(); },
            [](const NewsWaits&) {},
            [](const PoolsChanged&) {},
            [&](const HealthClaimsAnswered& answer) { answers.add(answer); },
            [&](const HealthSession& session) { sessions.add(session); },
            [](const Tick&) {}};
  });
  self->send(publisher, HealthClaims{{}, checker});
  ASSERT_THAT(sessions.wait_for(1), SizeIs(1));
  EXPECT_FALSE(sessions.wait_for(1)[0].joined);
  serve(first, {1});
  ASSERT_THAT(sessions.wait_for(2), SizeIs(2));
  EXPECT_TRUE(sessions.wait_for(2)[1].joined);
  self->send(publisher, HealthClaims{{{{id<PoolId>(31)}, true}}, checker});
  ASSERT_THAT(answers.wait_for(1), SizeIs(1));
  EXPECT_THAT(answers.wait_for(1)[0].won, testing::ElementsAre(id<PoolId>(31)));
  EXPECT_TRUE(knows(first, 1));
  lose();
  ASSERT_THAT(sessions.wait_for(3), SizeIs(3));
  self->send(checker, Shutdown{});
  self->wait_for(checker);
}

TEST_F(StatePublisherTest, ANewSessionIsToldEverything) {
  serve(first, {1});
  self->send(publisher, OwnLocations{{of(kHere, active(20, 5), 0)}});
  see(7);
  ASSERT_TRUE(knows(first, 2));
  lose();
  see(8);
  serve(second, {2});
  ASSERT_TRUE(knows(second, 3));
  EXPECT_TRUE(second.writes.wait_for(1)[0].complete);
  auto before = first.writes.size();
  see(9);
  EXPECT_TRUE(knows(second, 4));
  EXPECT_EQ(first.writes.size(), before) << "nothing more to whom it has lost";
}

TEST_F(StatePublisherTest, WhatTheClusterDoesNotTakeIsSentAgain) {
  serve(first, {1});
  ASSERT_THAT(first.writes.wait_for(1), SizeIs(1));
  first.failures = 2;
  see(7);
  auto writes = first.writes.wait_for(4);
  ASSERT_THAT(writes, SizeIs(4));
  for (size_t i = 1; i < 4; ++i) EXPECT_THAT(writes[i].puts, SizeIs(1)) << i;
  EXPECT_TRUE(eventually([&] { return metric(registry, "viaduct_state_published_entries") == 1; }));
  EXPECT_EQ(metric(registry, "viaduct_state_write_failures_total"), 2);
}

TEST_F(StatePublisherTest, MoreThanAWriteHoldsIsToldOneAfterTheOther) {
  RoutesLearned news;
  for (uint16_t part = 0; part < 60; ++part) {
    topology::LearnedRoutes routes{id<PortId>(22), topology::testing::ip("10.9.0.254"), part};
    for (uint32_t i = 0; i < 5'000; ++i) routes.prefixes.push_back(IpPrefix::host(IpAddress::v4(0x0a00'0000 + i)));
    news.said.emplace_back(std::move(routes));
  }
  self->send(publisher, news);
  first.failures = 2;
  serve(first, {1});
  ASSERT_TRUE(eventually([&] { return !first.writes.wait_for(1).empty() && first.writes.wait_for(0).back().ends; }));
  const auto writes = first.writes.wait_for(0);
  ASSERT_THAT(writes, SizeIs(5)) << "two in vain";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(writes[i].begins);
  EXPECT_EQ(sum_of(writes).size(), 60);
}

TEST_F(StatePublisherTest, ASessionThatHasEndedIsLeftAlone) {
  first.ended = true;
  serve(first, {1});
  ASSERT_THAT(first.writes.wait_for(1), SizeIs(1));
  see(7);
  serve(second, {2});
  ASSERT_TRUE(knows(second, 1));
}

TEST_F(StatePublisherTest, ASessionThatDiesUnderAWriteCostsNothing) {
  auto silent = system.spawn([](AgentSessionActor::pointer me) -> AgentSessionActor::behavior_type {
    return {[me](const SessionWrite&) -> caf::result<SessionWrite> {
              auto never = me->make_response_promise<SessionWrite>();
              me->quit(caf::exit_reason::kill);
              return never;
            },
            [](const SessionBeat& beat) { return beat; }, [](const SessionQuestion&) { return SessionAnswer{}; },
            [](const SessionAnswer&) {}};
  });
  see(7);
  self->send(publisher, SessionChanged{silent, {1}});
  self->wait_for(silent);
  serve(second, {2});
  EXPECT_TRUE(knows(second, 1));
}

}  // namespace
}  // namespace viaduct::actors
