// A real actor system for tests, and how a test's thread talks to actors and waits for what they do.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/runtime/actor_config.hpp"
#include "tests/unit/eventually.hpp"

namespace viaduct::actors {

inline constexpr std::chrono::seconds kPatience{30};

// Things that happened on actors' threads, in order.
template <class T>
class Journal {
 public:
  void add(T entry) {
    std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
    grown_.notify_all();
  }
  // Whatever is there once it has `count` entries, or after the patience.
  std::vector<T> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    grown_.wait_for(lock, kPatience, [&] { return entries_.size() >= count; });
    return entries_;
  }
  size_t size() {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<T> entries_;
};

class ActorTest : public testing::Test {
 protected:
  // The answer; a default one, and a failure, when there is none.
  template <class Answer, class Actor, class Message>
  Answer ask(const Actor& actor, const Message& message) {
    Answer out{};
    self->request(actor, kPatience, message)
        .receive([&](const Answer& answer) { out = answer; },
                 [&](const caf::error& error) { ADD_FAILURE() << system.render(error); });
    return out;
  }

  ActorConfig config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
};

}  // namespace viaduct::actors
