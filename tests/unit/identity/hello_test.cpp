// The messages of the hello: what is written is read, and nothing beyond the limits is.
#include <random>

#include "schema/hello.capnp.h"
#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using namespace actors;  // NOLINT: what is tested

Hello sample_hello() { return {{1, 7}, HostId::random(), "h1", make_challenge()}; }
Proof sample_proof() { return {Role::cluster, make_challenge(), {{1, 2}, {3}}, {4, 5, 6}}; }

void expect_same(const Proof& one, const Proof& other) {
  EXPECT_EQ(one.role, other.role);
  EXPECT_EQ(one.answers, other.answers);
  EXPECT_EQ(one.chain, other.chain);
  EXPECT_EQ(one.signature, other.signature);
}

template <class T>
Reason why(const Decoded<T>& decoded) {
  const auto* refusal = std::get_if<1>(&decoded);
  return refusal == nullptr ? Reason{} : refusal->reason;
}

TEST(HelloMessages, AreReadAsTheyWereWritten) {
  Hello hello = sample_hello();
  auto read = std::get<Hello>(decode_hello(encode(hello).bytes));
  EXPECT_EQ(read.version, hello.version);
  EXPECT_EQ(read.host_id, hello.host_id);
  EXPECT_EQ(read.host_name, hello.host_name);
  EXPECT_EQ(read.nonce, hello.nonce);

  Proof proof = sample_proof();
  expect_same(std::get<Proof>(decode_hello_proof(encode(proof).bytes)), proof);

  Challenge nonce = make_challenge();
  auto reply = std::get<HelloReply>(decode_hello_reply(encode(HelloReply{{1, 0}, HelloChallenge{nonce, proof}}).bytes));
  EXPECT_EQ(std::get<HelloChallenge>(reply.content).nonce, nonce);
  expect_same(std::get<HelloChallenge>(reply.content).proof, proof);

  auto refused = std::get<HelloReply>(
      decode_hello_reply(encode(HelloReply{{2, 0}, Refusal{Reason::version, "another\nworld"}}).bytes));
  EXPECT_EQ(refused.version.major, 2);
  EXPECT_EQ(std::get<Refusal>(refused.content).reason, Reason::version);
  EXPECT_EQ(std::get<Refusal>(refused.content).text, "another?world") << "for the log: one line";

  auto accepted = std::get<0>(decode_hello_result(encode(HelloResult(HelloAccepted{std::chrono::seconds(10)})).bytes));
  EXPECT_EQ(std::get<HelloAccepted>(accepted).lease, std::chrono::seconds(10));
  auto result = std::get<0>(decode_hello_result(encode(HelloResult(Refusal{Reason::name_in_use, "h1"})).bytes));
  EXPECT_EQ(std::get<Refusal>(result).reason, Reason::name_in_use);
}

TEST(HelloMessages, BeyondTheLimitsNothingIsRead) {
  Hello hello = sample_hello();
  hello.host_name = "";
  EXPECT_EQ(why(decode_hello(encode(hello).bytes)), Reason::malformed);
  hello.host_name = std::string(256, 'a');
  EXPECT_EQ(why(decode_hello(encode(hello).bytes)), Reason::malformed);
  hello.host_name = std::string(5000, 'a');
  EXPECT_EQ(why(decode_hello(encode(hello).bytes)), Reason::too_big);

  auto proof_with = [](auto change) {
    Proof proof = sample_proof();
    change(proof);
    return why(decode_hello_proof(encode(proof).bytes));
  };
  EXPECT_EQ(proof_with([](Proof& p) { p.chain.assign(5, {1}); }), Reason::too_big);
  EXPECT_EQ(proof_with([](Proof& p) { p.chain.assign(1, Bytes(kMaxCertificateBytes + 1)); }), Reason::too_big);
  EXPECT_EQ(proof_with([](Proof& p) { p.chain.assign(1, Bytes(100'000)); }), Reason::too_big);
  EXPECT_EQ(proof_with([](Proof& p) { p.signature.resize(1025); }), Reason::too_big);
  EXPECT_EQ(proof_with([](Proof& p) { p.role = static_cast<Role>(3); }), Reason::malformed);
  EXPECT_EQ(proof_with([](Proof& p) { p.chain.assign(4, Bytes(kMaxCertificateBytes)); }), Reason{}) << "the largest";
}

TEST(HelloMessages, ANonceHas32Bytes) {
  for (size_t size : {0, 31, 33, 64}) {
    capnp::MallocMessageBuilder message;
    auto out = message.initRoot<schema::Hello>();
    out.setHostName("h1");
    out.initNonce(static_cast<unsigned>(size));
    EXPECT_EQ(why(decode_hello(schema::Frame::of(message).bytes)), Reason::malformed) << size;
  }
}

TEST(HelloMessages, EveryTruncationIsRefused) {
  auto bytes = encode(sample_proof()).bytes;
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(why(decode_hello_proof(std::span(bytes).first(size))), Reason{}) << size;
}

TEST(HelloMessages, AnyBytesOfManySeeds) {
  std::mt19937 random(11);
  const auto proof = encode(sample_proof()).bytes, hello = encode(sample_hello()).bytes;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = round % 2 == 0 ? proof : hello;
    for (size_t i = 1 + random() % 4; i > 0; --i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    (void)decode_hello(bytes);
    (void)decode_hello_reply(bytes);
    (void)decode_hello_result(bytes);
    auto read = decode_hello_proof(bytes);
    const auto* good = std::get_if<Proof>(&read);
    EXPECT_TRUE(good == nullptr || good->chain.size() <= kMaxChain);
  }
}

}  // namespace
}  // namespace viaduct::identity::testing
