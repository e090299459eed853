#include "actors/agent/health_duty.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using topology::CheckResult;
using topology::HealthReport;
using Time = HealthDuty::Time;

const PoolId kPool = id<PoolId>(31);

// A router with a balancer and pool 31, whose member 41 is checked.
topology::Snapshot network() {
  topology::Router with = router(2);
  with.load_balancer = id<LoadBalancerId>(30);
  return snapshot_of(with, load_balancer(30), health_monitor(50), pool(31, 30, 50),
                     pool_member(41, 31, "10.0.0.1", 80));
}

StateEntry reported(HostId host, bool up = true) {
  return of(host,
            HealthReport{kPool, {{id<PoolMemberId>(41), up, up ? CheckResult::healthy : CheckResult::refused, 0, 7}}});
}

class HealthDutyTest : public testing::Test {
 protected:
  HealthDutyTest() { duty.cut(now); }
  template <class Event>
  HealthDutyActions act(Event event) {
    HealthDutyActions out;
    event(out);
    return out;
  }
  HealthDutyActions follow(const topology::Snapshot& topology) {
    return act([&](auto& out) { duty.follow(topology, now, out); });
  }
  HealthDutyActions follow(const topology::StateChange& change) {
    return act([&](auto& out) { duty.follow(change, now, out); });
  }
  HealthDutyActions joined() {
    return act([&](auto& out) { duty.joined(now, out); });
  }
  HealthDutyActions won() {
    return act([&](auto& out) { duty.won(kPool, out); });
  }
  HealthDutyActions lost() {
    return act([&](auto& out) { duty.lost(kPool, now, out); });
  }
  HealthDutyActions after(std::chrono::milliseconds time) {
    now += time;
    return act([&](auto& out) { duty.tick(now, out); });
  }
  void check() {
    follow(network());
    joined();
    after(1s);
    won();
  }

  HealthDuty duty{kHere, 1};
  Time now{1h};
};

TEST_F(HealthDutyTest, APoolThatIsNobodysIsClaimedAndCheckedOnceItIsWon) {
  EXPECT_THAT(joined().claim, IsEmpty());
  EXPECT_THAT(follow(network()).begin, IsEmpty());
  ASSERT_TRUE(duty.next_deadline());
  EXPECT_THAT(after(1s).claim, ElementsAre(kPool));
  EXPECT_THAT(duty.checking(), IsEmpty()) << "asked for is not had";
  EXPECT_THAT(won().begin, ElementsAre(kPool));
  EXPECT_THAT(duty.checking(), ElementsAre(kPool));
  EXPECT_EQ(duty.plan(kPool).members.front().address, ip("10.0.0.1"));
  EXPECT_EQ(duty.plan(kPool).router, id<RouterId>(2));
  EXPECT_FALSE(duty.next_deadline());
}

TEST_F(HealthDutyTest, WhatAnotherHostChecksIsLeftToIt) {
  joined();
  follow(came(reported(kThere)));
  follow(network());
  EXPECT_FALSE(duty.next_deadline());
  EXPECT_THAT(follow(went(reported(kThere, false))).claim, IsEmpty());
  EXPECT_THAT(after(1s).claim, ElementsAre(kPool)) << "it is gone";
}

TEST_F(HealthDutyTest, WhoFollowsBeginsWithWhatWasFound) {
  joined();
  follow(network());
  follow(came(reported(kThere, false)));
  follow(went(reported(kThere, false)));
  after(1s);
  won();
  ASSERT_THAT(duty.report(kPool).members, SizeIs(1));
  EXPECT_FALSE(duty.report(kPool).members.front().up);
  EXPECT_EQ(duty.report(kPool).members.front().since, 7U);
}

TEST_F(HealthDutyTest, AClaimThatIsLostIsTriedAgainUnlessItIsKnownWhoHasIt) {
  joined();
  follow(network());
  after(1s);
  EXPECT_THAT(lost().end, IsEmpty());
  EXPECT_THAT(after(900ms).claim, IsEmpty());
  EXPECT_THAT(after(1s).claim, ElementsAre(kPool));
  follow(came(reported(kThere)));
  lost();
  EXPECT_FALSE(duty.next_deadline());
}

TEST_F(HealthDutyTest, WhoSleptThroughItsLeaseGivesWay) {
  check();
  duty.cut(now);
  EXPECT_THAT(duty.checking(), ElementsAre(kPool)) << "as long as nobody says otherwise";
  EXPECT_THAT(joined().claim, ElementsAre(kPool));
  EXPECT_THAT(lost().end, ElementsAre(kPool));
  EXPECT_THAT(duty.checking(), IsEmpty());
}

TEST_F(HealthDutyTest, AnotherHostsClaimEndsOnesOwn) {
  check();
  EXPECT_THAT(follow(came(reported(kThere))).end, ElementsAre(kPool));
}

TEST_F(HealthDutyTest, OnesOwnReportThatComesBackChangesNothing) {
  check();
  auto out = follow(came(reported(kHere, false)));
  EXPECT_FALSE(out.own_changed());
  EXPECT_TRUE(duty.report(kPool).members.front().up) << "older than what it knows";
}

TEST_F(HealthDutyTest, WithoutAClusterItChecksWhatNobodyIsKnownToCheck) {
  follow(network());
  EXPECT_THAT(after(500ms).begin, IsEmpty());
  EXPECT_THAT(after(3s).begin, ElementsAre(kPool));
  EXPECT_THAT(joined().claim, ElementsAre(kPool));
  EXPECT_THAT(won().begin, IsEmpty()) << "it does already";
}

TEST_F(HealthDutyTest, WithoutAClusterItRespectsTheCheckerThatIsKnown) {
  follow(came(reported(kThere)));
  follow(network());
  EXPECT_THAT(after(1h).begin, IsEmpty());
}

TEST_F(HealthDutyTest, ThereIsNothingToCheckWhileAnythingBetweenIsDown) {
  check();
  auto down = [&](auto object) {
    object.admin_up = false;
    return network().with(share(object));
  };
  EXPECT_THAT(follow(down(load_balancer(30))).release, ElementsAre(kPool));
  check();
  EXPECT_THAT(follow(down(health_monitor(50))).release, ElementsAre(kPool));
  check();
  auto out = follow(network().without({topology::Kind::pool, kPool.uuid()}));
  EXPECT_THAT(out.release, ElementsAre(kPool));
  EXPECT_THAT(out.end, ElementsAre(kPool));
  EXPECT_THAT(duty.checking(), IsEmpty());
}

TEST_F(HealthDutyTest, ChangesOfThePoolAreCheckedAndSaid) {
  check();
  auto out = follow(network().with(share(pool_member(42, 31, "10.0.0.2", 80))));
  EXPECT_THAT(out.begin, ElementsAre(kPool));
  EXPECT_THAT(out.claim, ElementsAre(kPool)) << "its report has one more member";
  EXPECT_THAT(duty.report(kPool).members, SizeIs(2));
  EXPECT_FALSE(follow(network().with(share(pool_member(42, 31, "10.0.0.2", 80))).with(share(bridge(9)))).own_changed());
}

TEST_F(HealthDutyTest, WhatIsFoundIsInTheReportWithItsTime) {
  check();
  EXPECT_TRUE(duty.found({kPool, {id<PoolMemberId>(41), true, CheckResult::healthy}, false}, 100));
  EXPECT_EQ(duty.report(kPool).members.front().since, 100U);
  EXPECT_TRUE(duty.found({kPool, {id<PoolMemberId>(41), false, CheckResult::wrong_status, 503}, true}, 200));
  EXPECT_EQ(duty.report(kPool).members.front().since, 200U);
  EXPECT_FALSE(duty.report(kPool).members.front().up);
  EXPECT_FALSE(duty.found({kPool, {id<PoolMemberId>(99), false, CheckResult::refused}, true}, 200));
  EXPECT_FALSE(duty.found({id<PoolId>(99), {id<PoolMemberId>(41), false, CheckResult::refused}, true}, 200));
}

// Several hosts and a cluster of which each knows only what it hears: random deaths, cuts and returns, from one seed.
class Hosts {
 public:
  explicit Hosts(uint64_t seed) : random_(seed) {
    for (uint64_t n = 1; n <= 5; ++n) hosts_.push_back({id<HostId>(n), {}, false});
    for (auto& host : hosts_) start(host);
  }
  void step() {
    now_ += 50ms;
    auto& host = hosts_[random_() % hosts_.size()];
    if (random_() % 40 == 0) host.joined ? leave(host, random_() % 2 == 0) : join(host);
    for (auto& one : hosts_) {
      HealthDutyActions out;
      one.duty->tick(now_, out);
      perform(one, out);
    }
  }
  void settle() {
    for (auto& host : hosts_) {
      if (!host.joined) join(host);
    }
    for (int i = 0; i < 100; ++i) {
      now_ += 50ms;
      for (auto& one : hosts_) {
        HealthDutyActions out;
        one.duty->tick(now_, out);
        perform(one, out);
      }
    }
  }
  int checking(bool only_joined) const {
    int out = 0;
    for (const auto& host : hosts_) out += (host.joined || !only_joined) && !host.duty->checking().empty() ? 1 : 0;
    return out;
  }

 private:
  struct One {
    HostId id;
    std::unique_ptr<HealthDuty> duty;
    bool joined = false;
  };
  void start(One& host) {
    host.duty = std::make_unique<HealthDuty>(host.id, random_());
    host.duty->cut(now_);
    HealthDutyActions out;
    host.duty->follow(network(), now_, out);
    if (owner_) host.duty->follow(came(reported(*owner_)), now_, out);
    perform(host, out);
    join(host);
  }
  void join(One& host) {
    host.joined = true;
    HealthDutyActions out;
    host.duty->follow(owner_ ? came(reported(*owner_)) : went(reported(kElsewhere)), now_, out);
    host.duty->joined(now_, out);
    perform(host, out);
  }
  // Its lease ends.
  void leave(One& host, bool dies) {
    host.joined = false;
    host.duty->cut(now_);
    if (owner_ == host.id) say(std::nullopt);
    if (dies) start(host);
  }
  void say(std::optional<HostId> owner) {
    const auto before = std::exchange(owner_, owner);
    for (auto& one : hosts_) {
      if (!one.joined) continue;
      HealthDutyActions out;
      one.duty->follow(owner ? came(reported(*owner)) : went(reported(*before)), now_, out);
      perform(one, out);
    }
  }
  void perform(One& host, const HealthDutyActions& out) {
    if (!host.joined) return;
    for (size_t i = 0; i < out.release.size(); ++i) {
      if (owner_ == host.id) say(std::nullopt);
    }
    for (size_t i = 0; i < out.claim.size(); ++i) {
      HealthDutyActions answer;
      if (owner_ && owner_ != host.id) {
        host.duty->lost(kPool, now_, answer);
      } else {
        if (!owner_) say(host.id);
        host.duty->won(kPool, answer);
      }
    }
  }

  std::mt19937_64 random_;
  Time now_{1h};
  std::vector<One> hosts_;
  std::optional<HostId> owner_;
};

TEST(HealthDuties, OfTheHostsThatTheClusterHearsNeverTwoCheckAndAtLastOneDoes) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Hosts hosts(seed);
    for (int i = 0; i < 400; ++i) {
      hosts.step();
      ASSERT_LE(hosts.checking(true), 1);
    }
    hosts.settle();
    ASSERT_EQ(hosts.checking(false), 1);
  }
}

}  // namespace
}  // namespace viaduct::actors
