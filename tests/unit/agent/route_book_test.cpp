#include "actors/agent/route_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using flows::simulation::Locations;
using flows::simulation::Moved;
using testing::ElementsAre;
using testing::IsEmpty;
using topology::GatewayLost;
using topology::LearnedRoutes;
using topology::testing::ip;

const PortId kUplink = id<PortId>(22);

LearnedRoutes routes(std::string_view gateway, std::vector<std::string_view> prefixes, uint16_t part = 0) {
  LearnedRoutes out{kUplink, ip(gateway), part};
  for (std::string_view prefix : prefixes) out.prefixes.push_back(IpPrefix::parse(prefix).value());
  return out;
}
GatewayLost lost(std::string_view gateway) { return {kUplink, ip(gateway)}; }

class RouteBookTest : public testing::Test {
 protected:
  std::vector<PortId> follow(const topology::StateChange& change) {
    Moved moved;
    book.follow(change, locations, moved);
    return moved.ports;
  }
  std::vector<PortId> learn(const RoutesLearned& news) {
    Moved moved;
    book.learn(news, locations, moved);
    return moved.ports;
  }
  // As "gateway prefix", in order.
  std::vector<std::string> said_by(HostId host) const {
    std::vector<std::string> out;
    const auto* all = locations.learned.find(kUplink);
    if (all == nullptr || !all->contains(host)) return out;
    all->at(host)->parts.for_each([&](const auto& part, const auto& said) {
      for (const IpPrefix& prefix : said->prefixes) out.push_back(part.gateway.to_string() + " " + prefix.to_string());
    });
    for (const IpAddress& gateway : all->at(host)->lost) out.push_back(gateway.to_string() + " lost");
    std::sort(out.begin(), out.end());
    return out;
  }

  RouteBook book{kHere};
  Locations locations;
};

TEST_F(RouteBookTest, WhatTheTablesEndThoughItIsSoIsMissing) {
  const auto one = routes("10.9.0.1", {"10.1.0.0/16"}, 1), two = routes("10.9.0.1", {"10.2.0.0/16"}, 2);
  learn({{one, two, lost("10.9.0.2")}, {}});
  EXPECT_TRUE(book.is_missing(went(of(kHere, one)), locations));
  EXPECT_TRUE(book.is_missing(went(of(kHere, routes("10.9.0.1", {}, 2))), locations)) << "also an older one";
  EXPECT_TRUE(book.is_missing(became(of(kHere, one), of(kThere, one)), locations)) << "taken";
  EXPECT_TRUE(book.is_missing(went(of(kHere, lost("10.9.0.2"))), locations));
  EXPECT_FALSE(book.is_missing(went(of(kThere, one)), locations));
  EXPECT_FALSE(book.is_missing(came(of(kHere, one)), locations));
  EXPECT_FALSE(book.is_missing(became(of(kHere, one), of(kHere, one, 2)), locations));
  EXPECT_FALSE(book.is_missing(went(of(kHere, lost("10.9.0.1"))), locations)) << "never said";
  EXPECT_FALSE(book.is_missing(went(of(kHere, active(22, 7))), locations)) << "of another kind";
  learn({{}, {one, lost("10.9.0.2")}});
  EXPECT_FALSE(book.is_missing(went(of(kHere, one)), locations)) << "its own doing";
  EXPECT_FALSE(book.is_missing(went(of(kHere, lost("10.9.0.2"))), locations));
}

TEST_F(RouteBookTest, WhatAnotherHostSaysIsKeptAsItsOwn) {
  EXPECT_THAT(follow(came(of(kThere, routes("10.9.0.1", {"10.1.0.0/16"})))), ElementsAre(kUplink));
  follow(came(of(kThere, lost("10.9.0.1"))));
  follow(came(of(kThere, lost("10.9.0.1"))));
  EXPECT_THAT(said_by(kThere), ElementsAre("10.9.0.1 10.1.0.0/16", "10.9.0.1 lost"));
  EXPECT_THAT(said_by(kHere), IsEmpty());
  follow(went(of(kThere, lost("10.9.0.1"))));
  follow(went(of(kThere, routes("10.9.0.1", {"10.1.0.0/16"}))));
  EXPECT_THAT(said_by(kThere), IsEmpty());
  EXPECT_EQ(locations.learned.find(kUplink), nullptr);
}

TEST_F(RouteBookTest, APartIsReplacedAsAWhole) {
  const auto before = of(kThere, routes("10.9.0.1", {"10.1.0.0/16", "10.2.0.0/16"}));
  follow(came(before));
  follow(became(before, of(kThere, routes("10.9.0.1", {"10.2.0.0/16"}))));
  EXPECT_THAT(said_by(kThere), ElementsAre("10.9.0.1 10.2.0.0/16"));
}

TEST_F(RouteBookTest, AKeyThatChangesHandsIsTheOthersNow) {
  const auto fact = routes("10.9.0.1", {"10.1.0.0/16"});
  follow(came(of(kThere, fact)));
  follow(became(of(kThere, fact), of(kElsewhere, fact)));
  EXPECT_THAT(said_by(kThere), IsEmpty());
  EXPECT_THAT(said_by(kElsewhere), ElementsAre("10.9.0.1 10.1.0.0/16"));
}

TEST_F(RouteBookTest, OfThisHostItsSpeakersKnowBetterThanTheTables) {
  EXPECT_THAT(learn({{routes("10.9.0.1", {"10.1.0.0/16"}), lost("10.9.0.2")}, {}}), ElementsAre(kUplink));
  EXPECT_THAT(follow(came(of(kHere, routes("10.9.0.1", {"10.7.0.0/16"})))), IsEmpty());
  EXPECT_THAT(follow(went(of(kHere, lost("10.9.0.2")))), IsEmpty());
  EXPECT_THAT(said_by(kHere), ElementsAre("10.9.0.1 10.1.0.0/16", "10.9.0.2 lost"));
  learn({{routes("10.9.0.1", {"10.3.0.0/16"})}, {lost("10.9.0.2")}});
  EXPECT_THAT(said_by(kHere), ElementsAre("10.9.0.1 10.3.0.0/16"));
}

TEST_F(RouteBookTest, WhatAnEarlierLifeHadLearnedCountsAgain) {
  book.restore(routes("10.9.0.1", {"10.1.0.0/16"}), locations);
  book.restore(active(22, 5), locations);
  EXPECT_THAT(said_by(kHere), ElementsAre("10.9.0.1 10.1.0.0/16"));
}

TEST_F(RouteBookTest, OtherFactsAreNoneOfItsBusiness) {
  EXPECT_THAT(follow(came(of(kThere, active(22, 5)))), IsEmpty());
}

}  // namespace
}  // namespace viaduct::actors
