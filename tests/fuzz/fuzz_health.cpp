// What members and other hosts answer to health checks: packets, and frames between hosts. Whatever is taken for an answer
// stays what it is when it is encoded again, and a checker that hears it keeps its promises.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "flows/health/checker.hpp"

namespace {

using namespace viaduct;
using namespace viaduct::flows;
using namespace viaduct::flows::health;

const RouterId kRouter(Uuid::from_words(1, 1));

void check(bool holds) {
  if (!holds) std::abort();
}

void hear(HealthChecker& checker, const Answer& answer, Time& now) {
  const auto again = decode_answer(encode(answer));
  check(std::holds_alternative<Answer>(again));
  HealthActions actions;
  checker.tick(now, actions);
  Answer aimed = answer;
  if (!actions.send.empty()) {  // at the check that has just begun
    aimed.router = kRouter;
    aimed.from = actions.send.back().to;
    aimed.to_port = actions.send.back().from_port;
    aimed.from_port = actions.send.back().to_port;
  }
  checker.answer(aimed, now, actions);
  check(actions.send.size() <= 8 && actions.turned.size() <= 2);
  check(checker.next_deadline() && *checker.next_deadline() >= now);
  now = *checker.next_deadline();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HealthChecker checker(1);
  PoolChecks pool{PoolId(Uuid::from_words(2, 1)), kRouter, {}, {}};
  pool.monitor.type = static_cast<topology::HealthCheck>(size % 4);
  pool.members.push_back({PoolMemberId(Uuid::from_words(3, 1)), IpAddress::v4(0x0a00'0001), 80});
  Time now{std::chrono::hours(1)};
  checker.check(pool, {}, now);
  std::vector<uint8_t> frame(data, data + size);
  const auto decoded = decode_answer(frame);
  if (const auto* answer = std::get_if<Answer>(&decoded)) hear(checker, *answer, now);
  const Packet packet = parse(frame, {});
  if (const auto answer = parse_answer(packet, kRouter)) {
    check(is_check_port(answer->to_port) && answer->payload.size() <= kMaxPayload);
    hear(checker, *answer, now);
    hear(checker, *answer, now);
  }
  if (const auto answer = no_neighbour_for(packet, kRouter)) hear(checker, *answer, now);
  return 0;
}
