#include "actors/agent/state_claims.hpp"

#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using flows::ConnectionKind;
using flows::ConnectionUpdate;
using topology::testing::ip;

const HostId kMe(Uuid::from_words(1, 1)), kHolderHost(Uuid::from_words(1, 2)), kThirdHost(Uuid::from_words(1, 3));
const Uuid kNatRouter = Uuid::from_words(2, 1);

// The block that holds port 1100 is kHolderHost's.
class StateClaimsTest : public testing::Test {
 protected:
  StateClaimsTest() {
    reach(true);
    const topology::NatBlockClaim claim{kNatRouter, ip("203.0.113.9"), 1100 / flows::kNatBlockPorts};
    held_ = std::make_shared<const topology::StateEntry>(topology::StateEntry{kHolderHost, {}, 0, claim});
    claims_.follow({{nullptr, held_}});
  }
  void reach(bool alive) {
    flows::simulation::Locations locations;
    flows::simulation::TunnelPath path;
    path.port = flows::PortNumber{7};
    path.alive = alive;
    locations.paths = locations.paths.insert(kHolderHost, path);
    claims_.set_network(std::make_shared<const flows::simulation::Network>(
        flows::simulation::Network::compile(topology::Snapshot(), locations)));
  }
  static ConnectionUpdate translated(uint16_t port) {
    ConnectionUpdate update;
    update.key = {ConnectionKind::snat_reverse, 6, 80, port, ip("198.51.100.1"), ip("203.0.113.9"), kNatRouter};
    return update;
  }
  StateClaims claims_;
  topology::StatePtr held_;
};

TEST_F(StateClaimsTest, PortsAreWhoseBlockItIs) {
  EXPECT_TRUE(claims_.may_claim(kHolderHost, kMe, translated(1100)));
  EXPECT_FALSE(claims_.may_claim(kThirdHost, kMe, translated(1100)));
  EXPECT_TRUE(claims_.may_claim(kThirdHost, kMe, translated(2000))) << "nobody's, as far as is known here";
  EXPECT_TRUE(claims_.may_claim(kThirdHost, kHolderHost, translated(1100))) << "tells the holder of its own";
}

TEST_F(StateClaimsTest, ThePortsOfATranslatedConnectionHaveAHolder) {
  EXPECT_EQ(claims_.holder_of(translated(1100).key), kHolderHost);
  EXPECT_EQ(claims_.holder_of(translated(2000).key), std::nullopt);
  ConnectionUpdate other = translated(1100);
  other.key.kind = ConnectionKind::track;
  EXPECT_EQ(claims_.holder_of(other.key), std::nullopt);
}

TEST_F(StateClaimsTest, WhatIsNotTranslatedIsNobodys) {
  ConnectionUpdate update = translated(1100);
  update.key.kind = ConnectionKind::track;
  EXPECT_TRUE(claims_.may_claim(kThirdHost, kMe, update));
}

TEST_F(StateClaimsTest, ADeadHoldersConnectionsArePassedOn) {
  reach(false);
  EXPECT_TRUE(claims_.may_claim(kThirdHost, kMe, translated(1100)));
  reach(true);
  EXPECT_FALSE(claims_.may_claim(kThirdHost, kMe, translated(1100)));
}

TEST_F(StateClaimsTest, ABlockThatIsGivenBackIsNobodys) {
  claims_.follow({{held_, nullptr}});
  EXPECT_TRUE(claims_.may_claim(kThirdHost, kMe, translated(1100)));
}

// A host that was away for longer than its lease asks for its blocks before it has heard the news.
TEST_F(StateClaimsTest, TheClustersAnswerIsLaterThanWhatWasHeardOfThisHostsOwn) {
  claims_.lost({translated(1100).key, translated(2000).key}, kMe);
  EXPECT_EQ(claims_.holder_of(translated(1100).key), kHolderHost) << "another's: that is no contradiction";
  claims_.lost({translated(1100).key}, kHolderHost);
  EXPECT_EQ(claims_.holder_of(translated(1100).key), std::nullopt);
  claims_.follow({{nullptr, held_}});
  EXPECT_EQ(claims_.holder_of(translated(1100).key), kHolderHost) << "once more";
}

}  // namespace
}  // namespace viaduct::actors
