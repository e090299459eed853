// An outbox that tells everything anew, in more writes than one.
#include "state_outbox_fixture.hpp"

namespace viaduct::actors::outbox_test {
namespace {

// --- everything, after a join ----------------------------------------------------------------------

// A port, two MACs, a block and many routes.
class StateOutboxTellsTest : public StateOutboxTest {
 protected:
  static constexpr uint16_t kParts = 60;
  static constexpr size_t kFacts = kParts + 4;

  StateOutboxTellsTest() {
    see_many(2);
    outbox.located({of(kHere, active(20, 5), 0)});
    outbox.lease({{lease_of(kBlock), true}});
    outbox.routed({many_routes(kParts), {}});
    settle();
    outbox.joined();
  }
  // What the tables have after everything that was said before has ended with the last write.
  void take(const StateWrite& write) {
    if (write.begins || write.complete) told.clear();
    for (const auto& put : write.puts) told.insert(topology::state_key(put.entry));
    for (const auto& key : write.deletes) told.erase(key);
  }
  // Until everything is told; the writes that it took.
  std::vector<StateWrite> tell_all() {
    std::vector<StateWrite> out;
    while (auto write = next()) {
      take(*write);
      done();
      out.push_back(std::move(*write));
    }
    return out;
  }
  std::set<std::string> told;
};

TEST_F(StateOutboxTellsTest, TheFirstBeginsAndTheLastEnds) {
  const auto writes = tell_all();
  ASSERT_THAT(writes, SizeIs(3));
  for (size_t i = 0; i < writes.size(); ++i) {
    EXPECT_EQ(writes[i].begins, i == 0);
    EXPECT_EQ(writes[i].ends, i == 2);
    EXPECT_FALSE(writes[i].complete);
  }
  EXPECT_THAT(writes[0].puts, testing::Contains(Puts(active(20, 5), Mode::claim)));
  EXPECT_THAT(writes[0].puts, testing::Contains(Puts(kBlock, Mode::restore)));
  EXPECT_THAT(writes[0].puts, testing::Contains(Puts(mac_claim(10, 1, 20), Mode::restore)));
  EXPECT_THAT(told, SizeIs(kFacts));
  EXPECT_EQ(outbox.published(), kFacts);
}

TEST_F(StateOutboxTellsTest, AWriteThatFailsIsRepeatedAndNoOther) {
  auto first = must_next();
  outbox.written(nullptr);
  const auto again = must_next();
  EXPECT_TRUE(again.begins);
  EXPECT_EQ(again.puts.size(), first.puts.size());
  take(again);
  done();
  auto second = must_next();
  done({false, {}, "the database is full"});
  const auto rest = tell_all();
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_FALSE(rest[0].begins);
  EXPECT_TRUE(rest[1].ends);
  EXPECT_THAT(told, SizeIs(kFacts));
}

TEST_F(StateOutboxTellsTest, TheLastThatFailsEndsWhenItIsRepeated) {
  for (int i = 0; i < 2; ++i) {
    take(must_next());
    done();
  }
  EXPECT_TRUE(must_next().ends);
  outbox.written(nullptr);
  const auto last = must_next();
  EXPECT_TRUE(last.ends);
  take(last);
  done();
  EXPECT_FALSE(outbox.waiting());
  EXPECT_THAT(told, SizeIs(kFacts));
}

TEST_F(StateOutboxTellsTest, AJoinInTheMiddleBeginsAnew) {
  must_next();
  done();
  must_next();
  outbox.written(nullptr);  // the session is lost
  outbox.joined();
  const auto writes = tell_all();
  ASSERT_THAT(writes, SizeIs(3));
  EXPECT_TRUE(writes[0].begins);
  EXPECT_TRUE(writes[2].ends);
  EXPECT_THAT(told, SizeIs(kFacts));
}

TEST_F(StateOutboxTellsTest, ANodeThatHasForgottenTheBeginningIsToldFromTheStart) {
  for (int i = 0; i < 2; ++i) {
    must_next();
    done();
  }
  ASSERT_TRUE(must_next().ends);
  StateWritten forgotten;
  forgotten.again = true;
  done(forgotten);
  const auto writes = tell_all();
  ASSERT_THAT(writes, SizeIs(3));
  EXPECT_TRUE(writes[0].begins);
  EXPECT_THAT(told, SizeIs(kFacts));
}

TEST_F(StateOutboxTellsTest, ChangesGoInBetweenAndDelayNothing) {
  auto stay = many_routes(kParts);
  const auto gone = stay[9];  // the last by its key
  stay.erase(stay.begin() + 9);
  take(must_next());
  see(7);
  state.macs.erase(mac(1));
  state.state_news.changed(mac(1));
  tell();
  outbox.routed({{}, {gone}});
  done();
  auto second = must_next();
  EXPECT_THAT(second.puts[0], Puts(mac_claim(10, 7, 20), Mode::claim));
  EXPECT_THAT(second.deletes, ElementsAre(key_of(mac_claim(10, 1, 20))));
  take(second);
  outbox.routed({stay, {}});  // all of them change
  done();
  auto third = must_next();
  EXPECT_TRUE(third.ends) << "each was said once since the first";
  EXPECT_THAT(third.deletes, ElementsAre(key_of(gone)));
  take(third);
  done();
  EXPECT_THAT(told, SizeIs(kFacts - 1));
  EXPECT_TRUE(outbox.waiting()) << "what has changed since";
  tell_all();
  EXPECT_THAT(told, SizeIs(kFacts - 1));
}

TEST_F(StateOutboxTellsTest, WhatBecomesAnothersMeanwhileIsNotRestored) {
  see_many(2 * StateOutbox::kMaxEntries);
  settle();
  outbox.joined();
  auto first = must_next();
  done();
  const auto is_said = [&](uint64_t number) {
    return std::any_of(first.puts.begin(), first.puts.end(), [&](const auto& put) {
      return put.entry.fact == topology::HostFact(mac_claim(10, number, 20));
    });
  };
  uint64_t number = 1;
  while (is_said(number)) ++number;
  state.remote_claims.insert(state_key_of(mac(number)));
  tell_all();
  EXPECT_FALSE(told.contains(state_key_of(mac(number))));
}

}  // namespace
}  // namespace viaduct::actors::outbox_test
