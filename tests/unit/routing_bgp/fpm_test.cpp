#include "routing/bgp/fpm.hpp"

#include <gmock/gmock.h>

#include <random>

#include "literals.hpp"
#include "netlink_bytes.hpp"

namespace viaduct::routing::bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint16_t kDst = 1, kOif = 4, kGateway = 5, kMultipath = 9, kTable = 15, kVia = 18, kNhId = 30;  // RTA_
constexpr uint16_t kId = 1, kGroup = 2, kNhGateway = 6;                                                   // NHA_

class Fpm : public testing::Test {
 protected:
  std::vector<RouteNews> feed(const ByteString& bytes) {
    std::vector<RouteNews> out;
    EXPECT_TRUE(decoder_.feed(bytes, out));
    return out;
  }
  static ByteString to(const char* network) { return attribute(kDst, bytes(ip(network))); }
  static ByteString through(const char* gateway) { return attribute(kGateway, bytes(ip(gateway))); }
  static RouteNews news(const char* prefix, std::vector<IpAddress> gateways) {
    return {net(prefix), std::move(gateways), false};
  }
  static RouteNews gone(const char* prefix) { return {net(prefix), {}, true}; }

  FpmDecoder decoder_;
};

TEST_F(Fpm, OneGateway) {
  const ByteString route = frame(
      kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(6, u32(20)) + through("10.9.0.2") + attribute(kOif, u32(2))));
  EXPECT_THAT(feed(route), ElementsAre(news("192.0.2.0/24", {ip("10.9.0.2")})));
  EXPECT_THAT(feed(frame(kDelRoute, rtmsg({}, to("192.0.2.0")))), ElementsAre(gone("192.0.2.0/24")));
}

TEST_F(Fpm, AChangeIsTwoMessagesInOneFrame) {
  const ByteString route = rtmsg({}, to("192.0.2.0") + through("10.9.0.3"));
  const ByteString change = frame_of(message(kDelRoute, rtmsg({}, to("192.0.2.0"))) + message(kNewRoute, route));
  EXPECT_THAT(feed(change), ElementsAre(gone("192.0.2.0/24"), news("192.0.2.0/24", {ip("10.9.0.3")})));
}

TEST_F(Fpm, SixAndTheDefaultRoute) {
  const ByteString route =
      frame(kNewRoute, rtmsg({.family = 10, .length = 48}, to("2001:db8:200::") + through("2001:db8:9::2")));
  EXPECT_THAT(feed(route), ElementsAre(news("2001:db8:200::/48", {ip("2001:db8:9::2")})));
  EXPECT_THAT(feed(frame(kNewRoute, rtmsg({.length = 0}, through("10.9.0.2")))),
              ElementsAre(news("0.0.0.0/0", {ip("10.9.0.2")})));
}

TEST_F(Fpm, SeveralGatewaysSortedAndOnce) {
  const ByteString legs = leg(through("10.9.0.3")) + leg(through("10.9.0.2")) + leg(through("10.9.0.3"));
  EXPECT_THAT(feed(frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kMultipath, legs)))),
              ElementsAre(news("192.0.2.0/24", {ip("10.9.0.2"), ip("10.9.0.3")})));
}

TEST_F(Fpm, AGatewayOfTheOtherFamily) {
  ByteString via;
  put16(via, 10);
  EXPECT_THAT(feed(frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kVia, via + bytes(ip("2001:db8:9::2")))))),
              ElementsAre(news("192.0.2.0/24", {ip("2001:db8:9::2")})));
}

TEST_F(Fpm, NextHopsById) {
  const auto hop = [&](uint32_t id, const char* gateway) {
    return frame(kNewNextHop, nhmsg(2, attribute(kId, u32(id)) + attribute(kNhGateway, bytes(ip(gateway)))));
  };
  const ByteString group =
      frame(kNewNextHop, nhmsg(0, attribute(kId, u32(16)) + attribute(kGroup, u32(10) + u32(0) + u32(12) + u32(0))));
  feed(hop(10, "10.9.0.2") + hop(12, "10.9.0.3") + group);
  const ByteString route = frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kNhId, u32(16))));
  EXPECT_THAT(feed(route), ElementsAre(news("192.0.2.0/24", {ip("10.9.0.2"), ip("10.9.0.3")})));
  // A leg changes, and the route with it.
  EXPECT_THAT(feed(hop(12, "10.9.0.4")), ElementsAre(news("192.0.2.0/24", {ip("10.9.0.2"), ip("10.9.0.4")})));
  feed(frame(kDelRoute, rtmsg({}, to("192.0.2.0"))));
  EXPECT_THAT(feed(hop(12, "10.9.0.5")), IsEmpty());
  // A next hop that nobody has told is no gateway.
  feed(frame(kDelNextHop, nhmsg(0, attribute(kId, u32(16)))));
  EXPECT_THAT(feed(route), ElementsAre(gone("192.0.2.0/24")));
  EXPECT_EQ(decoder_.counters().no_gateway, 1U);
}

TEST_F(Fpm, OthersRoutesAreNotOurs) {
  EXPECT_THAT(feed(frame(kNewRoute, rtmsg({.protocol = 2}, to("192.0.2.0") + through("10.9.0.2")))), IsEmpty());
  EXPECT_THAT(feed(frame(kNewRoute, rtmsg({.table = 255}, to("192.0.2.0") + through("10.9.0.2")))), IsEmpty());
  EXPECT_THAT(
      feed(frame(kNewRoute, rtmsg({.table = 0}, to("192.0.2.0") + attribute(kTable, u32(1000)) + through("10.9.0.2")))),
      IsEmpty());
  EXPECT_EQ(decoder_.counters().other_routes, 3U);
  EXPECT_THAT(feed(frame(16, {})), IsEmpty());
  EXPECT_EQ(decoder_.counters().unknown, 1U);
}

TEST_F(Fpm, ABlackholeIsNoRoute) {
  EXPECT_THAT(feed(frame(kNewRoute, rtmsg({.type = 6}, to("192.0.2.0")))), ElementsAre(gone("192.0.2.0/24")));
}

TEST_F(Fpm, FramesInPieces) {
  const ByteString route = frame(kNewRoute, rtmsg({}, to("192.0.2.0") + through("10.9.0.2")));
  std::vector<RouteNews> out;
  for (const uint8_t byte : route + route) ASSERT_TRUE(decoder_.feed({&byte, 1}, out));
  EXPECT_EQ(out.size(), 2U);
  decoder_.feed({route.data(), 10}, out);
  decoder_.reset();  // a new connection begins with a frame
  EXPECT_THAT(feed(route), ElementsAre(news("192.0.2.0/24", {ip("10.9.0.2")})));
}

TEST_F(Fpm, AStrangeStreamIsRefused) {
  for (const ByteString& bad : {ByteString{2, 1, 0, 8}, ByteString{1, 2, 0, 8}, ByteString{1, 1, 0, 3}}) {
    std::vector<RouteNews> out;
    EXPECT_FALSE(FpmDecoder().feed(bad, out));
  }
}

// Each says something that cannot be: it counts, gives nothing, and the next message is read.
TEST_F(Fpm, MessagesThatContradictThemselves) {
  const ByteString good = rtmsg({}, to("192.0.2.0") + through("10.9.0.2"));
  ByteString long_attribute = rtmsg({}, to("192.0.2.0") + through("10.9.0.2"));
  long_attribute[12] = 200;
  ByteString no_length = rtmsg({}, to("192.0.2.0"));
  no_length[12] = 0;
  ByteString long_leg = leg(through("10.9.0.2"));
  long_leg[0] = 200;
  ByteString short_leg = leg(through("10.9.0.2"));
  short_leg[0] = 2;
  ByteString long_message = frame(kNewRoute, good);
  long_message[4] = 255;
  const ByteString many_legs = [&] {
    ByteString out;
    for (int i = 0; i < 300; ++i) out = out + leg(through("10.9.0.2"));
    return out;
  }();
  for (const ByteString& bad :
       {long_message, frame(kNewRoute, {}), frame_of({1, 2, 3}), frame(kNewRoute, {2, 24}),
        frame(kNewRoute, long_attribute), frame(kNewRoute, no_length),
        frame(kNewRoute, rtmsg({.length = 33}, to("192.0.2.0") + through("10.9.0.2"))),
        frame(kNewRoute, rtmsg({.family = 7}, to("192.0.2.0"))), frame(kNewRoute, rtmsg({}, through("10.9.0.2"))),
        frame(kNewRoute, rtmsg({}, attribute(kDst, {1, 2, 3}) + through("10.9.0.2"))),
        frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kGateway, {1, 2, 3}))),
        frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kVia, {2}))),
        frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kNhId, {2}))),
        frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kMultipath, long_leg))),
        frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kMultipath, short_leg))),
        frame(kNewRoute, rtmsg({}, to("192.0.2.0") + attribute(kMultipath, many_legs))), frame(kNewNextHop, {2}),
        frame(kNewNextHop, nhmsg(2, attribute(kNhGateway, bytes(ip("10.9.0.2"))))),
        frame(kNewNextHop, nhmsg(0, attribute(kId, u32(1)) + attribute(kGroup, {1, 2, 3})))}) {
    FpmDecoder decoder;
    std::vector<RouteNews> out;
    EXPECT_TRUE(decoder.feed(bad, out));
    EXPECT_THAT(out, IsEmpty()) << testing::PrintToString(bad);
    EXPECT_EQ(decoder.counters().malformed, 1U) << testing::PrintToString(bad);
    EXPECT_TRUE(decoder.feed(frame(kNewRoute, good), out));
    EXPECT_EQ(out.size(), 1U);
  }
}

TEST_F(Fpm, NextHopsAreBounded) {
  for (uint32_t id = 0; id <= FpmDecoder::kMaxNextHops; ++id) {
    feed(frame(kNewNextHop, nhmsg(2, attribute(kId, u32(id)) + attribute(kNhGateway, bytes(ip("10.9.0.2"))))));
  }
  EXPECT_EQ(decoder_.counters().over_bound, 1U);
}

TEST_F(Fpm, AnyByteMayBeWrong) {
  const ByteString route =
      frame(kNewRoute,
            rtmsg({}, to("192.0.2.0") + attribute(kMultipath, leg(through("10.9.0.3")) + leg(through("10.9.0.2")))));
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    ByteString bytes = route + route;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    FpmDecoder decoder;
    std::vector<RouteNews> out;
    decoder.feed(bytes, out);
    for (const RouteNews& one : out) EXPECT_EQ(one.removed, one.gateways.empty());
  }
}

}  // namespace
}  // namespace viaduct::routing::bgp
