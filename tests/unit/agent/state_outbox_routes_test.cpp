// Learned routes in the outbox, and how much a write holds.
#include "state_outbox_fixture.hpp"

namespace viaduct::actors::outbox_test {
namespace {

// --- learned routes --------------------------------------------------------------------------------

TEST_F(StateOutboxTest, LearnedRoutesAreSaidWhenTheyChangeAndWholeAfterAJoin) {
  const auto one = routes(1, {"10.1.0.0/16"}), two = routes(2, {"10.2.0.0/16"}), more = routes(1, {"10.3.0.0/16"});
  outbox.routed({{one, two}, {}});
  EXPECT_THAT(must_next().puts, UnorderedElementsAre(Puts(one, Mode::claim), Puts(two, Mode::claim)));
  done();
  outbox.routed({{more}, {two}});
  const auto write = must_next();
  EXPECT_THAT(write.puts, ElementsAre(Puts(more, Mode::claim)));
  EXPECT_THAT(write.deletes, ElementsAre(key_of(two)));
  done();
  outbox.joined();
  EXPECT_THAT(must_next().puts, ElementsAre(Puts(more, Mode::claim)));
}

TEST_F(StateOutboxTest, LearnedRoutesThatWereNotTakenAreSaidAgain) {
  const auto one = routes(1, {"10.1.0.0/16"}), two = routes(2, {"10.2.0.0/16"});
  outbox.routed({{one, two}, {}});
  must_next();
  outbox.routed({{}, {two}});
  outbox.written(nullptr);
  const auto write = must_next();
  EXPECT_THAT(write.puts, ElementsAre(Puts(one, Mode::claim)));
  EXPECT_THAT(write.deletes, ElementsAre(key_of(two)));
}

TEST_F(StateOutboxTest, ALostGatewayIsSaidBeforeRoutes) {
  const topology::GatewayLost lost{id<PortId>(22), ip("10.9.0.254")};
  outbox.routed({many_routes(60), {}});
  must_next();
  done();
  outbox.routed({{lost}, {}});
  EXPECT_THAT(must_next().puts[0], Puts(lost, Mode::claim));
}

// A peer that flaps does not keep the other routes from being said.
TEST_F(StateOutboxTest, PartsThatChangeAllTheTimeTakeTurnsWithOthers) {
  outbox.routed({many_routes(60), {}});
  std::set<std::string> said;
  for (int i = 0; i < 4; ++i) {
    for (const auto& put : must_next().puts) said.insert(topology::state_key(put.entry));
    outbox.routed({many_routes(25), {}});
    done();
  }
  EXPECT_THAT(said, SizeIs(60));
}

// By a newer life of the same host that knew less, say, or by hand.
TEST_F(StateOutboxTest, RoutesThatTheTablesEndedAreSaidAgain) {
  const auto one = routes(1, {"10.1.0.0/16"}), two = routes(2, {"10.2.0.0/16"});
  outbox.located({of(kHere, active(20, 5), 0)});
  outbox.routed({{one, two}, {}});
  settle();
  outbox.routed({{}, {two}});
  settle();
  state.remote_claims.taken(key_of(one));
  state.remote_claims.taken(key_of(two));
  outbox.located({of(kHere, active(20, 5), 0)});
  const auto write = must_next();
  EXPECT_THAT(write.puts, ElementsAre(Puts(one, Mode::claim)));
  EXPECT_THAT(write.deletes, IsEmpty());
}

TEST_F(StateOutboxTest, RoutesThatWereRefusedAreSaidAgainWhenPortsChange) {
  const auto one = routes(1, {"10.1.0.0/16"}), two = routes(2, {"10.2.0.0/16"});
  outbox.routed({{one, two}, {}});
  must_next();
  done({false, {key_of(one), key_of(two)}, ""});
  EXPECT_FALSE(outbox.waiting()) << "in vain, as long as nothing changes";
  outbox.routed({{}, {two}});
  settle();
  outbox.located({of(kHere, active(22, 5), 0)});
  EXPECT_THAT(must_next().puts, UnorderedElementsAre(Puts(active(22, 5), Mode::claim), Puts(one, Mode::claim)));
  done();
  outbox.located({});
  EXPECT_THAT(must_next().puts, IsEmpty()) << "it was taken";
}

// --- what a write holds ----------------------------------------------------------------------------

TEST_F(StateOutboxTest, ManyRoutesGoInSeveralWritesOfBoundedBytes) {
  outbox.routed({many_routes(100), {}});
  std::set<std::string> said;
  size_t writes = 0;
  while (auto write = next()) {
    EXPECT_LE(topology::encode_state_write(*write).bytes.size(), StateOutbox::kMaxBytes);
    EXPECT_FALSE(write->complete || write->begins || write->ends);
    for (const auto& put : write->puts) EXPECT_TRUE(said.insert(topology::state_key(put.entry)).second);
    ++writes;
    done();
  }
  EXPECT_THAT(said, SizeIs(100));
  EXPECT_EQ(writes, 5);
  EXPECT_EQ(outbox.published(), 100);
}

TEST_F(StateOutboxTest, APartThatIsLargerThanAWriteGoesAlone) {
  auto large = many_routes(1, StateOutbox::kMaxBytes / 4);
  large.emplace_back(routes(2, {"10.2.0.0/16"}));
  outbox.routed({large, {}});
  EXPECT_THAT(must_next().puts, SizeIs(1));
  done();
  EXPECT_THAT(must_next().puts, SizeIs(1));
}

TEST_F(StateOutboxTest, NoEntryIsLargerThanItsBound) {
  topology::HealthReport report{id<PoolId>(31)};
  for (uint64_t i = 0; i < 100; ++i)
    report.members.push_back({id<PoolMemberId>(i), true, topology::CheckResult::none, 0, 1});
  const topology::HostFact facts[] = {active(20, 5),
                                      floods(10, 6),
                                      mac_claim(10, 7, 20),
                                      neighbour_claim(12, 22, "2001:db8::1", 9, kNow),
                                      kBlock,
                                      report,
                                      many_routes(1)[0],
                                      routes(1, {"::/0", "2001:db8::/32", "2001:db8::1/128"}),
                                      topology::GatewayLost{id<PortId>(22), ip("2001:db8::2")},
                                      topology::HostSession{"a host's name", "of this life", "node", 1, 2}};
  for (const auto& fact : facts) {
    const StateEntry entry = of(kHere, fact, 0, 12);
    StateWrite write;
    for (int i = 0; i < 10; ++i) write.puts.push_back({entry, Mode::claim});
    EXPECT_GE(topology::encoded_bound(entry), topology::encode_state(entry).bytes.size()) << key_of(fact);
    EXPECT_GE(10 * topology::encoded_bound(entry), topology::encode_state_write(write).bytes.size()) << key_of(fact);
  }
}

}  // namespace
}  // namespace viaduct::actors::outbox_test
