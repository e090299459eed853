// Random tables against a brute-force search through all entries.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "tests/unit/fib/fib_literals.hpp"

namespace viaduct::routing {
namespace {

using Key = std::pair<RouteId, IpPrefix>;
using Oracle = std::map<Key, FibEntry>;

struct Answer {
  std::set<RouteId> candidates;
};

Answer brute_force(const Oracle& oracle, const IpAddress& source, const IpAddress& destination) {
  int length = -1;
  uint32_t weight = 0;
  Answer answer;
  for (const auto& [key, entry] : oracle) {
    if (!entry.destination.contains(destination) || !entry.source.contains(source)) continue;
    const bool better =
        entry.destination.length() > length || (entry.destination.length() == length && entry.weight < weight);
    if (better) {
      length = entry.destination.length();
      weight = entry.weight;
      answer.candidates = {};
    }
    if (entry.destination.length() == length && entry.weight == weight) answer.candidates.insert(entry.id);
  }
  return answer;
}

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
  return out;
}

void expect_equal_answers(const Fib& fib, const Oracle& oracle, std::mt19937_64& random, int questions) {
  for (int i = 0; i < questions; ++i) {
    const IpFamily family = random() % 2 == 0 ? IpFamily::v4 : IpFamily::v6;
    const IpAddress source = random_address(random, family);
    const IpAddress destination = random_address(random, family);
    const Answer expected = brute_force(oracle, source, destination);
    const FibMatch match = fib.lookup(source, destination, random());
    ASSERT_EQ(match.candidates, expected.candidates.size()) << destination.to_string();
    if (match.entry != nullptr) {
      ASSERT_EQ(expected.candidates.count(match.entry->id), 1U);
    }
  }
}

class FibOracle : public ::testing::TestWithParam<uint64_t> {};

TEST_P(FibOracle, AgreesWithBruteForceAndOldVersionsStay) {
  std::mt19937_64 random(GetParam());
  Fib fib, kept;
  Oracle oracle, kept_oracle;
  for (int step = 0; step < 1500; ++step) {
    const bool add = oracle.size() < 30 || random() % 100 < (step < 900 ? 65U : 30U);
    if (add) {
      const FibEntry entry = random_entry(random, random() % 2 == 0 ? IpFamily::v4 : IpFamily::v6);
      fib = fib.with(entry);
      oracle[{entry.id, entry.destination}] = entry;
    } else {
      auto victim = std::next(oracle.begin(), static_cast<int>(random() % oracle.size()));
      fib = fib.without(victim->first.first, victim->first.second);
      oracle.erase(victim);
    }
    ASSERT_EQ(fib.size(), oracle.size());
    if (step == 700) {
      kept = fib;
      kept_oracle = oracle;
    }
    if (step % 50 == 0) expect_equal_answers(fib, oracle, random, 40);
  }
  expect_equal_answers(kept, kept_oracle, random, 200);
  for (const auto& [key, entry] : Oracle(oracle)) fib = fib.without(key.first, key.second);
  EXPECT_EQ(fib.size(), 0U);
  fib.for_each([](const FibEntry&) { FAIL() << "an entry is left"; });
}

INSTANTIATE_TEST_SUITE_P(Seeds, FibOracle, ::testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace viaduct::routing
