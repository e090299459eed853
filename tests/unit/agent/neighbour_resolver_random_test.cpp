// Random neighbours that come, go silent and answer or not, with news lost at random; what must always hold, holds.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "actors/agent/neighbour_resolver.hpp"

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using flows::NeighbourState;
using flows::Time;

const RouterId kRouter(Uuid::from_words(1, 1));
const PortId kPort(Uuid::from_words(2, 1));

class World {
 public:
  explicit World(uint64_t seed) : random_(seed), resolver_(kRouter, seed) {}

  void step() {
    now_ += std::chrono::milliseconds(1 + random_() % 2000);
    while (resolver_.next_deadline() && *resolver_.next_deadline() <= now_) {
      const Time due = *resolver_.next_deadline();
      ResolverActions out;
      resolver_.tick(due, table_, out);
      apply(out, due);
      ASSERT_TRUE(!resolver_.next_deadline() || *resolver_.next_deadline() > due) << "time stands still";
    }
    ResolverActions out;
    const IpAddress address = IpAddress::v4(static_cast<uint32_t>(random_() % 12));
    switch (random_() % 6) {
      case 0:
        if (present_.erase(address) == 0) present_.insert(address);
        break;
      case 1:
        table_.touch(key(address), now_);
        break;
      case 2:
        if (const auto entry = table_.find(key(address)); entry && entry->state == NeighbourState::stale) {
          resolver_.refresh(kPort, address, now_, table_, out);
        }
        break;
      default:
        resolver_.wanted(kPort, address, now_, table_, out);
    }
    apply(out, now_);
    check();
  }
  // Without packets everything ends.
  void expect_end() {
    for (int i = 0; i < 10000 && resolver_.next_deadline(); ++i) {
      const Time due = *resolver_.next_deadline();
      ResolverActions out;
      resolver_.tick(due, table_, out);
      present_.clear();
      apply(out, due);
    }
    EXPECT_EQ(resolver_.next_deadline(), std::nullopt);
    EXPECT_EQ(resolver_.tracked(), 0U);
    EXPECT_EQ(table_.size(), 0U);
  }

 private:
  flows::NeighbourKey key(const IpAddress& address) const { return {kRouter.uuid(), kPort, address}; }
  void apply(const ResolverActions& actions, Time now) {
    for (const auto& mark : actions.mark) table_.set_state_if_older(mark.key, mark.state, now, mark.deadline);
    for (const auto& expire : actions.expire) table_.erase_if_older(expire.key, expire.deadline);
    for (const auto& ask : actions.ask) {
      if (!present_.contains(ask.address)) continue;
      table_.learn(key(ask.address), MacAddress::from_uint64(1), now);
      if (random_() % 4 != 0) resolver_.learned(kPort, ask.address, now);  // else the news is lost
    }
  }
  void check() {
    EXPECT_LE(resolver_.pending(), resolver_.tracked());
    EXPECT_LE(resolver_.tracked(), 12U);
    table_.for_each([&](const flows::NeighbourKey&, const flows::NeighbourEntry& entry) {
      EXPECT_LT(now_ - entry.confirmed, 90s) << "an entry outlived its time";
      if (entry.state == NeighbourState::failed) {
        EXPECT_LE(now_ - entry.confirmed, 5s);
      } else if (entry.state == NeighbourState::reachable) {
        EXPECT_LE(now_ - entry.confirmed, 72s + flows::kTouchInterval);
      }
    });
  }

  std::mt19937_64 random_;
  flows::NeighbourTable table_;
  NeighbourResolver resolver_;
  std::set<IpAddress> present_;
  Time now_ = Time{} + 1h;
};

class NeighbourResolverRandom : public ::testing::TestWithParam<uint64_t> {};

TEST_P(NeighbourResolverRandom, EntriesNeverOutliveTheirTime) {
  World world(GetParam());
  for (int i = 0; i < 2000 && !HasFailure(); ++i) world.step();
  world.expect_end();
}

INSTANTIATE_TEST_SUITE_P(Seeds, NeighbourResolverRandom, ::testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace viaduct::actors
