#include "actors/agent/location_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using flows::PortNumber;
using flows::simulation::LocalKey;
using flows::simulation::Moved;
using flows::simulation::RemotePort;
using flows::simulation::TunnelPath;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

// Bridge 10 with ports 20 and 21, router 12 with port 22; all bound here.
class LocationBookTest : public testing::Test {
 protected:
  using Now = std::map<uint64_t, uint32_t>;  // port -> number

  Moved bind(const Now& ports, std::vector<PortId> rebound) {
    BindingsChanged changed;
    for (const auto& [port, number] : ports) {
      changed.bindings = changed.bindings.insert(id<PortId>(port), PortNumber{number});
    }
    changed.rebound = std::move(rebound);
    Moved moved;
    book.bind(changed, topology, now, moved);
    return moved;
  }
  Moved follow(const std::vector<topology::StateChange>& changes) {
    Moved moved;
    book.follow(changes, moved);
    return moved;
  }
  Moved reach(const std::map<HostId, TunnelPath>& paths) {
    Moved moved;
    book.set_paths(paths, moved);
    return moved;
  }
  // This host's key; 0: none.
  template <class Owner>
  uint32_t key_of(Owner owner) const {
    uint32_t found = 0;
    book.locations().keys.for_each([&](uint32_t key, const LocalKey& whose) {
      if (whose == LocalKey(owner)) found = key;
    });
    return found;
  }

  uint32_t chance = 1;
  LocationBook book{kHere, [this] { return chance += 0x0100'0001; }};
  topology::Snapshot topology =
      snapshot_of(bridge(10), bridge_port(20, 10), bridge_port(21, 10), router(12), router_port(22, 12, "10.0.0.1/24"));
  flows::Time now = flows::Time{} + 1h;
  const PortId first = id<PortId>(20), second = id<PortId>(21), routed = id<PortId>(22);
  const BridgeId green = id<BridgeId>(10);
};

TEST_F(LocationBookTest, APortGetsAKeyAndItsBridgeOneWithTheFirst) {
  auto moved = bind({{20, 1}}, {first});
  ASSERT_NE(key_of(first), 0);
  ASSERT_NE(key_of(green), 0);
  EXPECT_THAT(moved.ports, ElementsAre(first));
  EXPECT_THAT(moved.keys, UnorderedElementsAre(key_of(first), key_of(green)));
  EXPECT_EQ(*book.locations().bindings.find(first), PortNumber{1});
  auto flood = key_of(green);

  moved = bind({{20, 1}, {21, 2}}, {second});
  EXPECT_THAT(moved.ports, ElementsAre(second));
  EXPECT_THAT(moved.keys, ElementsAre(key_of(second))) << "the bridge has its key";
  EXPECT_EQ(key_of(green), flood);
  EXPECT_THAT(book.own(),
              UnorderedElementsAre(of(kHere, active(20, key_of(first)), 0), of(kHere, active(21, key_of(second)), 0),
                                   of(kHere, floods(10, flood), 0)));
}

TEST_F(LocationBookTest, ABridgesKeyGoesWithItsLastPort) {
  bind({{20, 1}, {21, 2}}, {first, second});
  auto port_key = key_of(second), flood = key_of(green);
  auto moved = bind({{20, 1}}, {second});
  EXPECT_THAT(moved.keys, ElementsAre(port_key));
  EXPECT_EQ(key_of(green), flood);
  port_key = key_of(first);
  moved = bind({}, {first});
  EXPECT_THAT(moved.keys, UnorderedElementsAre(port_key, flood));
  EXPECT_THAT(book.own(), IsEmpty());
}

TEST_F(LocationBookTest, ARoutersPortGetsAKeyAndNothingFloodsToIt) {
  auto moved = bind({{22, 1}}, {routed});
  EXPECT_THAT(moved.keys, SizeIs(1));
  EXPECT_THAT(book.own(), ElementsAre(of(kHere, active(22, key_of(routed)), 0)));
}

TEST_F(LocationBookTest, AnotherNumberLeavesTheKeyAlone) {
  bind({{20, 1}}, {first});
  auto key = key_of(first);
  auto moved = bind({{20, 9}}, {first});
  EXPECT_THAT(moved.ports, ElementsAre(first));
  EXPECT_THAT(moved.keys, IsEmpty());
  EXPECT_EQ(key_of(first), key);
}

TEST_F(LocationBookTest, KeysOfAnEarlierLifeGoOn) {
  book.restore({shared(of(kHere, active(20, 777))), shared(of(kHere, floods(10, 778))),
                shared(of(kHere, mac_claim(10, 7, 20)))});
  EXPECT_THAT(book.own(), IsEmpty()) << "until the ports are active";
  auto moved = bind({{20, 1}}, {first});
  EXPECT_THAT(moved.keys, UnorderedElementsAre(777, 778));
  EXPECT_EQ(key_of(first), 777);
  EXPECT_EQ(key_of(green), 778);
}

TEST_F(LocationBookTest, AReleasedKeyRestsBeforeItIsGivenAgain) {
  chance = 0;
  LocationBook few(kHere, [] { return 41; });  // whoever asks gets 42, if it is free
  Moved moved;
  BindingsChanged one{flows::simulation::Bindings{}.insert(routed, PortNumber{1}), {routed}};
  few.bind(one, topology, now, moved);
  auto key = moved.keys.at(0);
  few.bind({{}, {routed}}, topology, now, moved);
  moved = {};
  few.bind(one, topology, now + 1s, moved);
  EXPECT_NE(moved.keys.at(0), key) << "a frame that comes late meets nobody";
  few.bind({{}, {routed}}, topology, now + 1s, moved);
  moved = {};
  few.bind(one, topology, now + 1h, moved);
  EXPECT_EQ(moved.keys.at(0), key);
}

TEST_F(LocationBookTest, FollowsTheActivePortsOfOtherHosts) {
  auto moved = follow({came(of(kThere, active(21, 5)))});
  EXPECT_THAT(moved.ports, ElementsAre(second));
  EXPECT_EQ(*book.locations().remote.find(second), (RemotePort{kThere, 5}));
  EXPECT_TRUE(follow({became(of(kThere, active(21, 5)), of(kThere, active(21, 5), 9))}).empty()) << "the same again";
  moved = follow({became(of(kThere, active(21, 5)), of(kElsewhere, active(21, 6), 10))});
  EXPECT_THAT(moved.ports, ElementsAre(second));
  EXPECT_EQ(*book.locations().remote.find(second), (RemotePort{kElsewhere, 6}));
  moved = follow({went(of(kElsewhere, active(21, 6)))});
  EXPECT_THAT(moved.ports, ElementsAre(second));
  EXPECT_EQ(book.locations().remote.find(second), nullptr);
}

TEST_F(LocationBookTest, FollowsTheFloodKeysOfOtherHosts) {
  EXPECT_THAT(follow({came(of(kThere, floods(10, 5)))}).bridges, ElementsAre(green));
  EXPECT_THAT(follow({came(of(kElsewhere, floods(10, 6)))}).bridges, ElementsAre(green));
  EXPECT_THAT(*book.locations().floods.find(green), ElementsAre(Pair(kThere, 5), Pair(kElsewhere, 6)));
  EXPECT_TRUE(follow({came(of(kElsewhere, floods(10, 6), 9))}).empty());
  EXPECT_THAT(follow({went(of(kThere, floods(10, 5)))}).bridges, ElementsAre(green));
  EXPECT_THAT(*book.locations().floods.find(green), ElementsAre(Pair(kElsewhere, 6)));
  follow({went(of(kElsewhere, floods(10, 6)))});
  EXPECT_EQ(book.locations().floods.find(green), nullptr);
}

TEST_F(LocationBookTest, ItsOwnEntriesTellNothingNew) {
  bind({{20, 1}}, {first});
  auto moved =
      follow({came(of(kHere, active(20, key_of(first)))), came(of(kHere, floods(10, key_of(green)))),
              went(of(kHere, active(20, 3))), went(of(kHere, floods(10, 4))), came(of(kThere, mac_claim(10, 7, 21))),
              went(of(kThere, neighbour_claim(12, 22, "10.0.0.9", 9)))});
  EXPECT_TRUE(moved.empty()) << "nor what is no location";
  EXPECT_EQ(book.locations().remote.size() + book.locations().floods.size(), 0);
}

TEST_F(LocationBookTest, APortThatMovesHereIsNotElsewhereAnyMore) {
  follow({came(of(kThere, active(20, 5)))});
  EXPECT_THAT(follow({became(of(kThere, active(20, 5)), of(kHere, active(20, 7)))}).ports, ElementsAre(first));
  EXPECT_EQ(book.locations().remote.find(first), nullptr);
}

TEST_F(LocationBookTest, PathsMoveWhatDiffers) {
  const TunnelPath path{PortNumber{9}, ip("192.0.2.1"), ip("192.0.2.2"), 1450};
  EXPECT_THAT(reach({{kThere, path}, {kElsewhere, path}}).hosts, UnorderedElementsAre(kThere, kElsewhere));
  EXPECT_TRUE(reach({{kThere, path}, {kElsewhere, path}}).empty());
  auto narrow = path;
  narrow.mtu = 1400;
  EXPECT_THAT(reach({{kThere, narrow}, {kElsewhere, path}}).hosts, ElementsAre(kThere));
  EXPECT_THAT(reach({{kThere, narrow}}).hosts, ElementsAre(kElsewhere));
  EXPECT_EQ(book.locations().paths.find(kThere)->mtu, 1400);
  EXPECT_EQ(book.locations().paths.find(kElsewhere), nullptr);
}

}  // namespace
}  // namespace viaduct::actors
