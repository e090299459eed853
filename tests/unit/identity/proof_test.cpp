// Proof of identity: who has the key is believed, and nobody else, each with a reason of its own.
#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using actors::Challenge;
using actors::Exchange;
using actors::make_challenge;
using actors::PeerIdentity;
using actors::Proof;
using actors::Verification;

struct ProofTest : ::testing::Test {
  Exchange exchange() { return {make_challenge(), make_challenge(), {1, 2, 3}}; }
  static Reason reason(const Verification& verification) {
    const auto* refusal = std::get_if<Refusal>(&verification);
    EXPECT_TRUE(refusal == nullptr || !refusal->text.empty());
    return refusal == nullptr ? Reason{} : refusal->reason;
  }
  // How the cluster node judges a proof of the agent's side.
  Reason judged(const Proof& proof, const Exchange& exchange, TimePoint now = kNow) {
    return reason(cluster->verify(proof, Role::agent, exchange, now));
  }
  Reason judged_identity(const std::unique_ptr<Identity>& who, TimePoint now = kNow) {
    Exchange ours = exchange();
    return judged(who->prove(Role::agent, ours), ours, now);
  }

  TestNetwork network;
  std::unique_ptr<Identity> agent = network.identity("h1", kAgent);
  std::unique_ptr<Identity> cluster = network.identity("db1", kCluster);
  static constexpr Reason kAccepted{};
};

TEST_F(ProofTest, WhoHasTheKeyIsBelieved) {
  Exchange ours = exchange();
  auto verified = cluster->verify(agent->prove(Role::agent, ours), Role::agent, ours, kNow);
  ASSERT_EQ(reason(verified), kAccepted);
  const auto& peer = std::get<PeerIdentity>(verified);
  EXPECT_EQ(peer.host, "h1");
  EXPECT_EQ(peer.roles, kAgent);
  EXPECT_EQ(peer.not_after, kNow + hours(24));
  EXPECT_EQ(peer.fingerprint, agent->own().fingerprint);
  EXPECT_EQ(reason(agent->verify(cluster->prove(Role::cluster, ours), Role::cluster, ours, kNow)), kAccepted);
}

TEST_F(ProofTest, AReplayIsRefused) {
  Exchange first = exchange(), second = exchange();
  Proof proof = agent->prove(Role::agent, first);
  EXPECT_EQ(judged(proof, second), Reason::replayed);
  proof.answers = second.cluster;
  EXPECT_EQ(judged(proof, second), Reason::bad_signature) << "with the right nonce written over it";
}

TEST_F(ProofTest, AReflectionIsRefused) {
  auto both = network.identity("both", kBoth);
  Exchange ours = exchange();
  Proof own = both->prove(Role::cluster, ours);
  EXPECT_EQ(reason(both->verify(own, Role::agent, ours, kNow)), Reason::reflected);
  own.answers = ours.cluster;
  EXPECT_EQ(reason(both->verify(own, Role::agent, ours, kNow)), Reason::wrong_role);
  own.role = Role::agent;
  EXPECT_EQ(reason(both->verify(own, Role::agent, ours, kNow)), Reason::reflected);
  Exchange mirrored{ours.agent, ours.agent, ours.context};
  EXPECT_EQ(judged(agent->prove(Role::agent, mirrored), mirrored), Reason::reflected) << "our own nonce sent back";
}

TEST_F(ProofTest, ARoleThatTheCertificateDoesNotGrantIsRefused) {
  Exchange ours = exchange();
  EXPECT_EQ(reason(agent->verify(agent->prove(Role::cluster, ours), Role::cluster, ours, kNow)),
            Reason::role_not_granted);
  EXPECT_EQ(judged(cluster->prove(Role::agent, ours), ours), Reason::role_not_granted);
  Proof renamed = agent->prove(Role::agent, ours);
  renamed.role = Role::cluster;
  EXPECT_EQ(judged(renamed, ours), Reason::wrong_role);
}

TEST_F(ProofTest, AnotherKeyIsRefused) {
  auto thief = network.identity("h2", kAgent);
  Exchange ours = exchange();
  Proof proof = thief->prove(Role::agent, ours);
  proof.chain = agent->prove(Role::agent, ours).chain;  // knows the certificate of h1, which is public
  EXPECT_EQ(judged(proof, ours), Reason::bad_signature);
}

TEST_F(ProofTest, AnotherContextIsRefused) {
  Exchange ours = exchange(), theirs = ours;
  theirs.context = {1, 2, 4};
  EXPECT_EQ(judged(agent->prove(Role::agent, theirs), ours), Reason::bad_signature);
  theirs.context = {1, 2, 3, 0};
  EXPECT_EQ(judged(agent->prove(Role::agent, theirs), ours), Reason::bad_signature);
}

TEST_F(ProofTest, AnotherAuthorityIsRefused) {
  Authority other = network.make_authority("two");
  auto files = network.files(network.request("h1", kAgent), &other);
  files.ca = network.path("two.ca.pem");
  EXPECT_EQ(judged_identity(network.identity(files)), Reason::untrusted);
}

TEST_F(ProofTest, TimeIsJudgedWhenTheProofComes) {
  EXPECT_EQ(judged_identity(agent, kNow + hours(25)), Reason::expired);
  EXPECT_EQ(judged_identity(agent, kNow - hours(2)), Reason::not_yet_valid);
  EXPECT_EQ(judged_identity(agent, kNow + hours(23)), kAccepted);
}

TEST_F(ProofTest, ARevokedCertificateIsShutOut) {
  auto files = network.files("db2", kCluster);
  network.write("revoked", to_string(agent->own().fingerprint) + "\n");
  files.revoked = network.path("revoked");
  cluster = network.identity(files);
  EXPECT_EQ(judged_identity(agent), Reason::revoked);
  EXPECT_EQ(judged_identity(network.identity("h1", kAgent)), kAccepted) << "a new one for the same host";
}

TEST_F(ProofTest, AHostsCertificateCannotSignAnother) {
  // h1 poses as an authority: its certificate behind one that it made itself.
  std::string error;
  auto own = Authority::make("h1", {kNow - hours(1), kNow + hours(24)}, error);
  auto rogue = Authority::load(own->certificate, own->key, error);
  auto files = network.files(network.request("db1", kBoth), &*rogue);
  files.ca = network.path("rogue.pem");
  network.write("rogue.pem", own->certificate);
  auto forger = network.identity(files);
  Exchange ours = exchange();
  Proof proof = forger->prove(Role::agent, ours);
  EXPECT_EQ(judged(proof, ours), Reason::untrusted);
  proof.chain.push_back(agent->prove(Role::agent, ours).chain[0]);
  EXPECT_EQ(judged(proof, ours), Reason::untrusted);
}

TEST_F(ProofTest, WhatIsCutOrTooLargeIsRefused) {
  Exchange ours = exchange();
  const Proof proof = agent->prove(Role::agent, ours);
  auto with = [&](auto change) {
    Proof changed = proof;
    change(changed);
    return judged(changed, ours);
  };
  EXPECT_EQ(with([](Proof& p) { p.chain.clear(); }), Reason::malformed);
  EXPECT_EQ(with([](Proof& p) { p.chain[0].clear(); }), Reason::malformed);
  EXPECT_EQ(with([](Proof& p) { p.chain[0].pop_back(); }), Reason::malformed);
  EXPECT_EQ(with([](Proof& p) { p.chain[0].push_back(0); }), Reason::malformed);
  EXPECT_EQ(with([](Proof& p) { p.chain[0].resize(kMaxCertificateBytes + 1); }), Reason::too_big);
  EXPECT_EQ(with([](Proof& p) { p.chain.resize(kMaxChain + 1); }), Reason::too_big);
  EXPECT_EQ(with([](Proof& p) { p.signature.clear(); }), Reason::bad_signature);
  EXPECT_EQ(with([](Proof& p) { p.signature.pop_back(); }), Reason::bad_signature);
  EXPECT_EQ(with([](Proof& p) { p.signature.resize(actors::kMaxSignatureBytes + 1); }), Reason::too_big);
  EXPECT_EQ(with([](Proof&) {}), kAccepted);
}

TEST_F(ProofTest, NoBitOfAProofMayChange) {
  Exchange ours = exchange();
  const Proof proof = agent->prove(Role::agent, ours);
  for (size_t bit = 0; bit < proof.signature.size() * 8; ++bit) {
    Proof changed = proof;
    changed.signature[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    EXPECT_NE(judged(changed, ours), kAccepted) << bit;
  }
  for (size_t at = 0; at < proof.chain[0].size(); ++at) {
    Proof changed = proof;
    changed.chain[0][at] ^= 0x20;
    EXPECT_NE(judged(changed, ours), kAccepted) << at;
  }
}

TEST(Challenges, AreRandom) { EXPECT_NE(make_challenge(), make_challenge()); }

}  // namespace
}  // namespace viaduct::identity::testing
