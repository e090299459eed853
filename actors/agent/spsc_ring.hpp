// A bounded queue from one thread to one other: a packet worker's news for an actor. No lock, no wait, no allocation
// after construction; a full ring refuses, and the caller counts.
//
// Each side has its index on a cache line of its own, with a copy of the other side's index that it refreshes only when
// the ring looks full or empty, so that the two threads meet on a line once a lap and not once an element.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace viaduct::actors {

// T is default-constructible and movable. An element that was popped leaves a moved-from T in its slot.
template <class T>
class SpscRing {
 public:
  // `capacity` is rounded up to a power of two.
  explicit SpscRing(size_t capacity) : slots_(std::bit_ceil(std::max<size_t>(capacity, 2))), mask_(slots_.size() - 1) {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // The producer's thread. When it says false, `item` is untouched.
  bool try_push(T&& item) {
    const size_t at = tail_.load(std::memory_order_relaxed);
    if (!has_room(at, 1)) return false;
    slots_[at & mask_] = std::move(item);
    tail_.store(at + 1, std::memory_order_release);
    return true;
  }
  bool try_push(const T& item) { return try_push(T(item)); }
  // Moves as many as there is room for, from the front; returns how many.
  size_t try_push(std::span<T> items) {
    const size_t at = tail_.load(std::memory_order_relaxed);
    has_room(at, items.size());
    const size_t count = std::min(items.size(), slots_.size() - (at - head_seen_));
    for (size_t i = 0; i < count; ++i) slots_[(at + i) & mask_] = std::move(items[i]);
    tail_.store(at + count, std::memory_order_release);
    return count;
  }

  // The consumer's thread.
  bool try_pop(T& out) { return try_pop(std::span<T>(&out, 1)) == 1; }
  size_t try_pop(std::span<T> out) {
    const size_t at = head_.load(std::memory_order_relaxed);
    if (tail_seen_ - at < out.size()) tail_seen_ = tail_.load(std::memory_order_acquire);
    const size_t count = std::min(out.size(), tail_seen_ - at);
    for (size_t i = 0; i < count; ++i) out[i] = std::move(slots_[(at + i) & mask_]);
    head_.store(at + count, std::memory_order_release);
    return count;
  }

  // Any thread; as of some moment during the call.
  size_t size() const {
    const size_t head = head_.load(std::memory_order_acquire);
    return tail_.load(std::memory_order_acquire) - head;
  }
  size_t capacity() const { return slots_.size(); }

 private:
  bool has_room(size_t at, size_t count) {
    if (slots_.size() - (at - head_seen_) < count) head_seen_ = head_.load(std::memory_order_acquire);
    return slots_.size() - (at - head_seen_) >= count;
  }

  std::vector<T> slots_;
  const size_t mask_;
  alignas(64) std::atomic<size_t> tail_{0};
  size_t head_seen_ = 0;  // the producer's
  alignas(64) std::atomic<size_t> head_{0};
  size_t tail_seen_ = 0;  // the consumer's
};

}  // namespace viaduct::actors
