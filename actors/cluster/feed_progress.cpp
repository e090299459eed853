#include "actors/cluster/feed_progress.hpp"

#include <algorithm>

namespace viaduct::actors {

template <class F>
void FeedProgress::change(HostId host, F&& f) {
  auto at = agents_.find(host);
  if (at == agents_.end()) return;
  if (at->second.outstanding()) behind_.erase(behind_.find(at->second.applied));
  f(at->second);
  if (at->second.outstanding()) behind_.insert(at->second.applied);
}

void FeedProgress::begin(HostId host, uint64_t applied) {
  end(host);
  agents_[host] = {applied, applied};
}

void FeedProgress::end(HostId host) {
  change(host, [](Agent& agent) { agent.sent = 0; });
  agents_.erase(host);
}

void FeedProgress::sent(HostId host, uint64_t revision, Time now) {
  change(host, [=](Agent& agent) {
    if (!agent.outstanding()) agent.since = now;
    agent.sent = revision;
  });
}

void FeedProgress::applied(HostId host, uint64_t revision, Time now) {
  change(host, [=](Agent& agent) {
    agent.applied = revision;
    agent.since = now;
  });
}

std::chrono::nanoseconds FeedProgress::lag(Time now) const {
  std::chrono::nanoseconds lag{};
  if (behind_.empty()) return lag;
  for (const auto& [host, agent] : agents_) {
    if (agent.outstanding()) lag = std::max<std::chrono::nanoseconds>(lag, now - agent.since);
  }
  return lag;
}

uint64_t FeedProgress::least(uint64_t newest) const {
  return behind_.empty() ? newest : std::min(newest, *behind_.begin());
}

const FeedProgress::Agent* FeedProgress::find(HostId host) const {
  auto at = agents_.find(host);
  return at == agents_.end() ? nullptr : &at->second;
}

}  // namespace viaduct::actors
