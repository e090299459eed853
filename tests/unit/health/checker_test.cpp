#include "flows/health/checker.hpp"

#include <gmock/gmock.h>

#include <queue>

#include "servers.hpp"

namespace viaduct::flows::health {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using topology::MemberHealth;

const PoolId kPool{Uuid::from_words(8, 1)};
PoolMemberId member(uint64_t n) { return PoolMemberId(Uuid::from_words(9, n)); }
IpAddress address(uint64_t n) { return IpAddress::v4(0x0a00'0000 + static_cast<uint32_t>(n)); }

class CheckerTest : public testing::Test {
 protected:
  CheckerTest() {
    pool.pool = kPool;
    pool.router = kRouter;
    pool.monitor.delay = 2;
    pool.monitor.timeout = 1;
    add(1);
  }
  void add(uint64_t n) {
    pool.members.push_back({member(n), address(n), 80});
    servers.emplace(address(n), Server{{IpAddress::v4(0x0a00'00fe), address(n)}});
  }
  void begin(const std::vector<MemberHealth>& known = {}) { checker.check(pool, known, now); }
  // Until then; what turned.
  std::vector<std::pair<uint64_t, bool>> run(std::chrono::milliseconds time) {
    std::vector<std::pair<uint64_t, bool>> out;
    const Time end = now + time;
    while (checker.next_deadline() && *checker.next_deadline() <= end) {
      now = std::max(now, *checker.next_deadline());
      HealthActions actions;
      checker.tick(now, actions);
      exchange(actions);
      for (const auto& turned : actions.turned) {
        reasons.push_back(turned.health.result);
        if (turned.turned) out.emplace_back(turned.health.member.uuid().low(), turned.health.up);
        turned_at = now;
      }
    }
    now = end;
    return out;
  }
  void exchange(HealthActions& actions) {
    while (!actions.send.empty()) {
      const std::vector<Probe> sending = std::exchange(actions.send, {});
      for (const Probe& probe : sending) {
        ++probes;
        if (loss > 0 && random() % 100 < loss) continue;
        for (FrameBytes frame : servers.at(probe.to).hear(probe)) {
          const auto answer = parse_answer(parse(frame, {}), kRouter);
          if (answer && !(loss > 0 && random() % 100 < loss)) checker.answer(*answer, now, actions);
        }
      }
    }
  }
  Server& server(uint64_t n) { return servers.at(address(n)); }

  HealthChecker checker{1};
  PoolChecks pool{kPool, kRouter, {}, {}};
  std::map<IpAddress, Server> servers;
  std::vector<CheckResult> reasons;
  Time now{1h}, turned_at;
  int probes = 0;
  unsigned loss = 0;  // percent
  std::mt19937 random{3};
};

TEST_F(CheckerTest, ADeadMemberIsDownAfterItsRetriesAndUpAfterAsMany) {
  begin();
  EXPECT_THAT(run(1s), IsEmpty()) << "it counted as up";
  EXPECT_THAT(reasons, ElementsAre(CheckResult::healthy)) << "but that it is so is news";
  server(1).behaviour = Behaviour::refuses;
  const Time died = now;
  EXPECT_THAT(run(10s), ElementsAre(std::pair(1, false)));
  EXPECT_LE(turned_at, died + 3 * 2s + 1s) << "delay times retries, and one second";
  EXPECT_GT(turned_at, died + 2 * 2s) << "not by one or two failures";
  EXPECT_EQ(reasons.back(), CheckResult::refused);
  server(1).behaviour = Behaviour::accepts;
  const Time back = now;
  EXPECT_THAT(run(10s), ElementsAre(std::pair(1, true)));
  EXPECT_GT(turned_at, back + 2 * 2s);
  EXPECT_EQ(reasons.back(), CheckResult::healthy);
}

TEST_F(CheckerTest, OneSuccessBetweenFailuresIsEnough) {
  begin();
  run(1s);
  for (int round = 0; round < 10; ++round) {
    server(1).behaviour = Behaviour::refuses;
    EXPECT_THAT(run(4s), IsEmpty());
    server(1).behaviour = Behaviour::accepts;
    EXPECT_THAT(run(2s), IsEmpty());
  }
}

TEST_F(CheckerTest, MembersAreIndependent) {
  for (uint64_t n = 2; n <= 200; ++n) add(n);
  begin();
  run(5s);
  EXPECT_EQ(checker.members(), 200U);
  server(77).behaviour = Behaviour::silent;
  EXPECT_THAT(run(10s), ElementsAre(std::pair(77, false)));
  EXPECT_EQ(reasons.back(), CheckResult::no_answer);
}

TEST_F(CheckerTest, WhoTakesOverBeginsWithWhatWasFound) {
  server(1).behaviour = Behaviour::refuses;
  begin({{member(1), false, CheckResult::refused, 0, 1'000}});
  EXPECT_THAT(run(20s), IsEmpty()) << "it is down already";
  server(1).behaviour = Behaviour::accepts;
  EXPECT_THAT(run(10s), ElementsAre(std::pair(1, true)));
}

TEST_F(CheckerTest, ChangesOfThePoolTakeEffect) {
  begin();
  run(1s);
  add(2);
  server(2).behaviour = Behaviour::refuses;
  begin();
  EXPECT_THAT(run(10s), ElementsAre(std::pair(2, false)));
  pool.members.pop_back();
  begin();
  EXPECT_EQ(checker.members(), 1U);
  server(1).behaviour = Behaviour::refuses;
  pool.monitor.max_retries = 1;
  begin();
  EXPECT_THAT(run(3s), ElementsAre(std::pair(1, false)));
  pool.monitor.delay = 100;
  begin();
  probes = 0;
  run(99s);
  EXPECT_EQ(probes, 1);
  checker.stop(kPool);
  EXPECT_EQ(checker.next_deadline(), std::nullopt);
  EXPECT_EQ(checker.members(), 0U);
}

TEST_F(CheckerTest, AnswersOfOthersAreToldApart) {
  begin();
  run(1s);
  HealthActions actions;
  EXPECT_FALSE(
      checker.answer({kRouter, Answer::Kind::packet, ProbeKind::tcp, address(1), {}, 80, kFirstPort}, now, actions));
}

// A live member is never found down as long as not three checks in a row lose all of their packets.
TEST_F(CheckerTest, LossAloneTurnsNobody) {
  for (uint64_t n = 2; n <= 50; ++n) add(n);
  pool.monitor.type = topology::HealthCheck::http;
  pool.monitor.timeout = 2;
  for (auto& [_, one] : servers) one.behaviour = Behaviour::serves;
  loss = 5;
  begin();
  EXPECT_THAT(run(10min), IsEmpty());
  EXPECT_GT(checker.results()[static_cast<size_t>(CheckResult::healthy)], 14'000U);
}

TEST_F(CheckerTest, TheSameSeedDoesTheSame) {
  auto transcript = [&] {
    HealthChecker one(42);
    one.check(pool, {}, Time{1h});
    HealthActions actions;
    for (int i = 0; i < 20; ++i) one.tick(*one.next_deadline(), actions);
    std::vector<std::pair<uint16_t, uint32_t>> out;
    for (const auto& probe : actions.send) out.emplace_back(probe.from_port, probe.sequence);
    return out;
  };
  EXPECT_EQ(transcript(), transcript());
  EXPECT_FALSE(transcript().empty());
}

}  // namespace
}  // namespace viaduct::flows::health
