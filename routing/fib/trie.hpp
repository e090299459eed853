// The trie under a Fib: immutable nodes, shared between versions by counted references.
//
// A node stands for a prefix. It holds the entries at that prefix (none when it only joins two branches) and the two
// subtries of longer prefixes, by the first bit behind it. Every node without entries has two children.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "routing/fib/fib_entry.hpp"

namespace viaduct::routing {

// A counted reference to an immutable T that has `mutable std::atomic<uint32_t> references` and `static void
// destroy(const T*)`. Half the size of a shared_ptr, which keeps a node within a cache line.
template <class T>
class CountedRef {
 public:
  CountedRef() = default;
  // Takes over the one reference that a new object is born with.
  explicit CountedRef(const T* born) : object_(born) {}
  CountedRef(const CountedRef& other) : object_(other.object_) {
    if (object_ != nullptr) object_->references.fetch_add(1, std::memory_order_relaxed);
  }
  CountedRef(CountedRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  CountedRef& operator=(CountedRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~CountedRef() {
    if (object_ != nullptr && object_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) T::destroy(object_);
  }
  const T* get() const { return object_; }
  // No other reference: with the same being true of whatever this one lies in, nobody else can come by.
  bool unique() const { return object_->references.load(std::memory_order_acquire) == 1; }
  const T* operator->() const { return object_; }
  const T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  const T* object_ = nullptr;
};

// The entries at one prefix, ordered by weight and then id, in one block of memory behind this header.
struct EntryList {
  mutable std::atomic<uint32_t> references{1};
  uint32_t count = 0;

  std::span<const FibEntry> entries() const { return {reinterpret_cast<const FibEntry*>(this + 1), count}; }
  static void destroy(const EntryList* list);
};
using EntryListRef = CountedRef<EntryList>;
// `list` (may be null) with `entry` in the place of the one of its id, or without the one of `id`; null when none is left.
EntryListRef list_with(const EntryListRef& list, const FibEntry& entry);
EntryListRef list_without(const EntryListRef& list, RouteId id);

// The bits of an address from the left, in two words.
struct TrieKey {
  uint64_t high = 0;
  uint64_t low = 0;

  static TrieKey of(const IpAddress& address);
  bool bit(unsigned index) const { return ((index < 64 ? high << index : low << (index - 64)) >> 63) != 0; }
  // Length of the prefix that both share, at most 128.
  unsigned common(const TrieKey& other) const {
    if (uint64_t x = high ^ other.high; x != 0) return static_cast<unsigned>(__builtin_clzll(x));
    if (uint64_t x = low ^ other.low; x != 0) return 64 + static_cast<unsigned>(__builtin_clzll(x));
    return 128;
  }
};

struct alignas(64) TrieNode {
  mutable std::atomic<uint32_t> references{1};
  uint32_t length = 0;  // of the prefix
  TrieKey key;          // bits behind the length are zero
  CountedRef<TrieNode> child[2];
  EntryListRef list;

  static void destroy(const TrieNode* node) { delete node; }
};
static_assert(sizeof(TrieNode) == 64);
using TrieRef = CountedRef<TrieNode>;

// Puts the entry into `trie`, in the place of the one of its id, or takes it out. Nodes that nobody else refers to are
// changed as they are; of the others copies. True when there is one entry more, or less.
bool trie_put(TrieRef& trie, const FibEntry& entry);
bool trie_remove(TrieRef& trie, RouteId id, const IpPrefix& destination);
// The entries at exactly this prefix; null when there are none.
const EntryList* trie_find(const TrieRef& trie, const IpPrefix& destination);

}  // namespace viaduct::routing
