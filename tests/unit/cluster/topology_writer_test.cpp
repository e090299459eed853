#include "actors/cluster/topology_writer.hpp"

#include <map>
#include <random>
#include <set>
#include <thread>

#include "nsdb.hpp"
#include "tests/unit/eventually.hpp"

namespace viaduct::actors::cluster_test {
namespace {

using namespace topology::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using topology::Create;
using topology::Erase;
using topology::Kind;
using topology::ObjectRef;
using topology::Operation;
using topology::Snapshot;
using topology::Update;
using Status = CommitReply::Status;

// A writer and everything that it said.
struct Writer {
  explicit Writer(store::Store& nsdb, size_t history = 10'000,
                  std::chrono::milliseconds patience = std::chrono::seconds(5))
      : core(
            nsdb, {}, [this](const NsdbView::Step& step) { steps.push_back(step); }, history, patience) {
    EXPECT_EQ(core.load(), std::nullopt);
  }
  CommitReply commit(std::vector<Operation> operations, bool dry_run = false) {
    return core.commit({std::move(operations), dry_run});
  }
  // Until the view is at `revision`.
  bool follow(uint64_t revision) {
    return eventually([&] {
      core.follow();
      return core.view().revision() >= revision;
    });
  }
  const Snapshot& now() const { return *core.snapshot(); }

  std::vector<NsdbView::Step> steps;
  TopologyWriter core;
};

class TopologyWriterTest : public ::testing::Test {
 protected:
  CommitReply commit(std::vector<Operation> operations) { return writer.commit(std::move(operations)); }

  MemoryNsdb nsdb;
  Writer writer{*nsdb};
};

topology::Bridge renamed(uint64_t number, const std::string& name) {
  auto out = bridge(number);
  out.name = name;
  return out;
}
ObjectRef ref(Kind kind, uint64_t number) { return {kind, Uuid::from_words(0, number)}; }

TEST_F(TopologyWriterTest, ACommitIsSaidAndFoundByTheNextLife) {
  auto reply = commit({Create{bridge(1)}, Create{bridge_port(2, 1)}});
  ASSERT_EQ(reply.status, Status::committed) << reply.error;
  EXPECT_EQ(reply.revision, nsdb->revision());
  ASSERT_THAT(writer.steps, SizeIs(1)) << "before the answer";
  EXPECT_EQ(writer.steps[0].snapshot->revision(), reply.revision);
  EXPECT_THAT(writer.steps[0].delta->changes, SizeIs(2));
  commit({Update{renamed(1, "renamed")}});

  Writer next(*nsdb);
  EXPECT_EQ(next.now().revision(), writer.now().revision());
  EXPECT_EQ(*next.now().find(id<BridgeId>(1)), *writer.now().find(id<BridgeId>(1)));
  EXPECT_NE(next.now().find(id<PortId>(2)), nullptr);
  auto again = next.commit({Erase{ref(Kind::port, 2)}});
  EXPECT_EQ(again.status, Status::committed) << "revisions of loaded objects fit the store's";
}

TEST_F(TopologyWriterTest, BrokenRulesAreNamedAndNothingIsWritten) {
  auto reply = commit({Create{bridge(1)}, Create{bridge_port(2, 9)}});
  EXPECT_EQ(reply.status, Status::refused);
  ASSERT_THAT(reply.violations, SizeIs(1));
  EXPECT_EQ(reply.violations[0].rule, topology::BrokenRule::unknown_parent);
  EXPECT_THAT(writer.steps, IsEmpty());
  EXPECT_EQ(nsdb->revision(), 0);
  EXPECT_EQ(writer.now().find(id<BridgeId>(1)), nullptr);
}

TEST_F(TopologyWriterTest, ADryRunSaysWhatItWouldDo) {
  auto reply = writer.commit({Create{bridge(1)}}, true);
  EXPECT_EQ(reply.status, Status::committed);
  EXPECT_EQ(reply.revision, 0);
  EXPECT_THAT(reply.changes, SizeIs(1));
  EXPECT_THAT(writer.steps, IsEmpty());
  EXPECT_EQ(nsdb->revision(), 0);
}

TEST_F(TopologyWriterTest, AnEmptyTransactionMakesNoRevision) {
  EXPECT_EQ(commit({}).status, Status::committed);
  EXPECT_THAT(writer.steps, IsEmpty());
  EXPECT_EQ(nsdb->revision(), 0);
}

TEST_F(TopologyWriterTest, AnOlderRevisionOfAnObjectIsRefused) {
  commit({Create{bridge(1)}});
  auto mine = *writer.now().find(id<BridgeId>(1)), theirs = mine;
  mine.name = "mine";
  theirs.name = "theirs";
  EXPECT_EQ(commit({Update{mine}}).status, Status::committed);
  auto late = commit({Update{theirs}});
  EXPECT_EQ(late.status, Status::refused);
  ASSERT_THAT(late.violations, SizeIs(1));
  EXPECT_EQ(late.violations[0].rule, topology::BrokenRule::revision_conflict);
}

TEST_F(TopologyWriterTest, AnObjectThatCannotBeReadIsNamed) {
  store::Transaction damage;
  damage.puts.push_back({topology::key_of(ref(Kind::bridge, 1)), "garbage"});
  ASSERT_TRUE(nsdb->commit(damage));
  TopologyWriter next(*nsdb, {}, [](const NsdbView::Step&) {});
  auto problem = next.load();
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, HasSubstr("/topology/bridge/"));
}

TEST_F(TopologyWriterTest, MoreObjectsThanAPageAreLoaded) {
  constexpr uint64_t kBridges = store::kMaxRangeEntries + 10;
  for (uint64_t done = 0; done < kBridges; done += 2'000) {
    std::vector<topology::Object> some;
    for (uint64_t i = done; i < std::min(kBridges, done + 2'000); ++i) some.emplace_back(bridge(i + 1));
    write(*nsdb, some);
  }
  Writer next(*nsdb);
  size_t count = 0;
  next.now().for_each(Kind::bridge, [&](const topology::Object&) { ++count; });
  EXPECT_EQ(count, kBridges);
}

// --- two nodes of a cluster ------------------------------------------------------------------------

TEST_F(TopologyWriterTest, WhatAnotherNodeCommitsIsFollowed) {
  Writer other(*nsdb);
  auto reply = other.commit({Create{bridge(1)}});
  ASSERT_TRUE(writer.follow(reply.revision));
  ASSERT_THAT(writer.steps, SizeIs(1));
  EXPECT_THAT(writer.steps[0].delta->changes, SizeIs(1));
  EXPECT_EQ(*writer.now().find(id<BridgeId>(1)), *other.now().find(id<BridgeId>(1)));
}

// An agent comes with what another node has told it already.
TEST_F(TopologyWriterTest, WhatTheStoreHasIsAwaitedAndWhatItHasNotIsNot) {
  Writer other(*nsdb);
  auto reply = other.commit({Create{bridge(1)}});
  writer.core.await(reply.revision);
  EXPECT_EQ(writer.core.view().revision(), reply.revision);
  writer.core.await(reply.revision + 1'000);  // of a database that was restored since, say
  EXPECT_EQ(writer.core.view().revision(), reply.revision);
}

class OvertakenTest : public TopologyWriterTest {
 protected:
  // Before the slow node's next commit reaches the store.
  void meanwhile(std::vector<Operation> operations, int times = 1) {
    line.before_commit = [this, operations, times]() mutable {
      if (times-- <= 0) return;
      EXPECT_EQ(writer.commit(operations).status, Status::committed);
    };
  }
  AccidentStore line{*nsdb};
  Writer slow{line};
};

TEST_F(OvertakenTest, ACommitThatIsOvertakenIsBuiltAgain) {
  meanwhile({Create{bridge(1)}});
  auto reply = slow.commit({Create{bridge(2)}});
  EXPECT_EQ(reply.status, Status::committed) << reply.error;
  EXPECT_EQ(reply.revision, 2);
  EXPECT_NE(slow.now().find(id<BridgeId>(1)), nullptr);
  ASSERT_THAT(slow.steps, SizeIs(2)) << "the other one's first";
  EXPECT_EQ(slow.steps[0].snapshot->revision(), 1);
}

TEST_F(OvertakenTest, WhatHasBecomeWrongMeanwhileIsRefused) {
  commit({Create{bridge(1)}});
  meanwhile({Erase{ref(Kind::bridge, 1)}});
  auto reply = slow.commit({Create{bridge_port(2, 1)}});
  EXPECT_EQ(reply.status, Status::refused);
  ASSERT_THAT(reply.violations, SizeIs(1));
  EXPECT_EQ(reply.violations[0].rule, topology::BrokenRule::unknown_parent);
}

TEST_F(OvertakenTest, WhoeverIsOvertakenForEverIsToldSo) {
  Writer slow(line, 10, std::chrono::milliseconds(20));
  uint64_t number = 0;
  line.before_commit = [&] { EXPECT_EQ(writer.commit({Create{bridge(++number)}}).status, Status::committed); };
  auto reply = slow.commit({Create{bridge(1'000'000)}});
  EXPECT_EQ(reply.status, Status::unavailable);
  EXPECT_THAT(reply.error, HasSubstr("try again"));
  line.before_commit = {};
  EXPECT_EQ(slow.commit({Create{bridge(1'000'000)}}).status, Status::committed);
}

TEST_F(OvertakenTest, AfterALostAnswerTheNextCommitBuildsOnWhatIs) {
  for (auto accident : {AccidentStore::Accident::request_lost, AccidentStore::Accident::answer_lost}) {
    line.next = accident;
    auto reply = slow.commit({Create{bridge(1)}});
    EXPECT_EQ(reply.status, Status::unavailable);
    EXPECT_THAT(reply.error, HasSubstr("the line is cut"));
    ASSERT_TRUE(slow.follow(nsdb->revision()));
  }
  EXPECT_NE(slow.now().find(id<BridgeId>(1)), nullptr) << "the second one was written";
  auto again = slow.commit({Create{bridge(1)}});
  ASSERT_THAT(again.violations, SizeIs(1));
  EXPECT_EQ(again.violations[0].rule, topology::BrokenRule::duplicate_id);
}

// --- compaction ------------------------------------------------------------------------------------

TEST_F(TopologyWriterTest, WhoeverIsTooFarBehindReadsEverythingAgain) {
  commit({Create{bridge(1)}, Create{bridge(2)}});
  AccidentStore line{*nsdb};
  line.slow_watch = true;
  Writer late(line);
  commit({Erase{ref(Kind::bridge, 1)}});
  commit({Create{bridge(3)}});
  ASSERT_TRUE(nsdb->compact(nsdb->revision()));
  line.begin_watches();
  ASSERT_TRUE(late.follow(nsdb->revision()));
  ASSERT_THAT(late.steps, SizeIs(1));
  EXPECT_TRUE(late.steps[0].resynchronised);
  const auto& changes = late.steps[0].delta->changes;
  EXPECT_THAT(changes, SizeIs(2)) << "what was done meanwhile, as one change";
  EXPECT_EQ(changes.at(ref(Kind::bridge, 1)).after, nullptr);
  EXPECT_EQ(late.core.view().forgotten(), nsdb->revision()) << "agents that were away get everything";
  auto reply = commit({Create{bridge(4)}});
  ASSERT_TRUE(late.follow(reply.revision));
  ASSERT_THAT(late.steps, SizeIs(2)) << "and it goes on from there";
  EXPECT_FALSE(late.steps[1].resynchronised);
  EXPECT_EQ(late.core.watch_error(), std::nullopt);
}

TEST_F(TopologyWriterTest, ACompactionOfWhatItKnowsOnlyShortensTheHistory) {
  for (uint64_t number = 1; number <= 4; ++number) commit({Create{bridge(number)}});
  AccidentStore line{*nsdb};
  line.slow_watch = true;
  Writer next(line);  // would begin at the first revision
  ASSERT_TRUE(nsdb->compact(3));
  line.begin_watches();
  auto reply = commit({Create{bridge(5)}});
  ASSERT_TRUE(next.follow(reply.revision));
  ASSERT_THAT(next.steps, SizeIs(1));
  EXPECT_FALSE(next.steps[0].resynchronised);
  EXPECT_EQ(next.core.view().forgotten(), 3);
}

TEST_F(TopologyWriterTest, ANewLifeKnowsWhatVanishedBeforeAsFarAsItsHistoryGoes) {
  for (uint64_t number = 1; number <= 4; ++number) commit({Create{bridge(number)}});
  commit({Erase{ref(Kind::bridge, 1)}});
  Writer all(*nsdb), little(*nsdb, 2);
  auto reply = commit({Create{bridge(5)}});
  ASSERT_TRUE(all.follow(reply.revision));
  ASSERT_TRUE(little.follow(reply.revision));
  EXPECT_TRUE(all.core.view().since(id<HostId>(1), 1, {}));
  EXPECT_FALSE(little.core.view().since(id<HostId>(1), 1, {}));
  EXPECT_TRUE(little.core.view().since(id<HostId>(1), 3, {}));
}

// --- many at once ----------------------------------------------------------------------------------

// One node of the cluster, whose operators do things at random.
class Busy {
 public:
  Busy(store::Store& nsdb, unsigned seed) : writer_(nsdb), random_(seed) {}
  void run(int transactions) {
    for (int i = 0; i < transactions; ++i) {
      auto reply = writer_.commit({operation(), operation()});
      EXPECT_NE(reply.status, Status::unavailable) << reply.error;
      if (reply.status == Status::committed && !reply.changes.empty()) committed.push_back(reply.revision);
    }
  }
  Writer& writer() { return writer_; }
  std::vector<uint64_t> committed;

 private:
  uint64_t below(uint64_t bound) { return random_() % bound; }
  topology::Object any() {
    switch (below(4)) {
      case 0:
        return bridge(1 + below(3));
      case 1:
        return router(4 + below(2));
      case 2:
        return bridge_port(10 + below(6), 1 + below(3));
      default:
        return router_port(20 + below(4), 4 + below(2), "10.0." + std::to_string(below(3)) + ".1/24");
    }
  }
  Operation operation() {
    auto object = any();
    auto known = writer_.now().find(topology::ref_of(object));
    if (known == nullptr) return Create{std::move(object)};
    if (below(3) == 0) return Erase{topology::ref_of(object)};
    auto changed = *known;
    std::visit(
        [&](auto& value) {
          if constexpr (requires { value.name; }) value.name = "name" + std::to_string(below(1'000));
        },
        changed);
    return Update{std::move(changed)};
  }

  Writer writer_;
  std::mt19937 random_;
};

// Whatever the nodes do to each other, what is stored is a topology that would be accepted from nothing, every node sees
// the same, and every commit is one revision of its own.
TEST(TopologyWriters, ConcurrentCommitsOfSeveralNodesNeverBreakARule) {
  constexpr int kNodes = 3, kTransactions = 200;
  MemoryNsdb nsdb;
  std::vector<std::unique_ptr<Busy>> nodes;
  for (unsigned seed = 1; seed <= kNodes; ++seed) nodes.push_back(std::make_unique<Busy>(*nsdb, seed));
  {
    std::vector<std::jthread> threads;
    for (auto& node : nodes) threads.emplace_back([&] { node->run(kTransactions); });
  }
  std::set<uint64_t> revisions;
  size_t commits = 0;
  for (auto& node : nodes) {
    ASSERT_TRUE(node->writer().follow(nsdb->revision()));
    EXPECT_TRUE(std::is_sorted(node->committed.begin(), node->committed.end()));
    revisions.insert(node->committed.begin(), node->committed.end());
    commits += node->committed.size();
    uint64_t before = 0;
    for (const auto& step : node->writer().steps) {
      EXPECT_EQ(step.delta->from_revision, before);
      before = step.delta->to_revision;
    }
    EXPECT_TRUE(topology::Delta::between(nodes[0]->writer().now(), node->writer().now()).empty());
  }
  EXPECT_EQ(revisions.size(), commits);
  EXPECT_EQ(*revisions.rbegin(), nsdb->revision());
  EXPECT_GT(commits, kTransactions / 2) << "they did get on";
  std::vector<Operation> everything;
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    nodes[0]->writer().now().for_each(static_cast<Kind>(kind), [&](topology::Object object) {
      std::visit([](auto& value) { value.revision = 0; }, object);
      everything.push_back(Create{std::move(object)});
    });
  }
  EXPECT_THAT(topology::build(Snapshot(), everything, 1).violations, IsEmpty());
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
