#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/unit/fib/fib_literals.hpp"

namespace viaduct::routing {
namespace {

constexpr int kFlows = 20000;

Table with_next_hops(int count) {
  Table fib;
  for (int i = 0; i < count; ++i) fib = fib.with(entry(static_cast<uint64_t>(i), "0.0.0.0/0"));
  return fib;
}

std::vector<RouteId> spread(const Table& fib) {
  std::mt19937_64 random(42);
  std::vector<RouteId> out;
  for (int i = 0; i < kFlows; ++i) {
    out.push_back(fib.lookup(ip("10.0.0.1"), ip("10.0.0.2"), random()).entry->id);
  }
  return out;
}

TEST(FibEcmp, SharesEvenly) {
  for (int hops : {2, 3, 8}) {
    std::map<RouteId, int> flows;
    for (RouteId id : spread(with_next_hops(hops))) ++flows[id];
    ASSERT_EQ(flows.size(), static_cast<size_t>(hops));
    for (const auto& [id, count] : flows) EXPECT_NEAR(count, kFlows / hops, kFlows / hops / 10);
  }
}

TEST(FibEcmp, EvenForHashesThatDifferInFewBits) {
  std::map<RouteId, int> flows;
  Table fib = with_next_hops(4);
  for (uint64_t hash = 0; hash < 4000; ++hash) ++flows[fib.lookup(ip("1.1.1.1"), ip("2.2.2.2"), hash).entry->id];
  for (const auto& [id, count] : flows) EXPECT_NEAR(count, 1000, 150);
}

TEST(FibEcmp, RemovingANextHopMovesOnlyItsFlows) {
  Table before = with_next_hops(5);
  std::vector<RouteId> old = spread(before);
  std::vector<RouteId> now = spread(before.without(route_id(2), net("0.0.0.0/0")));
  for (int i = 0; i < kFlows; ++i) {
    if (old[i] != route_id(2)) {
      ASSERT_EQ(now[i], old[i]);
    } else {
      ASSERT_NE(now[i], route_id(2));
    }
  }
}

TEST(FibEcmp, AddingANextHopTakesItsShareAndNoMore) {
  Table before = with_next_hops(4);
  std::vector<RouteId> old = spread(before);
  std::vector<RouteId> now = spread(before.with(entry(99, "0.0.0.0/0")));
  int moved = 0;
  for (int i = 0; i < kFlows; ++i) {
    if (now[i] == old[i]) continue;
    ASSERT_EQ(now[i], route_id(99));
    ++moved;
  }
  EXPECT_NEAR(moved, kFlows / 5, kFlows / 50);
}

TEST(FibEcmp, OrderOfInsertionDoesNotMatter) {
  std::vector<uint64_t> numbers = {0, 1, 2, 3, 4};
  std::vector<RouteId> expected = spread(with_next_hops(5));
  std::ranges::reverse(numbers);
  Table fib;
  for (uint64_t number : numbers) fib = fib.with(entry(number, "0.0.0.0/0"));
  EXPECT_EQ(spread(fib), expected);
}

TEST(FibEcmp, OtherWeightsAndSourcesAreNoCandidates) {
  Table fib = with_next_hops(3).with(entry(10, "0.0.0.0/0", 200)).with(entry(11, "0.0.0.0/0", 100, "10.9.0.0/16"));
  EXPECT_EQ(fib.lookup(ip("10.0.0.1"), ip("10.0.0.2"), 5).candidates, 3U);
  EXPECT_EQ(fib.lookup(ip("10.9.0.1"), ip("10.0.0.2"), 5).candidates, 4U);
}

}  // namespace
}  // namespace viaduct::routing
