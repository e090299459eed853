// Random networks that change at random, one revision at a time or several at once: what each host is told makes of what
// it had exactly what it needs, and it is told only when that changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/topology/random_changes.hpp"
#include "topology/interest.hpp"
#include "topology/resume.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

std::set<Uuid> less(const std::set<Uuid>& a, const std::set<Uuid>& b) {
  std::set<Uuid> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}
std::set<Uuid> set_of(const std::vector<Uuid>& list) {
  std::set<Uuid> out(list.begin(), list.end());
  EXPECT_EQ(out.size(), list.size()) << "each once";
  return out;
}

void expect_equal(const Closure& is, const Closure& should) {
  EXPECT_EQ(is, should) << "is:\n" << text_of(is) << "should be:\n" << text_of(should);
}

// The hosts, each with what it made of what it was told.
struct Agents {
  std::map<HostId, Snapshot> have;

  void take(const ClosureDelta& told, const Snapshot& before, const Snapshot& after) {
    std::set<HostId> seen;
    for (const ClosureGroup& group : told) {
      for (HostId host : group.hosts) {
        EXPECT_TRUE(seen.insert(host).second) << "in one group only";
        const auto had = owners_by_walking(before, host), has = owners_by_walking(after, host);
        // A device that came and went, or is another one now, may be told of in any way.
        EXPECT_EQ(set_of(group.gained), less(has, had));
        EXPECT_EQ(set_of(group.lost), less(had, has));
        have[host] = delta_of(have[host], host, *group.changes, after.revision()).apply_to(have[host]);
      }
    }
    for (HostId host : all_hosts()) expect_equal(everything_in(have[host]), closure_by_walking(after, host));
  }
};

void expect_answers(const Interest& interest, const Snapshot& snapshot) {
  for (HostId host : all_hosts()) {
    EXPECT_EQ(set_of(interest.joined_to(host)), joined_by_walking(snapshot, host));
    EXPECT_EQ(set_of(interest.zones_of(host)), zones_by_walking(snapshot, host));
    Closure closure;
    interest.for_each_object_of(snapshot, host, [&](const Object& object) {
      EXPECT_TRUE(closure.emplace(ref_of(object), object).second) << "each once";
    });
    expect_equal(closure, closure_by_walking(snapshot, host));
    for (const Uuid& owner : owners_by_walking(snapshot, host)) {
      EXPECT_TRUE(interest.needs(host, owner));
      EXPECT_THAT(interest.hosts_of(owner), ::testing::Contains(host));
    }
  }
}

TEST(InterestAtRandom, WhatHostsAreToldKeepsThemExact) {
  size_t groups = 0, shared = 0, lost = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Changes changes(seed);
    Snapshot snapshot;
    Interest interest;
    Agents agents;
    for (int step = 0; step < 150; ++step) {
      const Snapshot before = snapshot;
      Delta delta{snapshot.revision(), snapshot.revision(), {}};
      const uint64_t revisions = step % 3 == 0 ? 1 + changes.below(8) : 1;
      for (uint64_t i = 0; i < revisions; ++i) {
        auto result = changes.next(snapshot);
        delta.merge(result.delta);
        snapshot = std::move(result.next);
      }
      const ClosureDelta told = interest.follow(snapshot, delta);
      agents.take(told, before, snapshot);
      if (step % 10 == 0) expect_answers(interest, snapshot);
      for (const ClosureGroup& group : told) {
        ++groups;
        shared += group.hosts.size() > 1;
        lost += group.lost.size();
      }
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
    expect_answers(Interest(snapshot), snapshot);
  }
  EXPECT_GT(groups, 2000u);
  EXPECT_GT(shared, 500u);
  EXPECT_GT(lost, 500u);
}

TEST(InterestAtRandom, AHostThatWasAwayIsExactAgain) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Changes changes(1000 + seed);
    Snapshot snapshot;
    Interest interest;
    std::vector<Tombstone> tombstones;
    std::map<HostId, Snapshot> have;
    for (int step = 0; step < 100; ++step) {
      auto result = changes.next(snapshot);
      snapshot = std::move(result.next);
      interest.follow(snapshot, result.delta);
      const auto gone = tombstones_of(result.delta);
      tombstones.insert(tombstones.end(), gone.begin(), gone.end());
      if (step % 5 != 0) continue;
      Resumption resumption(interest, snapshot, tombstones);
      for (HostId host : all_hosts()) {
        if (changes.below(3) == 0) continue;  // stays away
        const auto has = owners_in(have[host]);
        ClosureChanges told;
        for (const auto& part : resumption.resume(host, has, have[host].revision())) {
          told.insert(told.end(), part->begin(), part->end());
        }
        have[host] = delta_of(have[host], host, told, snapshot.revision()).apply_to(have[host]);
        expect_equal(everything_in(have[host]), closure_by_walking(snapshot, host));
      }
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace viaduct::topology
