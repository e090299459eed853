// What a watch of the store says, on its way from the watch's thread to the topology store's actor.
//
// Bounded: when the actor is behind, the watch waits here and catches up from the store's log later.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "topology/store/store.hpp"

namespace viaduct::actors {

class WatchQueue {
 public:
  static constexpr size_t kCapacity = 1024;

  struct Item {
    topology::store::WatchMessage message;
    std::chrono::system_clock::time_point at;
  };

  // `wake` is called by the watch's thread when the queue was empty.
  explicit WatchQueue(std::function<void()> wake) : wake_(std::move(wake)) {}
  ~WatchQueue() { close(); }

  // The watch's thread; waits while the queue is full, unless it is closed.
  void push(topology::store::WatchMessage message) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || items_.size() < kCapacity; });
    if (closed_) return;
    items_.push_back({std::move(message), std::chrono::system_clock::now()});
    bool first = items_.size() == 1;
    lock.unlock();
    changed_.notify_all();
    if (first && wake_) wake_();
  }
  // The next one, waiting for it no longer than `patience`.
  std::optional<Item> take(std::chrono::milliseconds patience = {}) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return !items_.empty(); })) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return item;
  }
  // No more waits in push(); before the watch is destroyed.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  bool closed_ = false;
};

}  // namespace viaduct::actors
