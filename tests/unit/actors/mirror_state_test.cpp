#include "actors/agent/mirror_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using flows::PortNumber;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using topology::Delta;
using topology::Snapshot;

const HostId kHere = id<HostId>(1), kElsewhere = id<HostId>(2);

topology::Port bound(uint64_t number, const std::string& interface, HostId host = kHere) {
  auto port = bridge_port(number, 10);
  port.host = host;
  port.interface = interface;
  return port;
}

MATCHER_P2(Binds, port, interface, "") { return arg.port == id<PortId>(port) && arg.interface == interface; }

// Plays the cluster: snapshots here, frames to the mirror.
class MirrorStateTest : public testing::Test {
 protected:
  void commit(std::vector<topology::Object> objects, std::vector<topology::ObjectRef> gone = {}) {
    before_ = now_;
    for (auto& object : objects) now_ = now_.with(share(std::move(object)));
    for (const auto& ref : gone) now_ = now_.without(ref);
    now_ = now_.at_revision(before_.revision() + 1);
  }
  schema::Frame delta() const { return topology::encode_feed(Delta::between(before_, now_), 5); }
  schema::Frame snapshot() const { return topology::encode_feed_snapshot(now_); }
  // Every wish is granted: number = the port's.
  MirrorState::Published take(const schema::Frame& frame) {
    auto pending = mirror.prepare(frame, error);
    EXPECT_TRUE(pending.has_value()) << error;
    if (!pending) return {};
    BindingsChanged active = mirror.current_bindings();
    for (const auto& binding : pending->bindings.bind) {
      active.bindings = active.bindings.insert(binding.port, PortNumber{7});
      active.rebound.push_back(binding.port);
    }
    for (PortId port : pending->bindings.unbind) {
      active.bindings = active.bindings.erase(port);
      active.rebound.push_back(port);
    }
    return mirror.finish(std::move(*pending), active);
  }
  ReconcileBindings wishes() {
    auto pending = mirror.prepare(delta(), error);
    EXPECT_TRUE(pending.has_value()) << error;
    return pending ? pending->bindings : ReconcileBindings{};
  }

  MirrorState mirror{kHere};
  Snapshot before_, now_;
  std::string error;
};

TEST_F(MirrorStateTest, TheFirstBatchIsASnapshotAndAsksForThisHostsInterfaces) {
  commit({host(1), host(2), bridge(10), bound(20, "tap0"), bound(21, "tap1", kElsewhere), bridge_port(22, 10)});
  auto pending = mirror.prepare(snapshot(), error);
  ASSERT_TRUE(pending) << error;
  EXPECT_TRUE(pending->bindings.complete);
  EXPECT_THAT(pending->bindings.bind, ElementsAre(Binds(20, "tap0")));
  EXPECT_EQ(mirror.revision(), 0) << "nothing is adopted before the datapath has answered";

  auto published = take(snapshot());
  EXPECT_EQ(mirror.revision(), 1);
  EXPECT_EQ(published.network->revision(), 1);
  ASSERT_NE(published.network->port(id<PortId>(20)), nullptr);
  EXPECT_EQ(published.network->port(id<PortId>(20))->number, PortNumber{7});
  EXPECT_THAT(published.devices.bridges, ElementsAre(id<BridgeId>(10)));
}

TEST_F(MirrorStateTest, ADeltaBindsUnbindsAndRenamesWhatChanged) {
  commit({host(1), host(2), bridge(10), bound(20, "tap0"), bound(21, "tap1"), bound(22, "tap2")});
  take(snapshot());
  auto renamed = bridge(10);
  renamed.name = "another name";
  commit({renamed, bound(21, "eth1"), bound(22, "tap2", kElsewhere), bound(23, "tap3")}, {});
  auto wish = wishes();
  EXPECT_FALSE(wish.complete);
  EXPECT_THAT(wish.bind, ElementsAre(Binds(21, "eth1"), Binds(23, "tap3")));
  EXPECT_THAT(wish.unbind, ElementsAre(id<PortId>(22)));
  take(delta());
  commit({}, {{topology::Kind::port, id<PortId>(20).uuid()}});
  EXPECT_THAT(wishes().unbind, ElementsAre(id<PortId>(20)));
}

TEST_F(MirrorStateTest, ABatchWithoutBindingsNeedsNoDatapath) {
  commit({host(1), bridge(10)});
  take(snapshot());
  commit({bridge(11)});
  auto pending = mirror.prepare(delta(), error);
  ASSERT_TRUE(pending);
  EXPECT_FALSE(pending->needs_reconcile());
  EXPECT_EQ(pending->committed_at.time_since_epoch(), std::chrono::nanoseconds(5));
}

TEST_F(MirrorStateTest, ABatchThatDoesNotFollowIsRefused) {
  commit({host(1), bridge(10)});
  take(snapshot());
  commit({bridge(11)});
  auto missed = now_;
  commit({bridge(12)});
  EXPECT_FALSE(mirror.prepare(delta(), error));
  EXPECT_EQ(error, "batch follows revision 2, here is 1");
  take(snapshot());
  EXPECT_EQ(mirror.revision(), 3);
  EXPECT_FALSE(mirror.prepare(delta(), error)) << "and the same delta again does not follow either";
}

TEST_F(MirrorStateTest, GarbageIsRefusedAndChangesNothing) {
  commit({host(1), bridge(10)});
  take(snapshot());
  schema::Frame good = snapshot();
  for (size_t at = 0; at < good.bytes.size(); ++at) {
    schema::Frame bad = good;
    bad.bytes[at] ^= 0xff;
    (void)mirror.prepare(bad, error);
    bad.bytes.resize(at);
    EXPECT_FALSE(mirror.prepare(bad, error)) << at;
  }
  EXPECT_EQ(mirror.revision(), 1);
}

TEST_F(MirrorStateTest, ASnapshotAfterAGapUndoesWhatIsGoneMeanwhile) {
  commit({host(1), bridge(10), bridge(11), router(12), bound(20, "tap0")});
  take(snapshot());
  commit({}, {{topology::Kind::port, id<PortId>(20).uuid()}});
  commit({bridge(13)},
         {{topology::Kind::bridge, id<BridgeId>(11).uuid()}, {topology::Kind::router, id<RouterId>(12).uuid()}});
  auto pending = mirror.prepare(snapshot(), error);
  ASSERT_TRUE(pending) << error;
  EXPECT_TRUE(pending->bindings.complete);
  EXPECT_THAT(pending->bindings.bind, IsEmpty());
  auto published = take(snapshot());
  EXPECT_THAT(published.devices.removed, SizeIs(2));
  EXPECT_THAT(published.devices.bridges, ElementsAre(id<BridgeId>(13)));
  EXPECT_EQ(published.network->bridge(id<BridgeId>(11)), nullptr);
  EXPECT_FALSE(published.invalidation.empty());
}

TEST_F(MirrorStateTest, ARoutersPortWithOtherAddressesVoidsWhatWasLearnedBehindIt) {
  commit({host(1), router(12), router_port(20, 12, "10.0.0.1/24"), router_port(21, 12, "10.0.1.1/24")});
  take(snapshot());
  auto same = router_port(21, 12, "10.0.1.1/24");
  same.name = "renamed";
  commit({router_port(20, 12, "10.0.9.1/24"), same});
  auto published = take(delta());
  ASSERT_THAT(published.devices.void_ports, SizeIs(1));
  EXPECT_THAT(published.devices.void_ports.at(id<RouterId>(12)), ElementsAre(id<PortId>(20)));
}

TEST_F(MirrorStateTest, AnInterfaceThatComesOrGoesMakesANewNetworkOfTheSameRevision) {
  commit({host(1), bridge(10), bound(20, "tap0")});
  take(snapshot());
  auto gone = mirror.rebind({{}, {id<PortId>(20)}});
  EXPECT_EQ(gone.network->revision(), 1);
  EXPECT_FALSE(gone.network->port(id<PortId>(20))->number);
  EXPECT_FALSE(gone.invalidation.empty()) << "flows by the old number go";
  EXPECT_THAT(mirror.current_bindings().rebound, IsEmpty());
}

}  // namespace
}  // namespace viaduct::actors
