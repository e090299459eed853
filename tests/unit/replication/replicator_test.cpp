// Hosts that share connections; see replication_world.hpp.
#include "replication_world.hpp"

namespace viaduct::flows {
namespace {

using namespace testing;
using namespace std::chrono_literals;

TEST(Replicator, APacketIsReleasedWhenItsPeersHaveTheState) {
  World world(1, 3);
  EXPECT_TRUE(world.open(0, 1, {host_id(1), host_id(2), host_id(0)}, 11));
  EXPECT_TRUE(world.at(0).released.empty());
  world.run(10ms);
  EXPECT_EQ(world.at(0).released, std::vector<ReplicationTicket>{11});
  for (int n : {1, 2}) {
    const auto copy = world.at(n).table.find(key(1));
    ASSERT_TRUE(copy);
    EXPECT_FALSE(copy->owned);
  }
  EXPECT_FALSE(world.open(0, 1, {host_id(1)}, 12)) << "it has that already";
  EXPECT_TRUE(world.open(0, 1, {host_id(1), host_id(3)}, 13)) << "but not another";
}

TEST(Replicator, ASilentPeerHoldsNobodyUpForLong) {
  World world(2, 2);
  world.kill(1);
  EXPECT_TRUE(world.open(0, 1, {host_id(1)}, 11));
  world.run(400ms);
  EXPECT_EQ(world.at(0).released, std::vector<ReplicationTicket>{11});
  EXPECT_EQ(world.at(0).replicator->counters().unacknowledged, 1U);
  EXPECT_FALSE(world.open(0, 2, {host_id(1)}, 12)) << "known to be silent";
  world.start(1);
  world.run(3s);
  EXPECT_TRUE(world.at(1).table.find(key(1)));
  EXPECT_TRUE(world.at(1).table.find(key(2)));
  EXPECT_TRUE(world.open(0, 3, {host_id(1)}, 13));
}

TEST(Replicator, APeerInAnotherLifeIsToldEverythingAgain) {
  World world(3, 2);
  for (uint32_t i = 0; i < 500; ++i) world.open(0, i, {host_id(1)}, 0);
  world.run(100ms);
  EXPECT_EQ(world.at(1).table.size(), 500U);
  world.start(1);
  world.open(0, 1'000, {host_id(1)}, 0);
  world.run(300ms);
  EXPECT_EQ(world.at(1).table.size(), 501U);
  EXPECT_EQ(world.at(0).replicator->counters().resyncs, 1U);
}

TEST(Replicator, UseAnywhereIsKnownEverywhere) {
  World world(4, 3);
  world.open(0, 1, {host_id(1), host_id(2)}, 0);
  world.run(50ms);
  world.now += 5s;
  const Time used = world.now;
  world.at(2).table.touch(key(1), Direction::back, 0, used);
  world.run(25s);
  for (int n : {0, 1, 2}) {
    ASSERT_TRUE(world.at(n).table.find(key(1)));
    EXPECT_NEAR((world.at(n).table.find(key(1))->last_seen - used) / 1ms, 0, 5) << n;
    EXPECT_NE(world.at(n).table.find(key(1))->seen_back, 0) << n;
  }
}

TEST(Replicator, WhatEndsByDecisionEndsEverywhere) {
  World world(5, 2);
  world.open(0, 1, {host_id(1)}, 0);
  world.run(20ms);
  const ConnectionKey keys[] = {key(1)};
  world.at(0).table.erase(key(1));
  world.at(0).replicator->ended(keys, world.now);
  world.run(20ms);
  EXPECT_FALSE(world.at(1).table.find(key(1)));
}

TEST(Replicator, ForeignClaimsAreCountedAndNotHeard) {
  World world(6, 2);
  ConnectionUpdate update{key(1), {}, false};
  update.key.device = Uuid::from_words(9, 9);
  Replicator& one = *world.at(0).replicator;
  one.receive({host_id(1), host_id(0), 5, StateBatch{1, {update}}}, host_id(1), world.now);
  EXPECT_EQ(one.counters().not_theirs, 1U);
  update.key.device = kDevice;
  one.receive({host_id(1), host_id(0), 5, StateBatch{1, {update}}}, host_id(2), world.now);
  one.receive({host_id(1), host_id(2), 5, StateBatch{1, {update}}}, host_id(1), world.now);
  EXPECT_EQ(one.counters().not_for_us, 2U);
  EXPECT_EQ(world.at(0).table.size(), 0U);
}

TEST(Replicator, NobodyWaitsForAHostThatCannotBeReachedAnyMore) {
  World world(7, 2);
  world.kill(1);
  EXPECT_TRUE(world.open(0, 1, {host_id(1)}, 11));
  world.at(0).replicator->reach({host_id(2)});
  world.run(1ms);
  EXPECT_EQ(world.at(0).released, std::vector<ReplicationTicket>{11});
  EXPECT_EQ(world.at(0).replicator->counters().unacknowledged, 1U);
}

TEST(Replicator, AKeyThatEndsAndComesAgainIsLookedAtOnce) {
  World world(8, 2);
  const ConnectionKey keys[] = {key(1)};
  for (int i = 0; i < 50; ++i) {
    world.open(0, 1, {host_id(1)}, 0);
    world.at(0).replicator->ended(keys, world.now);
    world.at(0).table.erase(key(1));
    world.now += 1ms;
  }
  world.open(0, 1, {host_id(1)}, 0);
  world.run(12s);
  EXPECT_EQ(world.at(0).replicator->looks_waiting(), 1U);
}

TEST(Replicator, MoreThanALinkHoldsIsSentAnewFromTheTable) {
  ConnectionTable table;
  ReplicationLink::Options tight;
  tight.max_waiting = 10;
  ReplicationLink link(tight);
  for (uint32_t i = 0; i < 25; ++i) link.put(key(i), {key(i), {}, false}, i + 1, kStart);
  EXPECT_EQ(link.give_up(kStart).size(), 20U) << "nobody waits for what was forgotten";
  EXPECT_EQ(link.overflows(), 2U);
  EXPECT_TRUE(link.resync());
  EXPECT_FALSE(link.resync());
  EXPECT_LE(link.waiting(), 10U);
}

TEST(Replicator, ALinkSaysWhatIsNotAcknowledgedAndHowLongThatTook) {
  std::vector<std::chrono::nanoseconds> took;
  ReplicationLink::Options options;
  options.on_acknowledged = [&](std::chrono::nanoseconds time) { took.push_back(time); };
  ReplicationLink link(options);
  EXPECT_FALSE(link.oldest());
  const auto ms = [](int count) { return std::chrono::milliseconds(count); };
  link.put(key(1), {key(1), {}, false}, 0, kStart);
  EXPECT_EQ(link.oldest(), kStart) << "waiting";
  ASSERT_EQ(link.poll(kStart + ms(1), 10).size(), 1u);
  link.put(key(2), {key(2), {}, false}, 0, kStart + ms(2));
  EXPECT_EQ(link.oldest(), kStart) << "in flight";
  link.acknowledged({1}, 7, kStart + ms(5));
  EXPECT_EQ(took, (std::vector<std::chrono::nanoseconds>{ms(4)}));
  EXPECT_EQ(link.oldest(), kStart + ms(2));
  ASSERT_EQ(link.poll(kStart + ms(6), 10).size(), 1u);
  link.poll(kStart + ms(100), 10);  // sent again: counted since the first time
  link.acknowledged({2}, 7, kStart + ms(106));
  EXPECT_EQ(took.back(), ms(100));
  EXPECT_FALSE(link.oldest());
}

TEST(Replicator, LosesNothingWhateverTheNetworkDoes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    World world(seed, 4, 0.2, std::chrono::milliseconds(random() % 30));
    std::map<uint32_t, int> owner;
    size_t tickets = 0;
    for (uint32_t number = 0; number < 300; ++number) {
      const int by = static_cast<int>(random() % 4);
      owner[number] = by;
      if (world.open(by, number, {host_id(0), host_id(1), host_id(2), host_id(3)}, number + 1)) ++tickets;
      world.run(std::chrono::milliseconds(random() % 5));
    }
    world.run(15s);
    size_t released = 0;
    for (int n = 0; n < 4; ++n) {
      EXPECT_EQ(world.at(n).table.size(), 300U) << "host " << n;
      released += world.at(n).released.size();
      EXPECT_EQ(world.at(n).replicator->backlog(), 0U);
    }
    EXPECT_EQ(released, tickets) << "every packet that waits goes on";
  }
}

TEST(StateFrame, ReadsWhatItWrites) {
  ConnectionUpdate update{key(3), {}, false};
  update.entry.address = *IpAddress::parse("2001:db8::1");
  update.entry.port = 9;
  update.entry.seen_forward = seen::kPacket | seen::kSyn;
  update.entry.owned = false;
  update.entry.tenant = 5;
  update.entry.port_account = 6;
  update.entry.last_seen = kStart - 250ms;
  ConnectionUpdate gone{key(4), {}, true};
  update.ends.assign(kMaxEnds, kGuest);
  StateFrame frame{host_id(1), host_id(2), 77, StateBatch{8, std::vector<ConnectionUpdate>(kMaxUpdates - 1, update)}};
  auto& updates = std::get<StateBatch>(frame.content).updates;
  updates.push_back(gone);
  updates[0].ownership = Ownership::senders;
  updates[1].ownership = Ownership::receivers;
  updates[2].ownership = Ownership::refused;
  const std::vector<uint8_t> bytes = encode(frame, kStart);
  EXPECT_LE(bytes.size() + 50, 1'280U) << "with the outer headers";
  const auto again = decode_state_frame(bytes, kStart);
  ASSERT_TRUE(std::holds_alternative<StateFrame>(again));
  EXPECT_EQ(std::get<StateFrame>(again), frame);
  StateFrame answer{host_id(2), host_id(1), 78, StateAcknowledgement{77, {8, 9}}};
  EXPECT_EQ(std::get<StateFrame>(decode_state_frame(encode(answer, kStart), kStart)), answer);
}

TEST(StateFrame, RefusesWhatIsNone) {
  const StateFrame frame{host_id(1), host_id(2), 77, StateBatch{8, {{key(1), {}, false}}}};
  std::vector<uint8_t> bytes = encode(frame, kStart);
  const auto error_of = [](const std::vector<uint8_t>& of) {
    const auto result = decode_state_frame(of, kStart);
    return std::holds_alternative<StateFrameError>(result) ? std::get<StateFrameError>(result)
                                                           : StateFrameError::count_;
  };
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(error_of({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length)}), StateFrameError::count_);
  }
  std::vector<uint8_t> other = bytes;
  other[18] = 9;
  EXPECT_EQ(error_of(other), StateFrameError::unknown_version);
  EXPECT_EQ(error_of(encode({host_id(1), HostId{}, 77, StateBatch{8, {}}}, kStart)), StateFrameError::bad_host);
  EXPECT_EQ(error_of(encode({host_id(1), host_id(2), 0, StateBatch{8, {}}}, kStart)), StateFrameError::bad_life);
  EXPECT_EQ(error_of(encode({host_id(1), host_id(2), 7, StateBatch{0, {}}}, kStart)), StateFrameError::bad_sequence);
  const std::vector<ConnectionUpdate> many(kMaxUpdates + 1, {key(1), {}, false});
  EXPECT_EQ(error_of(encode({host_id(1), host_id(2), 7, StateBatch{1, many}}, kStart)), StateFrameError::too_many);
}

TEST(Replicator, LearnsHowLongAnswersTake) {
  World world(8, 2, 0, 20ms);  // a round trip takes longer than the first time-out
  for (uint32_t number = 0; number < 600; ++number) {
    world.open(0, number, {host_id(1)}, 0);
    if (number % 6 == 5) world.run(100ms);
  }
  EXPECT_EQ(world.at(1).table.size(), 600U);
  EXPECT_LE(world.at(0).replicator->counters().sent_again, 10U) << "of a hundred batches";
}

TEST(Replicator, AnEndIsHeardByAllWhoHaveTheEntryAndByNoStranger) {
  World world(9, 4);
  world.open(0, 1, {host_id(1), host_id(2)}, 0);
  world.open(0, 2, {host_id(1), host_id(2)}, 0);
  world.run(20ms);
  // A copy ends it: an operator has flushed the table there.
  const ConnectionKey ended[] = {key(1)};
  world.at(1).table.erase(key(1));
  world.at(1).replicator->ended(ended, world.now);
  world.run(20ms);
  EXPECT_FALSE(world.at(0).table.find(key(1)));
  EXPECT_FALSE(world.at(2).table.find(key(1)));
  EXPECT_TRUE(world.at(2).table.find(key(2)));
  const StateFrame forged{host_id(3), host_id(0), 77, StateBatch{1, {{key(2), {}, true}}}};
  world.at(0).replicator->receive(forged, host_id(3), world.now);
  EXPECT_TRUE(world.at(0).table.find(key(2)));
  EXPECT_EQ(world.at(0).replicator->counters().not_theirs, 1U);
}

TEST(Replicator, WhoOpensWhileAPeerIsSilentDoesNotWaitAndIsCounted) {
  World world(10, 2);
  world.at(0).replicator->lost(host_id(1), world.now);
  EXPECT_FALSE(world.open(0, 1, {host_id(1)}, 7));
  EXPECT_EQ(world.at(0).replicator->counters().unacknowledged, 1U);
  world.run(5s);
  EXPECT_TRUE(world.at(1).table.find(key(1))) << "it is told as soon as it answers";
}

// --- ports that move -------------------------------------------------------------------------------

TEST(PortMoves, the_new_host_has_what_enters_or_leaves_there) {
  World world(1, 4);
  world.move_port(kGuest, 0);
  world.move_port(kUplink, 1);
  world.move_port(kOther, 1);
  for (uint32_t number = 0; number < 100; ++number) {
    world.open_between(0, number, {kGuest, number % 2 == 0 ? kUplink : kOther});
  }
  world.run(50ms);
  EXPECT_EQ(world.at(1).table.size(), 100U);
  world.move_port(kUplink, 2);
  world.run(50ms);
  EXPECT_EQ(world.at(2).table.size(), 50U);
  world.move_port(kGuest, 3);  // the owner lives on where it was
  world.run(50ms);
  EXPECT_EQ(world.at(3).table.size(), 100U);
  EXPECT_FALSE(world.at(3).table.find(key(1))->owned);
}

TEST(PortMoves, a_copy_tells_when_its_owner_is_dead) {
  World world(2, 4);
  world.move_port(kGuest, 1);
  world.move_port(kUplink, 0);
  world.open_between(0, 1, {kGuest, kUplink});  // from outside, by the gateway
  world.run(50ms);
  world.use(1, 1, {kGuest, kUplink});  // the guest answers
  world.kill(0);
  world.move_port(kUplink, 2);  // another gateway: the guest's host does not know yet that the owner is silent
  world.run(20ms);
  EXPECT_FALSE(world.at(2).table.find(key(1)));
  world.at(1).replicator->lost(host_id(0), world.now);
  world.run(20ms);
  ASSERT_TRUE(world.at(2).table.find(key(1)));
  world.move_port(kGuest, 3);
  world.run(50ms);
  EXPECT_TRUE(world.at(3).table.find(key(1)));
}

// Whichever half of a pair is looked at first.
TEST(PortMoves, a_copy_tells_of_both_halves_when_its_owner_is_dead) {
  World world(2, 4);
  world.move_port(kGuest, 1);
  world.move_port(kUplink, 0);
  world.move_port(kOther, 2);  // another gateway
  std::vector<ConnectionKey> keys;
  for (uint16_t number = 1; number <= 20; ++number) {
    ConnectionEntry entry;
    entry.address = IpAddress::v4(0x0a000001);
    entry.port = 8080;
    entry.last_seen = world.now;
    ConnectionKey dnat = key(number);
    dnat.kind = ConnectionKind::dnat;
    const ConnectionKey back = *partner_of(dnat, entry);
    world.at(0).table.open(back, partner_entry(dnat, entry));
    world.at(0).table.open(dnat, entry);
    const PortId ends[] = {kGuest, kUplink, kOther};
    const HostId peers[] = {host_id(1), host_id(2)};
    world.at(0).replicator->share({{{dnat}}, ends, peers}, world.now);
    keys.insert(keys.end(), {dnat, back});
  }
  world.run(50ms);
  world.kill(0);
  for (int host : {1, 2}) world.at(host).replicator->lost(host_id(0), world.now);
  world.run(50ms);
  world.move_port(kGuest, 3);
  world.run(50ms);
  for (const ConnectionKey& one : keys) EXPECT_TRUE(world.at(3).table.find(one)) << one.to_string();
}

TEST(PortMoves, a_host_that_is_reached_again_is_told_everything) {
  World world(4, 2);
  world.move_port(kGuest, 0);
  world.move_port(kUplink, 1);
  world.at(0).replicator->reach({});
  world.open_between(0, 1, {kGuest, kUplink});
  world.run(50ms);
  EXPECT_FALSE(world.at(1).table.find(key(1)));
  world.at(0).replicator->reach({host_id(1)});
  world.run(50ms);
  EXPECT_TRUE(world.at(1).table.find(key(1)));
}

// What a port's host knows is at the next one before it says so, whatever is lost.
TEST(PortMoves, are_answered_when_everything_is_there) {
  for (const double loss : {0.0, 0.05, 0.3}) {
    World world(5, 3, loss, 20ms);
    world.move_port(kGuest, 0);
    world.move_port(kUplink, 1);
    world.run(1ms);
    for (uint32_t number = 0; number < 200; ++number) world.open_between(0, number, {kGuest, kUplink});
    world.run(3s);
    const uint64_t question = world.at(2).replicator->ask(host_id(0), {kGuest}, world.now);
    ASSERT_NE(question, 0U);
    for (int i = 0; i < 1'000 && world.at(2).handed.empty(); ++i) {
      if (loss == 0) {
        EXPECT_LE(world.at(2).table.size(), 200U);
      }
      world.run(1ms);
    }
    ASSERT_EQ(world.at(2).handed.size(), 1U) << loss;
    const bool answered = world.at(2).replicator->counters().not_answered == 0;
    EXPECT_TRUE(answered || loss > 0.1);
    if (answered) {
      EXPECT_EQ(world.at(2).table.size(), 200U) << loss;
    }
  }
}

TEST(PortMoves, nobody_waits_long_for_a_host_that_does_not_answer) {
  World world(6, 2);
  world.kill(0);
  ASSERT_NE(world.at(1).replicator->ask(host_id(0), {kGuest}, world.now), 0U);
  world.run(900ms);
  EXPECT_TRUE(world.at(1).handed.empty());
  world.run(200ms);
  EXPECT_EQ(world.at(1).handed.size(), 1U);
  EXPECT_EQ(world.at(1).replicator->counters().not_answered, 1U);
  world.at(1).replicator->lost(host_id(0), world.now);
  EXPECT_EQ(world.at(1).replicator->ask(host_id(0), {kGuest}, world.now), 0U) << "known not to answer";
  EXPECT_EQ(world.at(1).replicator->counters().not_answered, 2U);
  world.wake(0);
  world.at(1).replicator->back(host_id(0), world.now);
  EXPECT_NE(world.at(1).replicator->ask(host_id(0), {kGuest}, world.now), 0U) << "though nothing was sent to it since";
  world.run(50ms);
  EXPECT_EQ(world.at(1).handed.size(), 2U);
  EXPECT_EQ(world.at(1).replicator->counters().not_answered, 2U);
}

TEST(PortMoves, what_has_ended_is_forgotten) {
  World world(3, 3);
  world.move_port(kGuest, 0);
  world.move_port(kUplink, 1);
  world.open_between(0, 1, {kGuest, kUplink});
  world.open_between(0, 2, {kGuest, kUplink});
  world.run(50ms);
  const ConnectionKey ended[] = {key(1)};
  world.at(0).table.erase(key(1));
  world.at(0).replicator->ended(ended, world.now);
  world.run(50ms);
  EXPECT_FALSE(world.at(1).table.find(key(1)));
  world.move_port(kUplink, 2);
  world.run(50ms);
  EXPECT_FALSE(world.at(2).table.find(key(1)));
  EXPECT_TRUE(world.at(2).table.find(key(2)));
}

}  // namespace
}  // namespace viaduct::flows
