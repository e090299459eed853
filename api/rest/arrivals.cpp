#include "api/rest/arrivals.hpp"

#include <sys/socket.h>

#include <utility>

namespace viaduct::api::rest {

using Clock = std::chrono::steady_clock;

Arrivals::Arrivals(std::chrono::seconds patience, std::function<void()> late)
    : patience_(patience), late_(std::move(late)) {}

void Arrivals::start() {
  thread_ = std::thread([this] { sweep(); });
}

void Arrivals::finish() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Arrivals::expect(int fd) {
  std::lock_guard lock(mutex_);
  since_[fd] = Clock::now();
}

void Arrivals::forget(int fd) {
  std::lock_guard lock(mutex_);
  since_.erase(fd);
}

bool Arrivals::is_expected(int fd) {
  std::lock_guard lock(mutex_);
  return since_.contains(fd);
}

void Arrivals::sweep() {
  std::unique_lock lock(mutex_);
  while (!stopping_.wait_for(lock, std::chrono::seconds(1), [this] { return stopped_; })) {
    const auto oldest = Clock::now() - patience_;
    for (auto at = since_.begin(); at != since_.end();) {
      if (at->second > oldest) {
        ++at;
        continue;
      }
      ::shutdown(at->first, SHUT_RDWR);  // its loop sees the end, and closes
      late_();
      at = since_.erase(at);
    }
  }
}

}  // namespace viaduct::api::rest
