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

// A host's agent: its sink acknowledges everything, and answers nothing by itself.
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
              },
              [this](const SessionQuestion& message) {
                EXPECT_EQ(message.to, feed);
                auto question = topology::decode_question(message.frame);
                EXPECT_TRUE(question) << question.error();
                questions.add(*question);
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
  Journal<topology::Question> questions;
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

// --- questions about ports ------------------------------------------------------------------------

using topology::Answer;
using topology::Question;

//   h1: vm1   h2: vm2   nobody: vm3
class QuestionTest : public GatewayTest {
 protected:
  QuestionTest() {
    for (Agent* agent : {&asks, &answers}) agent->request.answers = true;
    EXPECT_EQ(join(asks).refused, "");
    EXPECT_EQ(join(answers).refused, "");
    auto at = [](uint64_t number, HostId host) {
      topology::Port port = bridge_port(number, 1);
      port.host = host;
      port.interface = host.is_nil() ? "" : "eth" + std::to_string(number);
      return topology::Create{port};
    };
    const auto reply = ask<CommitReply>(node.store, CommitTransaction{{topology::Create{host(103)}, at(11, kHost),
                                                                       at(12, kFar), at(13, HostId()), at(14, kNobody)},
                                                                      false});
    EXPECT_EQ(reply.status, CommitReply::Status::committed);
  }
  static Question about(uint64_t port, std::string asked = "h1") {
    return {4711, id<PortId>(port), std::move(asked), "rosa", "4f7c", {{1, 2, 3, 4, 5, 6, 7, 8}}};
  }
  // As a daemon of this node asks, or the session of an agent whose daemon is asked. Nothing is waited for.
  auto question(const Question& what) {
    return self->request(node.gateway, kPatience, AskHost{std::make_shared<const Question>(what)});
  }
  template <class Handle>
  Answer outcome(Handle&& handle) {
    Answer out;
    handle.receive([&](const HostAnswered& from) { out = *from.answer; },
                   [&](const caf::error& error) { ADD_FAILURE() << system.render(error); });
    return out;
  }
  Answer outcome_of(const Question& what) { return outcome(question(what)); }
  void answer(const Agent& agent, const Secret& secret, uint64_t number) {
    const Answer reply{number, "somebody else", "", schema::ErrorCode::MALFORMED, {{8, 7, 6, 5, 4, 3, 2, 1}}};
    self->send(agent.session, SessionAnswer{secret, topology::encode_answer(reply)});
  }
  // The agent's operators ask.
  Answer ask_by(const Agent& agent, const Question& what) {
    auto message = ask<SessionAnswer>(agent.session, SessionQuestion{agent.secret, topology::encode_question(what)});
    auto decoded = topology::decode_answer(message.frame);
    EXPECT_TRUE(decoded) << decoded.error();
    return *decoded;
  }
  double counted(std::string_view outcome) { return node.count("viaduct_gateway_questions_total", outcome); }

  static inline const HostId kFar = id<HostId>(102), kNobody = id<HostId>(103);
  Agent asks{system, "h1"};
  Agent answers{system, "h2", kFar};
};

TEST_F(QuestionTest, GoToThePortsHostAndTheirAnswersBack) {
  auto asked = question(about(12));
  const auto came = answers.questions.wait_for(1);
  ASSERT_EQ(came.size(), 1);
  EXPECT_NE(came[0].number, 4711) << "the number is the node's";
  EXPECT_EQ(came[0].by, "rosa");
  EXPECT_EQ(came[0].name, "4f7c");
  EXPECT_EQ(came[0].request, about(12).request);
  answer(answers, answers.secret, came[0].number);
  const Answer got = outcome(asked);
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.host, "h2") << "as it has proven, whatever it says";
  EXPECT_EQ(got.reply.bytes.size(), 8);
  EXPECT_EQ(asks.questions.size(), 0);
  EXPECT_EQ(counted("answered"), 1);
}

TEST_F(QuestionTest, OfAnAgentGoUpAndDown) {
  std::thread operators([&] {
    const auto came = answers.questions.wait_for(1);
    ASSERT_EQ(came.size(), 1);
    EXPECT_EQ(came[0].asked, "h1") << "as it has proven, whatever it says";
    caf::scoped_actor other{system};
    const Answer reply{came[0].number, "", "", schema::ErrorCode::MALFORMED, {{8, 7, 6, 5, 4, 3, 2, 1}}};
    other->send(answers.session, SessionAnswer{answers.secret, topology::encode_answer(reply)});
  });
  const Answer got = ask_by(asks, about(12, "a liar"));
  operators.join();
  EXPECT_EQ(got.number, 4711) << "the asker's own";
  EXPECT_EQ(got.host, "h2");
  EXPECT_EQ(got.error, "");
}

TEST_F(QuestionTest, AboutWhatNobodyHasAreAnsweredAtOnce) {
  EXPECT_THAT(outcome_of(about(99)).error, HasSubstr("no port"));
  EXPECT_EQ(outcome_of(about(99)).code, schema::ErrorCode::NOT_FOUND);
  EXPECT_THAT(outcome_of(about(13)).error, HasSubstr("bound to no host"));
  const Answer away = outcome_of(about(14));
  EXPECT_EQ(away.code, schema::ErrorCode::UNAVAILABLE);
  EXPECT_THAT(away.error, HasSubstr("is away: start viaductd on it"));
  EXPECT_EQ(counted("unknown"), 3);
  EXPECT_EQ(counted("away"), 1);
}

// Whoever is connected elsewhere is named with the node that can ask it.
TEST_F(QuestionTest, AboutPortsOfAnotherNodesHostsNameTheNode) {
  ClusterNode second(system, *nsdb, {"second"});
  const Answer got = [&] {
    HostAnswered out;
    self->request(second.gateway, kPatience, AskHost{std::make_shared<const Question>(about(12))})
        .receive([&](const HostAnswered& from) { out = from; },
                 [&](const caf::error& error) { ADD_FAILURE() << system.render(error); });
    return *out.answer;
  }();
  EXPECT_THAT(got.error, HasSubstr("host h2"));
  EXPECT_THAT(got.error, HasSubstr("the cluster node node"));
  EXPECT_THAT(got.error, HasSubstr("ask node or the host's own daemon"));
  EXPECT_EQ(second.count("viaduct_gateway_questions_total", "elsewhere"), 1);
}

TEST_F(QuestionTest, AnOlderAgentIsNotSentWhatItCannotRead) {
  answers.request.answers = false;
  ASSERT_EQ(join(answers).refused, "");
  EXPECT_THAT(outcome_of(about(12)).error, HasSubstr("host h2 has an agent that is too old"));
  EXPECT_EQ(answers.questions.size(), 0);
  EXPECT_EQ(counted("old"), 1);
}

TEST_F(QuestionTest, AHostAnswersOnlyWhatItWasAsked) {
  answer(answers, answers.secret, 1);
  EXPECT_TRUE(eventually([&] { return counted("unasked") == 1; }));
  auto asked = question(about(12));
  const auto came = answers.questions.wait_for(1);
  ASSERT_EQ(came.size(), 1);
  const uint64_t number = came[0].number;
  answer(asks, asks.secret, number);
  EXPECT_TRUE(eventually([&] { return counted("unasked") == 2; })) << "another host's question";
  answer(answers, asks.secret, number);
  answer(answers, random_secret(), number);
  answer(answers, {}, number);
  EXPECT_TRUE(eventually([&] { return counted("forged") == 3; }));
  self->send(answers.session, SessionAnswer{answers.secret, {std::vector<uint8_t>(64, 0xff)}});
  self->send(answers.session, SessionAnswer{answers.secret, {std::vector<uint8_t>(topology::kMaxAnswerBytes + 8, 0)}});
  EXPECT_TRUE(eventually([&] { return counted("unreadable") == 2; }));
  answer(answers, answers.secret, number);
  EXPECT_EQ(outcome(asked).error, "") << "nothing of this has taken the answer's place";
  answer(answers, answers.secret, number);
  EXPECT_TRUE(eventually([&] { return counted("unasked") == 3; })) << "it has been answered";
}

TEST_F(QuestionTest, WhoHasNotTheSecretOrSendsGarbageAsksNothing) {
  for (const Secret& wrong : {Secret{}, random_secret(), answers.secret}) {
    bool failed = false;
    self->request(asks.session, kPatience, SessionQuestion{wrong, topology::encode_question(about(12))})
        .receive([](const SessionAnswer&) {}, [&](const caf::error&) { failed = true; });
    EXPECT_TRUE(failed);
  }
  EXPECT_EQ(counted("forged"), 3);
  for (const size_t size : {size_t{64}, topology::kMaxQuestionBytes + 8}) {
    auto message = ask<SessionAnswer>(asks.session, SessionQuestion{asks.secret, {std::vector<uint8_t>(size, 0xff)}});
    EXPECT_THAT(topology::decode_answer(message.frame)->error, HasSubstr("unreadable"));
  }
  EXPECT_EQ(answers.questions.size(), 0);
}

TEST_F(QuestionTest, MoreThanAHostMayHaveOpenAreRefusedAtOnce) {
  for (const char* asker : {"h1", "h3"}) {
    for (int i = 0; i < 8; ++i) {
      caf::anon_send(node.gateway, AskHost{std::make_shared<const Question>(about(12, asker))});
    }
    if (asker == std::string("h1")) {
      EXPECT_THAT(outcome_of(about(12, asker)).error, HasSubstr("the operators of h1 have asked host h2 too much"));
    }
  }
  ASSERT_EQ(answers.questions.wait_for(16).size(), 16);
  EXPECT_THAT(outcome_of(about(12, "h4")).error, HasSubstr("host h2 has 16 questions to answer already"));
  EXPECT_EQ(counted("asker_busy"), 1);
  EXPECT_EQ(counted("host_busy"), 1);
  answer(answers, answers.secret, answers.questions.wait_for(16)[0].number);
  EXPECT_TRUE(eventually([&] { return counted("answered") == 1; }));
  caf::anon_send(node.gateway, AskHost{std::make_shared<const Question>(about(12, "h4"))});
  EXPECT_EQ(answers.questions.wait_for(17).size(), 17) << "there is room again";
}

TEST_F(QuestionTest, AHostThatIsSilentCostsItsPatience) {
  const auto before = std::chrono::steady_clock::now();
  auto asked = question(about(12));
  const auto came = answers.questions.wait_for(1);
  const Answer got = outcome(asked);
  EXPECT_GE(std::chrono::steady_clock::now() - before, kHostPatience);
  EXPECT_THAT(got.error, HasSubstr("host h2 has not answered within 3 s"));
  EXPECT_EQ(got.code, schema::ErrorCode::UNAVAILABLE);
  EXPECT_EQ(counted("timeout"), 1);
  answer(answers, answers.secret, came.at(0).number);
  EXPECT_TRUE(eventually([&] { return counted("late") == 1; }));
}

TEST_F(QuestionTest, AHostThatGoesTakesItsQuestionsAlong) {
  auto asked = question(about(12));
  answers.questions.wait_for(1);
  answers.die();
  EXPECT_THAT(outcome(asked).error, HasSubstr("the session of host h2 has ended"));
  EXPECT_EQ(counted("ended"), 1);
}

TEST_F(GatewayTest, ANodeWithoutCertificatesTakesNoRemoteAgents) {
  auto answer = ask<GatewayHello>(node.gateway, GatewayHello{{std::vector<uint8_t>(8, 1)}, {}});
  EXPECT_TRUE(answer.exchange.empty());
  EXPECT_GT(node.count("viaduct_gateway_refused_total"), 0);
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
