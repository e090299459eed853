// Keys and ports that are used again soon after their connections have ended.
#include "replication_world.hpp"

namespace viaduct::flows {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr int kHost = 0, kGateway = 1, kOtherGateway = 2;
constexpr uint16_t kPort = 60'738;

// The machine and the lease of its ports are at kHost; both gateways see answers.
class Reopen : public ::testing::Test {
 protected:
  Reopen() {
    world.holders[kPort] = kHost;
    world.move_port(kGuest, kHost);
    world.move_port(kUplink, kGateway);
    world.move_port(kOther, kOtherGateway);
  }
  // As a packet worker does it, with the first packet of a connection.
  void open(uint16_t number, uint16_t port) {
    ConnectionTable& table = world.at(kHost).table;
    const ConnectionEntry entry = translation(port, world.now);
    const ConnectionKey keys[] = {outside(number, port), inside(number)};
    ASSERT_EQ(table.open(keys[0], partner_entry(keys[1], entry)), OpenResult::added);
    ASSERT_EQ(table.open(keys[1], entry), OpenResult::added);
    const PortId ends[] = {kGuest, kUplink, kOther};
    const HostId peers[] = {host_id(kGateway), host_id(kOtherGateway)};
    world.at(kHost).replicator->share({keys, ends, peers, ++ticket_, false, 2}, world.now);
  }
  // Of age, here alone: nobody is told.
  void age(int host, uint16_t number, uint16_t port) {
    world.at(host).table.erase(inside(number));
    world.at(host).table.erase(outside(number, port));
  }
  void answer(int host, uint16_t number) {
    EXPECT_TRUE(world.at(host).table.touch(inside(number), Direction::back, 0, world.now));
  }
  void expect_pair(int host, uint16_t number, uint16_t port) {
    SCOPED_TRACE("host " + std::to_string(host));
    const auto forward = world.at(host).table.find(inside(number));
    const auto back = world.at(host).table.find(outside(number, port));
    ASSERT_TRUE(forward && back);
    EXPECT_EQ(forward->port, port);
    EXPECT_EQ(back->port, number) << "answers go to another connection";
  }
  bool has_forward(int host, uint16_t number) { return world.at(host).table.find(inside(number)).has_value(); }
  World world{1, 3};

 private:
  ReplicationTicket ticket_ = 0;
};

TEST_F(Reopen, APortThatIsGivenOutAgainIsTheNewConnectionsEverywhere) {
  open(1, kPort);
  world.run(50ms);
  age(kHost, 1, kPort);
  open(2, kPort);
  world.run(50ms);
  for (const int host : {kHost, kGateway, kOtherGateway}) {
    expect_pair(host, 2, kPort);
    EXPECT_FALSE(has_forward(host, 1)) << host << ": half of a pair";
  }
}

TEST_F(Reopen, TheSameConnectionIsToldAgainWhereItHasEnded) {
  open(1, kPort);
  world.run(50ms);
  for (const int host : {kHost, kGateway, kOtherGateway}) age(host, 1, kPort);
  open(1, kPort);
  world.run(50ms);
  for (const int host : {kHost, kGateway, kOtherGateway}) expect_pair(host, 1, kPort);
}

TEST_F(Reopen, ThePacketThatOpensItAgainWaitsForAllWhoAreToKnow) {
  open(1, kPort);
  world.run(50ms);
  age(kHost, 1, kPort);
  world.at(kHost).released.clear();
  world.kill(kGateway);
  open(2, kPort);
  world.run(20ms);
  EXPECT_TRUE(world.at(kHost).released.empty());
  world.wake(kGateway);
  world.run(200ms);
  EXPECT_EQ(world.at(kHost).released, std::vector<ReplicationTicket>{2});
}

TEST_F(Reopen, WhoHadTheOldEntryHasTheNewOneThoughNoPacketGoesThere) {
  open(1, kPort);
  world.run(50ms);
  age(kHost, 1, kPort);
  const ConnectionEntry entry = translation(kPort, world.now);
  const ConnectionKey keys[] = {outside(2, kPort), inside(2)};
  world.at(kHost).table.open(keys[0], partner_entry(keys[1], entry));
  world.at(kHost).table.open(keys[1], entry);
  const HostId peers[] = {host_id(kGateway)};
  world.at(kHost).replicator->share({keys, {}, peers, 0, false, 2}, world.now);
  world.run(50ms);
  EXPECT_EQ(world.at(kOtherGateway).table.find(keys[0])->port, 2);
}

TEST_F(Reopen, WhatEndsByDecisionAndIsOpenedBeforeThatIsKnownIsNotEnded) {
  open(1, kPort);
  world.run(50ms);
  age(kHost, 1, kPort);
  open(1, kPort);
  const ConnectionKey keys[] = {inside(1), outside(1, kPort)};
  world.at(kHost).replicator->ended(keys, world.now);
  world.run(50ms);
  for (const int host : {kHost, kGateway, kOtherGateway}) expect_pair(host, 1, kPort);
}

// The owner has used it later than the gateway has seen the only answer: the time alone says nothing new.
TEST_F(Reopen, AnAnswerIsKnownToTheOwnerThoughItWasNotTheLastPacket) {
  open(1, kPort);
  world.run(9'500ms);
  answer(kGateway, 1);
  world.now += 50ms;
  const ConnectionEntry later = translation(kPort, world.now);
  StateBatch batch{1'000'000, {{inside(1), later, false, {}, Ownership::senders}}};
  world.at(kGateway).replicator->receive({host_id(kHost), host_id(kGateway), 77, batch}, host_id(kHost), world.now);
  world.run(25s);
  for (const int host : {kHost, kGateway, kOtherGateway}) {
    EXPECT_EQ(world.at(host).table.find(inside(1))->state(), ConnectionState::established) << host;
  }
}

// Packets that all come to user space, as those of ICMP queries: each is shared.
TEST_F(Reopen, UseIsSaidAgainAlsoOfWhatIsSharedAllTheTime) {
  open(1, kPort);
  const PortId ends[] = {kGuest, kUplink, kOther};
  const HostId peers[] = {host_id(kGateway), host_id(kOtherGateway)};
  const ConnectionKey keys[] = {inside(1)};
  for (int second = 0; second < 60; ++second) {
    world.at(kHost).table.touch(keys[0], Direction::forward, 0, world.now);
    world.at(kHost).replicator->share({keys, ends, peers}, world.now);
    world.run(1s);
  }
  for (const int host : {kGateway, kOtherGateway}) {
    EXPECT_LE(world.now - world.at(host).table.find(keys[0])->last_seen, 12s) << host;
  }
}

TEST_F(Reopen, TheHolderOfThePortsEndsWhatOthersStillHave) {
  open(1, kPort);
  world.run(50ms);
  // The gateway hears nothing of what happens meanwhile.
  world.kill(kGateway);
  age(kHost, 1, kPort);
  world.at(kHost).replicator->reach({host_id(kOtherGateway)});
  world.run(15s);
  const ConnectionEntry entry = translation(kPort, world.now);
  const ConnectionKey keys[] = {outside(2, kPort), inside(2)};
  world.at(kHost).table.open(keys[0], partner_entry(keys[1], entry));
  world.at(kHost).table.open(keys[1], entry);
  const HostId peers[] = {host_id(kOtherGateway)};
  world.at(kHost).replicator->share({keys, {}, peers, 0, false, 2}, world.now);
  world.run(50ms);
  world.wake(kGateway);
  world.at(kHost).replicator->reach({host_id(kGateway), host_id(kOtherGateway)});
  answer(kGateway, 1);
  world.run(12s);
  for (const int host : {kHost, kGateway, kOtherGateway}) {
    EXPECT_FALSE(has_forward(host, 1)) << host;
    const auto back = world.at(host).table.find(outside(2, kPort));
    ASSERT_TRUE(back) << host;
    EXPECT_EQ(back->port, 2) << host;
  }
  EXPECT_TRUE(world.at(kHost).table.find(inside(2))->owned);
  EXPECT_GE(world.at(kHost).replicator->counters().conflicts, 1U);
}

TEST_F(Reopen, WhatTheHolderDoesNotKnowAndNobodyElseHasGoesOn) {
  open(1, kPort);
  world.run(50ms);
  world.start(kHost);  // it has forgotten everything
  answer(kGateway, 1);
  world.run(12s);
  EXPECT_TRUE(has_forward(kHost, 1));
  EXPECT_TRUE(has_forward(kGateway, 1));
}

}  // namespace
}  // namespace viaduct::flows
