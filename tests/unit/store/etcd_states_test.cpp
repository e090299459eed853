// The state tables on an etcd with its own limits: 128 operations and 1.5 MB a request.
//
//   host1 ── port21 (uplink) ── router2 ── port22 ── host2
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/agent/learned_parts.hpp"
#include "actors/agent/mirror_state.hpp"
#include "actors/agent/state_outbox.hpp"
#include "actors/cluster/host_states.hpp"
#include "flows/simulation/network_views.hpp"
#include "tests/unit/cluster/nsdb.hpp"
#include "tests/unit/store/etcd_cluster.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;  // NOLINT: the literals
using topology::store::Store;
using topology::store::testing::EtcdCluster;

constexpr std::chrono::seconds kLease{60};
constexpr uint32_t kPrefixes = 100'000;
const HostId kOne = id<HostId>(101), kTwo = id<HostId>(102);
const RouterId kRouter = id<RouterId>(2);

topology::Port bound(topology::Port port, HostId host) {
  port.host = host;
  port.interface = "if" + port.name;
  return port;
}

std::unique_ptr<Store> open_or_die(const EtcdCluster& cluster) {
  auto store = topology::store::open_etcd_store(cluster.options("states"));
  if (!store) throw std::runtime_error(store.error().text);
  return std::move(*store);
}

StatesChanged everything(const NsdbView& view) {
  StatesChanged all{view.snapshot(), {}, true};
  view.states().for_each([&](const std::string&, const auto& entry) { all.changes.push_back({nullptr, entry}); });
  return all;
}

// An agent of host2, and the node that it gets its feed from.
struct Reader {
  explicit Reader(Store& nsdb) : store(nsdb) {
    EXPECT_EQ(view.load(store), std::nullopt);
    take(view.whole(kTwo));
  }
  // Up to what the database has.
  void follow() {
    EXPECT_TRUE(store.get(kTopologyHeadKey));  // the store's revision is that of its last answer
    for (const auto& batch : cluster_test::changes_of(store, view.revision() + 1)) {
      for (const FeedPart& part : view.follow(batch, {}).parts) {
        if (std::find(part.hosts.begin(), part.hosts.end(), kTwo) != part.hosts.end()) take(*part.batch);
      }
    }
  }
  void take(const topology::FeedBatch& batch) {
    std::string error;
    auto pending = mirror.prepare(topology::encode_feed(batch), error);
    ASSERT_TRUE(pending) << error;
    network = mirror.finish(std::move(*pending), std::nullopt).network;
  }
  // Learned prefixes of the router; its ports' subnets and addresses are none.
  size_t routes() const { return network->router(kRouter)->fib.size() - local; }

  Store& store;
  NsdbView view;
  MirrorState mirror{kTwo};
  std::shared_ptr<const flows::simulation::Network> network;
  size_t local = 0;
};

TEST(EtcdStates, AGatewayTellsAHundredThousandPrefixesAndAnotherHostHasThem) {
  EtcdCluster cluster({.members = 1, .flags = {"--grpc-keepalive-min-time=1s"}});
  const auto nsdb = open_or_die(cluster), elsewhere = open_or_die(cluster);
  cluster_test::write(*nsdb, {router(2), bound(router_port(21, 2, "10.9.0.1/24"), kOne),
                              bound(router_port(22, 2, "10.0.2.1/24"), kTwo)});
  Reader reader(*elsewhere);
  reader.local = reader.network->router(kRouter)->fib.size();
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  HostStates node(*nsdb, "node", kLease);
  node.follow(everything(view));
  const auto begun = node.begin({kOne, "host1", "first"}, {});
  ASSERT_EQ(begun.refused, "");

  LearnedParts learned(id<PortId>(21));
  for (uint32_t i = 0; i < kPrefixes; ++i) {
    learned.learn(IpPrefix(IpAddress::v4(0x1400'0000 + (i << 8)), 24), {ip("10.9.0.254")});
  }
  AgentState state;
  StateOutbox outbox(kOne);
  outbox.lease({});
  outbox.routed(learned.take());
  const auto tell = [&] {
    size_t writes = 0;
    for (; auto write = outbox.next(state, {}); ++writes) {
      auto passed = topology::decode_state_write(topology::encode_state_write(*write));
      ASSERT_TRUE(passed) << passed.error();
      const auto written = node.write({kOne, begun.epoch, std::make_shared<const topology::StateWrite>(*passed)});
      ASSERT_EQ(written.error, "");
      ASSERT_FALSE(written.ended || written.again);
      outbox.written(&written);
    }
    EXPECT_GE(writes, 1);
  };
  outbox.joined();
  tell();
  reader.follow();
  EXPECT_EQ(reader.routes(), kPrefixes);

  const auto before = nsdb->revision();
  outbox.joined();
  tell();
  EXPECT_EQ(nsdb->revision(), before) << "what is there is not written again";

  Reader late(*elsewhere);
  late.local = reader.local;
  EXPECT_EQ(late.routes(), kPrefixes) << "who comes later is told at once";

  for (uint32_t i = 0; i < kPrefixes; i += 2) learned.learn(IpPrefix(IpAddress::v4(0x1400'0000 + (i << 8)), 24), {});
  outbox.routed(learned.take());
  tell();
  reader.follow();
  EXPECT_EQ(reader.routes(), kPrefixes / 2);

  const auto session = node.states().find(topology::session_key(kOne));
  ASSERT_NE(session, nullptr);
  const auto lease = std::get<topology::HostSession>(session->fact).lease;
  ASSERT_TRUE(nsdb->revoke(topology::store::LeaseId(lease)));
  reader.follow();
  EXPECT_EQ(reader.routes(), 0) << "with the lease all goes, in one step";
}

}  // namespace
}  // namespace viaduct::actors
