#include "actors/agent/parking_lot.hpp"

#include <gtest/gtest.h>

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
const flows::Time kStart = flows::Time{} + 1h;

flows::simulation::NeighbourWanted wanted(uint32_t address) {
  return {RouterId(Uuid::from_words(1, 1)), PortId(Uuid::from_words(2, 1)), IpAddress::v4(address)};
}
ParkedPacket packet(uint8_t mark, uint32_t port = 1, size_t bytes = 100) {
  ParkedPacket out;
  out.frame.assign(bytes, mark);
  out.in_port = {port};
  out.received = kStart;
  return out;
}

TEST(ParkingLot, TakesInTheOrderOfArrival) {
  ParkingLot lot;
  EXPECT_EQ(lot.park(wanted(1), packet(1), kStart + 3s), std::nullopt);
  EXPECT_EQ(lot.park(wanted(2), packet(2), kStart + 3s), std::nullopt);
  EXPECT_EQ(lot.park(wanted(1), packet(3), kStart + 3s), std::nullopt);
  const auto taken = lot.take(wanted(1));
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].frame[0], 1);
  EXPECT_EQ(taken[1].frame[0], 3);
  EXPECT_TRUE(lot.take(wanted(1)).empty());
  EXPECT_EQ(lot.size(), 1U);
  EXPECT_EQ(lot.bytes(), 100U);
}

TEST(ParkingLot, ExpiresAtTheDeadline) {
  ParkingLot lot;
  lot.park(wanted(1), packet(1), kStart + 5s);
  lot.park(wanted(2), packet(2), kStart + 3s);
  lot.park(wanted(1), packet(3), kStart + 3s);
  EXPECT_EQ(lot.next_deadline(), kStart + 3s);
  EXPECT_TRUE(lot.expire(kStart + 2999ms).empty());
  EXPECT_EQ(lot.expire(kStart + 3s).size(), 2U);
  EXPECT_EQ(lot.take(wanted(1)).size(), 1U);
  EXPECT_EQ(lot.next_deadline(), std::nullopt);
  EXPECT_EQ(lot.bytes(), 0U);
}

TEST(ParkingLot, EveryBoundRefusesUnderItsName) {
  ParkingLot lot({.per_fact = 2, .per_port = 3, .packets = 4, .bytes = 450});
  const auto deadline = kStart + 3s;
  EXPECT_EQ(lot.park(wanted(1), packet(1), deadline), std::nullopt);
  EXPECT_EQ(lot.park(wanted(1), packet(1), deadline), std::nullopt);
  EXPECT_NE(lot.park(wanted(1), packet(1), deadline), std::nullopt);
  EXPECT_EQ(lot.refused(ParkRefusal::fact_full), 1U);
  EXPECT_EQ(lot.park(wanted(2), packet(1), deadline), std::nullopt);
  EXPECT_NE(lot.park(wanted(3), packet(1), deadline), std::nullopt);
  EXPECT_EQ(lot.refused(ParkRefusal::port_full), 1U);
  EXPECT_NE(lot.park(wanted(3), packet(1, 2, 151), deadline), std::nullopt);
  EXPECT_EQ(lot.refused(ParkRefusal::bytes_full), 1U);
  EXPECT_EQ(lot.park(wanted(3), packet(1, 2), deadline), std::nullopt);
  EXPECT_NE(lot.park(wanted(4), packet(1, 2), deadline), std::nullopt);
  EXPECT_EQ(lot.refused(ParkRefusal::packets_full), 1U);
  lot.expire(deadline);
  EXPECT_EQ(lot.park(wanted(1), packet(1), deadline), std::nullopt);  // all room is there again
  EXPECT_EQ(lot.size(), 1U);
}

TEST(ParkingLot, AScanOfOnePortLeavesRoomForOthers) {
  ParkingLot lot;
  int parked = 0;
  for (uint32_t i = 0; i < 10000; ++i) parked += lot.park(wanted(i), packet(1, 1), kStart + 3s) ? 0 : 1;
  EXPECT_EQ(parked, 256);
  EXPECT_EQ(lot.park(wanted(1), packet(2, 2), kStart + 3s), std::nullopt);
}

}  // namespace
}  // namespace viaduct::actors
