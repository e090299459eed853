// What the workers open and use, what has ended or become another host's, on its way to the flow-state replicator. Bounded: whoever shares more
// is told that it did not fit, and does not wait.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "actors/runtime/bell.hpp"
#include "flows/replication/replicator.hpp"

namespace viaduct::actors {

// Entries of one packet; see Replicator::Share.
struct SharedState {
  flows::SmallVector<flows::ConnectionKey, 4> keys;
  flows::SmallVector<PortId, 4> ends;
  flows::SmallVector<HostId, 4> peers;
  flows::ReplicationTicket ticket = 0;
  size_t opened = 0;  // of the keys, the first ones
};

enum class EndedWhere : uint8_t {
  everywhere,  // the connection is over
  copies       // of what this host has made; its own copies of others' entries are its own affair (room)
};

struct EndedState {
  flows::ConnectionKey key;
  EndedWhere where = EndedWhere::everywhere;
};

// Connections of this host whose NAT ports have become another host's, by their snat_reverse entries.
struct YieldedState {
  std::vector<flows::ConnectionKey> keys;
};

class ReplicationNews {
 public:
  static constexpr size_t kCapacity = 65'536;
  using News = std::variant<SharedState, EndedState, YieldedState>;

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  // Any thread. Takes as many as there is room for, and counts the others and leaves them.
  void share(std::vector<SharedState>& shares) {
    if (shares.empty()) return;
    {
      std::lock_guard lock(mutex_);
      const auto end = shares.begin() + static_cast<std::ptrdiff_t>(std::min(room(), shares.size()));
      waiting_.insert(waiting_.end(), shares.begin(), end);
      shares.erase(shares.begin(), end);
    }
    lost_.fetch_add(shares.size(), std::memory_order_relaxed);
    bell_.ring();
  }
  // Any thread. What does not fit is counted; copies of it age.
  void ended(std::span<const flows::ConnectionKey> keys, EndedWhere where) {
    {
      std::lock_guard lock(mutex_);
      const size_t count = std::min(room(), keys.size());
      for (const auto& key : keys.first(count)) waiting_.push_back(EndedState{key, where});
      lost_.fetch_add(keys.size() - count, std::memory_order_relaxed);
    }
    bell_.ring();
  }
  // Any thread. It is let in whatever waits: there is one at most for each look at lost ports.
  void yielded(std::vector<flows::ConnectionKey> keys) {
    if (keys.empty()) return;
    {
      std::lock_guard lock(mutex_);
      waiting_.push_back(YieldedState{std::move(keys)});
    }
    bell_.ring();
  }
  // The replicator; in the order in which it happened.
  std::vector<News> take() {
    bell_.answer();
    std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  size_t room() const { return kCapacity - std::min(kCapacity, waiting_.size()); }

  Bell bell_;
  std::mutex mutex_;
  std::vector<News> waiting_;
  std::atomic<uint64_t> lost_{0};
};

}  // namespace viaduct::actors
