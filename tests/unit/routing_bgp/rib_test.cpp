#include "routing/bgp/rib.hpp"

#include <gmock/gmock.h>

#include "literals.hpp"

namespace viaduct::routing::bgp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class RibTest : public testing::Test {
 protected:
  void tell(const char* prefix, std::vector<IpAddress> gateways) {
    rib_.learn({net(prefix), std::move(gateways), false}, now_);
  }
  void remove(const char* prefix) { rib_.learn({net(prefix), {}, true}, now_); }
  std::vector<RouteChange> after(std::chrono::milliseconds time) {
    now_ += time;
    return rib_.take_changes(now_);
  }
  static RouteChange gone(const char* prefix) { return {net(prefix), {}}; }

  const IpAddress a_ = ip("10.9.0.2"), b_ = ip("10.9.0.3");
  Time now_{1h};
  Rib rib_;
};

TEST_F(RibTest, TellsWhatChangedOnce) {
  tell("192.0.2.0/24", {a_});
  EXPECT_EQ(rib_.next_deadline(), Time{});  // at once
  EXPECT_THAT(after(0ms), ElementsAre(RouteChange{net("192.0.2.0/24"), {a_}}));
  EXPECT_THAT(after(0ms), IsEmpty());
  EXPECT_EQ(rib_.next_deadline(), std::nullopt);
  tell("192.0.2.0/24", {a_});
  EXPECT_THAT(after(0ms), IsEmpty());
}

TEST_F(RibTest, ARemovalWaitsForTheRouteThatFollows) {
  tell("192.0.2.0/24", {a_});
  after(0ms);
  remove("192.0.2.0/24");
  EXPECT_EQ(rib_.next_deadline(), now_ + 100ms);
  EXPECT_THAT(after(99ms), IsEmpty());
  tell("192.0.2.0/24", {a_, b_});
  EXPECT_THAT(after(1s), ElementsAre(RouteChange{net("192.0.2.0/24"), {a_, b_}}));
  remove("192.0.2.0/24");
  EXPECT_THAT(after(100ms), ElementsAre(gone("192.0.2.0/24")));
  EXPECT_EQ(rib_.size(), 0U);
}

TEST_F(RibTest, EachRemovalHasItsOwnTime) {
  tell("192.0.2.0/24", {a_});
  after(0ms);
  remove("192.0.2.0/24");
  after(60ms);
  tell("192.0.2.0/24", {a_});
  remove("192.0.2.0/24");
  EXPECT_THAT(after(60ms), IsEmpty());
  EXPECT_THAT(after(40ms), ElementsAre(gone("192.0.2.0/24")));
}

TEST_F(RibTest, GoneAndBackBetweenTwoLooksIsNothing) {
  tell("192.0.2.0/24", {a_});
  after(0ms);
  rib_.set_own({net("192.0.2.0/24")}, {}, now_);
  rib_.set_own({}, {}, now_);
  EXPECT_THAT(after(0ms), IsEmpty());
  EXPECT_EQ(rib_.size(), 1U);
}

TEST_F(RibTest, RemovalsWaitForTheEndOfARestart) {
  tell("192.0.2.0/24", {a_});
  tell("198.51.100.0/24", {a_});
  after(0ms);
  rib_.restart_begins(now_ + 120s);
  remove("192.0.2.0/24");
  remove("198.51.100.0/24");
  EXPECT_THAT(after(60s), IsEmpty());
  tell("192.0.2.0/24", {a_});
  rib_.settled(now_);
  EXPECT_EQ(rib_.phase(), Rib::Phase::returning);
  EXPECT_THAT(after(999ms), IsEmpty());
  EXPECT_THAT(after(1ms), ElementsAre(gone("198.51.100.0/24")));
  EXPECT_EQ(rib_.phase(), Rib::Phase::normal);
}

TEST_F(RibTest, NewsMoveTheQuietTime) {
  rib_.restart_begins(now_ + 120s);
  rib_.settled(now_);
  for (int i = 0; i < 5; ++i) {
    after(900ms);
    tell("192.0.2.0/24", {a_});
    EXPECT_EQ(rib_.phase(), Rib::Phase::returning);
  }
  after(1s);
  EXPECT_EQ(rib_.phase(), Rib::Phase::normal);
}

TEST_F(RibTest, ANewStreamTellsEverythingAgain) {
  tell("192.0.2.0/24", {a_});
  tell("198.51.100.0/24", {a_});
  after(0ms);
  rib_.stream_lost(now_ + 120s);
  EXPECT_THAT(after(10s), IsEmpty());
  tell("192.0.2.0/24", {a_});
  rib_.settled(now_);
  EXPECT_THAT(after(1s), ElementsAre(gone("198.51.100.0/24")));
}

TEST_F(RibTest, ARestartEndsInAnyCase) {
  tell("192.0.2.0/24", {a_});
  after(0ms);
  rib_.stream_lost(now_ + 120s);
  after(60s);
  rib_.stream_lost(now_ + 120s);  // dies again: no more time than the first
  EXPECT_EQ(rib_.next_deadline(), now_ + 60s);
  EXPECT_THAT(after(60s), ElementsAre(gone("192.0.2.0/24")));
}

TEST_F(RibTest, TheFirstPrefixesOfAGatewayStay) {
  rib_.set_limits({.per_gateway = {{a_, 2}, {b_, 0}}});
  tell("192.0.2.0/24", {a_});
  tell("198.51.100.0/24", {a_});
  tell("10.0.0.0/8", {a_});
  tell("10.1.0.0/16", {a_, b_});
  EXPECT_THAT(after(0ms), ElementsAre(RouteChange{net("10.1.0.0/16"), {b_}}, RouteChange{net("192.0.2.0/24"), {a_}},
                                      RouteChange{net("198.51.100.0/24"), {a_}}));
  EXPECT_EQ(rib_.surplus(), 2U);
  remove("198.51.100.0/24");
  EXPECT_THAT(after(100ms), ElementsAre(RouteChange{net("10.0.0.0/8"), {a_}}, gone("198.51.100.0/24")));
  EXPECT_EQ(rib_.surplus(), 1U);
  rib_.set_limits({});
  EXPECT_THAT(after(0ms), ElementsAre(RouteChange{net("10.1.0.0/16"), {a_, b_}}));
  rib_.set_limits({.other_v4 = 1});
  EXPECT_EQ(rib_.surplus(), 2U);
  EXPECT_THAT(after(0ms), ElementsAre(RouteChange{net("10.1.0.0/16"), {b_}}, gone("192.0.2.0/24")));
}

TEST_F(RibTest, RefusesWhatIsOurs) {
  rib_.set_own({net("203.0.113.0/24")}, {ip("10.9.0.1")}, now_);
  tell("203.0.113.0/24", {a_});
  tell("203.0.113.128/25", {a_});
  tell("10.9.0.1/32", {a_});
  tell("192.0.2.0/24", {ip("10.9.0.1")});
  tell("224.0.0.0/8", {a_});
  tell("fe80::/64", {ip("2001:db8::1")});
  for (const char* never :
       {"0.0.0.0/8", "127.1.0.0/16", "169.254.0.0/16", "255.255.255.255/32", "ff02::/16", "::1/128"})
    tell(never, {never[0] == 'f' || never[0] == ':' ? ip("2001:db8::1") : a_});
  tell("0.0.0.0/0", {a_});
  EXPECT_THAT(after(0ms), ElementsAre(RouteChange{net("0.0.0.0/0"), {a_}}));
  EXPECT_THAT(rib_.refused(), ElementsAre(2, 2, 8));
  rib_.set_own({}, {ip("10.9.0.1")}, now_);  // no longer ours: what was told counts
  EXPECT_THAT(after(0ms),
              ElementsAre(RouteChange{net("203.0.113.0/24"), {a_}}, RouteChange{net("203.0.113.128/25"), {a_}}));
  rib_.set_own({net("203.0.113.0/24")}, {ip("10.9.0.1")}, now_);
  EXPECT_THAT(after(0ms), ElementsAre(gone("203.0.113.0/24"), gone("203.0.113.128/25")));
  remove("203.0.113.0/24");
  rib_.set_own({}, {}, now_);
  EXPECT_THAT(after(0ms), testing::Not(testing::Contains(RouteChange{net("203.0.113.0/24"), {a_}})));
}

TEST_F(RibTest, WhoAnnouncesADefaultRouteTakesOtherRoutes) {
  rib_.set_own({net("0.0.0.0/0")}, {}, now_);
  tell("0.0.0.0/0", {a_});
  tell("192.0.2.0/24", {a_});
  EXPECT_THAT(after(0ms), ElementsAre(RouteChange{net("192.0.2.0/24"), {a_}}));
  EXPECT_THAT(rib_.refused(), ElementsAre(1, 0, 0));
}

}  // namespace
}  // namespace viaduct::routing::bgp
