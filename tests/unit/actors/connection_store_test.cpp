#include "actors/agent/connection_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows/packet/flow_key.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

namespace store = topology::store;
using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::Direction;
using flows::OpenResult;
using std::chrono::seconds;
namespace seen = flows::seen;

class ConnectionStoreTest : public testing::Test {
 protected:
  static ConnectionKey key(uint32_t number, ConnectionKind kind = ConnectionKind::track) {
    return {kind, flows::ip_proto::kTcp, 1000, 80, IpAddress::v4(number), IpAddress::v4(7), Uuid::from_words(1, 1)};
  }
  ConnectionEntry entry(bool established = true) const {
    ConnectionEntry out;
    out.seen_forward = seen::kPacket | seen::kSyn;
    out.seen_back = established ? seen::kPacket | seen::kSyn | seen::kAck : 0;
    out.tenant = 4;
    out.port_account = 5;
    out.last_seen = now;
    return out;
  }
  // As a worker does.
  void open(const ConnectionKey& which, const ConnectionEntry& what) {
    ASSERT_EQ(state.connections.open(which, what), OpenResult::added);
    state.connection_news.changed({&which, 1});
  }
  void write() { EXPECT_EQ(disk.write(state, now, wall), ""); }
  void advance(seconds time) {
    now += time;
    wall += time;
  }
  // What the next life finds after `pause`.
  ConnectionStore::Restored restart(AgentState& next, seconds pause = seconds(0)) {
    return ConnectionStore(backend).restore(next, {}, now + pause, wall + pause);
  }
  size_t on_disk() {
    size_t count = 0;
    const auto view = backend->view();
    const auto cursor = view->cursor(store::Table::data);
    for (cursor->seek(""); cursor->valid(); cursor->next()) ++count;
    return count;
  }

  std::shared_ptr<store::Backend> backend = store::make_memory_backend();
  ConnectionStore disk{backend};
  AgentState state;
  flows::Time now = std::chrono::steady_clock::now();
  WallTime wall = std::chrono::system_clock::now();
};

TEST_F(ConnectionStoreTest, TheNextLifeGoesOnWithThem) {
  ConnectionEntry nat = entry();
  nat.address = *IpAddress::parse("203.0.113.9");
  nat.port = 4711;
  const ConnectionKey forward = key(1, ConnectionKind::snat), back = *partner_of(forward, nat);
  open(back, partner_entry(forward, nat));
  open(forward, nat);
  ConnectionEntry copy = entry(false);
  copy.owned = false;
  open(key(2), copy);
  open(key(3, ConnectionKind::fragment), entry());
  write();
  EXPECT_EQ(on_disk(), 2U) << "a pair is one, fragments are not kept";

  AgentState next;
  const auto restored = restart(next);
  EXPECT_EQ(restored.error, "");
  EXPECT_EQ(restored.connections, 2U);
  EXPECT_EQ(next.connections.size(), 3U);
  EXPECT_EQ(next.connections.find(forward), nat);
  EXPECT_EQ(next.connections.find(back), partner_entry(forward, nat));
  EXPECT_EQ(next.connections.find(key(2)), copy);
  EXPECT_EQ(next.connections.of_port(5), 3U) << "shares are taken again";
}

TEST_F(ConnectionStoreTest, StatesAndEndsAreWrittenAtOnce) {
  open(key(1), entry(false));
  open(key(2), entry());
  write();
  ASSERT_TRUE(state.connections.touch(key(1), Direction::back, seen::kSyn | seen::kAck, now));
  ASSERT_TRUE(state.connections.erase(key(2)));
  const ConnectionKey changed[] = {key(1), key(2), key(1)};
  state.connection_news.changed(changed);
  write();
  AgentState next;
  EXPECT_EQ(restart(next).connections, 1U);
  EXPECT_EQ(next.connections.find(key(1))->state(), flows::ConnectionState::established);
}

TEST_F(ConnectionStoreTest, TimeGoesOnWhileTheDaemonIsAway) {
  open(key(1), entry());
  open(key(2), entry(false));
  write();
  AgentState soon, late;
  EXPECT_EQ(restart(soon, seconds(1'000)).connections, 1U) << "what was opening has ended";
  const auto age = now + seconds(1'000) - soon.connections.find(key(1))->last_seen;
  EXPECT_LE(age, seconds(1'000));
  EXPECT_GE(age, seconds(1'000) - ConnectionStore::kRefresh);
  EXPECT_EQ(on_disk(), 1U);
  EXPECT_EQ(restart(late, seconds(8'000)).ended, 1U);
  EXPECT_EQ(on_disk(), 0U);
}

TEST_F(ConnectionStoreTest, ALongConnectionStaysFreshOnTheDisk) {
  open(key(1), entry());
  open(key(2), entry());
  write();
  for (int i = 0; i < 8'000; i += 10) {
    advance(seconds(10));
    state.connections.touch(key(1), Direction::forward, seen::kAck, now);
    write();
  }
  AgentState next;
  restart(next);
  EXPECT_TRUE(next.connections.find(key(1)));
  EXPECT_FALSE(next.connections.find(key(2))) << "two hours idle";
}

TEST_F(ConnectionStoreTest, WhatDidNotFitIntoTheNewsIsFoundInTheTable) {
  state.connections = flows::ConnectionTable({200'000, 200'000, 200'000});
  open(key(0), entry());
  write();
  ASSERT_TRUE(state.connections.erase(key(0)));
  constexpr uint32_t kMany = ConnectionNews::kCapacity + 1'000;
  for (uint32_t i = 1; i <= kMany; ++i) open(key(i), entry());
  state.connection_news.changed(std::array{key(0)});
  write();
  EXPECT_EQ(on_disk(), kMany);
}

TEST_F(ConnectionStoreTest, WhatCannotBeReadIsCountedAndRemoved) {
  ASSERT_FALSE(backend->write({{store::Table::data, "x", "garbage"}}, store::Durability::relaxed));
  EXPECT_EQ(disk.restore(state, {}, now, wall).damaged, 1U);
  EXPECT_EQ(on_disk(), 0U);
}

TEST_F(ConnectionStoreTest, WithoutRoomAPairIsNotRestoredInHalves) {
  for (uint32_t i = 0; i < 10; ++i) {
    ConnectionEntry nat = entry();
    nat.address = IpAddress::v4(99);
    nat.port = static_cast<uint16_t>(i + 1);
    open(*partner_of(key(i, ConnectionKind::snat), nat), partner_entry(key(i, ConnectionKind::snat), nat));
    open(key(i, ConnectionKind::snat), nat);
  }
  write();
  AgentState small(flows::ConnectionLimits{100, 15, 100});
  const auto restored = restart(small);
  EXPECT_EQ(restored.connections, 7U);
  EXPECT_EQ(restored.refused, 3U);
  EXPECT_EQ(small.connections.size(), 14U);
}

TEST_F(ConnectionStoreTest, AWallClockThatWasPutBackMakesNothingNewerThanNow) {
  open(key(1), entry());
  write();
  wall -= seconds(100'000);
  AgentState next;
  restart(next);
  EXPECT_EQ(next.connections.find(key(1))->last_seen, now);
}

}  // namespace
}  // namespace viaduct::actors
