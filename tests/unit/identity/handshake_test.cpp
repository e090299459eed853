// The whole hello between an agent and a cluster node, message by message.
#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using namespace actors;  // NOLINT: what is tested

template <class T>
Reason reason(const std::variant<T, Refusal>& step) {
  const auto* refusal = std::get_if<Refusal>(&step);
  return refusal == nullptr ? Reason{} : refusal->reason;
}
Reason reason(const std::optional<Refusal>& refusal) { return refusal ? refusal->reason : Reason{}; }

struct HandshakeTest : ::testing::Test {
  // How far it got: what the cluster node made of the agent's proof.
  Reason meet(const Identity& who, HostId id, const std::string& name) {
    AgentHandshake agent(who, id, name);
    ClusterHandshake node(*cluster);
    auto asked = node.on_hello(agent.start().bytes);
    auto proof = agent.on_reply(asked.frame.bytes, kNow);
    if (reason(proof) != Reason{}) return reason(proof);
    auto refusal = node.on_proof(std::get<schema::Frame>(proof).bytes, kNow);
    if (!refusal) met = node.agent();
    return reason(refusal);
  }

  TestNetwork network;
  HostId id = HostId::random();
  std::unique_ptr<Identity> h1 = network.identity("h1", kAgent);
  std::unique_ptr<Identity> cluster = network.identity("db1", kCluster);
  ClusterHandshake::Agent met;
};

TEST_F(HandshakeTest, BothLearnWhoTheOtherIs) {
  AgentHandshake agent(*h1, id, "h1");
  ClusterHandshake node(*cluster);
  auto asked = node.on_hello(agent.start().bytes);
  EXPECT_FALSE(asked.refusal);
  auto proof = agent.on_reply(asked.frame.bytes, kNow);
  ASSERT_EQ(reason(proof), Reason{});
  EXPECT_EQ(agent.peer().host, "db1");
  EXPECT_EQ(reason(node.on_proof(std::get<schema::Frame>(proof).bytes, kNow)), Reason{});
  EXPECT_EQ(node.agent().identity.host, "h1");
  EXPECT_EQ(node.agent().host_id, id);
  auto result = agent.on_result(ClusterHandshake::accept(std::chrono::seconds(10)).bytes);
  ASSERT_EQ(reason(result), Reason{});
  EXPECT_EQ(std::get<HelloAccepted>(result).lease, std::chrono::seconds(10));
}

TEST_F(HandshakeTest, AnotherHostsNameIsRefused) {
  EXPECT_EQ(meet(*h1, id, "h2"), Reason::wrong_host);
  EXPECT_EQ(meet(*h1, id, "h1"), Reason{});
}

TEST_F(HandshakeTest, AnIdThatTheCertificateBindsIsTheOnlyOne) {
  auto request = network.request("h3", kAgent);
  request.id = id;
  auto bound = network.identity(network.files(request));
  EXPECT_EQ(meet(*bound, HostId::random(), "h3"), Reason::wrong_host);
  EXPECT_EQ(meet(*bound, id, "h3"), Reason{});
  EXPECT_EQ(met.host_id, id);
  EXPECT_EQ(meet(*h1, HostId{}, "h1"), Reason::malformed) << "no id at all";
}

TEST_F(HandshakeTest, AnAgentDoesNotProveItselfToAnotherAgent) {
  auto impostor = network.identity("h2", kAgent);
  AgentHandshake agent(*h1, id, "h1");
  ClusterHandshake node(*impostor);
  EXPECT_EQ(reason(agent.on_reply(node.on_hello(agent.start().bytes).frame.bytes, kNow)), Reason::role_not_granted);
}

TEST_F(HandshakeTest, AClusterNodesCertificateIsNoAgents) {
  EXPECT_EQ(meet(*cluster, id, "db1"), Reason::role_not_granted);
}

TEST_F(HandshakeTest, AnOldConversationIsOfNoUse) {
  AgentHandshake agent(*h1, id, "h1");
  auto hello = agent.start();
  ClusterHandshake first(*cluster), second(*cluster);
  auto proof = std::get<schema::Frame>(agent.on_reply(first.on_hello(hello.bytes).frame.bytes, kNow));
  EXPECT_EQ(reason(first.on_proof(proof.bytes, kNow)), Reason{});
  second.on_hello(hello.bytes);
  EXPECT_EQ(reason(second.on_proof(proof.bytes, kNow)), Reason::replayed);
}

TEST_F(HandshakeTest, AHelloThatWasChangedOnTheWayIsRefused) {
  AgentHandshake agent(*h1, id, "h1");
  auto hello = std::get<Hello>(decode_hello(agent.start().bytes));
  hello.host_id = HostId::random();
  ClusterHandshake node(*cluster);
  auto asked = node.on_hello(encode(hello).bytes);
  EXPECT_EQ(reason(agent.on_reply(asked.frame.bytes, kNow)), Reason::bad_signature);
}

TEST_F(HandshakeTest, AnotherMajorVersionIsRefusedByName) {
  Hello hello{{9, 0}, id, "h1", make_challenge()};
  ClusterHandshake node(*cluster);
  auto step = node.on_hello(encode(hello).bytes);
  EXPECT_EQ(reason(step.refusal), Reason::version);
  EXPECT_THAT(step.refusal->text, ::testing::HasSubstr("version 9"));
  AgentHandshake agent(*h1, id, "h1");
  agent.start();
  EXPECT_EQ(reason(agent.on_reply(step.frame.bytes, kNow)), Reason::version) << "told by the node";
}

TEST_F(HandshakeTest, MessagesOutOfTurnEndIt) {
  AgentHandshake agent(*h1, id, "h1");
  ClusterHandshake node(*cluster);
  EXPECT_EQ(reason(node.on_proof({}, kNow)), Reason::malformed);
  auto hello = agent.start();
  EXPECT_EQ(reason(node.on_hello(hello.bytes).refusal), Reason::malformed) << "it is over";
  ClusterHandshake other(*cluster);
  auto reply = other.on_hello(hello.bytes).frame;
  EXPECT_EQ(reason(agent.on_result(reply.bytes)), Reason::malformed);
  EXPECT_EQ(reason(agent.on_reply(reply.bytes, kNow)), Reason::malformed) << "it is over";
}

TEST_F(HandshakeTest, OneProofIsTheOnlyTry) {
  AgentHandshake agent(*h1, id, "h1");
  ClusterHandshake node(*cluster);
  auto proof = std::get<schema::Frame>(agent.on_reply(node.on_hello(agent.start().bytes).frame.bytes, kNow));
  EXPECT_EQ(reason(node.on_proof({}, kNow)), Reason::malformed);
  EXPECT_EQ(reason(node.on_proof(proof.bytes, kNow)), Reason::malformed);
}

TEST_F(HandshakeTest, TheNodesRefusalReachesTheAgent) {
  AgentHandshake agent(*h1, id, "h1");
  ClusterHandshake node(*cluster);
  auto proof = agent.on_reply(node.on_hello(agent.start().bytes).frame.bytes, kNow);
  ASSERT_EQ(reason(proof), Reason{});
  auto refused = agent.on_result(ClusterHandshake::refuse({Reason::name_in_use, "h1 is another host"}).bytes);
  EXPECT_EQ(reason(refused), Reason::name_in_use);
}

}  // namespace
}  // namespace viaduct::identity::testing
