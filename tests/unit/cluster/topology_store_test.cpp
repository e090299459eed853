#include "actors/cluster/topology_store.hpp"

#include "nsdb.hpp"
#include "observability/metrics.hpp"
#include "tests/unit/actors/actor_bench.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using topology::Create;
using topology::FeedBatch;

// A mirror whose answers wait until the test allows them.
class Gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void close() {
    std::lock_guard lock(mutex_);
    open_ = false;
  }
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait_for(lock, kPatience, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
};

std::vector<std::string> keys_of(const FeedBatch& batch) {
  std::vector<std::string> out;
  for (const auto& item : batch.items) out.push_back((item->value ? "" : "-") + item->key);
  return out;
}
// A port of the bridge on which both hosts have one: what is there concerns both.
constexpr uint64_t kBridge = 1'000;
topology::Port port(uint64_t number) { return bridge_port(number, kBridge); }
topology::ObjectRef port_ref(uint64_t number) { return {topology::Kind::port, id<PortId>(number).uuid()}; }
std::string key_of_port(uint64_t number) { return topology::key_of(port_ref(number)); }
std::vector<topology::Object> bridge_of_both() {
  std::vector<topology::Object> out{bridge(kBridge)};
  for (uint64_t each : {1, 2}) {
    auto bound = port(kBridge + each);
    bound.host = id<HostId>(each);
    bound.interface = "tap";
    out.emplace_back(host(each));
    out.emplace_back(bound);
  }
  return out;
}

class TopologyStoreTest : public ActorTest {
 protected:
  TopologyStoreTest() {
    std::string error;
    store = spawn_topology_store(system, {*nsdb, probe}, error);
    EXPECT_EQ(error, "");
  }
  ~TopologyStoreTest() override {
    gate.open();
    self->send(store, Shutdown{});
    self->wait_for(store);
    for (const auto& each : sinks) {
      self->send_exit(each, caf::exit_reason::kill);
      self->wait_for(each);
    }
  }
  // An agent that has everything up to `revision`.
  SubscriptionActor subscribe(uint64_t host = 1, uint64_t revision = 0) {
    auto sink = system.spawn<caf::detached>([this](FeedSinkActor::pointer me) -> FeedSinkActor::behavior_type {
      return {[this, me](const FeedFrame& feed) {
                EXPECT_EQ(feed.sink, kFeedSecret);
                feeders.add(caf::actor_cast<caf::actor>(me->current_sender()));
                auto batch = topology::decode_feed(*feed.frame);
                EXPECT_TRUE(batch) << batch.error();
                batches.add(*batch);
                gate.pass();
                return resync.exchange(false) ? FeedApplied{0, true} : FeedApplied{batch->revision, false};
              },
              [](const SessionQuestion&) {}};
    });
    sinks.push_back(sink);
    return ask<SubscriptionActor>(
        store, Subscribe{id<HostId>(host), sink, revision, {id<BridgeId>(kBridge).uuid()}, kFeedSecret});
  }
  CommitReply commit(std::vector<topology::Operation> operations) {
    return ask<CommitReply>(store, CommitTransaction{std::move(operations), false});
  }
  WaitAppliedReply wait(uint64_t revision, milliseconds timeout = std::chrono::seconds(20)) {
    return ask<WaitAppliedReply>(store, WaitApplied{revision, timeout});
  }

  const Secret kFeedSecret{1, 2, 3};
  cluster_test::MemoryNsdb nsdb;
  const uint64_t before = cluster_test::write(*nsdb, bridge_of_both());
  observability::Registry registry;
  observability::StoreProbe probe{registry};
  Journal<FeedBatch> batches;
  Journal<caf::actor> feeders;  // who sent each
  Gate gate;
  std::atomic<bool> resync{false};
  std::vector<FeedSinkActor> sinks;
  TopologyStoreActor store;
};

TEST_F(TopologyStoreTest, ASubscriberGetsEverythingAndThenChanges) {
  commit({Create{port(1)}});
  subscribe();
  commit({Create{port(2)}});
  EXPECT_TRUE(wait(0).reached);
  auto got = batches.wait_for(2);
  ASSERT_EQ(got.size(), 2);
  EXPECT_TRUE(got[0].complete);
  EXPECT_EQ(got[0].revision, before + 1);
  EXPECT_THAT(keys_of(got[0]), Contains(key_of_port(1)));
  EXPECT_FALSE(got[1].complete);
  EXPECT_EQ(got[1].revision, before + 2);
  EXPECT_THAT(keys_of(got[1]), ElementsAre(key_of_port(2)));
  EXPECT_GT(got[1].committed_at, 0);
}

TEST_F(TopologyStoreTest, AnAgentThatComesBackGetsWhatHasChanged) {
  commit({Create{port(1)}, Create{port(2)}});
  commit({topology::Erase{port_ref(1)}});
  commit({Create{port(3)}});
  subscribe(1, before + 1);
  auto got = batches.wait_for(1);
  ASSERT_EQ(got.size(), 1);
  EXPECT_FALSE(got[0].complete);
  EXPECT_EQ(got[0].revision, before + 3);
  EXPECT_THAT(keys_of(got[0]), ::testing::Not(Contains(key_of_port(2)))) << "it has that";
  EXPECT_THAT(keys_of(got[0]), ::testing::IsSupersetOf({"-" + key_of_port(1), key_of_port(3)}));
}

TEST_F(TopologyStoreTest, WhatAnotherNodeOfTheClusterWritesReachesTheAgents) {
  subscribe();
  ASSERT_EQ(batches.wait_for(1).size(), 1);
  cluster_test::write(*nsdb, {port(1)});
  auto got = batches.wait_for(2);
  ASSERT_EQ(got.size(), 2);
  EXPECT_THAT(keys_of(got[1]), ElementsAre(key_of_port(1)));
  EXPECT_TRUE(wait(before + 1).reached);
}

TEST_F(TopologyStoreTest, WhatPilesUpWhileABatchIsOutComesAsOne) {
  gate.close();
  subscribe();
  ASSERT_EQ(batches.wait_for(1).size(), 1);
  for (uint64_t number = 1; number <= 50; ++number) commit({Create{port(number)}});
  commit({topology::Erase{port_ref(50)}});
  EXPECT_FALSE(wait(before + 51, milliseconds(50)).reached) << "the agent has not answered";
  EXPECT_EQ(batches.size(), 1);
  gate.open();
  auto waited = wait(before + 51);
  EXPECT_TRUE(waited.reached);
  EXPECT_EQ(waited.applied, before + 51);
  auto got = batches.wait_for(2);
  ASSERT_EQ(got.size(), 2);
  EXPECT_EQ(got[1].revision, before + 51);
  EXPECT_EQ(got[1].items.size(), 50) << "each object once";
  EXPECT_THAT(keys_of(got[1]), Contains("-" + key_of_port(50)));
}

TEST_F(TopologyStoreTest, AnAgentThatMissedSomethingGetsEverything) {
  subscribe();
  commit({Create{port(1)}});
  ASSERT_TRUE(wait(before + 1).reached);
  size_t seen = batches.size();
  resync = true;
  commit({Create{port(2)}});
  EXPECT_TRUE(wait(before + 2).reached);
  auto got = batches.wait_for(seen + 2);
  ASSERT_EQ(got.size(), seen + 2);
  EXPECT_FALSE(got[seen].complete);
  EXPECT_TRUE(got[seen + 1].complete);
  EXPECT_EQ(got[seen + 1].items.size(), got[0].items.size() + 2);
}

TEST_F(TopologyStoreTest, EverythingThatCannotBeAppliedIsNotSentAgainAtOnce) {
  gate.close();
  resync = true;
  subscribe();
  ASSERT_EQ(batches.wait_for(1).size(), 1);
  auto refused = std::chrono::steady_clock::now();
  gate.open();
  ASSERT_EQ(batches.wait_for(2).size(), 2);
  EXPECT_GT(std::chrono::steady_clock::now() - refused, milliseconds(900));
}

TEST_F(TopologyStoreTest, RefusalsAreCountedByRule) {
  auto reply = commit({Create{bridge_port(2, 9)}});
  EXPECT_EQ(reply.status, CommitReply::Status::refused);
  for (const auto& family : registry.collect()) {
    if (family.name != "viaduct_store_refused_total") continue;
    ASSERT_EQ(family.samples.size(), 1);
    EXPECT_EQ(family.samples[0].labels.all()[0].second, "unknown_parent");
  }
}

TEST_F(TopologyStoreTest, ANewSubscriptionOfAHostReplacesTheOldOne) {
  subscribe();
  ASSERT_EQ(batches.wait_for(1).size(), 1);
  subscribe();
  ASSERT_EQ(batches.wait_for(2).size(), 2);
  commit({Create{port(1)}});
  EXPECT_TRUE(wait(before + 1).reached);
  EXPECT_EQ(batches.size(), 3) << "the old sink hears no more";
}

TEST_F(TopologyStoreTest, ItsSubscriptionsSayHowTheyAre) {
  EXPECT_TRUE(ask<NodeReport>(store, ReportNode{}).actors.empty());
  subscribe(1);
  subscribe(2);
  auto actors = ask<NodeReport>(store, ReportNode{}).actors;
  ASSERT_EQ(actors.size(), 2);
  EXPECT_EQ(actors[0].kind, "subscription");
  EXPECT_EQ(actors[0].state, observability::ActorState::running);
  EXPECT_NE(actors[0].name, actors[1].name) << "each says its host";
}

// Its agent would silently hear nothing any more; the node starts the store again, and the agent subscribes anew.
TEST_F(TopologyStoreTest, ASubscriptionThatDiesTakesTheStoreAlong) {
  subscribe();
  auto feeder = feeders.wait_for(1);
  ASSERT_EQ(feeder.size(), 1);
  self->monitor(store);
  self->send_exit(feeder[0], caf::exit_reason::unhandled_exception);
  self->receive([&](const caf::down_msg& down) { EXPECT_EQ(down.source, store.address()); },
                caf::after(kPatience) >> [] { ADD_FAILURE() << "the store lives on"; });
}

TEST_F(TopologyStoreTest, ASubscriberThatDiesDoesNot) {
  subscribe();
  ASSERT_EQ(batches.wait_for(1).size(), 1);
  self->send_exit(sinks[0], caf::exit_reason::kill);
  self->wait_for(sinks[0]);
  EXPECT_TRUE(commit({Create{port(1)}}).violations.empty());
  subscribe();
  EXPECT_EQ(batches.wait_for(2).size(), 2) << "its successor is served";
}

}  // namespace
}  // namespace viaduct::actors
