#include "actors/agent/learned_parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "actors/agent/route_book.hpp"
#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using topology::GatewayLost;
using topology::HostFact;
using topology::LearnedRoutes;
using topology::testing::ip;

const PortId kUplink = id<PortId>(22);
IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

// Whoever hears what is said, and what ended: what it comes to.
struct Hearer {
  std::map<std::string, HostFact> facts;

  void hear(const RoutesLearned& news) {
    for (const HostFact& fact : news.ended) facts.erase(topology::state_key(of(kHere, fact)));
    for (const HostFact& fact : news.said) facts.insert_or_assign(topology::state_key(of(kHere, fact)), fact);
  }
  std::vector<HostFact> said() const {
    std::vector<HostFact> out;
    for (const auto& [key, fact] : facts) out.push_back(fact);
    return out;
  }
  // "gateway prefix"
  std::multiset<std::string> routes() const {
    std::multiset<std::string> out;
    for (const auto& [key, fact] : facts) {
      const auto* routes = std::get_if<LearnedRoutes>(&fact);
      if (routes == nullptr) {
        out.insert(std::get<GatewayLost>(fact).gateway.to_string() + " lost");
        continue;
      }
      EXPECT_TRUE(std::is_sorted(routes->prefixes.begin(), routes->prefixes.end()));
      for (const IpPrefix& prefix : routes->prefixes)
        out.insert(routes->gateway.to_string() + " " + prefix.to_string());
    }
    return out;
  }
};

TEST(LearnedParts, SaysWhatIsNewAndWhatEnded) {
  LearnedParts parts(kUplink);
  Hearer hearer;
  parts.learn(net("10.1.0.0/16"), {ip("10.9.0.2"), ip("10.9.0.1")});
  parts.learn(net("10.2.0.0/16"), {ip("10.9.0.1")});
  parts.lose(ip("10.9.0.2"));
  hearer.hear(parts.take());
  using Routes = std::multiset<std::string>;
  EXPECT_EQ(hearer.routes(),
            (Routes{"10.9.0.1 10.1.0.0/16", "10.9.0.1 10.2.0.0/16", "10.9.0.2 10.1.0.0/16", "10.9.0.2 lost"}));
  EXPECT_THAT(parts.take().said, IsEmpty());
  parts.learn(net("10.1.0.0/16"), {ip("10.9.0.1")});
  parts.find(ip("10.9.0.2"));
  hearer.hear(parts.take());
  EXPECT_EQ(hearer.routes(), (Routes{"10.9.0.1 10.1.0.0/16", "10.9.0.1 10.2.0.0/16"}));
  parts.clear();
  hearer.hear(parts.take());
  EXPECT_THAT(hearer.facts, IsEmpty());
}

TEST(LearnedParts, AChangeRewritesOneSmallPart) {
  LearnedParts parts(kUplink);
  for (uint32_t i = 0; i < 10'000; ++i) {
    parts.learn(IpPrefix(IpAddress::v4(0x1400'0000 + (i << 8)), 24), {ip("10.9.0.1")});
  }
  EXPECT_THAT(parts.take().said, SizeIs(LearnedParts::kParts));
  parts.learn(net("20.0.7.0/24"), {});
  const RoutesLearned news = parts.take();
  ASSERT_THAT(news.said, SizeIs(1));
  EXPECT_LT(std::get<LearnedRoutes>(news.said.front()).prefixes.size(), 200U);
}

TEST(LearnedParts, WhatAnEarlierLifeSaidStaysUntilTheSweep) {
  LearnedParts earlier(kUplink);
  Hearer hearer;
  earlier.learn(net("10.1.0.0/16"), {ip("10.9.0.1")});
  earlier.learn(net("10.2.0.0/16"), {ip("10.9.0.1"), ip("10.9.0.2")});
  earlier.lose(ip("10.9.0.2"));
  hearer.hear(earlier.take());

  LearnedParts parts(kUplink);
  parts.adopt(hearer.said());
  EXPECT_THAT(parts.take().said, IsEmpty()) << "it is said already";
  parts.learn(net("10.2.0.0/16"), {ip("10.9.0.1"), ip("10.9.0.2")});
  EXPECT_THAT(parts.take().said, IsEmpty());
  parts.sweep();
  parts.find(ip("10.9.0.2"));
  hearer.hear(parts.take());
  EXPECT_EQ(hearer.routes(), (std::multiset<std::string>{"10.9.0.1 10.2.0.0/16", "10.9.0.2 10.2.0.0/16"}));
}

TEST(LearnedParts, PartsOfAnotherLayoutAreSaidAnew) {
  Hearer hearer;
  const auto said = [&](uint16_t part, std::vector<IpPrefix> prefixes) {
    hearer.hear({{LearnedRoutes{kUplink, ip("10.9.0.1"), part, std::move(prefixes)}}, {}});
  };
  said(1'000, {net("10.1.0.0/16"), net("10.2.0.0/16")});
  said(1'001, {});
  LearnedParts parts(kUplink);
  parts.adopt(hearer.said());
  parts.learn(net("10.1.0.0/16"), {ip("10.9.0.1")});
  hearer.hear(parts.take());
  EXPECT_EQ(hearer.routes(), (std::multiset<std::string>{"10.9.0.1 10.1.0.0/16", "10.9.0.1 10.2.0.0/16"}));
  for (const auto& [key, fact] : hearer.facts) EXPECT_LT(std::get<LearnedRoutes>(fact).part, 1'000);
}

TEST(LearnedParts, FamiliesAreApartAlsoBehindOneGateway) {
  LearnedParts parts(kUplink);
  for (uint32_t i = 0; i < 1'000; ++i) {
    parts.learn(IpPrefix(IpAddress::v4(0x1400'0000 + (i << 8)), 24), {ip("fd00:9::1")});
    parts.learn(IpPrefix::parse("2001:db8:" + std::to_string(i) + "::/48").value(), {ip("fd00:9::1")});
  }
  size_t prefixes = 0;
  for (const HostFact& fact : parts.take().said) {
    const auto frame = topology::encode_state(of(kHere, fact));
    const auto decoded = topology::decode_state(frame.bytes);
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_EQ(decoded->fact, fact);
    prefixes += std::get<LearnedRoutes>(fact).prefixes.size();
  }
  EXPECT_EQ(prefixes, 2'000U);
}

TEST(LearnedParts, WhatIsHeardIsWhatIsSoAfterAnyWalk) {
  std::mt19937_64 random(7);
  LearnedParts parts(kUplink);
  Hearer hearer;
  std::map<IpPrefix, std::set<IpAddress>> truth;
  const auto gateway = [&](uint64_t number) { return IpAddress::v4(0x0a09'0001 + static_cast<uint32_t>(number)); };
  for (int step = 0; step < 5'000; ++step) {
    const IpPrefix prefix(IpAddress::v4(0x1400'0000 + static_cast<uint32_t>(random() % 300 << 8)), 24);
    std::set<IpAddress> now;
    for (uint64_t number = 0; number < 3; ++number) {
      if (random() % 3 == 0) now.insert(gateway(number));
    }
    parts.learn(prefix, {now.begin(), now.end()});
    truth[prefix] = now;
    if (random() % 20 != 0) continue;
    hearer.hear(parts.take());
    std::multiset<std::string> expected;
    for (const auto& [at, by] : truth) {
      for (const IpAddress& one : by) expected.insert(one.to_string() + " " + at.to_string());
    }
    ASSERT_EQ(hearer.routes(), expected);
  }
}

}  // namespace
}  // namespace viaduct::actors
