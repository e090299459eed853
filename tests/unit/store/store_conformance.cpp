#include "tests/unit/store/store_conformance.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>
#include <utility>

namespace viaduct::topology::store::testing {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);

Revision StoreConformance::put(const std::string& key, const std::string& value, LeaseId lease) {
  auto result = store().commit({{}, {{key, value, lease}}, {}});
  EXPECT_TRUE(result) << result.error().text;
  return result ? *result : 0;
}

Revision StoreConformance::erase(const std::string& key) {
  auto result = store().commit({{}, {}, {key}});
  EXPECT_TRUE(result) << result.error().text;
  return result ? *result : 0;
}

std::string StoreConformance::value_of(const std::string& key) {
  auto result = store().get(key);
  EXPECT_TRUE(result);
  return result && result->entry ? result->entry->value : "";
}

Revision StoreConformance::mod_revision_of(const std::string& key) {
  auto result = store().get(key);
  EXPECT_TRUE(result);
  return result && result->entry ? result->entry->mod_revision : 0;
}

std::vector<std::string> StoreConformance::keys(const std::string& prefix, Revision at) {
  std::vector<std::string> names;
  RangeRequest request{prefix, 3, {}, at};  // small pages on purpose
  for (bool more = true; more;) {
    auto page = store().range(request);
    EXPECT_TRUE(page) << page.error().text;
    if (!page) break;
    for (const auto& entry : page->entries) names.push_back(entry.key);
    more = page->more;
    if (more) request.after = page->entries.back().key;
    request.at = page->revision;
  }
  return names;
}

Watching::Watching(Store& store, Revision from, std::string prefix) {
  watch_ = store.watch(from, std::move(prefix), [this](WatchMessage message) {
    {
      std::lock_guard lock(mutex_);
      messages_.push_back(std::move(message));
    }
    arrived_.notify_all();
  });
}

Watching::~Watching() { watch_.reset(); }

std::vector<WatchMessage> Watching::wait_for(size_t count) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, 10s, [&] { return messages_.size() >= count; });
  return messages_;
}

std::vector<std::string> Watching::text(size_t count) {
  std::vector<std::string> lines;
  for (const WatchMessage& message : wait_for(count)) {
    if (const auto* compacted = std::get_if<Compacted>(&message)) {
      lines.push_back("compacted " + std::to_string(compacted->compact_revision));
    } else if (const auto* error = std::get_if<Error>(&message)) {
      lines.push_back("error " + error->text);
    } else {
      const auto& batch = std::get<WatchBatch>(message);
      std::string line = std::to_string(batch.revision) + ":";
      for (const auto& [kind, entry] : batch.events) {
        EXPECT_EQ(entry.mod_revision, batch.revision);
        line += kind == WatchEvent::Kind::put ? " put " + entry.key + "=" + entry.value : " del " + entry.key;
      }
      lines.push_back(line);
    }
  }
  return lines;
}

size_t Watching::count() {
  std::lock_guard lock(mutex_);
  return messages_.size();
}

// --- transactions ---------------------------------------------------------------------------------

TEST_P(StoreConformance, EachChangeIsOneRevision) {
  const Revision start = store().revision();
  EXPECT_EQ(put("a", "1"), start + 1);
  EXPECT_EQ(put("a", "1"), start + 2) << "the same value again is a change too";
  auto both = store().commit({{}, {{"b", "2"}, {"c", "3"}}, {"a"}});
  ASSERT_TRUE(both);
  EXPECT_EQ(*both, start + 3);
  EXPECT_EQ(value_of("a"), "");
  EXPECT_EQ(mod_revision_of("b"), start + 3);
  EXPECT_EQ(mod_revision_of("c"), start + 3);
  EXPECT_EQ(store().revision(), start + 3);
  EXPECT_EQ(store().get("b")->revision, start + 3);
}

TEST_P(StoreConformance, NothingChangedIsNoRevision) {
  const Revision at = put("a", "1");
  EXPECT_EQ(erase("absent"), at);
  EXPECT_EQ(*store().commit({{Compare::exists("a")}, {}, {}}), at);
  EXPECT_EQ(store().revision(), at);
}

TEST_P(StoreConformance, ComparesDecide) {
  EXPECT_TRUE(store().commit({{Compare::absent("a")}, {{"a", "1"}}, {}}));
  const Revision first = mod_revision_of("a");
  auto again = store().commit({{Compare::absent("a")}, {{"a", "2"}}, {}});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(again.error().key, "a");
  EXPECT_EQ(again.error().revision, first);
  EXPECT_TRUE(store().commit({{Compare::unchanged("a", first)}, {{"a", "2"}}, {}}));
  EXPECT_FALSE(store().commit({{Compare::unchanged("a", first)}, {{"a", "3"}}, {}}));
  EXPECT_TRUE(store().commit({{Compare::exists("a")}, {{"b", "1"}}, {}}));
  auto missing = store().commit({{Compare::exists("z")}, {{"b", "2"}}, {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().key, "z");
  EXPECT_EQ(missing.error().revision, 0u);
  EXPECT_EQ(value_of("a"), "2");
  EXPECT_EQ(value_of("b"), "1");
}

TEST_P(StoreConformance, AFailedCompareLeavesNothingBehind) {
  put("a", "1");
  const Revision before = store().revision();
  EXPECT_FALSE(store().commit({{Compare::exists("a"), Compare::exists("z")}, {{"b", "1"}, {"c", "1"}}, {"a"}}));
  EXPECT_EQ(store().revision(), before);
  EXPECT_THAT(keys(""), ElementsAre("a"));
}

TEST_P(StoreConformance, ADeletedKeyIsAbsentAgain) {
  put("a", "1");
  erase("a");
  EXPECT_TRUE(store().commit({{Compare::absent("a")}, {{"a", "2"}}, {}}));
  EXPECT_EQ(value_of("a"), "2");
}

TEST_P(StoreConformance, RefusesWhatIsAgainstTheLimits) {
  const auto code = [this](const Transaction& transaction) {
    auto result = store().commit(transaction);
    return result ? std::string("committed") : std::string(to_string(result.error().code));
  };
  EXPECT_EQ(code({{}, {{"a", "1"}, {"a", "2"}}, {}}), "invalid");
  EXPECT_EQ(code({{}, {{"a", "1"}}, {"a"}}), "invalid");
  EXPECT_EQ(code({{}, {{"", "1"}}, {}}), "invalid");
  EXPECT_EQ(code({{}, {{std::string(kMaxKeyBytes + 1, 'k'), "1"}}, {}}), "invalid");
  EXPECT_EQ(code({{}, {{"a", std::string(kMaxValueBytes + 1, 'v')}}, {}}), "invalid");
  Transaction big;
  for (size_t i = 0; i < kMaxTransactionOps; ++i) big.puts.push_back({"k" + std::to_string(i), "v"});
  EXPECT_EQ(code(big), "committed");
  big.deletes.push_back("one more");
  EXPECT_EQ(code(big), "invalid");
  EXPECT_FALSE(store().range({"", 0}));
  EXPECT_FALSE(store().range({"a", 10, "b"}));
}

TEST_P(StoreConformance, KeysAndValuesAreAnyBytes) {
  const std::string zero("a\0b", 3), end("a\0", 2), high("a\xff\x01"), value("\0\xff\n", 3);
  for (const auto& key : {zero, end, high, std::string("a")}) put(key, value);
  EXPECT_EQ(value_of(zero), value);
  EXPECT_EQ(value_of(end), value);
  EXPECT_THAT(keys("a"), ElementsAre("a", end, zero, high));
  EXPECT_THAT(keys(end), ElementsAre(end, zero));
  put("empty", "");
  EXPECT_TRUE(store().get("empty")->entry.has_value());
}

// --- ranges ---------------------------------------------------------------------------------------

TEST_P(StoreConformance, RangesArePagedInOrder) {
  for (int i = 9; i >= 0; --i) put("p/" + std::to_string(i), "v");
  put("o", "before");
  put("q", "behind");
  auto page = store().range({"p/", 4});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->entries.size(), 4u);
  EXPECT_EQ(page->entries[3].key, "p/3");
  EXPECT_TRUE(page->more);
  auto last = store().range({"p/", 6, "p/3", page->revision});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->entries.size(), 6u);
  EXPECT_FALSE(last->more);
  EXPECT_EQ(keys("").size(), 12u);
  EXPECT_THAT(keys("none"), IsEmpty());
}

TEST_P(StoreConformance, PagesSeeOneRevision) {
  for (int i = 0; i < 6; ++i) put("k" + std::to_string(i), "old");
  auto first = store().range({"k", 3});
  put("k4", "new");
  erase("k3");
  put("k9", "new");
  auto second = store().range({"k", 10, "k2", first->revision});
  ASSERT_TRUE(second);
  ASSERT_EQ(second->entries.size(), 3u);
  for (const auto& entry : second->entries) EXPECT_EQ(entry.value, "old");
  EXPECT_EQ(second->revision, first->revision);
  auto future = store().range({"k", 10, "", store().revision() + 1});
  ASSERT_FALSE(future);
  EXPECT_EQ(future.error().code, ErrorCode::future_revision);
}

// --- watches --------------------------------------------------------------------------------------

TEST_P(StoreConformance, AWatchSeesLaterChangesOfItsPrefix) {
  put("a/0", "before");
  Watching watching(store(), 0, "a/");
  const Revision first = put("a/1", "x");
  put("b/1", "other");
  ASSERT_TRUE(store().commit({{}, {{"a/3", "z"}, {"a/2", "y"}, {"b/2", "-"}}, {"a/1", "absent"}}));
  erase("a/0");
  const auto at = [&](Revision offset) { return std::to_string(first + offset) + ":"; };
  EXPECT_THAT(watching.text(3),
              ElementsAre(at(0) + " put a/1=x", at(2) + " del a/1 put a/2=y put a/3=z", at(3) + " del a/0"));
}

TEST_P(StoreConformance, AWatchResumesWhereItStopped) {
  const Revision start = store().revision();
  for (int i = 0; i < 200; ++i) put("k", std::to_string(i));
  std::vector<std::string> expected, got;
  for (int i = 0; i < 300; ++i) {
    expected.push_back(std::to_string(start + 1 + static_cast<Revision>(i)) + ": put k=" + std::to_string(i));
  }
  {
    Watching first(store(), start + 1, "");
    got = first.text(200);
  }
  under_test_->reopen();
  for (int i = 200; i < 300; ++i) put("k", std::to_string(i));
  Watching second(store(), start + 201, "");
  for (auto& line : second.text(100)) got.push_back(line);
  EXPECT_EQ(got, expected);
}

TEST_P(StoreConformance, AWatchMayStartInTheFuture) {
  const Revision next = put("a", "1") + 2;
  Watching watching(store(), next, "");
  put("a", "2");
  put("a", "3");
  EXPECT_THAT(watching.text(1), ElementsAre(std::to_string(next) + ": put a=3"));
}

TEST_P(StoreConformance, ASlowWatchMissesNothing) {
  std::atomic<bool> gate{false};
  std::atomic<size_t> seen{0};
  std::atomic<Revision> last{0};
  auto watch = store().watch(0, "", [&](WatchMessage message) {
    gate.wait(false);
    const Revision revision = std::get<WatchBatch>(message).revision;
    if (last != 0) {
      EXPECT_EQ(revision, last + 1);
    }
    last = revision;
    ++seen;
    seen.notify_all();
  });
  for (int i = 0; i < 500; ++i) put("k" + std::to_string(i), "v");
  gate = true;
  gate.notify_all();
  for (size_t now = seen; now < 500; now = seen) seen.wait(now);
  EXPECT_EQ(last, store().revision());
}

TEST_P(StoreConformance, AnEndedWatchIsNotCalled) {
  auto calls = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 20; ++i) {
    auto watch = store().watch(1, "", [calls](WatchMessage) { ++*calls; });
    put("k", std::to_string(i));
    watch.reset();
    const int ended = *calls;
    put("k", "later");
    EXPECT_EQ(*calls, ended);
  }
}

// --- compaction -----------------------------------------------------------------------------------

TEST_P(StoreConformance, CompactionKeepsWhatIsCurrent) {
  put("a", "1");
  put("b", "1");
  erase("b");
  const Revision middle = put("a", "2");
  const Revision head = put("a", "3");
  ASSERT_TRUE(store().compact(middle));
  EXPECT_EQ(store().compacted_revision(), middle);
  EXPECT_EQ(value_of("a"), "3");
  EXPECT_THAT(keys("", middle), ElementsAre("a"));
  EXPECT_EQ(store().range({"", 10, "", middle})->entries[0].value, "2");
  auto old = store().range({"", 10, "", middle - 1});
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, ErrorCode::compacted);
  EXPECT_EQ(old.error().revision, middle);
  EXPECT_TRUE(store().compact(middle)) << "again: nothing to do";
  EXPECT_EQ(store().compact(head + 1).error().code, ErrorCode::future_revision);
  EXPECT_TRUE(store().compact(head));
  EXPECT_TRUE(store().commit({{Compare::absent("b"), Compare::unchanged("a", head)}, {{"b", "2"}}, {}}));
  under_test_->reopen();
  EXPECT_EQ(store().compacted_revision(), head);
  EXPECT_EQ(value_of("a"), "3");
}

TEST_P(StoreConformance, AWatchFromACompactedRevisionIsTold) {
  const Revision first = put("a", "1");
  put("a", "2");
  const Revision third = put("a", "3");
  ASSERT_TRUE(store().compact(first + 1));
  Watching too_old(store(), first, "");
  EXPECT_THAT(too_old.text(1), ElementsAre("compacted " + std::to_string(first + 1)));
  Watching at_the_mark(store(), first + 1, "");
  EXPECT_THAT(at_the_mark.text(1), ElementsAre("compacted " + std::to_string(first + 1)));
  Watching just_in_time(store(), third, "");
  EXPECT_THAT(just_in_time.text(1), ElementsAre(std::to_string(third) + ": put a=3"));
  put("a", "4");
  EXPECT_EQ(just_in_time.text(2).size(), 2u);
  EXPECT_EQ(too_old.count(), 1u) << "nothing follows";
}

// --- leases ---------------------------------------------------------------------------------------

TEST_P(StoreConformance, KeysVanishWithTheirLease) {
  auto lease = store().grant(2s);
  ASSERT_TRUE(lease);
  put("a", "1", *lease);
  const Revision put_at = put("b", "1", *lease);
  put("c", "1");
  EXPECT_EQ(store().get("a")->entry->lease, *lease);
  Watching watching(store(), put_at + 2, "");
  under_test_->advance(3s);
  if (under_test_->abilities().moves_time) {
    EXPECT_THAT(keys(""), ElementsAre("c"));
  }
  EXPECT_THAT(watching.text(1), ElementsAre(std::to_string(put_at + 2) + ": del a del b"));
  EXPECT_THAT(keys(""), ElementsAre("c"));
  EXPECT_EQ(store().keep_alive(*lease).error().code, ErrorCode::lease_not_found);
  auto late = store().commit({{}, {{"d", "1", *lease}}, {}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::lease_not_found);
}

TEST_P(StoreConformance, ALeaseKeptAliveGoesOn) {
  auto lease = store().grant(3s);
  put("a", "1", *lease);
  const int rounds = under_test_->abilities().moves_time ? 4 : 2;  // two are longer than the lease
  for (int i = 0; i < rounds; ++i) {
    under_test_->advance(2s);
    ASSERT_TRUE(store().keep_alive(*lease));
  }
  EXPECT_EQ(value_of("a"), "1");
  EXPECT_EQ(store().grant(0s).error().code, ErrorCode::invalid);
}

TEST_P(StoreConformance, RevokingEndsALeaseAtOnce) {
  auto lease = store().grant(60s);
  put("a", "1", *lease);
  put("b", "1", *lease);
  put("b", "2");  // without lease: no longer its business
  auto other = store().grant(60s);
  put("c", "1", *lease);
  put("c", "2", *other);
  const Revision before = store().revision();
  auto revoked = store().revoke(*lease);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(*revoked, before + 1);
  EXPECT_THAT(keys(""), ElementsAre("b", "c"));
  EXPECT_EQ(store().revoke(*lease).error().code, ErrorCode::lease_not_found);
  EXPECT_EQ(*store().revoke(*other), before + 2);
  EXPECT_THAT(keys(""), ElementsAre("b"));
}

TEST_P(StoreConformance, LeasesSurviveARestart) {
  if (!under_test_->abilities().reopening_restarts) GTEST_SKIP() << "closing it restarts nothing";
  auto lease = store().grant(10s);
  put("a", "1", *lease);
  under_test_->advance(8s);
  under_test_->reopen();
  under_test_->advance(8s);
  EXPECT_EQ(value_of("a"), "1") << "a restart gives the full time again";
  under_test_->advance(8s);
  EXPECT_EQ(value_of("a"), "");
}

// --- all at once ----------------------------------------------------------------------------------

TEST_P(StoreConformance, EverythingIsThereAfterReopening) {
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(i), std::to_string(i));
  const Revision head = erase("k7");
  const Revision modified = mod_revision_of("k3");
  under_test_->reopen();
  EXPECT_EQ(store().revision(), head);
  EXPECT_EQ(keys("").size(), 19u);
  EXPECT_EQ(mod_revision_of("k3"), modified);
  EXPECT_EQ(put("new", "1"), head + 1);
}

TEST_P(StoreConformance, ConcurrentWritersDoNotLoseUpdates) {
  constexpr int kThreads = 4, kIncrements = 50;
  put("counter", "0");
  const Revision start = store().revision();
  Watching watching(store(), start + 1, "counter");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kIncrements;) {
        const auto now = *store().get("counter")->entry;
        const std::string next = std::to_string(std::stoi(now.value) + 1);
        if (store().commit({{Compare::unchanged("counter", now.mod_revision)}, {{"counter", next}}, {}})) ++done;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value_of("counter"), std::to_string(kThreads * kIncrements));
  EXPECT_EQ(store().revision(), start + kThreads * kIncrements);
  const auto lines = watching.text(kThreads * kIncrements);
  ASSERT_EQ(lines.size(), static_cast<size_t>(kThreads * kIncrements));
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i], std::to_string(start + 1 + i) + ": put counter=" + std::to_string(i + 1));
  }
}

// A replica that follows a watch, and reads everything again when told to, ends up equal to the store.
TEST_P(StoreConformance, AReplicaThatFollowsIsEqual) {
  std::mt19937 random(7);
  std::set<std::string> replica;
  Revision seen = store().revision();
  int resyncs = 0;
  for (int round = 0; round < 20; ++round) {
    Revision expected = seen;
    for (int i = 0; i < 10; ++i) {
      const std::string key = "k" + std::to_string(random() % 30);
      expected = random() % 3 == 0 ? erase(key) : put(key, "v");
    }
    if (round % 5 == 4) {
      ASSERT_TRUE(store().compact(expected - 3));
    }
    if (expected == seen) continue;
    Watching watching(store(), seen + 1, "");
    for (size_t handled = 0; seen < expected;) {
      const auto messages = watching.wait_for(handled + 1);
      ASSERT_GT(messages.size(), handled);
      const auto& message = messages[handled++];
      if (std::holds_alternative<Compacted>(message)) {
        const auto current = keys("", expected);
        replica = {current.begin(), current.end()};
        seen = expected;
        ++resyncs;
        break;
      }
      const auto& batch = std::get<WatchBatch>(message);
      EXPECT_EQ(batch.revision, seen + 1);
      seen = batch.revision;
      for (const auto& [kind, entry] : batch.events) {
        if (kind == WatchEvent::Kind::put) replica.insert(entry.key);
        if (kind == WatchEvent::Kind::deleted) {
          EXPECT_EQ(replica.erase(entry.key), 1u);
        }
      }
    }
    const auto current = keys("");
    EXPECT_EQ(replica, std::set<std::string>(current.begin(), current.end()));
  }
  EXPECT_EQ(resyncs, 4);
}

}  // namespace viaduct::topology::store::testing
