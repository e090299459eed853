#include "flows/state/connection_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "flows/packet/flow_key.hpp"
#include "flows/state/nat_blocks.hpp"

namespace viaduct::flows {
namespace {

using namespace std::chrono_literals;

const Uuid kDevice = Uuid::from_words(7, 7);
const Time kStart = Time{} + 1h;

ConnectionKey key(ConnectionKind kind, uint16_t port, uint8_t proto = ip_proto::kTcp) {
  return {kind, proto, port, 80, IpAddress::v4(0x0a000001), IpAddress::v4(0x0a000002), kDevice};
}
ConnectionEntry entry(uint16_t port = 0, Account account = {}) {
  ConnectionEntry out;
  out.address = IpAddress::v4(0xc0000201);
  out.port = port;
  out.seen_forward = seen::kPacket;
  out.last_seen = kStart;
  out.port_account = account.port;
  out.tenant = account.tenant;
  return out;
}

TEST(ConnectionTable, OpensOnceAndTellsWhatWasThere) {
  ConnectionTable table;
  EXPECT_EQ(table.open(key(ConnectionKind::snat, 1), entry(1000)), OpenResult::added);
  EXPECT_EQ(table.open(key(ConnectionKind::snat, 1), entry(1000)), OpenResult::same);
  EXPECT_EQ(table.open(key(ConnectionKind::snat, 1), entry(1001)), OpenResult::taken);
  EXPECT_EQ(table.find(key(ConnectionKind::snat, 1))->port, 1000);
  EXPECT_FALSE(table.find(key(ConnectionKind::snat_reverse, 1)));
  EXPECT_EQ(table.open(key(ConnectionKind::sticky, 1), entry(1)), OpenResult::added);
  table.open(key(ConnectionKind::sticky, 1), entry(2));
  EXPECT_EQ(table.find(key(ConnectionKind::sticky, 1))->port, 2) << "the newest member counts";
  EXPECT_TRUE(table.erase(key(ConnectionKind::snat, 1)));
  EXPECT_FALSE(table.erase(key(ConnectionKind::snat, 1)));
  EXPECT_EQ(table.size(), 1U);
}

TEST(ConnectionTable, StatesFollowWhatBothSidesSaid) {
  ConnectionTable table;
  const ConnectionKey tcp = key(ConnectionKind::track, 1);
  const auto state = [&] { return table.find(tcp)->state(); };
  table.open(tcp, entry());
  EXPECT_EQ(state(), ConnectionState::opening);
  table.touch(tcp, Direction::back, seen::kSyn | seen::kAck, kStart + 1s);
  EXPECT_EQ(state(), ConnectionState::established);
  table.touch(tcp, Direction::forward, seen::kFin | seen::kAck, kStart + 2s);
  EXPECT_EQ(state(), ConnectionState::established) << "half closed";
  table.touch(tcp, Direction::back, seen::kFin | seen::kAck, kStart + 3s);
  EXPECT_EQ(state(), ConnectionState::closing);
  table.touch(tcp, Direction::back, seen::kRst, kStart + 4s);
  EXPECT_EQ(state(), ConnectionState::closed);
  EXPECT_EQ(table.find(tcp)->last_seen, kStart + 4s);
  table.touch(tcp, Direction::forward, seen::kSyn, kStart + 5s);
  EXPECT_EQ(state(), ConnectionState::opening) << "the same ports, anew";
}

TEST(ConnectionTable, TimeOutsAreOfProtocolAndState) {
  const ConnectionTimeouts timeouts;
  ConnectionEntry one = entry();
  EXPECT_EQ(timeouts.of(key(ConnectionKind::track, 1), one), timeouts.tcp_opening);
  one.seen_back = seen::kPacket;
  EXPECT_EQ(timeouts.of(key(ConnectionKind::track, 1), one), timeouts.tcp_established);
  EXPECT_EQ(timeouts.of(key(ConnectionKind::snat, 1, ip_proto::kUdp), one), timeouts.udp_established);
  EXPECT_EQ(timeouts.of(key(ConnectionKind::snat, 1, ip_proto::kIcmp), one), timeouts.icmp);
  EXPECT_EQ(timeouts.of(key(ConnectionKind::track, 1, 47), one), timeouts.other);
  EXPECT_EQ(timeouts.of(key(ConnectionKind::fragment, 1), one), timeouts.fragment);
  one.seen_back |= seen::kRst;
  EXPECT_EQ(timeouts.of(key(ConnectionKind::track, 1), one), timeouts.tcp_closed);
}

TEST(ConnectionTable, PartnersAreEachOthers) {
  for (const ConnectionKind kind :
       {ConnectionKind::snat, ConnectionKind::dnat, ConnectionKind::snat_reverse, ConnectionKind::dnat_reverse}) {
    for (const uint8_t proto : {ip_proto::kTcp, ip_proto::kIcmp}) {
      ConnectionKey one = key(kind, 80, proto);  // an identifier is both ports
      const ConnectionEntry its = entry(5000);
      const auto partner = partner_of(one, its);
      ASSERT_TRUE(partner);
      const ConnectionEntry partners = partner_entry(one, its);
      EXPECT_EQ(partner_of(*partner, partners), one) << one.to_string() << " / " << partner->to_string();
      EXPECT_EQ(partner_entry(*partner, partners).address, its.address);
      EXPECT_EQ(partner_entry(*partner, partners).port, its.port);
    }
  }
  EXPECT_FALSE(partner_of(key(ConnectionKind::track, 1), entry()));
}

TEST(ConnectionTable, NobodyTakesMoreThanTheirShare) {
  ConnectionTable table({1'000, 10, 15});
  const Account one{1, 1}, two{2, 1}, other{3, 2};
  for (uint16_t i = 0; i < 20; ++i) table.open(key(ConnectionKind::track, i), entry(0, one));
  EXPECT_EQ(table.of_port(1), 10U);
  EXPECT_EQ(table.over_port_share(), 10U);
  for (uint16_t i = 100; i < 120; ++i) table.open(key(ConnectionKind::track, i), entry(0, two));
  EXPECT_EQ(table.of_port(2), 5U) << "the tenant's share";
  EXPECT_EQ(table.of_tenant(1), 15U);
  EXPECT_EQ(table.over_tenant_share(), 15U);
  EXPECT_EQ(table.open(key(ConnectionKind::track, 200), entry(0, other)), OpenResult::added);
  EXPECT_TRUE(table.erase(key(ConnectionKind::track, 0)));
  EXPECT_EQ(table.open(key(ConnectionKind::track, 300), entry(0, two)), OpenResult::added);
  EXPECT_EQ(table.refused(), 0U);
}

TEST(ConnectionTable, AnEntryCostsLessThanTwoHundredBytes) {
  // Words of a slot: seven of the key, six of the value, and its part of the bucket's head; 5 of 8 slots are used.
  EXPECT_LE((7 + 6 + 2.0 / 8) * 8 * 8 / 5, 200);
}

TEST(ConnectionTable, OnlyOneOfManyThreadsGetsAPort) {
  ConnectionTable table;
  std::atomic<int> added{0};
  std::vector<std::jthread> threads;
  for (uint16_t worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&, worker] {
      for (uint16_t port = 0; port < 500; ++port) {
        const auto result = table.open(key(ConnectionKind::snat_reverse, port), entry(worker));
        if (result == OpenResult::added) added.fetch_add(1);
        table.touch(key(ConnectionKind::snat_reverse, port), Direction::back, 0, kStart + 1s);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(added.load(), 500);
  EXPECT_EQ(table.size(), 500U);
}

TEST(NatBlocks, AreLeasedOneByOne) {
  NatBlocks blocks;
  const IpAddress address = IpAddress::v4(0xc0000201);
  EXPECT_EQ(blocks.leased(kDevice, address, 0), 0U);
  EXPECT_TRUE(blocks.add({kDevice, address, 3}));
  EXPECT_TRUE(blocks.add({kDevice, address, 3}));
  EXPECT_TRUE(blocks.add({kDevice, address, 1023}));
  EXPECT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks.leased(kDevice, address, 0), 8U);
  EXPECT_EQ(blocks.leased(kDevice, address, 15), uint64_t{1} << 63);
  blocks.set_spent(kDevice, address, 16, 1023);
  EXPECT_TRUE(blocks.spent(kDevice, address, 16, 1023));
  EXPECT_TRUE(blocks.spent(kDevice, address, 20, 20));
  EXPECT_FALSE(blocks.spent(kDevice, address, 15, 20)) << "block 15 may be nobody's";
  std::set<NatBlock> seen_blocks;
  blocks.for_each([&](const NatBlock& block) { seen_blocks.insert(block); });
  EXPECT_EQ(seen_blocks.size(), 2U);
  blocks.clear_spent(kDevice, address);
  blocks.remove({kDevice, address, 3});
  blocks.remove({kDevice, address, 3});
  EXPECT_EQ(blocks.size(), 1U);
  EXPECT_FALSE(blocks.spent(kDevice, address, 20, 20));
}

}  // namespace
}  // namespace viaduct::flows
