#include "actors/agent/speaker_routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using routing::bgp::PeerState;
using routing::bgp::PeerStatus;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using topology::GatewayLost;
using topology::HostFact;
using topology::LearnedRoutes;
using topology::testing::id;
using topology::testing::ip;
using topology::testing::prefix;

const PortId kPort = id<PortId>(22);
const IpAddress kPeer = ip("10.9.0.2");
const std::vector<routing::bgp::SpeakerPeer> kWanted = {{.address = kPeer}};
const HostFact kLost = GatewayLost{kPort, kPeer};

class SpeakerRoutesTest : public ::testing::Test {
 protected:
  static PeerStatus peer(PeerState state, uint64_t sessions_lost = 0, bool restarting = false) {
    return {.address = kPeer, .state = state, .sessions_lost = sessions_lost, .restarting = restarting};
  }
  void hear(const PeerStatus& status) { routes_.hear(std::vector{status}, kWanted); }
  void learn(const char* text, std::vector<IpAddress> gateways = {kPeer}) {
    routes_.learn({{prefix(text), std::move(gateways)}});
  }
  size_t prefixes_said() {
    size_t out = 0;
    for (const HostFact& fact : routes_.take(now_).said) {
      if (const auto* one = std::get_if<LearnedRoutes>(&fact)) out += one->prefixes.size();
    }
    return out;
  }

  SpeakerRoutes routes_{kPort};
  SpeakerRoutes::Time now_{1h};
};

TEST_F(SpeakerRoutesTest, APeerIsLostWhenItsSessionIsAndItsRoutesAreNotKept) {
  hear(peer(PeerState::connect));
  EXPECT_THAT(routes_.take(now_).said, IsEmpty()) << "it was never there";
  hear(peer(PeerState::established));
  hear(peer(PeerState::active, 1, true));
  EXPECT_THAT(routes_.take(now_).said, IsEmpty()) << "a graceful restart";
  hear(peer(PeerState::active, 1));
  EXPECT_THAT(routes_.take(now_).said, ElementsAre(kLost));
  routes_.hear({}, kWanted);
  EXPECT_THAT(routes_.take(now_).ended, IsEmpty()) << "bgpd is away: nothing is known";
  hear(peer(PeerState::established, 1));
  EXPECT_THAT(routes_.take(now_).ended, ElementsAre(kLost));
}

TEST_F(SpeakerRoutesTest, ALostPeerIsSaidAtOnceAlsoWhileRoutesWait) {
  for (int i = 0; i < 200; ++i) learn(("10." + std::to_string(i) + ".0.0/16").c_str());
  EXPECT_EQ(prefixes_said(), 200U);
  learn("192.0.2.0/24");
  hear(peer(PeerState::active, 1));
  EXPECT_THAT(routes_.take(now_).said, ElementsAre(kLost));
  ASSERT_TRUE(routes_.next_deadline());
  EXPECT_GT(*routes_.next_deadline(), now_);
  now_ = *routes_.next_deadline();
  EXPECT_GE(prefixes_said(), 1U);
  EXPECT_EQ(routes_.next_deadline(), std::nullopt);
}

TEST_F(SpeakerRoutesTest, AnEarlierLifesRoutesCountUntilAllIsTold) {
  learn("10.1.0.0/16");
  learn("10.2.0.0/16");
  const auto before = routes_.take(now_).said;
  SpeakerRoutes next(kPort);
  EXPECT_THAT(next.adopt(before), ElementsAre(kPeer));
  EXPECT_THAT(next.take(now_).said, IsEmpty()) << "it is said already";
  next.learn({{prefix("10.1.0.0/16"), {kPeer}}});
  EXPECT_THAT(next.take(now_ + 1s).ended, IsEmpty());
  next.settled();
  EXPECT_THAT(next.take(now_ + 2s).ended, SizeIs(1));
  EXPECT_EQ(next.prefixes(), 1U);
  next.settled();
  EXPECT_EQ(next.prefixes(), 1U) << "once";
}

TEST_F(SpeakerRoutesTest, AnEarlierLifesLossEndsWithASession) {
  routes_.adopt(std::vector{kLost});
  hear(peer(PeerState::connect));
  EXPECT_THAT(routes_.take(now_).ended, IsEmpty());
  hear(peer(PeerState::established));
  EXPECT_THAT(routes_.take(now_).ended, ElementsAre(kLost));
}

TEST_F(SpeakerRoutesTest, WhoIsNotWantedIsNotLost) {
  hear(peer(PeerState::active, 1));
  routes_.take(now_);
  routes_.keep_only(kWanted);
  EXPECT_THAT(routes_.take(now_).ended, IsEmpty());
  routes_.keep_only({});
  EXPECT_THAT(routes_.take(now_).ended, ElementsAre(kLost));
  routes_.hear(std::vector{peer(PeerState::active, 1)}, {});
  EXPECT_THAT(routes_.take(now_).said, IsEmpty()) << "bgpd had not heard of it yet";
}

TEST_F(SpeakerRoutesTest, ALostPeerStaysSoUntilASessionAlsoWhenTheSpeakerBeginsAnew) {
  hear(peer(PeerState::active, 1));
  routes_.take(now_);
  routes_.doubt();
  hear(peer(PeerState::connect));
  EXPECT_THAT(routes_.take(now_).ended, IsEmpty());
  hear(peer(PeerState::established));
  EXPECT_THAT(routes_.take(now_).ended, ElementsAre(kLost));
}

TEST_F(SpeakerRoutesTest, OnlyItsOwnPortsRoutesAreAdopted) {
  EXPECT_THAT(routes_.adopt(std::vector<HostFact>{LearnedRoutes{id<PortId>(23), ip("10.8.0.2"), 7}}), IsEmpty());
}

TEST_F(SpeakerRoutesTest, ASpeakerThatBeginsAnewForgetsWhatIsNotToldAgain) {
  learn("10.1.0.0/16");
  learn("10.2.0.0/16");
  routes_.take(now_);
  routes_.doubt();
  learn("10.2.0.0/16");
  routes_.settled();
  routes_.take(now_ + 1s);
  EXPECT_EQ(routes_.prefixes(), 1U);
  EXPECT_THAT(routes_.take(now_ + 2s).ended, IsEmpty());
  routes_.end();
  EXPECT_THAT(routes_.take(now_ + 3s).ended, SizeIs(1));
}

}  // namespace
}  // namespace viaduct::actors
