#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/fib/fib_literals.hpp"

namespace viaduct::routing {
namespace {

RouteId route_of(const Table& fib, std::string_view source, std::string_view destination) {
  FibMatch match = fib.lookup(ip(source), ip(destination), 1);
  return match.entry != nullptr ? match.entry->id : RouteId();
}

TEST(Fib, EmptyTableHasNoRoute) {
  Table fib;
  FibMatch match = fib.lookup(ip("10.0.0.1"), ip("10.0.0.2"), 0);
  EXPECT_EQ(match.entry, nullptr);
  EXPECT_EQ(match.candidates, 0U);
  EXPECT_EQ(fib.size(), 0U);
}

TEST(Fib, LongestPrefixWins) {
  Table fib = Table().with(entry(1, "0.0.0.0/0")).with(entry(2, "10.0.0.0/8")).with(entry(3, "10.1.2.3/32"));
  EXPECT_EQ(route_of(fib, "1.1.1.1", "9.9.9.9"), route_id(1));
  EXPECT_EQ(route_of(fib, "1.1.1.1", "10.1.2.4"), route_id(2));
  EXPECT_EQ(route_of(fib, "1.1.1.1", "10.1.2.3"), route_id(3));
}

TEST(Fib, FamiliesAreApart) {
  Table fib = Table().with(entry(1, "0.0.0.0/0")).with(entry(2, "2001:db8::/32")).with(entry(3, "2001:db8::1/128"));
  EXPECT_EQ(route_of(fib, "::1", "2001:db8::2"), route_id(2));
  EXPECT_EQ(route_of(fib, "::1", "2001:db8::1"), route_id(3));
  EXPECT_EQ(route_of(fib, "::1", "fd00::1"), RouteId());
  EXPECT_EQ(route_of(fib, "1.1.1.1", "8.8.8.8"), route_id(1));
}

TEST(Fib, SourceThatDoesNotMatchFallsBackToTheShorterPrefix) {
  Table fib = Table().with(entry(1, "10.0.0.0/8")).with(entry(2, "10.1.0.0/16", 1, "192.168.0.0/16"));
  EXPECT_EQ(route_of(fib, "192.168.3.4", "10.1.0.1"), route_id(2));
  EXPECT_EQ(route_of(fib, "172.16.0.1", "10.1.0.1"), route_id(1));
  EXPECT_TRUE(fib.lookup(ip("172.16.0.1"), ip("10.1.0.1"), 0).source_read);
  EXPECT_FALSE(fib.lookup(ip("172.16.0.1"), ip("10.2.0.1"), 0).source_read);
}

TEST(Fib, LeastWeightAmongThoseWhoseSourceCounts) {
  Table fib = Table()
                  .with(entry(1, "10.0.0.0/8", 10, "192.168.0.0/16"))
                  .with(entry(2, "10.0.0.0/8", 20))
                  .with(entry(3, "10.0.0.0/8", 30));
  EXPECT_EQ(route_of(fib, "192.168.0.1", "10.0.0.1"), route_id(1));
  EXPECT_EQ(route_of(fib, "1.1.1.1", "10.0.0.1"), route_id(2));
  EXPECT_EQ(fib.lookup(ip("1.1.1.1"), ip("10.0.0.1"), 0).candidates, 1U);
}

TEST(Fib, SourceOfLengthZeroHoldsAllFamilies) {
  FibEntry any = entry(1, "2001:db8::/32");
  any.source = IpPrefix();  // 0.0.0.0/0, as a default-constructed route has it
  EXPECT_EQ(route_of(Table().with(any), "fd00::1", "2001:db8::1"), route_id(1));
}

TEST(Fib, SameIdAndDestinationReplaces) {
  Table fib =
      Table().with(entry(1, "10.0.0.0/8", 10)).with(entry(2, "10.0.0.0/8", 20)).with(entry(1, "10.0.0.0/8", 30));
  EXPECT_EQ(fib.size(), 2U);
  EXPECT_EQ(route_of(fib, "1.1.1.1", "10.0.0.1"), route_id(2));
  fib = fib.with(entry(1, "11.0.0.0/8"));  // the same id elsewhere is another entry
  EXPECT_EQ(fib.size(), 3U);
}

TEST(Fib, HostBitsOfTheDestinationDoNotCount) {
  Table fib = Table().with(entry(1, "10.1.2.3/8"));
  EXPECT_EQ(route_of(fib, "1.1.1.1", "10.9.9.9"), route_id(1));
  EXPECT_EQ(fib.without(route_id(1), net("10.0.0.0/8")).size(), 0U);
}

TEST(Fib, RemovingWhatIsNotThereChangesNothing) {
  Table fib = Table().with(entry(1, "10.0.0.0/8")).with(entry(2, "10.128.0.0/9"));
  EXPECT_EQ(fib.without(route_id(9), net("10.0.0.0/8")).size(), 2U);
  EXPECT_EQ(fib.without(route_id(1), net("10.0.0.0/9")).size(), 2U);
  EXPECT_EQ(fib.without(route_id(1), net("11.0.0.0/8")).size(), 2U);
  EXPECT_EQ(fib.without(route_id(1), net("::/0")).size(), 2U);
}

TEST(Fib, OlderVersionsAndTheirEntriesStay) {
  Table before = Table().with(entry(1, "10.0.0.0/8")).with(entry(2, "10.1.0.0/16"));
  const FibEntry* held = before.lookup(ip("1.1.1.1"), ip("10.1.0.1"), 0).entry;
  Table after = before.without(route_id(2), net("10.1.0.0/16")).with(entry(3, "10.1.0.0/17"));
  EXPECT_EQ(route_of(before, "1.1.1.1", "10.1.0.1"), route_id(2));
  EXPECT_EQ(route_of(after, "1.1.1.1", "10.1.0.1"), route_id(3));
  EXPECT_EQ(route_of(after, "1.1.1.1", "10.1.200.1"), route_id(1));
  EXPECT_EQ(held->id, route_id(2));
}

TEST(Fib, ARouteWhoseNextHopIsDownIsPassedOver) {
  const Table fib =
      Table().with(entry(1, "10.0.0.0/8")).with(entry(2, "10.1.0.0/16")).with(entry(3, "10.1.0.0/16", 200));
  const PortId first = entry(2, "::/0").port, second = entry(3, "::/0").port;
  const auto chosen = [](const Table& in) { return in.lookup(ip("1.1.1.1"), ip("10.1.2.3"), 0).entry->id; };
  EXPECT_EQ(chosen(fib.standing(first, {Standing::none})), route_id(3));
  EXPECT_EQ(chosen(fib.standing(first, {Standing::doubtful})), route_id(3));
  EXPECT_EQ(chosen(fib.standing(first, {Standing::none}).standing(second, {Standing::none})), route_id(1));
  // Better than a shorter prefix: a host that is silent may only have lost its agent.
  EXPECT_EQ(chosen(fib.standing(first, {Standing::doubtful}).standing(second, {Standing::none})), route_id(2));
  EXPECT_EQ(chosen(fib.standing(first, {Standing::none}).standing(first, {})), route_id(2));
}

TEST(Fib, AGatewayThatIsGoneTakesItsRoutesAlong) {
  FibEntry one = entry(1, "10.0.0.0/8"), other = entry(2, "10.0.0.0/8");
  other.port = one.port;
  one.gateway = ip("192.0.2.1");
  other.gateway = ip("192.0.2.2");
  const Table fib = Table().with(one).with(other).standing(one.port, {Standing::good, {ip("192.0.2.1")}});
  for (uint64_t hash = 0; hash < 100; ++hash) {
    const FibMatch match = fib.lookup(ip("1.1.1.1"), ip("10.0.0.1"), hash);
    ASSERT_EQ(match.entry->id, route_id(2));
    ASSERT_EQ(match.candidates, 1U);
  }
}

TEST(Fib, VisitsInOrder) {
  Table fib = Table()
                  .with(entry(1, "::/0"))
                  .with(entry(2, "10.128.0.0/9"))
                  .with(entry(3, "10.0.0.0/8", 20))
                  .with(entry(4, "10.0.0.0/8", 10))
                  .with(entry(5, "10.0.0.0/9"));
  std::vector<RouteId> seen;
  fib.for_each([&](const FibEntry& entry) { seen.push_back(entry.id); });
  EXPECT_EQ(seen, (std::vector<RouteId>{route_id(4), route_id(3), route_id(5), route_id(2), route_id(1)}));
}

}  // namespace
}  // namespace viaduct::routing
