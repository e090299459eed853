// The topology mirror of a real actor system; the test plays the cluster and the datapath actor, which answers when it
// is told to. Everybody else answers at once.
#include "actors/agent/topology_mirror.hpp"

#include <filesystem>

#include "actor_bench.hpp"
#include "agent_bench.hpp"
#include "tests/unit/agent/host_states_literals.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using topology::FeedBatch;
using topology::FeedItemPtr;
using topology::testing::bridge;
using topology::testing::bridge_port;
using topology::testing::host;

template <class Actor>
Actor typed(const caf::actor& actor) {
  return caf::actor_cast<Actor>(actor);
}

template <class T>
FeedItemPtr put(uint64_t revision, T object) {
  object.revision = revision;
  return topology::feed_item(topology::Object(std::move(object)));
}
topology::Port bound(uint64_t number) {
  auto port = bridge_port(number, 10);
  port.host = kHere;
  port.interface = "tap" + std::to_string(number);
  return port;
}

// A base, so that it outlives the actor system.
struct MirrorBench {
  observability::Registry registry;
  observability::MirrorProbe probe{registry};
  AgentState state;
  std::shared_ptr<flows::FakeKernel> kernel = std::make_shared<flows::FakeKernel>();
  std::unique_ptr<flows::Datapath> datapath = flows::open_fake(kernel, {});
  WorkerPool workers{state, *datapath, 1, registry};
  topology::store::testing::TemporaryDirectory directory;
  std::unique_ptr<topology::store::FeedCache> cache =
      std::move(*topology::store::open_feed_cache(directory.path() / "cache"));
  Journal<ReconcileBindings> wishes;  // of the datapath
  Journal<OwnLocations> own;          // to the publisher
  Journal<NatBlocksChanged> blocks;   // to the NAT leaser
  Journal<int> asked;
  size_t expected = 0;
  std::atomic<bool> holding{false};  // the datapath does not answer, until it gets a Tick
};

class TopologyMirrorTest : protected MirrorBench, public ActorTest {
 protected:
  TopologyMirrorTest() {
    mirror = spawn_topology_mirror(
        system, {kHere, state, typed<FlowControllerActor>(play_flows()), typed<DatapathActor>(played = play_datapath()),
                 typed<DevicesActor>(play_nobody()), typed<TunnelManagerActor>(play_tunnels()),
                 typed<StatePublisherActor>(play_publisher()), typed<NatLeaserActor>(play_leaser()),
                 typed<FlowReplicatorActor>(play_replicator()), workers, cache.get(), probe, [] {}});
  }
  ~TopologyMirrorTest() override {
    self->send(mirror, Shutdown{});
    self->wait_for(mirror);
    for (const auto& actor : extras) self->send_exit(actor, caf::exit_reason::kill);
    for (const auto& actor : extras) self->wait_for(actor);
  }
  template <class... Handlers>
  caf::actor play(Handlers... handlers) {
    auto actor = system.spawn([=](caf::event_based_actor*) { return caf::behavior{handlers...}; });
    extras.push_back(actor);
    return actor;
  }
  caf::actor play_nobody() {
    return play([](const DevicesChanged&) {});
  }
  caf::actor play_replicator() {
    return play([](const EndsMoved&) {}, [](const NatBlocksChanged&) {},
                [](const AwaitHandOver&) { return HandedOver{}; });
  }
  caf::actor play_flows() {
    return play([](const InvalidateFlows&) { return FlowsInvalidated{}; }, [](const AdoptFlows&) {});
  }
  caf::actor play_tunnels() {
    return play([](const UnderlayTopology&) { return HostPaths{}; });
  }
  caf::actor play_publisher() {
    return play([this](const OwnLocations& locations) { own.add(locations); });
  }
  caf::actor play_leaser() {
    return play([this](const NatBlocksChanged& news) { blocks.add(news); });
  }
  // Binds everything that is asked for.
  caf::actor play_datapath() {
    struct Datapath {
      flows::simulation::Bindings bindings;
      std::vector<std::pair<caf::response_promise, BindingsChanged>> held;
    };
    auto all = std::make_shared<Datapath>();
    auto actor = system.spawn([this, all](caf::event_based_actor* me) {
      return caf::behavior{[this, all, me](const ReconcileBindings& wish) {
                             BindingsChanged answer;
                             for (PortId port : wish.unbind) all->bindings = all->bindings.erase(port);
                             for (const auto& one : wish.bind) {
                               all->bindings = all->bindings.insert(one.port, flows::PortNumber{7});
                               answer.rebound.push_back(one.port);
                             }
                             answer.bindings = all->bindings;
                             auto promise = me->make_response_promise();
                             if (holding) {
                               all->held.emplace_back(promise, answer);
                             } else {
                               promise.deliver(answer);
                             }
                             wishes.add(wish);
                             return promise;
                           },
                           [all](const Tick&) {
                             for (auto& [promise, answer] : all->held) promise.deliver(answer);
                             all->held.clear();
                           }};
    });
    extras.push_back(actor);
    return actor;
  }
  void release() {
    holding = false;
    self->send(played, Tick{});
  }
  static FeedFrame frame(const FeedBatch& batch) {
    FeedFrame out;
    out.frame = std::make_shared<const schema::Frame>(topology::encode_feed(batch));
    return out;
  }
  FeedApplied apply(const FeedBatch& batch) { return ask<FeedApplied>(mirror, frame(batch)); }
  // From an actor of its own; the answer is waited for in `answers`.
  void apply_later(const FeedBatch& batch, Journal<FeedApplied>& answers) {
    auto asker = system.spawn([this, &answers, to = mirror, feed = frame(batch)](caf::event_based_actor* me) {
      me->request(to, kPatience, feed).then([&answers](const FeedApplied& answer) { answers.add(answer); });
      asked.add(1);
    });
    extras.push_back(asker);
    ++expected;
  }
  // Until what was to be applied later has reached the mirror.
  void received() {
    asked.wait_for(expected);
    ask<MirrorPosition>(mirror, ReadMirror{});  // behind it in the mailbox
  }

  std::vector<caf::actor> extras;
  caf::actor played;
  TopologyMirrorActor mirror;
};

TEST_F(TopologyMirrorTest, ABatchIsAppliedKeptAndItsPortsAreTold) {
  auto applied = apply({5, true, {}, {put(3, host(1)), put(4, bridge(10)), put(5, bound(20))}, 0});
  EXPECT_EQ(applied.revision, 5);
  EXPECT_FALSE(applied.resync);
  EXPECT_EQ(state.network.load()->revision(), 5);
  ASSERT_THAT(own.wait_for(1), SizeIs(1));
  EXPECT_THAT(own.wait_for(1)[0].entries, SizeIs(2));
  auto kept = cache->load();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->revision, 5);
  EXPECT_THAT(kept->items, SizeIs(3));
  auto position = ask<MirrorPosition>(mirror, ReadMirror{});
  EXPECT_EQ(position.revision, 5);
  EXPECT_THAT(position.devices, ElementsAre(id<BridgeId>(10).uuid()));
}

TEST_F(TopologyMirrorTest, WhatComesFromTheCacheIsAppliedWithoutTheCluster) {
  auto batch = std::make_shared<const FeedBatch>(FeedBatch{5, true, {}, {put(4, bridge(10))}, 0});
  EXPECT_EQ(ask<FeedApplied>(mirror, CachedFeed{batch}).revision, 5);
  EXPECT_EQ(cache->load()->revision, 0) << "and not written again";
}

// The cluster may be there before the cache is in force.
TEST_F(TopologyMirrorTest, ASessionBeginsFromWhatTheCacheHas) {
  holding = true;
  auto batch = std::make_shared<const FeedBatch>(FeedBatch{5, true, {}, {put(4, bridge(10)), put(5, bound(20))}, 0});
  self->send(mirror, CachedFeed{batch});
  ASSERT_THAT(wishes.wait_for(1), SizeIs(1));
  EXPECT_EQ(ask<MirrorPosition>(mirror, ReadMirror{}).revision, 0) << "that is how it is";
  Journal<MirrorPosition> answers;
  auto asker = system.spawn([&answers, to = mirror](caf::event_based_actor* me) {
    me->request(to, kPatience, ReadMirror{true}).then([&answers](const MirrorPosition& at) { answers.add(at); });
  });
  extras.push_back(asker);
  release();
  ASSERT_THAT(answers.wait_for(1), SizeIs(1));
  EXPECT_EQ(answers.wait_for(1)[0].revision, 5);
}

TEST_F(TopologyMirrorTest, ABatchThatCannotBeReadAsksForAll) {
  auto garbage = std::make_shared<const topology::FeedItem>(
      topology::FeedItem{topology::key_of({topology::Kind::bridge, id<BridgeId>(10).uuid()}), 5, "garbage"});
  EXPECT_TRUE(apply({5, true, {}, {garbage}, 0}).resync);
  EXPECT_EQ(cache->load()->revision, 0);
  EXPECT_FALSE(apply({6, true, {}, {put(6, bridge(10))}, 0}).resync);
}

TEST_F(TopologyMirrorTest, WhatOthersLearnedIsInTheTables) {
  apply({5, true, {}, {put(4, bridge(10)), topology::feed_item(of(kThere, mac_claim(10, 7, 21), 5, 10))}, 0});
  EXPECT_TRUE(state.macs.find({id<BridgeId>(10), 0, MacAddress::from_uint64(7)}));
}

// The agent was cut off while a batch was on its way, and a new session goes on from the revision before it.
TEST_F(TopologyMirrorTest, TheFirstBatchOfANewSessionWaitsForTheLastOneBefore) {
  apply({1, true, {}, {put(1, host(1)), put(1, bridge(10))}, 0});
  Journal<FeedApplied> old_session, new_session;
  holding = true;
  apply_later({2, false, {}, {put(2, bound(20))}, 0}, old_session);
  ASSERT_THAT(wishes.wait_for(2), SizeIs(2));
  auto port = topology::key_of({topology::Kind::port, id<PortId>(20).uuid()});
  apply_later({3, false, {}, {std::make_shared<const topology::FeedItem>(topology::FeedItem{port, 3, {}})}, 0},
              new_session);
  received();
  release();
  ASSERT_THAT(old_session.wait_for(1), SizeIs(1));
  ASSERT_THAT(new_session.wait_for(1), SizeIs(1));
  EXPECT_EQ(new_session.wait_for(1)[0].revision, 3);
  EXPECT_FALSE(new_session.wait_for(1)[0].resync);
  ASSERT_THAT(wishes.wait_for(3), SizeIs(3));
  EXPECT_THAT(wishes.wait_for(3)[2].unbind, ElementsAre(id<PortId>(20))) << "which the batch before has bound";
  EXPECT_THAT(cache->load()->items, SizeIs(2));
}

TEST_F(TopologyMirrorTest, OneBatchWaitsAndTheOneBeforeItAsksForAll) {
  apply({1, true, {}, {put(1, host(1)), put(1, bridge(10))}, 0});
  Journal<FeedApplied> first, second, third;
  holding = true;
  apply_later({2, false, {}, {put(2, bound(20))}, 0}, first);
  ASSERT_THAT(wishes.wait_for(2), SizeIs(2));
  apply_later({3, false, {}, {put(3, bridge(11))}, 0}, second);
  received();
  apply_later({4, false, {}, {put(4, bridge(12))}, 0}, third);
  ASSERT_THAT(second.wait_for(1), SizeIs(1));
  EXPECT_TRUE(second.wait_for(1)[0].resync);
  release();
  ASSERT_THAT(third.wait_for(1), SizeIs(1));
  EXPECT_EQ(third.wait_for(1)[0].revision, 4);
  EXPECT_EQ(first.wait_for(1)[0].revision, 2);
}

}  // namespace
}  // namespace viaduct::actors
