// host1 and host2 on one bridge and one router; the cluster has two nodes, each with its own view of the database.
//
//   host1 ── port11 ─┐                        ┌─ port21 ── host1
//                bridge1 ── port13 ── port23 ─ router2
//   host2 ── port12 ─┘                        └─ port22 ── host2
#include "actors/cluster/host_states.hpp"

#include <random>

#include "nsdb.hpp"

namespace viaduct::actors::cluster_test {
namespace {

using namespace topology::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using topology::FloodKey;
using topology::HostFact;
using topology::HostSession;
using topology::MacClaim;
using topology::NeighbourClaim;
using topology::PortActive;
using topology::StateEntry;
using topology::StateWrite;
using topology::StateWritten;
using Accident = AccidentStore::Accident;
using Mode = StateWrite::Mode;

constexpr std::chrono::seconds kLease{10}, kLonger{11};
constexpr WallTime kNow{std::chrono::seconds(1'800'000'000)};
const HostId kOne = id<HostId>(101), kTwo = id<HostId>(102);
const BridgeId kBridge = id<BridgeId>(1);
const MacAddress kGuest = mac("02:00:00:00:00:2a");

topology::Port bound(topology::Port port, HostId host) {
  port.host = host;
  port.interface = "if" + port.name;
  return port;
}
topology::Port linked(topology::Port port, uint64_t peer) {
  port.peer = id<PortId>(peer);
  return port;
}
std::vector<topology::Object> two_hosts() {
  return {bridge(1),
          router(2),
          bound(bridge_port(11, 1), kOne),
          bound(bridge_port(12, 1), kTwo),
          bound(router_port(21, 2, "10.0.1.1/24"), kOne),
          bound(router_port(22, 2, "10.0.2.1/24"), kTwo),
          linked(bridge_port(13, 1), 23),
          linked(router_port(23, 2, "10.0.3.1/24"), 13)};
}

// A node of the cluster.
struct Node {
  Node(store::Store& nsdb, const std::string& name) : line(nsdb), states(line, name, kLease) {
    EXPECT_EQ(view.load(nsdb), std::nullopt);
    states.follow(everything());
  }
  StatesChanged everything() const {
    StatesChanged all{view.snapshot(), {}, true};
    view.states().for_each([&](const std::string&, const auto& entry) { all.changes.push_back({nullptr, entry}); });
    return all;
  }
  void follow() {
    for (const auto& batch : changes_of(line, view.revision() + 1)) {
      auto step = view.follow(batch, {});
      states.follow({step.snapshot, step.states, false});
    }
  }
  SessionBegun begin(HostId host, const std::string& instance = "first") {
    return states.begin({host, "h", instance}, kNow);
  }
  StateWritten write(HostId host, uint64_t epoch, StateWrite what) {
    return states.write({host, epoch, std::make_shared<const StateWrite>(std::move(what))});
  }
  StateWritten claim(HostId host, uint64_t epoch, HostFact fact, Mode mode = Mode::claim) {
    return write(host, epoch, {{{StateEntry{host, {}, 0, std::move(fact)}, mode}}, {}, false});
  }

  AccidentStore line;
  NsdbView view;
  HostStates states;
};

class HostStatesTest : public ::testing::Test {
 protected:
  static MacClaim guest_at(uint64_t port) { return {kBridge, 0, kGuest, id<PortId>(port)}; }
  static std::string key_of(const HostFact& fact, HostId host = kOne) {
    return topology::state_key({host, {}, 0, fact});
  }
  // Who has it, as the database says; nil: nobody.
  HostId owner(const std::string& key) {
    auto got = nsdb->get(key);
    EXPECT_TRUE(got);
    if (!got->entry) return {};
    auto entry = topology::decode_state(store::as_bytes(got->entry->value));
    EXPECT_TRUE(entry);
    return entry->host;
  }
  HostId owner(const HostFact& fact) { return owner(key_of(fact)); }
  size_t stored(const std::string& prefix = "/state/") {
    auto page = nsdb->range({prefix});
    EXPECT_TRUE(page);
    return page->entries.size();
  }

  MemoryNsdb nsdb;
  store::Revision topology = write(*nsdb, two_hosts());
  Node a{*nsdb, "node-a"};
};

// --- sessions --------------------------------------------------------------------------------------

TEST_F(HostStatesTest, ASessionBeginsAndGoesOn) {
  auto first = a.begin(kOne);
  EXPECT_EQ(first.refused, "");
  EXPECT_TRUE(first.fresh);
  EXPECT_EQ(first.lease, kLease);
  EXPECT_FALSE(a.states.keep(kOne, first.epoch).ended);
  a.claim(kOne, first.epoch, PortActive{id<PortId>(11), 7});
  auto next = a.begin(kOne);
  EXPECT_FALSE(next.fresh) << "the same daemon has come again";
  EXPECT_GT(next.epoch, first.epoch);
  EXPECT_TRUE(a.states.keep(kOne, first.epoch).ended) << "its earlier life is over";
  EXPECT_TRUE(a.claim(kOne, first.epoch, guest_at(11)).ended);
  EXPECT_EQ(owner(PortActive{id<PortId>(11), 7}), kOne);
}

TEST_F(HostStatesTest, AHostWhoIsHeardKeepsItsEntries) {
  auto session = a.begin(kOne);
  a.claim(kOne, session.epoch, guest_at(11));
  for (int i = 0; i < 10; ++i) {
    nsdb.pass(kLease / 2);
    EXPECT_FALSE(a.states.keep(kOne, session.epoch).ended);
  }
  EXPECT_EQ(owner(guest_at(11)), kOne);
}

TEST_F(HostStatesTest, ASilentHostLosesEverythingAndBeginsAnew) {
  auto session = a.begin(kOne);
  a.claim(kOne, session.epoch, guest_at(11));
  nsdb.pass(kLonger);
  EXPECT_EQ(stored(), 0);
  EXPECT_TRUE(a.states.keep(kOne, session.epoch).ended) << "also before the watch says so";
  a.follow();
  EXPECT_TRUE(a.states.keep(kOne, session.epoch).ended);
  EXPECT_EQ(a.states.states().size(), 0);
  EXPECT_TRUE(a.begin(kOne).fresh);
}

TEST_F(HostStatesTest, ACopyOfAHostIsRefusedWhileTheHostLives) {
  auto session = a.begin(kOne, "the host");
  auto copy = a.begin(kOne, "its copy");
  EXPECT_THAT(copy.refused, HasSubstr("is in use"));
  EXPECT_THAT(copy.refused, HasSubstr("host-id"));
  EXPECT_FALSE(a.states.keep(kOne, session.epoch).ended) << "the host does not notice";
  nsdb.pass(kLonger);
  a.follow();
  EXPECT_EQ(a.begin(kOne, "its copy").refused, "") << "a new installation under the old id";
}

// --- fencing ---------------------------------------------------------------------------------------

class FencingTest : public HostStatesTest {
 protected:
  Node b{*nsdb, "node-b"};
};

// host1 is frozen, its guest is started on host2 meanwhile, and host1 wakes up.
TEST_F(FencingTest, AHostThatSleptThroughItsLeaseOverwritesNothing) {
  auto one = a.begin(kOne);
  a.claim(kOne, one.epoch, guest_at(11));
  nsdb.pass(kLonger);
  auto two = b.begin(kTwo);
  b.follow();
  ASSERT_FALSE(b.claim(kTwo, two.epoch, guest_at(12)).ended);
  auto late = a.claim(kOne, one.epoch, guest_at(13));
  EXPECT_TRUE(late.ended) << "its node has not heard of the end yet: the database knows";
  EXPECT_EQ(owner(guest_at(12)), kTwo);
  a.follow();
  EXPECT_TRUE(a.claim(kOne, one.epoch, guest_at(11)).ended);
  EXPECT_EQ(owner(guest_at(12)), kTwo);
}

TEST_F(FencingTest, AHostMovesFromNodeToNodeWithoutLosingAnything) {
  auto at_a = a.begin(kOne);
  a.claim(kOne, at_a.epoch, guest_at(11));
  b.follow();
  auto at_b = b.begin(kOne);
  EXPECT_FALSE(at_b.fresh);
  EXPECT_EQ(owner(guest_at(11)), kOne);
  EXPECT_TRUE(a.claim(kOne, at_a.epoch, PortActive{id<PortId>(11), 7}).ended) << "what was still on its way to a";
  EXPECT_EQ(owner(PortActive{id<PortId>(11), 7}), HostId());
  a.follow();
  EXPECT_TRUE(a.states.keep(kOne, at_a.epoch).ended);
  nsdb.pass(kLease / 2);
  EXPECT_FALSE(b.states.keep(kOne, at_b.epoch).ended);
  EXPECT_FALSE(b.claim(kOne, at_b.epoch, PortActive{id<PortId>(11), 7}).ended);
}

TEST_F(FencingTest, ANodeThatIsBehindRefusesUntilItHasSeenTheSession) {
  a.begin(kOne);
  auto early = b.begin(kOne);
  EXPECT_NE(early.refused, "");
  b.follow();
  EXPECT_EQ(b.begin(kOne).refused, "");
}

TEST_F(FencingTest, AClaimTakesTheGuestAlongAndTheOtherHostIsNotFooled) {
  auto one = a.begin(kOne), two = b.begin(kTwo);
  a.claim(kOne, one.epoch, guest_at(11));
  b.follow();
  EXPECT_THAT(b.claim(kTwo, two.epoch, guest_at(12)).lost, IsEmpty());
  EXPECT_EQ(owner(guest_at(12)), kTwo);
  auto behind = a.claim(kOne, one.epoch, MacClaim{kBridge, 0, kGuest, id<PortId>(13)});
  EXPECT_NE(behind.error, "") << "built on what was: to be sent again";
  EXPECT_FALSE(behind.ended);
  EXPECT_EQ(owner(guest_at(12)), kTwo);
  a.follow();
  a.write(kOne, one.epoch, {{}, {key_of(guest_at(11))}, false});
  EXPECT_EQ(owner(guest_at(12)), kTwo) << "host1 may not delete what is host2's by now";
}

TEST_F(FencingTest, WhatIsOnlyRememberedDoesNotTakeFromAnother) {
  auto one = a.begin(kOne), two = a.begin(kTwo);
  a.claim(kTwo, two.epoch, guest_at(12));
  auto restored = a.claim(kOne, one.epoch, guest_at(11), Mode::restore);
  EXPECT_THAT(restored.lost, ElementsAre(key_of(guest_at(11))));
  EXPECT_EQ(owner(guest_at(11)), kTwo);
  EXPECT_THAT(a.claim(kOne, one.epoch, guest_at(11), Mode::claim).lost, IsEmpty());
  EXPECT_EQ(owner(guest_at(11)), kOne);
  EXPECT_THAT(a.claim(kOne, one.epoch, PortActive{id<PortId>(11), 7}, Mode::restore).lost, IsEmpty()) << "nobody's";
}

// --- NAT blocks ------------------------------------------------------------------------------------

const topology::NatBlockClaim kBlock{id<RouterId>(2).uuid(), ip("203.0.113.9"), 17};

TEST_F(FencingTest, ANatBlockIsWhoseComesFirstUntilItsLeaseEnds) {
  auto one = a.begin(kOne), two = b.begin(kTwo);
  EXPECT_THAT(a.claim(kOne, one.epoch, kBlock).lost, IsEmpty());
  EXPECT_THAT(a.claim(kOne, one.epoch, kBlock).lost, IsEmpty()) << "its own";
  EXPECT_EQ(owner(kBlock), kOne);
  auto behind = b.claim(kTwo, two.epoch, kBlock);
  EXPECT_NE(behind.error, "") << "its node has not heard yet; the database has";
  b.follow();
  EXPECT_THAT(b.claim(kTwo, two.epoch, kBlock).lost, ElementsAre(key_of(kBlock))) << "whatever the mode";
  EXPECT_EQ(owner(kBlock), kOne);
  nsdb.pass(kLease / 2);
  b.states.keep(kTwo, two.epoch);
  nsdb.pass(kLease / 2 + std::chrono::seconds(1));
  b.follow();
  EXPECT_THAT(b.claim(kTwo, two.epoch, kBlock).lost, IsEmpty());
  EXPECT_EQ(owner(kBlock), kTwo);
}

TEST_F(HostStatesTest, ANatBlockThatIsGivenBackIsAnybodys) {
  auto one = a.begin(kOne), two = a.begin(kTwo);
  a.claim(kOne, one.epoch, kBlock);
  a.write(kTwo, two.epoch, {{}, {key_of(kBlock)}, false});
  EXPECT_EQ(owner(kBlock), kOne) << "not by whom it does not belong to";
  a.write(kOne, one.epoch, {{}, {key_of(kBlock)}, false});
  EXPECT_THAT(a.claim(kTwo, two.epoch, kBlock).lost, IsEmpty());
}

TEST_F(HostStatesTest, OnlyBlocksOfDevicesThatAHostNeedsAreItsToClaim) {
  const HostId stranger = id<HostId>(103);
  auto three = a.begin(stranger);
  EXPECT_THAT(a.claim(stranger, three.epoch, kBlock).lost, ElementsAre(key_of(kBlock)));
  EXPECT_EQ(a.states.unneeded(), 1);
  topology::NatBlockClaim nowhere = kBlock;
  nowhere.device = id<PortId>(21).uuid();
  EXPECT_THAT(a.claim(stranger, three.epoch, nowhere).lost, ElementsAre(key_of(nowhere)));
  write(*nsdb, {bound(router_port(24, 2, "10.0.4.1/24"), stranger)});
  a.follow();
  EXPECT_THAT(a.claim(stranger, three.epoch, kBlock).lost, IsEmpty()) << "a port of the device is bound to it now";
}

// --- pools that are checked ------------------------------------------------------------------------

TEST_F(FencingTest, APoolIsCheckedByWhoComesFirstUntilItsLeaseEnds) {
  topology::Router with_balancer = router(2);
  with_balancer.load_balancer = id<LoadBalancerId>(30);
  topology::LoadBalancer balancer;
  balancer.id = id<LoadBalancerId>(30);
  topology::Pool pool;
  pool.id = id<PoolId>(31);
  pool.load_balancer = balancer.id;
  write(*nsdb, {with_balancer, balancer, pool});
  a.follow();
  b.follow();
  auto one = a.begin(kOne), two = b.begin(kTwo);
  topology::HealthReport report{pool.id};
  EXPECT_THAT(a.claim(kOne, one.epoch, report).lost, IsEmpty());
  report.members.push_back({id<PoolMemberId>(32), false, topology::CheckResult::refused, 0, 1});
  EXPECT_THAT(a.claim(kOne, one.epoch, report).lost, IsEmpty()) << "what it has found meanwhile";
  EXPECT_EQ(owner(report), kOne);
  b.follow();
  EXPECT_THAT(b.claim(kTwo, two.epoch, report).lost, ElementsAre(key_of(report))) << "whatever the mode";
  nsdb.pass(kLease / 2);
  b.states.keep(kTwo, two.epoch);
  nsdb.pass(kLease / 2 + std::chrono::seconds(1));
  b.follow();
  EXPECT_THAT(b.claim(kTwo, two.epoch, report).lost, IsEmpty());
  EXPECT_EQ(owner(report), kTwo);
  auto three = a.begin(id<HostId>(103));
  EXPECT_THAT(a.claim(id<HostId>(103), three.epoch, report).lost, ElementsAre(key_of(report))) << "needs no such pool";
  report.pool = id<PoolId>(99);
  EXPECT_THAT(b.claim(kTwo, two.epoch, report).lost, ElementsAre(key_of(report))) << "there is none";
}

// --- whose it is -----------------------------------------------------------------------------------

TEST_F(HostStatesTest, NobodyWritesWhatIsAnothersToSay) {
  auto one = a.begin(kOne);
  const IpAddress address = ip("10.0.2.7");
  const HostFact others[] = {
      PortActive{id<PortId>(12), 7},
      PortActive{id<PortId>(13), 7},
      PortActive{id<PortId>(99), 7},
      FloodKey{id<BridgeId>(99), 7},
      guest_at(12),
      guest_at(99),
      guest_at(21),
      NeighbourClaim{id<RouterId>(2).uuid(), id<PortId>(22), address, kGuest, 0},
      NeighbourClaim{id<RouterId>(2).uuid(), id<PortId>(11), address, kGuest, 0},
      NeighbourClaim{id<RouterId>(9).uuid(), id<PortId>(21), address, kGuest, 0},
      HostSession{"h", "i", "n", 0, 0},
  };
  for (const HostFact& fact : others) {
    EXPECT_THAT(a.claim(kOne, one.epoch, fact).lost, ElementsAre(key_of(fact))) << key_of(fact);
  }
  EXPECT_EQ(stored(), 1) << "its session";
}

TEST_F(HostStatesTest, WhatIsItsOwnIsWrittenWithItsDevice) {
  auto one = a.begin(kOne);
  const HostFact own[] = {
      PortActive{id<PortId>(11), 7},
      PortActive{id<PortId>(21), 8},
      FloodKey{kBridge, 9},
      guest_at(11),
      MacClaim{kBridge, 12, kGuest, id<PortId>(13)},
      NeighbourClaim{id<RouterId>(2).uuid(), id<PortId>(21), ip("10.0.1.7"), kGuest, 1},
      NeighbourClaim{id<RouterId>(2).uuid(), id<PortId>(23), ip("10.0.3.7"), kGuest, 1},
      NeighbourClaim{kBridge.uuid(), {}, ip("10.0.1.7"), kGuest, 1},
  };
  for (const HostFact& fact : own) {
    EXPECT_THAT(a.claim(kOne, one.epoch, fact).lost, IsEmpty()) << key_of(fact);
    auto entry = a.states.states().find(key_of(fact));
    ASSERT_NE(entry, nullptr);
    EXPECT_FALSE(entry->device.is_nil()) << key_of(fact);
  }
  EXPECT_EQ(stored(), 1 + std::size(own));
}

TEST_F(HostStatesTest, WhoeverSaysToBeAnotherIsNot) {
  auto one = a.begin(kOne);
  a.write(kOne, one.epoch, {{{StateEntry{kTwo, {}, 0, FloodKey{kBridge, 9}}, Mode::claim}}, {}, false});
  EXPECT_EQ(owner(key_of(FloodKey{kBridge, 9}, kOne)), kOne);
  EXPECT_EQ(owner(key_of(FloodKey{kBridge, 9}, kTwo)), HostId());
}

TEST_F(HostStatesTest, ACompleteWriteDeletesWhatItDoesNotName) {
  auto one = a.begin(kOne), two = a.begin(kTwo);
  a.claim(kOne, one.epoch, PortActive{id<PortId>(11), 7});
  a.claim(kOne, one.epoch, guest_at(11));
  a.claim(kTwo, two.epoch, PortActive{id<PortId>(12), 7});
  a.write(kOne, one.epoch, {{{StateEntry{kOne, {}, 0, PortActive{id<PortId>(11), 7}}, Mode::claim}}, {}, true});
  EXPECT_EQ(owner(PortActive{id<PortId>(11), 7}), kOne);
  EXPECT_EQ(owner(guest_at(11)), HostId());
  EXPECT_EQ(owner(PortActive{id<PortId>(12), 7}), kTwo);
  EXPECT_FALSE(a.states.keep(kOne, one.epoch).ended) << "its session is no entry that a host names";
}

TEST_F(HostStatesTest, WhatChangesNothingIsNotWritten) {
  auto one = a.begin(kOne);
  a.claim(kOne, one.epoch, guest_at(11));
  auto before = nsdb->revision();
  EXPECT_EQ(a.claim(kOne, one.epoch, guest_at(11)).error, "");
  EXPECT_EQ(nsdb->revision(), before);
}

TEST_F(HostStatesTest, MoreThanATransactionHoldsIsWrittenInParts) {
  auto one = a.begin(kOne);
  StateWrite many;
  for (uint64_t i = 0; i < 2'500; ++i) {
    MacClaim guest{kBridge, 0, MacAddress::from_uint64(0x0200'0000'0000 + i), id<PortId>(11)};
    many.puts.push_back({StateEntry{kOne, {}, 0, guest}, Mode::claim});
  }
  auto written = a.write(kOne, one.epoch, many);
  EXPECT_EQ(written.error, "");
  auto page = nsdb->range({"/state/mac/", 10'000});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 2'500);
}

// --- accidents -------------------------------------------------------------------------------------

TEST_F(HostStatesTest, AfterAnUnknownOutcomeTheNextWriteSucceeds) {
  auto one = a.begin(kOne);
  for (auto accident : {Accident::request_lost, Accident::answer_lost}) {
    uint64_t port = accident == Accident::request_lost ? 11 : 21;
    a.line.next = accident;
    auto written = a.claim(kOne, one.epoch, PortActive{id<PortId>(port), 7});
    EXPECT_THAT(written.error, HasSubstr("the line is cut"));
    EXPECT_FALSE(written.ended);
    a.follow();
    written = a.claim(kOne, one.epoch, PortActive{id<PortId>(port), 7});
    EXPECT_EQ(written.error, "");
    EXPECT_EQ(owner(PortActive{id<PortId>(port), 7}), kOne);
  }
}

TEST_F(HostStatesTest, AfterAnUnknownOutcomeOfABeginTheNextOneSucceeds) {
  a.line.next = Accident::answer_lost;
  EXPECT_THAT(a.begin(kOne).refused, HasSubstr("the line is cut"));
  a.follow();
  auto again = a.begin(kOne);
  EXPECT_EQ(again.refused, "");
  EXPECT_FALSE(a.claim(kOne, again.epoch, guest_at(11)).ended);
}

// If the database does not say whether the lease lives, the old entries may hang on it: a new lease would not hold them.
TEST_F(HostStatesTest, ALeaseOfWhichNothingIsKnownIsNotReplaced) {
  auto first = a.begin(kOne);
  a.claim(kOne, first.epoch, guest_at(11));
  a.line.next = Accident::request_lost;
  EXPECT_THAT(a.begin(kOne).refused, HasSubstr("the line is cut"));
  auto again = a.begin(kOne);
  EXPECT_EQ(again.refused, "");
  EXPECT_FALSE(again.fresh);
  nsdb.pass(kLease / 2);
  a.states.keep(kOne, again.epoch);
  nsdb.pass(kLease / 2 + std::chrono::seconds(1));
  EXPECT_EQ(owner(guest_at(11)), kOne);
}

TEST_F(HostStatesTest, AHeartbeatThatIsLostEndsNothing) {
  auto session = a.begin(kOne);
  a.line.next = Accident::request_lost;
  EXPECT_FALSE(a.states.keep(kOne, session.epoch).ended);
}

// The topology store tells everything when it starts, and when it was behind; this node has written more since.
TEST_F(HostStatesTest, WhatIsToldLateDoesNotUndoItsOwnWrites) {
  auto everything = a.everything();
  auto session = a.begin(kOne);
  a.claim(kOne, session.epoch, guest_at(11));
  a.states.follow(everything);
  EXPECT_FALSE(a.states.keep(kOne, session.epoch).ended);
  EXPECT_NE(a.states.states().find(key_of(guest_at(11))), nullptr);
  a.follow();
  EXPECT_FALSE(a.claim(kOne, session.epoch, guest_at(13)).ended);
}

// --- anything at all -------------------------------------------------------------------------------

// Three hosts, two nodes, lost requests and answers, leases that end. In the end each host says everything, and that is
// what the database holds: nobody's entry lies with another, and none stays of who is gone.
TEST_F(FencingTest, WhateverHappensACompleteWriteMakesItRight) {
  struct Agent {
    HostId host;
    uint64_t port;
    Node* node = nullptr;
    uint64_t epoch = 0;
  };
  std::mt19937 random(5);
  Agent agents[] = {{kOne, 11}, {kTwo, 12}};
  Node* nodes[] = {&a, &b};
  auto join = [&](Agent& agent, Node& node) {
    node.follow();
    auto begun = node.begin(agent.host);
    agent.node = begun.refused.empty() ? &node : nullptr;
    agent.epoch = begun.epoch;
  };
  auto say = [&](Agent& agent, StateWrite what) {
    if (agent.node == nullptr) return StateWritten{true, {}, ""};
    auto written = agent.node->write(agent.host, agent.epoch, std::move(what));
    if (written.ended) agent.node = nullptr;
    return written;
  };
  auto guest = [](const Agent& agent, uint64_t number, Mode mode) {
    return StateWrite::Put{
        {agent.host,
         {},
         0,
         MacClaim{kBridge, 0, MacAddress::from_uint64(0x0200'0000'0000 + number), id<PortId>(agent.port)}},
        mode};
  };
  for (int step = 0; step < 3'000; ++step) {
    Agent& agent = agents[random() % 2];
    if (random() % 4 == 0) nodes[random() % 2]->line.next = static_cast<Accident>(1 + random() % 2);
    if (random() % 3 == 0) nodes[random() % 2]->follow();
    if (agent.node == nullptr || random() % 20 == 0) join(agent, *nodes[random() % 2]);
    if (random() % 50 == 0) nsdb.pass(kLonger);
    say(agent,
        {{guest(agent, random() % 20, random() % 2 == 0 ? Mode::claim : Mode::restore)}, {}, random() % 10 == 0});
  }
  for (Node* node : nodes) node->line.next = Accident::none;
  for (Agent& agent : agents) {
    join(agent, a);
    ASSERT_NE(agent.node, nullptr);
    PortActive port{id<PortId>(agent.port), 7};
    StateWrite everything{{{{agent.host, {}, 0, port}, Mode::claim}, guest(agent, agent.port, Mode::claim)}, {}, true};
    auto written = say(agent, everything);
    EXPECT_EQ(written.error, "");
    EXPECT_FALSE(written.ended);
  }
  EXPECT_EQ(stored("/state/port/"), 2);
  EXPECT_EQ(stored("/state/mac/"), 2);
  for (const Agent& agent : agents) EXPECT_EQ(owner(PortActive{id<PortId>(agent.port), 7}), agent.host);
  for (Node* node : nodes) {
    node->follow();
    EXPECT_EQ(node->states.states().size(), stored()) << "both nodes know what is";
  }
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
