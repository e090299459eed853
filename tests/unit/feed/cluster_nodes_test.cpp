// What nodes say of their agents, and how each knows when a change is in force everywhere.
#include <gtest/gtest.h>

#include "actors/cluster/feed_progress.hpp"
#include "actors/cluster/node_record.hpp"
#include "actors/cluster/nsdb_view.hpp"
#include "topology/codec_session.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

namespace store = topology::store;
using namespace std::chrono_literals;
constexpr std::chrono::seconds kLease{10};
const FeedProgress::Time kStart{std::chrono::hours(1)};
const WallTime kSince{std::chrono::seconds(1'000)};

HostId host(uint64_t number) { return HostId(Uuid::from_words(0, number)); }
Uuid node(uint64_t number) { return Uuid::from_words(1, number); }

TEST(FeedProgress, WhomNothingConcernsIsUpToDate) {
  FeedProgress progress;
  EXPECT_EQ(progress.least(7), 7u);
  progress.begin(host(1), 3);
  progress.begin(host(2), 5);
  EXPECT_EQ(progress.least(7), 7u);
  progress.sent(host(1), 6, kStart);
  EXPECT_EQ(progress.least(7), 3u);
  progress.sent(host(2), 7, kStart);
  progress.applied(host(1), 6, kStart);
  EXPECT_EQ(progress.least(7), 5u);
  progress.applied(host(2), 6, kStart);
  EXPECT_EQ(progress.least(7), 6u);
  EXPECT_TRUE(progress.find(host(2))->outstanding());
  progress.end(host(2));
  EXPECT_EQ(progress.least(7), 7u);
  EXPECT_EQ(progress.find(host(2)), nullptr);
  EXPECT_EQ(progress.size(), 1u);
}

TEST(FeedProgress, TheSlowestIsWhoHasAppliedNothingForLongest) {
  FeedProgress progress;
  progress.begin(host(1), 3);
  progress.begin(host(2), 3);
  EXPECT_EQ(progress.lag(kStart), 0s);
  progress.sent(host(1), 4, kStart);
  progress.sent(host(1), 5, kStart + 2s);
  progress.sent(host(2), 5, kStart + 2s);
  EXPECT_EQ(progress.behind(), 2u);
  EXPECT_EQ(progress.lag(kStart + 3s), 3s);
  progress.applied(host(1), 4, kStart + 3s);
  EXPECT_EQ(progress.lag(kStart + 3s), 1s) << "the other one's";
  progress.applied(host(2), 5, kStart + 3s);
  EXPECT_EQ(progress.behind(), 1u);
  EXPECT_EQ(progress.lag(kStart + 9s), 6s);
  progress.end(host(1));
  EXPECT_EQ(progress.lag(kStart + 9s), 0s);
}

TEST(FeedProgress, OneThatComesAgainBeginsAnew) {
  FeedProgress progress;
  progress.begin(host(1), 3);
  progress.sent(host(1), 9, kStart);
  progress.begin(host(1), 8);
  EXPECT_EQ(progress.least(9), 9u);
  progress.applied(host(2), 1, kStart);  // of one that has gone
  EXPECT_EQ(progress.size(), 1u);
}

struct NodeRecords : ::testing::Test {
  std::unique_ptr<store::Store> nsdb = store::make_memory_store();

  NodeRecord record(uint64_t number, const std::string& name) { return {*nsdb, node(number), name, kLease, kSince}; }
  // What a node that reads everything knows.
  ClusterNodes known() {
    NsdbView view;
    EXPECT_EQ(view.load(*nsdb), std::nullopt);
    return view.nodes();
  }
};

TEST_F(NodeRecords, OthersReadWhatIsWritten) {
  NodeRecord one = record(1, "one"), two = record(2, "two");
  one.set(3, 17);
  EXPECT_TRUE(one.changed());
  ASSERT_EQ(one.write(), std::nullopt);
  EXPECT_FALSE(one.changed());
  two.set(0, 5);
  ASSERT_EQ(two.write(), std::nullopt);
  EXPECT_EQ(known().all().at(topology::cluster_node_key(node(1))),
            (topology::ClusterNode{"one", 1'000'000'000'000, 3, 17}));
  EXPECT_EQ(known().applied(node(2)), 17u);
  EXPECT_EQ(known().applied(node(1)), std::nullopt) << "the other one serves no agents";
  EXPECT_EQ(known().applied(node(9)), 17u);
}

TEST_F(NodeRecords, GoWithTheirNode) {
  NodeRecord one = record(1, "one");
  one.set(3, 17);
  ASSERT_EQ(one.write(), std::nullopt);
  one.remove();
  EXPECT_TRUE(known().all().empty());
}

TEST_F(NodeRecords, TheNextLifeRemovesWhatTheLastOneLeft) {
  NodeRecord last = record(1, "one"), other = record(2, "two"), next = record(3, "one");
  last.set(3, 17);
  ASSERT_EQ(last.write(), std::nullopt);
  ASSERT_EQ(other.write(), std::nullopt);
  next.set(1, 18);
  ASSERT_EQ(next.write(), std::nullopt);
  EXPECT_EQ(known().all().size(), 2u);
  EXPECT_EQ(known().applied(node(2)), 18u);
}

TEST_F(NodeRecords, AreWrittenAnewWhenTheLeaseHasEnded) {
  NodeRecord one = record(1, "one");
  one.set(3, 17);
  ASSERT_EQ(one.write(), std::nullopt);
  auto entry = nsdb->get(topology::cluster_node_key(node(1)));
  ASSERT_TRUE(entry && entry->entry);
  ASSERT_TRUE(nsdb->revoke(entry->entry->lease));  // as if it had ended
  EXPECT_TRUE(known().all().empty());
  EXPECT_EQ(one.keep_alive(), std::nullopt);
  EXPECT_EQ(known().applied(node(9)), 17u);
}

TEST_F(NodeRecords, AreToldToNoAgentAndReadByTheWatch) {
  NodeRecord one = record(1, "one");
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  topology::ClusterNode told{"one", 1, 2, 3};
  const std::string key = topology::cluster_node_key(node(1));
  store::WatchEvent put{store::WatchEvent::Kind::put, {key, store::to_value(encode_cluster_node(told).bytes), 1}};
  EXPECT_TRUE(view.follow({1, {put}}, {}).parts.empty());
  EXPECT_EQ(view.nodes().applied(node(9)), 3u);
  put.entry.value = "no record";
  EXPECT_TRUE(view.follow({2, {put}}, {}).parts.empty());
  EXPECT_EQ(view.nodes().applied(node(9)), std::nullopt);
  EXPECT_EQ(view.unreadable(), 1u);
}

}  // namespace
}  // namespace viaduct::actors
