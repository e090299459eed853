#include "flows/health/checker.hpp"

#include <algorithm>

namespace viaduct::flows::health {

namespace {

constexpr std::chrono::milliseconds kFirstWithin{1'000};

CheckSpec spec_of(const PoolChecks& pool, const PoolChecks::Member& member) {
  const topology::HealthMonitor& monitor = pool.monitor;
  return {monitor.type,      std::chrono::seconds(monitor.timeout),
          monitor.http_path, monitor.http_status,
          pool.router,       member.address,
          member.port};
}

}  // namespace

void HealthChecker::check(const PoolChecks& pool, const std::vector<topology::MemberHealth>& known, Time now) {
  PoolChecks& before = pools_[pool.pool];
  for (const auto& member : before.members) {
    const bool stays = std::any_of(pool.members.begin(), pool.members.end(),
                                   [&](const PoolChecks::Member& other) { return other.id == member.id; });
    if (!stays) forget(member.id);
  }
  before = pool;
  for (const auto& member : pool.members) {
    Target wanted;
    wanted.pool = pool.pool;
    wanted.spec = spec_of(pool, member);
    wanted.delay = std::chrono::seconds(pool.monitor.delay);
    wanted.max_retries = pool.monitor.max_retries;
    wanted.health.member = member.id;
    auto [at, is_new] = targets_.try_emplace(member.id, wanted);
    if (is_new) {
      const auto found = std::find_if(known.begin(), known.end(),
                                      [&](const topology::MemberHealth& health) { return health.member == member.id; });
      if (found != known.end()) at->second.health = *found;
    }
    configure(member.id, at->second, wanted, now);
  }
}

// Another place or way is another server: it is checked from the start.
void HealthChecker::configure(PoolMemberId id, Target& target, const Target& wanted, Time now) {
  const bool is_new = target.due == Time{};
  const bool same = !is_new && target.spec == wanted.spec && target.delay == wanted.delay;
  target.max_retries = wanted.max_retries;
  target.pool = wanted.pool;
  if (same) return;
  abandon(target);
  target.spec = wanted.spec;
  target.delay = wanted.delay;
  const auto within = std::min<std::chrono::milliseconds>(kFirstWithin, target.delay);
  schedule(id, target, now + std::chrono::milliseconds(random_() % static_cast<uint64_t>(within.count())));
}

void HealthChecker::stop(PoolId pool) {
  const auto at = pools_.find(pool);
  if (at == pools_.end()) return;
  for (const auto& member : at->second.members) forget(member.id);
  pools_.erase(at);
}

void HealthChecker::forget(PoolMemberId id) {
  const auto at = targets_.find(id);
  if (at == targets_.end()) return;
  abandon(at->second);
  due_.erase({at->second.due, id});
  targets_.erase(at);
}

void HealthChecker::abandon(Target& target) {
  if (!target.running) return;
  exchanges_.erase({target.spec.router, target.spec.address, target.running->kind(), target.running->port()});
  target.running.reset();
}

void HealthChecker::schedule(PoolMemberId id, Target& target, Time due) {
  due_.erase({target.due, id});
  target.due = due;
  due_.insert({due, id});
}

uint16_t HealthChecker::free_port(const Target& target, ProbeKind kind) {
  for (int attempt = 0; attempt < kPorts; ++attempt) {
    const auto port = static_cast<uint16_t>(kFirstPort + random_() % kPorts);
    if (!exchanges_.contains({target.spec.router, target.spec.address, kind, port})) return port;
  }
  return 0;  // thousands of checks of one address at once
}

void HealthChecker::begin(PoolMemberId id, Target& target, Time now, HealthActions& out) {
  target.started = now;
  const ProbeKind kind = target.spec.type == topology::HealthCheck::udp    ? ProbeKind::udp
                         : target.spec.type == topology::HealthCheck::icmp ? ProbeKind::echo
                                                                           : ProbeKind::tcp;
  const uint16_t port = free_port(target, kind);
  if (port == 0) return schedule(id, target, now + target.delay);
  exchanges_.emplace(Exchange{target.spec.router, target.spec.address, kind, port}, id);
  target.running.emplace(target.spec, port, static_cast<uint32_t>(random_()), now, out.send);
  schedule(id, target, target.running->deadline());
}

void HealthChecker::finish(PoolMemberId id, Target& target, const CheckOutcome& outcome, Time now, HealthActions& out) {
  abandon(target);
  ++results_[static_cast<size_t>(outcome.result)];
  schedule(id, target, std::max(now, target.started + target.delay));
  const bool good = outcome.result == CheckResult::healthy;
  const bool first = target.health.result == CheckResult::none;
  target.in_a_row = good == target.health.up ? 0 : target.in_a_row + 1;
  const bool turns = target.in_a_row >= target.max_retries;
  if (!turns && !(first && good)) return;
  target.in_a_row = 0;
  target.health.up = good;
  target.health.result = outcome.result;
  target.health.detail = outcome.detail;
  out.turned.push_back({target.pool, target.health, turns});
}

void HealthChecker::tick(Time now, HealthActions& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const PoolMemberId id = due_.begin()->second;
    Target& target = targets_.at(id);
    if (!target.running) {
      begin(id, target, now, out);
    } else if (const auto outcome = target.running->tick(now, out.send)) {
      finish(id, target, *outcome, now, out);
    } else {
      schedule(id, target, target.running->deadline());
    }
  }
}

bool HealthChecker::answer(const Answer& answer, Time now, HealthActions& out) {
  const auto at = exchanges_.find({answer.router, answer.from, answer.of, answer.to_port});
  if (at == exchanges_.end()) return false;
  const PoolMemberId id = at->second;
  Target& target = targets_.at(id);
  if (const auto outcome = target.running->answer(answer, now, out.send)) {
    finish(id, target, *outcome, now, out);
  } else {
    schedule(id, target, target.running->deadline());
  }
  return true;
}

std::optional<Time> HealthChecker::next_deadline() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

}  // namespace viaduct::flows::health
