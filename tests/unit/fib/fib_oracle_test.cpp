// Random tables against a brute-force search through all entries.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "tests/unit/fib/fib_literals.hpp"

namespace viaduct::routing {
namespace {

using Key = std::pair<RouteId, IpPrefix>;
struct Oracle {
  std::map<Key, FibEntry> entries;
  std::map<PortId, NextHops> next_hops;

  Standing standing_of(const FibEntry& entry) const {
    const auto known = next_hops.find(entry.port);
    if (entry.kind != topology::NextHop::port || known == next_hops.end()) return Standing::good;
    const auto& dead = known->second.dead;
    const bool gone = entry.gateway && std::find(dead.begin(), dead.end(), *entry.gateway) != dead.end();
    return gone ? Standing::none : known->second.standing;
  }
};
using Candidates = std::set<RouteId>;

// The longest prefix first, of those the ones that stand better, of those the least weight.
Candidates brute_force(const Oracle& oracle, const IpAddress& source, const IpAddress& destination) {
  using Rank = std::tuple<int, int, uint32_t>;  // the least counts
  std::optional<Rank> best;
  Candidates candidates;
  for (const auto& [key, entry] : oracle.entries) {
    const Standing standing = oracle.standing_of(entry);
    if (!entry.destination.contains(destination) || !entry.source.contains(source)) continue;
    if (standing == Standing::none) continue;
    const Rank rank{-entry.destination.length(), -static_cast<int>(standing), entry.weight};
    if (!best || rank < *best) {
      best = rank;
      candidates = {};
    }
    if (rank == *best) candidates.insert(entry.id);
  }
  return candidates;
}

constexpr uint64_t kPorts = 6, kGateways = 3;
PortId port_id(uint64_t number) { return PortId(Uuid::from_words(7, number)); }
IpAddress gateway(uint64_t number) { return IpAddress::v4(0x0a00'0001 + static_cast<uint32_t>(number)); }

// Addresses with few distinct bits, so that prefixes nest and split everywhere.
IpAddress random_address(std::mt19937_64& random, IpFamily family) {
  IpAddress::Bytes bytes{};
  const size_t width = family == IpFamily::v4 ? 4 : 16;
  for (size_t i = 0; i < width; ++i) {
    if (random() % 3 == 0) bytes[i] = static_cast<uint8_t>(1U << random() % 8);
  }
  return IpAddress::from_network(family, bytes.data());
}

IpPrefix random_prefix(std::mt19937_64& random, IpFamily family) {
  const IpAddress address = random_address(random, family);
  const int width = address.width_bits();
  const int choice = static_cast<int>(random() % 8);
  const int length = choice == 0 ? 0 : choice == 1 ? width : static_cast<int>(random() % (width + 1));
  return IpPrefix(address, length).network();
}

FibEntry random_entry(std::mt19937_64& random, IpFamily family) {
  FibEntry out;
  out.id = route_id(random() % 400);
  out.destination = random_prefix(random, family);
  out.source = random() % 3 == 0 ? random_prefix(random, family) : IpPrefix::any(family);
  out.weight = static_cast<uint32_t>(random() % 3);
  out.kind = random() % 5 == 0 ? topology::NextHop::blackhole : topology::NextHop::port;
  out.port = port_id(random() % kPorts);
  if (random() % 2 == 0) out.gateway = gateway(random() % kGateways);
  return out;
}

NextHops random_next_hops(std::mt19937_64& random) {
  NextHops out{static_cast<Standing>(random() % 3)};
  for (uint64_t number = 0; number < kGateways; ++number) {
    if (random() % 4 == 0) out.dead.push_back(gateway(number));
  }
  return out;
}

// Each port that would change the answer by standing well is one that the look-up tells of: it was passed over, or
// serves though it is doubtful.
void expect_all_that_matter(const Oracle& oracle, const IpAddress& source, const IpAddress& destination,
                            const FibMatch& match, const std::set<PortId>& passed_over) {
  const Candidates now = brute_force(oracle, source, destination);
  for (const auto& [port, next_hops] : oracle.next_hops) {
    Oracle other = oracle;
    other.next_hops.erase(port);
    if (brute_force(other, source, destination) == now) continue;
    ASSERT_TRUE(passed_over.contains(port) || (match.entry != nullptr && match.entry->port == port));
  }
}

void expect_equal_answers(const Fib& fib, const Oracle& oracle, std::mt19937_64& random, int questions) {
  for (int i = 0; i < questions; ++i) {
    const IpFamily family = random() % 2 == 0 ? IpFamily::v4 : IpFamily::v6;
    const IpAddress source = random_address(random, family);
    const IpAddress destination = random_address(random, family);
    const Candidates expected = brute_force(oracle, source, destination);
    std::set<PortId> passed_over;
    const FibMatch match = fib.lookup(source, destination, random(), [&](PortId port) { passed_over.insert(port); });
    ASSERT_EQ(match.candidates, expected.size()) << destination.to_string();
    if (match.entry != nullptr) {
      ASSERT_EQ(expected.count(match.entry->id), 1U);
    }
    expect_all_that_matter(oracle, source, destination, match, passed_over);
  }
}

class FibOracle : public ::testing::TestWithParam<uint64_t> {};

TEST_P(FibOracle, AgreesWithBruteForceAndOldVersionsStay) {
  std::mt19937_64 random(GetParam());
  Fib fib, kept;
  Oracle oracle, kept_oracle;
  for (int step = 0; step < 1500; ++step) {
    if (random() % 8 == 0) {
      const PortId port = port_id(random() % kPorts);
      oracle.next_hops[port] = random() % 3 == 0 ? NextHops{} : random_next_hops(random);
      fib.stand(port, oracle.next_hops[port]);
    }
    const bool add = oracle.entries.size() < 30 || random() % 100 < (step < 900 ? 65U : 30U);
    if (add) {
      const FibEntry entry = random_entry(random, random() % 2 == 0 ? IpFamily::v4 : IpFamily::v6);
      fib.put(entry);
      oracle.entries[{entry.id, entry.destination}] = entry;
    } else {
      auto victim = std::next(oracle.entries.begin(), static_cast<int>(random() % oracle.entries.size()));
      fib.remove(victim->first.first, victim->first.second);
      oracle.entries.erase(victim);
    }
    ASSERT_EQ(fib.size(), oracle.entries.size());
    if (step == 700) {
      kept = fib;
      kept_oracle = oracle;
    }
    if (step % 50 == 0) expect_equal_answers(fib, oracle, random, 40);
  }
  expect_equal_answers(kept, kept_oracle, random, 200);
  for (const auto& [key, entry] : oracle.entries) fib.remove(key.first, key.second);
  EXPECT_EQ(fib.size(), 0U);
  fib.for_each([](const FibEntry&) { FAIL() << "an entry is left"; });
}

INSTANTIATE_TEST_SUITE_P(Seeds, FibOracle, ::testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace viaduct::routing
