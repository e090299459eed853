#include "flows/match/tag.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <unordered_set>

namespace viaduct::flows {
namespace {

TEST(Tag, KindsOfOneObjectDiffer) {
  Uuid id = Uuid::from_words(1, 2);
  std::unordered_set<Tag> tags{tag::device(id),
                               tag::absent(id),
                               tag::broadcast(BridgeId(id)),
                               tag::route(RouteId(id)),
                               tag::routes(RouterId(id)),
                               tag::next_hop(PortId(id)),
                               tag::local_flood(BridgeId(id)),
                               tag::tunnel_path(HostId(id))};
  EXPECT_EQ(tags.size(), 8U);
  EXPECT_EQ(tag::device(BridgeId(id)), tag::device(id));
}

TEST(Tag, EveryPartCounts) {
  BridgeId bridge(Uuid::from_words(1, 2)), other(Uuid::from_words(1, 3));
  PortId port(Uuid::from_words(4, 5)), port2(Uuid::from_words(5, 4));
  RouterId router(Uuid::from_words(1, 2));
  MacAddress mac = MacAddress::from_uint64(7), mac2 = MacAddress::from_uint64(8);
  IpAddress ip = IpAddress::parse("10.0.0.1").value();
  IpAddress same_bytes = IpAddress::from_network(IpFamily::v6, ip.storage().data());
  std::unordered_set<Tag> tags{
      tag::mac(bridge, 0, mac, port),
      tag::mac(other, 0, mac, port),
      tag::mac(bridge, 1, mac, port),
      tag::mac(bridge, 0, mac2, port),
      tag::mac(bridge, 0, mac, port2),
      tag::flood_mac(bridge, 0, mac),
      tag::flood_mac(bridge, 1, mac),
      tag::neighbour(router, port, ip),
      tag::neighbour(router, port2, ip),
      tag::neighbour(router, port, same_bytes),
      tag::datapath_port(PortNumber{1}),
      tag::datapath_port(PortNumber{2}),
      tag::tunnel_key(1),
      tag::tunnel_key(2),
      tag::tunnel_peer(ip),
      tag::tunnel_peer(same_bytes),
  };
  EXPECT_EQ(tags.size(), 16U);
}

TEST(Tag, NeighbouringFactsLieFarApart) {
  std::unordered_set<uint64_t> low;
  int flipped = 0;
  RouterId router(Uuid::from_words(9, 9));
  for (uint32_t i = 0; i < 10000; ++i) {
    Tag one = tag::neighbour(router, PortId{}, IpAddress::v4(i));
    low.insert(one.value & 0xffff'ffff);
    flipped += std::popcount(one.value ^ tag::neighbour(router, PortId{}, IpAddress::v4(i ^ 1)).value);
  }
  EXPECT_EQ(low.size(), 10000U);
  EXPECT_NEAR(flipped / 10000.0, 32.0, 1.0);
}

}  // namespace
}  // namespace viaduct::flows
