// A hash table of fixed capacity that packet workers read for every packet while others write.
//
// Layout: buckets of eight slots; a key lives in one of the two buckets that its hash names, in whichever was emptier
// when it came (two choices keep the fullest bucket within a few entries of the mean, so that at 5 of 8 slots used on
// average practically none overflows). An entry never moves, and erasing it frees its slot at once: no tombstones.
//
//   bucket: | version | eight fingerprints, one byte each, 0 = free | eight times key words, value words |
//
// Threads: a reader copies the words between two reads of the bucket's version and starts again when a writer was
// there (sequence lock): it never sees a torn entry or a value under another key, and writes nothing. A writer makes
// the versions of both buckets odd for a few stores; other writers and readers of these two buckets spin meanwhile.
// There is no mutex and no allocation after construction.
//
// All words are atomics. Instead of fences (which ThreadSanitizer does not know) the data words are stored with release
// and loaded with acquire: a reader that has seen one new word cannot see the old version after it. On x86-64 these
// are plain moves.
//
// Limits: at most `capacity` entries; a key whose buckets are both full is refused likewise. Keys and values are
// trivially copyable, keys without padding (compared and hashed as bytes). `seed` is best a random number where others
// choose the keys, so that they cannot aim at one bucket.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace viaduct::flows {

enum class TableChange : uint8_t { keep, store, erase };
enum class TableOutcome : uint8_t {
  absent,  // and left so
  kept,
  stored,
  added,
  erased,
  full,  // wanted to add and could not
};

template <class Key, class Value>
class ConcurrentTable {
  static_assert(std::is_trivially_copyable_v<Key> && std::has_unique_object_representations_v<Key>);
  static_assert(std::is_trivially_copyable_v<Value> && std::is_default_constructible_v<Value>);

 public:
  explicit ConcurrentTable(size_t capacity, uint64_t seed = 0)
      : capacity_(capacity),
        bucket_count_(capacity / kMeanLoad + 2),
        seed_(seed),
        buckets_(std::make_unique<Bucket[]>(bucket_count_)) {}

  std::optional<Value> find(const Key& key) const {
    const KeyWords words = encode_key(key);
    const Place place = place_of(words);
    ValueWords value;
    if (read(buckets_[place.first], place.fingerprint, words, value) ||
        (place.second != place.first && read(buckets_[place.second], place.fingerprint, words, value))) {
      return decode<Value>(value);
    }
    return std::nullopt;
  }

  // `decide(std::optional<Value>&)` sees the present value, may change or set it, and says what to do with it: it runs
  // alone for this key, for a few instructions, and must not use this table.
  template <class Decide>
  TableOutcome modify(const Key& key, Decide&& decide) {
    const KeyWords words = encode_key(key);
    const Place place = place_of(words);
    const PairLock lock(buckets_[std::min(place.first, place.second)], buckets_[std::max(place.first, place.second)]);
    Slot slot = find_slot(place, words);
    std::optional<Value> value;
    if (slot.bucket != nullptr) value = decode<Value>(load(slot.bucket->values[slot.index]));
    switch (std::forward<Decide>(decide)(value)) {
      case TableChange::keep:
        return slot.bucket != nullptr ? TableOutcome::kept : TableOutcome::absent;
      case TableChange::erase:
        return erase(slot);
      case TableChange::store:
        break;
    }
    if (!value) return slot.bucket != nullptr ? TableOutcome::kept : TableOutcome::absent;
    if (slot.bucket == nullptr) return add(place, words, *value);
    store(slot.bucket->values[slot.index], encode_value(*value));
    return TableOutcome::stored;
  }

  // Visits every entry that is there all the time, and perhaps some that come or go. `visit` may use the table.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit_some(0, bucket_count_, std::forward<Visit>(visit));
  }
  // The same, a part at a time: `buckets` of them from number `from` on. Returns where to go on; 0: that was the end.
  template <class Visit>
  size_t visit_some(size_t from, size_t buckets, Visit&& visit) const {
    const size_t end = std::min(bucket_count_, from + buckets);
    for (size_t i = from; i < end; ++i) {
      Copy copy;
      copy_bucket(buckets_[i], copy);
      for (int slot = 0; slot < kSlots; ++slot) {
        if ((copy.fingerprints >> (slot * 8) & 0xff) == 0) continue;
        visit(decode<Key>(copy.keys[slot]), decode<Value>(copy.values[slot]));
      }
    }
    return end == bucket_count_ ? 0 : end;
  }

  size_t size() const { return size_.load(std::memory_order_relaxed); }
  size_t capacity() const { return capacity_; }

 private:
  static constexpr int kSlots = 8;
  static constexpr size_t kMeanLoad = 5;
  static constexpr uint64_t kTopBits = 0x8080'8080'8080'8080ULL;
  static constexpr size_t kKeyWords = (sizeof(Key) + 7) / 8;
  static constexpr size_t kValueWords = (sizeof(Value) + 7) / 8;
  template <size_t N>
  using AtomicWords = std::array<std::atomic<uint64_t>, N>;
  using KeyWords = std::array<uint64_t, kKeyWords>;
  using ValueWords = std::array<uint64_t, kValueWords>;

  struct alignas(64) Bucket {
    std::atomic<uint64_t> version{0};  // odd while a writer is in
    std::atomic<uint64_t> fingerprints{0};
    std::array<AtomicWords<kKeyWords>, kSlots> keys{};
    std::array<AtomicWords<kValueWords>, kSlots> values{};
  };
  struct Copy {
    uint64_t fingerprints = 0;
    std::array<KeyWords, kSlots> keys;
    std::array<ValueWords, kSlots> values;
  };
  struct Place {
    size_t first, second;
    uint64_t fingerprint;  // 0x80..0xff: never that of a free slot, nor one bit from it (see candidates())
  };
  struct Slot {
    Bucket* bucket = nullptr;
    int index = 0;
  };

  // A writer that was preempted inside holds the others up: after a while give it the processor.
  class Spin {
   public:
    void pause() {
      if (++turns_ % 64 == 0) std::this_thread::yield();
    }

   private:
    unsigned turns_ = 0;
  };

  // Both buckets of a key, in the order of their addresses; they may be the same one.
  class PairLock {
   public:
    PairLock(Bucket& low, Bucket& high) : low_(low), high_(high) {
      lock(low_);
      if (&high_ != &low_) lock(high_);
    }
    ~PairLock() {
      if (&high_ != &low_) unlock(high_);
      unlock(low_);
    }
    PairLock(const PairLock&) = delete;
    PairLock& operator=(const PairLock&) = delete;

   private:
    static void lock(Bucket& bucket) {
      for (Spin spin;; spin.pause()) {
        uint64_t version = bucket.version.load(std::memory_order_relaxed);
        if ((version & 1) == 0 &&
            bucket.version.compare_exchange_weak(version, version + 1, std::memory_order_acq_rel)) {
          return;
        }
      }
    }
    static void unlock(Bucket& bucket) {
      bucket.version.store(bucket.version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    Bucket& low_;
    Bucket& high_;
  };

  template <size_t N>
  static void store(AtomicWords<N>& to, const std::array<uint64_t, N>& from) {
    for (size_t i = 0; i < N; ++i) to[i].store(from[i], std::memory_order_release);
  }
  template <size_t N>
  static std::array<uint64_t, N> load(const AtomicWords<N>& from) {
    std::array<uint64_t, N> out;
    for (size_t i = 0; i < N; ++i) out[i] = from[i].load(std::memory_order_acquire);
    return out;
  }
  template <size_t N>
  static bool equal(const AtomicWords<N>& stored, const std::array<uint64_t, N>& words) {
    for (size_t i = 0; i < N; ++i) {
      if (stored[i].load(std::memory_order_acquire) != words[i]) return false;
    }
    return true;
  }

  static KeyWords encode_key(const Key& key) {
    KeyWords words{};
    std::memcpy(words.data(), &key, sizeof key);
    return words;
  }
  static ValueWords encode_value(const Value& value) {
    ValueWords words{};
    std::memcpy(words.data(), &value, sizeof value);
    return words;
  }
  template <class T, size_t N>
  static T decode(const std::array<uint64_t, N>& words) {
    T out;
    std::memcpy(static_cast<void*>(&out), words.data(), sizeof out);
    return out;
  }

  static uint64_t mix(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  Place place_of(const KeyWords& words) const {
    uint64_t hash = seed_ ^ 0x9e37'79b9'7f4a'7c15ULL;
    for (uint64_t word : words) hash = mix(hash ^ word, 0xd6e8'feb8'6659'fd93ULL) + 0xa076'1d64'78bd'642fULL;
    const auto reduce = [this](uint64_t half) { return static_cast<size_t>((half * bucket_count_) >> 32); };
    const uint64_t again = mix(hash, 0xe703'7ed1'a0b4'28dbULL);
    return {reduce(hash >> 32), reduce(again >> 32), (hash & 0x7f) | 0x80};
  }
  // The top bit of each byte whose fingerprint fits; it may be set for one that is off by one bit, which the comparison
  // of the keys finds out. Such a one is never a free slot, whose old words might still fit.
  static uint64_t candidates(uint64_t fingerprints, uint64_t fingerprint) {
    const uint64_t x = fingerprints ^ fingerprint * 0x0101'0101'0101'0101ULL;
    return (x - 0x0101'0101'0101'0101ULL) & ~x & kTopBits & fingerprints;
  }

  static bool read(const Bucket& bucket, uint64_t fingerprint, const KeyWords& key, ValueWords& value) {
    for (Spin spin;; spin.pause()) {
      const uint64_t before = bucket.version.load(std::memory_order_acquire);
      if ((before & 1) != 0) continue;
      const uint64_t fingerprints = bucket.fingerprints.load(std::memory_order_acquire);
      bool found = false;
      for (uint64_t left = candidates(fingerprints, fingerprint); left != 0 && !found; left &= left - 1) {
        const int slot = std::countr_zero(left) / 8;
        if (!equal(bucket.keys[slot], key)) continue;
        value = load(bucket.values[slot]);
        found = true;
      }
      if (bucket.version.load(std::memory_order_relaxed) == before) return found;
    }
  }
  static void copy_bucket(const Bucket& bucket, Copy& copy) {
    for (Spin spin;; spin.pause()) {
      const uint64_t before = bucket.version.load(std::memory_order_acquire);
      if ((before & 1) != 0) continue;
      copy.fingerprints = bucket.fingerprints.load(std::memory_order_acquire);
      for (int slot = 0; slot < kSlots && copy.fingerprints != 0; ++slot) {
        if ((copy.fingerprints >> (slot * 8) & 0xff) == 0) continue;
        copy.keys[slot] = load(bucket.keys[slot]);
        copy.values[slot] = load(bucket.values[slot]);
      }
      if (bucket.version.load(std::memory_order_relaxed) == before) return;
    }
  }

  // The rest runs with both buckets locked.
  Slot find_slot(const Place& place, const KeyWords& key) {
    for (size_t at : {place.first, place.second}) {
      Bucket& bucket = buckets_[at];
      const uint64_t fingerprints = bucket.fingerprints.load(std::memory_order_relaxed);
      for (uint64_t left = candidates(fingerprints, place.fingerprint); left != 0; left &= left - 1) {
        const int slot = std::countr_zero(left) / 8;
        if (equal(bucket.keys[slot], key)) return {&bucket, slot};
      }
    }
    return {};
  }
  TableOutcome add(const Place& place, const KeyWords& key, const Value& value) {
    Bucket& first = buckets_[place.first];
    Bucket& second = buckets_[place.second];
    const uint64_t in_first = first.fingerprints.load(std::memory_order_relaxed);
    const uint64_t in_second = second.fingerprints.load(std::memory_order_relaxed);
    const bool use_first = std::popcount(in_first & kTopBits) <= std::popcount(in_second & kTopBits);
    Bucket& bucket = use_first ? first : second;
    const uint64_t fingerprints = use_first ? in_first : in_second;
    const uint64_t free = ~fingerprints & kTopBits;
    if (free == 0) return TableOutcome::full;
    if (size_.fetch_add(1, std::memory_order_relaxed) >= capacity_) {
      size_.fetch_sub(1, std::memory_order_relaxed);
      return TableOutcome::full;
    }
    const int slot = std::countr_zero(free) / 8;
    store(bucket.keys[slot], key);
    store(bucket.values[slot], encode_value(value));
    bucket.fingerprints.store(fingerprints | place.fingerprint << (slot * 8), std::memory_order_release);
    return TableOutcome::added;
  }
  TableOutcome erase(Slot slot) {
    if (slot.bucket == nullptr) return TableOutcome::absent;
    const uint64_t fingerprints = slot.bucket->fingerprints.load(std::memory_order_relaxed);
    slot.bucket->fingerprints.store(fingerprints & ~(uint64_t{0xff} << (slot.index * 8)), std::memory_order_release);
    size_.fetch_sub(1, std::memory_order_relaxed);
    return TableOutcome::erased;
  }

  const size_t capacity_;
  const size_t bucket_count_;  // below 2^32
  const uint64_t seed_;
  const std::unique_ptr<Bucket[]> buckets_;
  alignas(64) std::atomic<size_t> size_{0};
};

}  // namespace viaduct::flows
