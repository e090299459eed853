// The agent's end of a session: what a cluster node asks it, and what it asks the node.
#include "actors/agent/session_sink.hpp"

#include <atomic>

#include "actor_bench.hpp"
#include "observability/metrics.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {
namespace {

using schema::ErrorCode;
using testing::HasSubstr;
using topology::Answer;
using topology::Question;

const schema::Frame kBytes{{1, 2, 3, 4, 5, 6, 7, 8}};

class SessionSinkTest : public ActorTest {
 protected:
  // A cluster node, which answers with `reply`; and an admin actor, which answers when `gate` is open.
  SessionSinkTest() {
    sink = spawn_session_sink(system, {"h2", feed, {}, probe});
    session = system.spawn([this](AgentSessionActor::pointer) -> AgentSessionActor::behavior_type {
      return {[](const SessionWrite&) { return SessionWrite{}; }, [](const SessionBeat& beat) { return beat; },
              [this](const SessionQuestion& message) {
                EXPECT_EQ(message.to, secret);
                auto question = topology::decode_question(message.frame);
                EXPECT_TRUE(question) << question.error();
                asked.add(*question);
                return SessionAnswer{{}, topology::encode_answer(reply ? reply(*question) : Answer{})};
              },
              [this](const SessionAnswer& message) {
                EXPECT_EQ(message.to, secret);
                auto answer = topology::decode_answer(message.frame);
                EXPECT_TRUE(answer) << answer.error();
                answers.add(*answer);
              }};
    });
    admin = system.spawn([this](AdminActor::pointer me) -> AdminActor::behavior_type {
      return {[](const ReportStatus&) { return observability::ActorStatus{}; }, [=](const Shutdown&) { me->quit(); },
              [](const AdminCall&) -> caf::result<AdminAnswer> {
                ADD_FAILURE() << "it was told that an operator of this host asks";
                return AdminAnswer{};
              },
              [this, me](const RelayedCall& call) -> caf::result<AdminAnswer> {
                calls.add(*call.question);
                if (silent) return me->make_response_promise<AdminAnswer>();
                return AdminAnswer{std::make_shared<const schema::Frame>(answer_bytes)};
              }};
    });
  }
  ~SessionSinkTest() override {
    for (const auto& actor : {caf::actor_cast<caf::actor>(sink), caf::actor_cast<caf::actor>(session),
                              caf::actor_cast<caf::actor>(admin)}) {
      self->send_exit(actor, caf::exit_reason::kill);
      self->wait_for(actor);
    }
  }
  void begin() {
    self->send(sink, SessionChanged{session, secret});
    self->send(sink, AnswerBy{admin});
  }
  void node_asks(uint64_t number, const Secret& with) {
    const Question question{number, PortId(Uuid::random()), "h1", "rosa", "4f7c", kBytes};
    self->send(sink, SessionQuestion{with, topology::encode_question(question)});
  }
  Answer ask_node(Question question) {
    return *ask<HostAnswered>(sink, AskHost{std::make_shared<const Question>(std::move(question))}).answer;
  }
  double counted(const std::string& outcome) {
    return registry.counter("viaduct_cluster_questions_total", "", {{"outcome", outcome}}).value();
  }

  const Secret feed{1, 2, 3}, secret{4, 5, 6};
  observability::Registry registry;
  observability::ClusterLinkProbe probe{registry};
  std::function<Answer(const Question&)> reply;
  std::atomic<bool> silent{false};
  schema::Frame answer_bytes = kBytes;
  Journal<Question> asked, calls;
  Journal<Answer> answers;
  SessionSinkActor sink;
  AgentSessionActor session;
  AdminActor admin;
};

TEST_F(SessionSinkTest, TheNodesQuestionsAreAnsweredHere) {
  begin();
  node_asks(7, feed);
  const auto got = answers.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].number, 7U);
  EXPECT_EQ(got[0].host, "h2");
  EXPECT_EQ(got[0].error, "");
  EXPECT_EQ(got[0].reply, kBytes);
  EXPECT_EQ(calls.wait_for(1).at(0).by, "rosa");
  EXPECT_TRUE(eventually([&] { return counted("answered") == 1; }));
}

TEST_F(SessionSinkTest, WhoHasNotTheSecretIsNotAnswered) {
  begin();
  for (const Secret& wrong : {Secret{}, secret, Secret{1, 2}}) node_asks(7, wrong);
  self->send(sink, SessionQuestion{feed, {std::vector<uint8_t>(64, 0xff)}});
  self->send(sink, SessionQuestion{feed, {std::vector<uint8_t>(topology::kMaxQuestionBytes + 8, 0)}});
  node_asks(8, feed);
  const auto got = answers.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].number, 8U);
  EXPECT_EQ(calls.size(), 1U);
  EXPECT_EQ(counted("forged"), 3);
  EXPECT_EQ(counted("unreadable"), 2);
}

TEST_F(SessionSinkTest, WhatCannotBeAnsweredIsSaid) {
  self->send(sink, SessionChanged{session, secret});
  node_asks(1, feed);
  EXPECT_THAT(answers.wait_for(1).at(0).error, HasSubstr("host h2 is starting"));
  self->send(sink, AnswerBy{admin});
  answer_bytes.bytes.resize(topology::kMaxAnswerBytes);
  node_asks(2, feed);
  EXPECT_THAT(answers.wait_for(2).at(1).error, HasSubstr("too big"));
  self->send_exit(admin, caf::exit_reason::kill);
  self->wait_for(admin);
  node_asks(3, feed);
  EXPECT_THAT(answers.wait_for(3).at(2).error, HasSubstr("host h2 does not answer"));
}

TEST_F(SessionSinkTest, MoreThanItCanAnswerIsRefusedAtOnce) {
  silent = true;
  begin();
  for (uint64_t number = 1; number <= 17; ++number) node_asks(number, feed);
  const auto got = answers.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].number, 17U);
  EXPECT_THAT(got[0].error, HasSubstr("as many questions as it can"));
  EXPECT_EQ(calls.wait_for(16).size(), 16U);
}

TEST_F(SessionSinkTest, OperatorsHereAskTheNode) {
  begin();
  reply = [](const Question& question) { return Answer{question.number, "h3", "", ErrorCode::MALFORMED, kBytes}; };
  const Answer got = ask_node({4711, PortId(Uuid::random()), "h2", "rosa", "4f7c", kBytes});
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.host, "h3");
  EXPECT_EQ(got.reply, kBytes);
  EXPECT_NE(asked.wait_for(1).at(0).number, 4711U);
  EXPECT_EQ(asked.wait_for(1).at(0).by, "rosa");
}

TEST_F(SessionSinkTest, AnAnswerToSomethingElseIsNone) {
  begin();
  reply = [](const Question& question) { return Answer{question.number + 1, "h3", "", ErrorCode::MALFORMED, kBytes}; };
  EXPECT_THAT(ask_node({}).error, HasSubstr("makes no sense"));
}

TEST_F(SessionSinkTest, WhoWaitsIsToldWhenTheSessionEnds) {
  auto mute = system.spawn([this](AgentSessionActor::pointer me) -> AgentSessionActor::behavior_type {
    return {[](const SessionWrite&) { return SessionWrite{}; }, [](const SessionBeat& beat) { return beat; },
            [this, me](const SessionQuestion& message) -> caf::result<SessionAnswer> {
              asked.add(*topology::decode_question(message.frame));
              return me->make_response_promise<SessionAnswer>();
            },
            [](const SessionAnswer&) {}};
  });
  self->send(sink, SessionChanged{mute, secret});
  auto waits = self->request(sink, kPatience, AskHost{std::make_shared<const Question>()});
  ASSERT_EQ(asked.wait_for(1).size(), 1U);
  self->send_exit(sink, caf::exit_reason::user_shutdown);
  HostAnswered told;
  waits.receive([&](const HostAnswered& from) { told = from; },
                [&](const caf::error& error) { ADD_FAILURE() << system.render(error); });
  ASSERT_NE(told.answer, nullptr);
  EXPECT_THAT(told.answer->error, HasSubstr("the connection to the cluster node has ended"));
  self->send_exit(mute, caf::exit_reason::kill);
  self->wait_for(mute);
}

TEST_F(SessionSinkTest, WhatCannotBeAskedIsSaid) {
  EXPECT_THAT(ask_node({}).error, HasSubstr("joins the cluster just now"));
  begin();
  Question big;
  big.request.bytes.resize(topology::kMaxQuestionBytes);
  EXPECT_THAT(ask_node(big).error, HasSubstr("too big"));
  EXPECT_EQ(asked.size(), 0U);
  self->send_exit(session, caf::exit_reason::kill);
  self->wait_for(session);
  EXPECT_THAT(ask_node({}).error, HasSubstr("the cluster node does not answer"));
}

}  // namespace
}  // namespace viaduct::actors
