// A host that comes back and finds the ports of its translated connections in another's hands.
#include "replication_world.hpp"

namespace viaduct::flows {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr int kOwner = 0, kAdopter = 1, kThird = 2;

// The machine of the connections is at kOwner, their gateways are kAdopter and kThird.
class Yield : public ::testing::Test {
 protected:
  Yield() {
    world.move_port(kGuest, kOwner);
    world.move_port(kUplink, kAdopter);
    world.move_port(kOther, kThird);
  }
  // A machine's connection, and the port that it leaves by.
  void open(int host, uint16_t number, uint16_t port) {
    const ConnectionEntry entry = translation(port, world.now);
    world.at(host).table.open(outside(number, port), partner_entry(inside(number), entry));
    world.at(host).table.open(inside(number), entry);
    use(host, number);
  }
  void use(int host, uint16_t number) {
    const auto known = world.at(host).table.find(inside(number));
    ASSERT_TRUE(known);
    const ConnectionKey keys[] = {inside(number), *partner_of(inside(number), *known)};
    for (const auto& one : keys) world.at(host).table.touch(one, Direction::forward, 0, world.now);
    const PortId ends[] = {kGuest, kUplink, kOther};
    const HostId peers[] = {host_id(kOwner), host_id(kAdopter), host_id(kThird)};
    world.at(host).replicator->share({keys, ends, peers}, world.now);
  }
  // The owner is silent, for longer than its lease: its ports become the other's.
  void sleep(std::map<uint16_t, int> taken) {
    world.kill(kOwner);
    for (int host : {kAdopter, kThird}) world.at(host).replicator->lost(host_id(kOwner), world.now);
    world.run(500ms);
    for (const auto& [port, host] : taken) world.holders[port] = host;
    world.run(10s);
  }
  // And finds that out.
  std::vector<ConnectionKey> wake(std::vector<ConnectionKey> keys) {
    world.wake(kOwner);
    return world.at(kOwner).replicator->yield(keys, world.now);
  }
  bool has(int host, uint16_t number, uint16_t port) {
    const auto forward = world.at(host).table.find(inside(number));
    const auto back = world.at(host).table.find(outside(number, port));
    EXPECT_EQ(forward.has_value(), back.has_value()) << host << ": halves of a pair";
    return forward && forward->port == port && back && back->port == number;
  }
  bool owns(int host, uint16_t number, uint16_t port) {
    const auto forward = world.at(host).table.find(inside(number));
    const auto back = world.at(host).table.find(outside(number, port));
    EXPECT_TRUE(forward && back && forward->owned == back->owned);
    return forward && forward->owned;
  }
  const Replicator::Counters counters(int host) { return world.at(host).replicator->counters(); }
  World world{1, 3};
};

TEST_F(Yield, TheAdopterOwnsTheConnectionsAndTheReturnedHostHasCopies) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({{5000, kAdopter}});
  EXPECT_EQ(wake({outside(1, 5000)}).size(), 2U);
  EXPECT_TRUE(has(kOwner, 1, 5000)) << "at any time";
  EXPECT_FALSE(owns(kOwner, 1, 5000));
  EXPECT_FALSE(world.at(kOwner).replicator->made_here(inside(1)));
  world.run(3s);
  for (int host : {kOwner, kAdopter, kThird}) EXPECT_TRUE(has(host, 1, 5000)) << host;
  EXPECT_TRUE(owns(kAdopter, 1, 5000));
  EXPECT_TRUE(world.at(kAdopter).replicator->made_here(inside(1)));
  EXPECT_FALSE(owns(kOwner, 1, 5000));
  EXPECT_FALSE(owns(kThird, 1, 5000));
  EXPECT_EQ(counters(kOwner).yielded, 1U);
  EXPECT_EQ(counters(kAdopter).taken_over, 1U);
  EXPECT_EQ(counters(kOwner).yields_refused, 0U);
}

// It is used at the returned host alone, and kept alive everywhere: copies tell the owner, and he the others.
TEST_F(Yield, WhatTheReturnedHostSeesKeepsItAliveEverywhere) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({{5000, kAdopter}});
  wake({outside(1, 5000)});
  for (int i = 0; i < 6; ++i) {
    world.run(10s);
    use(kOwner, 1);
  }
  world.run(25s);
  for (int host : {kAdopter, kThird}) {
    EXPECT_GE(world.at(host).table.find(inside(1))->last_seen, world.now - 26s) << host;
    EXPECT_GE(world.at(host).table.find(outside(1, 5000))->last_seen, world.now - 26s) << host;
  }
  const Time last = world.at(kThird).table.find(inside(1))->last_seen;
  world.run(60s);
  EXPECT_LE(world.at(kThird).table.find(inside(1))->last_seen, last + 1s) << "and no host keeps it alive for another";
  EXPECT_LE(world.at(kAdopter).table.find(inside(1))->last_seen, last + 1s);
}

// Nobody had a copy: the block's new holder has given nothing out that clashes, and goes on with it.
TEST_F(Yield, AStrangerTakesOverWhatItHasNotGivenOut) {
  sleep({{5000, kThird}});
  world.wake(kOwner);
  world.run(1s);
  const ConnectionEntry entry = translation(5000, world.now);
  world.at(kOwner).table.open(outside(1, 5000), partner_entry(inside(1), entry));
  world.at(kOwner).table.open(inside(1), entry);
  wake({outside(1, 5000)});
  world.run(3s);
  EXPECT_TRUE(has(kOwner, 1, 5000));
  EXPECT_TRUE(owns(kThird, 1, 5000));
  world.run(30s);
  EXPECT_TRUE(has(kOwner, 1, 5000));
}

TEST_F(Yield, WhatTheHolderHasGivenOutAgainEndsWithBothHalves) {
  open(kOwner, 1, 5000);
  open(kOwner, 2, 5001);
  world.run(20ms);
  sleep({{5000, kAdopter}, {5001, kAdopter}});
  for (const auto& gone : {inside(1), outside(1, 5000)}) world.at(kAdopter).table.erase(gone);
  ConnectionEntry others = partner_entry(inside(9), translation(5000, world.now));
  world.at(kAdopter).table.open(outside(1, 5000), others);  // towards the same remote end, of another machine
  wake({outside(1, 5000), outside(2, 5001)});
  world.run(3s);
  EXPECT_EQ(world.at(kOwner).refused, 1U);
  EXPECT_EQ(counters(kOwner).yields_refused, 1U);
  EXPECT_FALSE(world.at(kOwner).table.find(inside(1)));
  EXPECT_FALSE(world.at(kOwner).table.find(outside(1, 5000)));
  EXPECT_EQ(world.at(kAdopter).table.find(outside(1, 5000))->port, 9);
  EXPECT_FALSE(world.at(kAdopter).table.find(inside(1))) << "no half of it";
  EXPECT_TRUE(has(kOwner, 2, 5001));
  EXPECT_TRUE(owns(kAdopter, 2, 5001));
}

TEST_F(Yield, EachBlockGoesToItsOwnAdopter) {
  open(kOwner, 1, 5000);
  open(kOwner, 2, 6000);
  world.run(20ms);
  sleep({{5000, kAdopter}, {6000, kThird}});
  wake({outside(1, 5000), outside(2, 6000)});
  world.run(3s);
  EXPECT_TRUE(owns(kAdopter, 1, 5000));
  EXPECT_FALSE(owns(kThird, 1, 5000));
  EXPECT_TRUE(owns(kThird, 2, 6000));
  EXPECT_FALSE(owns(kAdopter, 2, 6000));
  EXPECT_TRUE(has(kOwner, 1, 5000) && has(kOwner, 2, 6000));
}

TEST_F(Yield, TheHolderMayBecomeKnownLater) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({});
  wake({outside(1, 5000)});
  world.run(15s);
  EXPECT_TRUE(has(kOwner, 1, 5000));
  world.holders[5000] = kThird;
  world.at(kOwner).replicator->leases_changed(world.now);
  world.run(3s);
  EXPECT_TRUE(owns(kThird, 1, 5000));
  EXPECT_TRUE(has(kOwner, 1, 5000));
}

// The adopter dies before it is told, or after: who adopts next is told anew.
TEST_F(Yield, TheNextAdopterIsToldToo) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({{5000, kAdopter}});
  world.kill(kAdopter);
  wake({outside(1, 5000)});
  world.run(1s);
  for (int host : {kOwner, kThird}) world.at(host).replicator->lost(host_id(kAdopter), world.now);
  world.run(12s);
  EXPECT_TRUE(has(kOwner, 1, 5000)) << "which had a copy: it ends with age alone";
  world.holders[5000] = kThird;
  world.at(kOwner).replicator->leases_changed(world.now);
  world.run(3s);
  EXPECT_TRUE(owns(kThird, 1, 5000));
  EXPECT_TRUE(has(kOwner, 1, 5000));
}

TEST_F(Yield, WhoGetsThePortsBackOwnsTheConnectionsAgain) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({{5000, kAdopter}});
  wake({outside(1, 5000)});
  world.run(3s);
  world.kill(kAdopter);
  for (int host : {kOwner, kThird}) world.at(host).replicator->lost(host_id(kAdopter), world.now);
  world.run(1s);
  world.holders[5000] = kOwner;
  world.at(kOwner).replicator->leases_changed(world.now);
  EXPECT_TRUE(owns(kOwner, 1, 5000));
  world.wake(kAdopter);  // and gives way in its turn
  world.at(kAdopter).replicator->yield({{outside(1, 5000)}}, world.now);
  world.run(3s);
  EXPECT_TRUE(owns(kOwner, 1, 5000));
  EXPECT_FALSE(owns(kAdopter, 1, 5000));
}

// A stranger that cannot be told may give the ports out to anybody.
TEST_F(Yield, WhatAStrangerCannotBeToldOfEnds) {
  const ConnectionEntry entry = translation(5000, world.now);
  world.at(kOwner).table.open(outside(1, 5000), partner_entry(inside(1), entry));
  world.at(kOwner).table.open(inside(1), entry);
  world.holders[5000] = 5;  // which is not there
  world.at(kOwner).replicator->yield({{outside(1, 5000)}}, world.now);
  world.run(9s);
  EXPECT_TRUE(has(kOwner, 1, 5000));
  world.run(2s);
  EXPECT_FALSE(has(kOwner, 1, 5000));
  EXPECT_EQ(world.at(kOwner).ended.size(), 2U);
  EXPECT_EQ(counters(kOwner).yields_unheard, 1U);
}

// The cluster has said no, and its news of who has them comes later.
TEST_F(Yield, WhoseThePortsAreMayBecomeKnownLater) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({{5000, kAdopter}});
  world.holders.erase(5000);
  EXPECT_EQ(wake({outside(1, 5000)}).size(), 2U);
  EXPECT_FALSE(owns(kOwner, 1, 5000)) << "nor is it given out here";
  EXPECT_EQ(counters(kOwner).yielded, 0U) << "nobody is known who could take it over";
  world.holders[5000] = kAdopter;
  for (int i = 0; i < 2; ++i) world.at(kOwner).replicator->leases_changed(world.now);
  world.run(3s);
  EXPECT_TRUE(owns(kAdopter, 1, 5000));
  EXPECT_EQ(counters(kOwner).yielded, 1U);
  EXPECT_EQ(counters(kAdopter).taken_over, 1U);
}

TEST_F(Yield, WhoDoesNotHoldThePortsTakesNothingOver) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  world.holders[5000] = kAdopter;
  world.at(kOwner).replicator->yield({{outside(1, 5000)}}, world.now);
  world.holders[5000] = kThird;  // on its way
  world.run(3s);
  EXPECT_FALSE(owns(kAdopter, 1, 5000));
}

TEST_F(Yield, WhatIsYieldedAndEndsEndsEverywhere) {
  open(kOwner, 1, 5000);
  world.run(20ms);
  sleep({{5000, kAdopter}});
  wake({outside(1, 5000)});
  world.run(3s);
  const ConnectionKey ended[] = {inside(1), outside(1, 5000)};
  for (const auto& one : ended) world.at(kOwner).table.erase(one);
  world.at(kOwner).replicator->ended(ended, world.now);
  world.run(3s);
  for (int host : {kAdopter, kThird}) EXPECT_FALSE(has(host, 1, 5000)) << host;
}

// Over a bad network, many at once.
TEST(YieldUnderLoss, EveryConnectionIsKept) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    World world(seed, 3, 0.2);
    world.move_port(kGuest, kOwner);
    world.move_port(kUplink, kAdopter);
    std::vector<ConnectionKey> reverse;
    for (uint16_t number = 1; number <= 200; ++number) {
      ConnectionEntry entry;
      entry.address = kOutside;
      entry.port = static_cast<uint16_t>(5'000 + number);
      entry.last_seen = world.now;
      const ConnectionKey key{ConnectionKind::snat,      ip_proto::kTcp, number, 80, IpAddress::v4(0x0a000001),
                              IpAddress::v4(0xc6336401), kDevice};
      reverse.push_back(*partner_of(key, entry));
      world.at(kOwner).table.open(reverse.back(), partner_entry(key, entry));
      world.at(kOwner).table.open(key, entry);
      world.holders[entry.port] = kAdopter;
      const PortId ends[] = {kGuest, kUplink};
      const HostId peers[] = {host_id(kAdopter)};
      world.at(kOwner).replicator->share({{{key}}, ends, peers}, world.now);
    }
    if (seed % 2 == 0) world.run(1s);  // else not all are known when it happens
    world.at(kOwner).replicator->yield(reverse, world.now);
    world.run(10s);
    EXPECT_EQ(world.at(kOwner).replicator->counters().yields_refused, 0U);
    EXPECT_EQ(world.at(kAdopter).replicator->counters().taken_over, 200U);
    for (int host : {kOwner, kAdopter}) {
      size_t owned = 0;
      EXPECT_EQ(world.at(host).table.size(), 400U);
      world.at(host).table.for_each([&](const auto&, const ConnectionEntry& entry) { owned += entry.owned ? 1 : 0; });
      EXPECT_EQ(owned, host == kAdopter ? 400U : 0U);
    }
  }
}

}  // namespace
}  // namespace viaduct::flows
