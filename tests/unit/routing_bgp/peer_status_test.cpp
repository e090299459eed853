#include "routing/bgp/peer_status.hpp"

#include <gtest/gtest.h>

namespace viaduct::routing::bgp {
namespace {

using namespace std::chrono_literals;

TEST(PeerStatusJson, ReadsWhatBgpdSays) {
  const auto peers = parse_peer_status(R"({
    "2001:db8:9::2": {"bgpState": "Connect", "bgpTimerUpMsec": 5000, "lastResetDueTo": "BFD down received",
                      "gracefulRestartInfo": {"gracefulRestartTimerMsecs": 90000},
                      "peerBfdInfo": {"status": "Down"}},
    "10.9.0.2": {"bgpState": "Established", "bgpTimerUpMsec": 66000, "connectionsDropped": 1,
                 "gracefulRestartInfo": {"endOfRibRecv": {"ipv4Unicast": true}},
                 "addressFamilyInfo": {"ipv4Unicast": {"acceptedPrefixCounter": 2, "sentPrefixCounter": 1}},
                 "lastResetDueTo": "BGP Notification received", "lastNotificationReason": "Cease/Peer Unconfigured",
                 "peerBfdInfo": {"status": "Up"}},
    "not an address": {}})");
  ASSERT_TRUE(peers);
  ASSERT_EQ(peers->size(), 2U);
  const PeerStatus v4{*IpAddress::parse("10.9.0.2"),
                      PeerState::established,
                      66s,
                      2,
                      1,
                      1,
                      true,
                      false,
                      BfdState::up,
                      "BGP Notification received: Cease/Peer Unconfigured"};
  EXPECT_EQ(peers->at(0), v4);
  const PeerStatus v6{*IpAddress::parse("2001:db8:9::2"),
                      PeerState::connect,
                      0ms,
                      0,
                      0,
                      0,
                      false,
                      true,
                      BfdState::down,
                      "BFD down received"};
  EXPECT_EQ(peers->at(1), v6);
}

TEST(PeerStatusJson, WhoseSessionEndedIsLostUnlessItsRoutesAreKept) {
  PeerStatus peer{.address = {}, .state = PeerState::connect};
  EXPECT_FALSE(is_lost(peer)) << "it was never there";
  peer.sessions_lost = 1;
  EXPECT_TRUE(is_lost(peer));
  peer.restarting = true;
  EXPECT_FALSE(is_lost(peer));
  peer = {.address = {}, .state = PeerState::established, .sessions_lost = 1};
  EXPECT_FALSE(is_lost(peer));
}

TEST(PeerStatusJson, AFirstSessionHasNoErrorOfAnotherBefore) {
  const auto peers = parse_peer_status(
      R"({"10.9.0.2": {"bgpState": "Established", "lastResetDueTo": "No AFI/SAFI activated for peer"}})");
  ASSERT_TRUE(peers);
  EXPECT_EQ(peers->at(0).last_error, "");
}

TEST(PeerStatusJson, WhatIsNotThereIsEmpty) {
  EXPECT_EQ(parse_peer_status("{}")->size(), 0U);
  for (const char* odd :
       {R"({"10.9.0.2": null})", R"({"10.9.0.2": []})", R"({"10.9.0.2": {"bgpState": 7, "addressFamilyInfo": [1]}})",
        R"({"10.9.0.2": {"bgpState": "Established", "bgpTimerUpMsec": -1, "peerBfdInfo": "x"}})"}) {
    const auto peers = parse_peer_status(odd);
    ASSERT_TRUE(peers && peers->size() == 1) << odd;
    EXPECT_EQ(peers->at(0).uptime, 0ms);
    EXPECT_EQ(peers->at(0).bfd, BfdState::off);
  }
}

TEST(PeerStatusJson, RefusesWhatIsNoAnswer) {
  for (const char* bad : {"", "% No BGP neighbors found", "[]", "{\"10.9.0.2\": {", "7"}) {
    EXPECT_FALSE(parse_peer_status(bad)) << bad;
  }
}

}  // namespace
}  // namespace viaduct::routing::bgp
