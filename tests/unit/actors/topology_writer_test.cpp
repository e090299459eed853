#include "actors/cluster/topology_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"
#include "topology/codec.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

namespace store = topology::store;
using namespace topology::testing;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using topology::Create;
using topology::Erase;
using topology::Update;
using Status = CommitReply::Status;

std::unique_ptr<store::VersionedStore> open(const std::shared_ptr<store::Backend>& backend) {
  auto opened = store::VersionedStore::open(backend, {});
  EXPECT_TRUE(opened);
  return std::move(*opened);
}

class TopologyWriterTest : public testing::Test {
 protected:
  TopologyWriterTest() { EXPECT_EQ(writer.load(), std::nullopt); }
  TopologyWriter::Outcome commit(std::vector<topology::Operation> operations) {
    return writer.commit({operations, false});
  }

  std::shared_ptr<store::Backend> backend = store::make_memory_backend();
  std::unique_ptr<store::VersionedStore> nsdb = open(backend);
  TopologyWriter writer{*nsdb};
};

TEST_F(TopologyWriterTest, ACommitIsPublishedAndFoundByTheNextLife) {
  auto outcome = commit({Create{bridge(1)}, Create{bridge_port(2, 1)}});
  ASSERT_EQ(outcome.reply.status, Status::committed) << outcome.reply.error;
  ASSERT_TRUE(outcome.committed);
  EXPECT_EQ(outcome.committed->snapshot->revision(), outcome.reply.revision);
  EXPECT_THAT(outcome.committed->delta->changes, SizeIs(2));
  commit({Update{topology::Bridge{id<BridgeId>(1), 0, "renamed", "", true}}});

  nsdb = open(backend);
  TopologyWriter next(*nsdb);
  ASSERT_EQ(next.load(), std::nullopt);
  EXPECT_EQ(next.snapshot()->revision(), writer.snapshot()->revision());
  EXPECT_EQ(*next.snapshot()->find(id<BridgeId>(1)), *writer.snapshot()->find(id<BridgeId>(1)));
  EXPECT_NE(next.snapshot()->find(id<PortId>(2)), nullptr);
  auto again = next.commit({{Erase{{topology::Kind::port, id<PortId>(2).uuid()}}}, false});
  EXPECT_EQ(again.reply.status, Status::committed) << "revisions of loaded objects fit the store's";
}

TEST_F(TopologyWriterTest, BrokenRulesAreNamedAndNothingIsWritten) {
  auto before = nsdb->revision();
  auto outcome = commit({Create{bridge(1)}, Create{bridge_port(2, 9)}});
  EXPECT_EQ(outcome.reply.status, Status::refused);
  ASSERT_THAT(outcome.reply.violations, SizeIs(1));
  EXPECT_EQ(outcome.reply.violations[0].rule, topology::Rule::unknown_parent);
  EXPECT_FALSE(outcome.committed);
  EXPECT_EQ(nsdb->revision(), before);
  EXPECT_EQ(writer.snapshot()->find(id<BridgeId>(1)), nullptr);
}

TEST_F(TopologyWriterTest, ADryRunSaysWhatItWouldDo) {
  auto outcome = writer.commit({{Create{bridge(1)}}, true});
  EXPECT_EQ(outcome.reply.status, Status::committed);
  EXPECT_EQ(outcome.reply.revision, 0);
  EXPECT_THAT(outcome.reply.changes, SizeIs(1));
  EXPECT_FALSE(outcome.committed);
  EXPECT_EQ(nsdb->revision(), 0);
}

TEST_F(TopologyWriterTest, AnEmptyTransactionMakesNoRevision) {
  auto outcome = commit({});
  EXPECT_EQ(outcome.reply.status, Status::committed);
  EXPECT_FALSE(outcome.committed);
  EXPECT_EQ(nsdb->revision(), 0);
}

TEST_F(TopologyWriterTest, AnOlderRevisionOfAnObjectIsRefused) {
  commit({Create{bridge(1)}});
  auto seen = *writer.snapshot()->find(id<BridgeId>(1));
  auto mine = seen, theirs = seen;
  mine.name = "mine";
  theirs.name = "theirs";
  EXPECT_EQ(commit({Update{mine}}).reply.status, Status::committed);
  auto late = commit({Update{theirs}});
  EXPECT_EQ(late.reply.status, Status::refused);
  ASSERT_THAT(late.reply.violations, SizeIs(1));
  EXPECT_EQ(late.reply.violations[0].rule, topology::Rule::revision_conflict);
}

// Another writer of the same store: a conflict is reported, what it wrote is read, and the next attempt succeeds.
TEST_F(TopologyWriterTest, AfterAConflictWithAnotherWriterTheNextAttemptSucceeds) {
  commit({Create{bridge(1)}});
  TopologyWriter other(*nsdb);
  ASSERT_EQ(other.load(), std::nullopt);
  auto renamed = *other.snapshot()->find(id<BridgeId>(1));
  renamed.name = "by the other one";
  ASSERT_EQ(other.commit({{Update{renamed}}, false}).reply.status, Status::committed);

  topology::Bridge mine{id<BridgeId>(1), 0, "mine", "", true};
  auto conflict = commit({Update{mine}});
  EXPECT_EQ(conflict.reply.status, Status::unavailable);
  EXPECT_THAT(conflict.reply.error, testing::Not(IsEmpty()));
  EXPECT_EQ(writer.snapshot()->find(id<BridgeId>(1))->name, "by the other one");
  EXPECT_EQ(commit({Update{mine}}).reply.status, Status::committed);
}

TEST_F(TopologyWriterTest, AnObjectThatCannotBeReadIsNamed) {
  store::Transaction damage;
  damage.puts.push_back({topology::key_of({topology::Kind::bridge, id<BridgeId>(1).uuid()}), "garbage"});
  ASSERT_TRUE(nsdb->commit(damage));
  TopologyWriter next(*nsdb);
  auto problem = next.load();
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, HasSubstr("/topology/bridge/"));
}

TEST_F(TopologyWriterTest, MoreObjectsThanAPageAreLoaded) {
  constexpr uint64_t kBridges = store::kMaxRangeEntries + 10;
  for (uint64_t done = 0; done < kBridges; done += 2'000) {
    std::vector<topology::Operation> some;
    for (uint64_t i = done; i < std::min(kBridges, done + 2'000); ++i) some.push_back(Create{bridge(i + 1)});
    ASSERT_EQ(commit(std::move(some)).reply.status, Status::committed);
  }
  TopologyWriter next(*nsdb);
  ASSERT_EQ(next.load(), std::nullopt);
  size_t count = 0;
  next.snapshot()->for_each(topology::Kind::bridge, [&](const topology::Object&) { ++count; });
  EXPECT_EQ(count, kBridges);
}

}  // namespace
}  // namespace viaduct::actors
