#include "actors/agent/remote_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using flows::simulation::NeighbourWanted;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using topology::testing::ip;
using namespace std::chrono_literals;

// Guest 7 of bridge 10 is at port 20 there, or at port 21 here; router 12 has the neighbour 10.0.0.9 behind port 22.
class RemoteStateTest : public testing::Test {
 protected:
  void take(const std::vector<topology::StateChange>& changes) {
    take_in(changes, kHere, state, now, [this](const NeighbourWanted& neighbour) { ready.push_back(neighbour); });
  }
  PortId place_of(const flows::MacKey& key) const {
    auto entry = state.macs.find(key);
    return entry ? entry->port : PortId{};
  }
  // As a worker that has seen a frame.
  void see(const flows::MacKey& key, PortId port) {
    state.macs.learn(key, port, now);
    state.state_news.changed(key);
  }
  bool is_remote(const flows::simulation::Learned& entry) const { return state.remote_claims.has(entry); }

  AgentState state;
  flows::Time now = flows::Time{} + 1h;
  std::vector<NeighbourWanted> ready;
  const PortId there = id<PortId>(20), here = id<PortId>(21);
  const flows::MacKey guest{id<BridgeId>(10), 0, MacAddress::from_uint64(7)};
  const flows::NeighbourKey hop{Uuid::from_words(0, 12), id<PortId>(22), ip("10.0.0.9")};
  const StateEntry guest_there = of(kThere, mac_claim(10, 7, 20)), guest_here = of(kHere, mac_claim(10, 7, 21), 2);
  const StateEntry hop_there = of(kThere, neighbour_claim(12, 22, "10.0.0.9", 9));
};

TEST_F(RemoteStateTest, WhatAnotherHostHasLearnedIsKnownHereAndItsToEnd) {
  take({came(guest_there)});
  EXPECT_EQ(place_of(guest), there);
  EXPECT_TRUE(is_remote(guest));
  EXPECT_FALSE(state.flow_news.take().empty()) << "flows that flooded to it go";
  take({went(guest_there)});
  EXPECT_FALSE(state.macs.find(guest));
  EXPECT_FALSE(is_remote(guest));
  EXPECT_FALSE(state.flow_news.take().empty());
}

TEST_F(RemoteStateTest, ANextHopThatAnotherHostLearnedReleasesWhatWaitsForIt) {
  take({came(hop_there)});
  EXPECT_EQ(state.neighbours.find(hop)->mac, MacAddress::from_uint64(9));
  EXPECT_THAT(ready, ElementsAre(NeighbourWanted{RouterId(hop.device), hop.port, hop.address}));
  EXPECT_THAT(state.device_news.take().neighbours, SizeIs(1)) << "the router's actor stops asking";
  take({became(hop_there, of(kThere, neighbour_claim(12, 22, "10.0.0.9", 9, 30), 2))});
  EXPECT_THAT(ready, SizeIs(1)) << "a confirmation releases nothing";
  EXPECT_THAT(state.device_news.take().neighbours, SizeIs(1));
  take({went(hop_there)});
  EXPECT_FALSE(state.neighbours.find(hop));
}

TEST_F(RemoteStateTest, AnAddressOnABridgeIsLearnedAndNobodyWaitsForIt) {
  take({came(of(kThere, neighbour_claim(10, 0, "10.0.1.5", 5)))});
  EXPECT_TRUE(state.neighbours.find({Uuid::from_words(0, 10), PortId{}, ip("10.0.1.5")}));
  EXPECT_THAT(ready, IsEmpty());
}

TEST_F(RemoteStateTest, ANextHopThatHadFailedHereIsUsableAgain) {
  state.neighbours.set_state(hop, flows::NeighbourState::failed, now);
  take({came(hop_there)});
  EXPECT_EQ(state.neighbours.find(hop)->state, flows::NeighbourState::reachable);
  EXPECT_THAT(ready, SizeIs(1));
}

TEST_F(RemoteStateTest, WhatThisHostHasJustSeenIsNewer) {
  see(guest, here);
  take({came(guest_there)});
  EXPECT_EQ(place_of(guest), here);
  state.state_news.take();
  take({came(guest_there)});
  EXPECT_EQ(place_of(guest), there) << "once it is not waiting any more, the feed's order counts";
}

TEST_F(RemoteStateTest, AnEntryThatHasJustEndedHereIsTakenFromAnotherHost) {
  state.state_news.changed(guest);  // it ended: not in the table
  take({came(guest_there)});
  EXPECT_EQ(place_of(guest), there);
}

TEST_F(RemoteStateTest, AnEndTakesOnlyWhatIsStillAsTheOtherHostHadSaid) {
  take({came(guest_there), came(hop_there)});
  state.macs.learn(guest, here, now);
  state.neighbours.learn(hop, MacAddress::from_uint64(10), now);
  take({went(guest_there), went(hop_there)});
  EXPECT_EQ(place_of(guest), here);
  EXPECT_EQ(state.neighbours.find(hop)->mac, MacAddress::from_uint64(10));
}

TEST_F(RemoteStateTest, AnOwnEntryIsThisHostsToEnd) {
  take({came(guest_there)});
  state.macs.learn(guest, here, now);
  take({became(guest_there, guest_here)});
  EXPECT_EQ(place_of(guest), here);
  EXPECT_FALSE(is_remote(guest));
  take({went(guest_here)});
  EXPECT_EQ(place_of(guest), here) << "the lease's end, say: what was seen here stays known here";
}

TEST_F(RemoteStateTest, WhatWasThisHostsAndIsNotAnyMoreIsTold) {
  take({came(guest_here)});
  EXPECT_THAT(state.remote_claims.take_taken(), IsEmpty());
  take({became(guest_here, guest_there)});
  EXPECT_THAT(state.remote_claims.take_taken(), ElementsAre(topology::state_key(guest_here)));
  take({went(guest_there), came(guest_here), went(guest_here)});
  EXPECT_THAT(state.remote_claims.take_taken(), SizeIs(1));
  take({came(of(kHere, active(20, 5))), went(of(kHere, active(20, 5)))});
  EXPECT_THAT(state.remote_claims.take_taken(), SizeIs(1)) << "ports too";
}

TEST_F(RemoteStateTest, LocationsAndSessionsAreNoneOfItsBusiness) {
  take({came(of(kThere, active(20, 5))), came(of(kThere, floods(10, 6))), went(of(kThere, topology::HostSession{}))});
  EXPECT_EQ(state.macs.size() + state.neighbours.size(), 0);
}

}  // namespace
}  // namespace viaduct::actors
