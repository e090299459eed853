// An immutable map: "changing" it makes another one that shares all it can with the first.
//
// A hash array mapped trie in the compressed form of Steindorf and Vinju (CHAMP, OOPSLA 2015): every node has up to 32
// slots, picked by five bits of the key's hash; a slot holds an entry, a child, or nothing. insert and erase copy the
// nodes on one path, O(log32 n); erase puts a lone entry back into its parent, so that equal maps have equal shapes and
// diff can walk two maps side by side, skipping the sub-trees that they share.
//
// put, remove and edit change a map in place, and no other: nodes that no copy of it shares are written to, the others
// are copied as insert and erase copy them. Who makes many changes before anybody else sees the map uses these.
//
// find touches no reference count and allocates nothing: it is on the packet path.
//
// Threads: const methods from any thread, for copies of one map at once too; the counts are atomic. A returned pointer is valid while a copy of the map
// that gave it lives. Running out of memory ends the program (noexcept): a half-copied node could not be undone.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace viaduct::topology {

template <class K, class V, class Hash = std::hash<K>>
class PersistentMap {
 public:
  PersistentMap() = default;
  PersistentMap(const PersistentMap& other) noexcept : root_(retained(other.root_)), size_(other.size_) {}
  PersistentMap(PersistentMap&& other) noexcept
      : root_(std::exchange(other.root_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PersistentMap& operator=(PersistentMap other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~PersistentMap() { release(root_); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // True when both are one map, not merely equal ones.
  bool same_as(const PersistentMap& other) const { return root_ == other.root_; }

  const V* find(const K& key) const {
    if (root_ == nullptr) return nullptr;
    const uint64_t hash = hash_of(key);
    const Node* node = root_;
    for (unsigned shift = 0; shift < kHashBits; shift += kBits) {
      const uint32_t bit = bit_of(hash, shift);
      if (node->entry_map & bit) {
        const Entry& entry = node->entries()[index_of(node->entry_map, bit)];
        return entry.key == key ? &entry.value : nullptr;
      }
      if (!(node->child_map & bit)) return nullptr;
      node = node->children()[index_of(node->child_map, bit)];
    }
    const Entry* entry = find_colliding(*node, key);
    return entry ? &entry->value : nullptr;
  }
  bool contains(const K& key) const { return find(key) != nullptr; }

  // With `key` put: added, or its value replaced.
  [[nodiscard]] PersistentMap insert(K key, V value) const {
    const uint64_t hash = hash_of(key);
    bool added = true;
    Entry entry{std::move(key), std::move(value)};
    Node* root = root_ == nullptr ? leaf(bit_of(hash, 0), entry) : put(*root_, 0, hash, entry, added);
    return PersistentMap(root, size_ + (added ? 1 : 0));
  }

  // Without `key`; the same map when it is not there.
  [[nodiscard]] PersistentMap erase(const K& key) const {
    if (!contains(key)) return *this;
    return PersistentMap(take(*root_, 0, hash_of(key), key), size_ - 1);
  }

  // As insert, of this map itself.
  void put(K key, V value) {
    const uint64_t hash = hash_of(key);
    bool added = true;
    Entry entry{std::move(key), std::move(value)};
    root_ = root_ == nullptr ? leaf(bit_of(hash, 0), entry) : put_into(root_, 0, hash, entry, added);
    size_ += added ? 1 : 0;
  }
  // As erase, of this map itself.
  void remove(const K& key) {
    if (!contains(key)) return;
    root_ = take_from(root_, 0, hash_of(key), key);
    --size_;
  }
  // The value of `key`, to be changed for this map alone; null when it is not there. Valid until the map is changed or
  // copied.
  V* edit(const K& key) {
    if (!contains(key)) return nullptr;
    const uint64_t hash = hash_of(key);
    Node** at = &root_;
    for (unsigned shift = 0; shift < kHashBits; shift += kBits) {
      make_own(*at);
      Node& node = **at;
      const uint32_t bit = bit_of(hash, shift);
      if (node.entry_map & bit) return &node.entries()[index_of(node.entry_map, bit)].value;
      at = &node.children()[index_of(node.child_map, bit)];
    }
    make_own(*at);
    return &const_cast<Entry*>(find_colliding(**at, key))->value;
  }

  // visit(const K&, const V&), in the order of the hashes: the same for the same keys in one program.
  template <class F>
  void for_each(F&& visit) const {
    if (root_ != nullptr) walk(*root_, visit);
  }

  // visit(const K&, const V* before, const V* after) for each key whose value differs; null: not there. Values are
  // compared with ==.
  template <class F>
  static void diff(const PersistentMap& before, const PersistentMap& after, F&& visit) {
    diff_nodes(before.root_, after.root_, 0, visit);
  }

 private:
  static constexpr unsigned kBits = 5;
  static constexpr unsigned kHashBits = 64;  // below the last level keys of one hash share a list

  struct Entry {
    K key;
    [[no_unique_address]] V value;
  };

  // One allocation: this header, the entries, then the children. Below the last level both maps are zero and
  // `entry_count` entries have the same hash.
  struct Node {
    mutable std::atomic<uint32_t> references{1};
    uint32_t entry_map = 0;
    uint32_t child_map = 0;
    uint32_t entry_count = 0;

    static constexpr size_t align_up(size_t value, size_t alignment) {
      return (value + alignment - 1) / alignment * alignment;
    }
    static constexpr size_t entries_offset() { return align_up(sizeof(Node), alignof(Entry)); }
    static constexpr size_t children_offset(size_t entry_count) {
      return align_up(entries_offset() + entry_count * sizeof(Entry), alignof(Node*));
    }
    static constexpr size_t bytes(size_t entry_count, size_t child_count) {
      return children_offset(entry_count) + child_count * sizeof(Node*);
    }
    size_t child_count() const { return static_cast<size_t>(std::popcount(child_map)); }
    Entry* entries() { return reinterpret_cast<Entry*>(reinterpret_cast<std::byte*>(this) + entries_offset()); }
    const Entry* entries() const { return const_cast<Node*>(this)->entries(); }
    Node** children() {
      return reinterpret_cast<Node**>(reinterpret_cast<std::byte*>(this) + children_offset(entry_count));
    }
    Node* const* children() const { return const_cast<Node*>(this)->children(); }
  };
  static_assert(alignof(Entry) <= alignof(std::max_align_t));

  PersistentMap(Node* root, size_t size) : root_(root), size_(size) {}

  // --- nodes -------------------------------------------------------------------------------------
  static uint64_t hash_of(const K& key) {
    uint64_t h = Hash{}(key);  // std::hash may leave bits untouched: mix as MurmurHash3 does at its end
    h = (h ^ h >> 33) * 0xff51'afd7'ed55'8ccdULL;
    h = (h ^ h >> 33) * 0xc4ce'b9fe'1a85'ec53ULL;
    return h ^ h >> 33;
  }
  static uint32_t bit_of(uint64_t hash, unsigned shift) { return uint32_t{1} << (hash >> shift & 31); }
  static unsigned index_of(uint32_t map, uint32_t bit) { return static_cast<unsigned>(std::popcount(map & (bit - 1))); }

  static Node* retained(Node* node) {
    if (node != nullptr) node->references.fetch_add(1, std::memory_order_relaxed);
    return node;
  }
  static void release(Node* node) {
    if (node == nullptr || node->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    for (size_t i = 0, n = node->child_count(); i < n; ++i) release(node->children()[i]);
    std::destroy_n(node->entries(), node->entry_count);
    node->~Node();
    ::operator delete(node);
  }

  static Node* allocate(uint32_t entry_map, uint32_t child_map, size_t entry_count) {
    const auto child_count = static_cast<size_t>(std::popcount(child_map));
    Node* node = new (::operator new(Node::bytes(entry_count, child_count))) Node;
    node->entry_map = entry_map;
    node->child_map = child_map;
    node->entry_count = static_cast<uint32_t>(entry_count);
    return node;
  }
  static Node* leaf(uint32_t bit, const Entry& entry) noexcept {
    Node* node = allocate(bit, 0, 1);
    std::construct_at(node->entries(), entry);
    return node;
  }

  // A copy of `from` in which the slot of `bit` holds `entry`, or `child` (whose reference it takes over), or nothing.
  static Node* with_slot(const Node& from, uint32_t bit, const Entry* entry, Node* child) noexcept {
    const uint32_t entry_map = (from.entry_map & ~bit) | (entry != nullptr ? bit : 0);
    const uint32_t child_map = (from.child_map & ~bit) | (child != nullptr ? bit : 0);
    Node* node = allocate(entry_map, child_map, static_cast<size_t>(std::popcount(entry_map)));
    Entry* to_entry = node->entries();
    for (uint32_t rest = entry_map; rest != 0; rest &= rest - 1) {
      const uint32_t at = rest & -rest;
      std::construct_at(to_entry++, at == bit ? *entry : from.entries()[index_of(from.entry_map, at)]);
    }
    Node** to_child = node->children();
    for (uint32_t rest = child_map; rest != 0; rest &= rest - 1) {
      const uint32_t at = rest & -rest;
      *to_child++ = at == bit ? child : retained(from.children()[index_of(from.child_map, at)]);
    }
    return node;
  }

  // A node for two entries of different keys that share the bits above `shift`.
  static Node* fork(unsigned shift, const Entry& a, uint64_t hash_a, const Entry& b, uint64_t hash_b) noexcept {
    if (shift >= kHashBits) {
      Node* node = allocate(0, 0, 2);
      std::construct_at(node->entries(), a);
      std::construct_at(node->entries() + 1, b);
      return node;
    }
    const uint32_t bit_a = bit_of(hash_a, shift), bit_b = bit_of(hash_b, shift);
    if (bit_a == bit_b) {
      Node* child = fork(shift + kBits, a, hash_a, b, hash_b);
      Node* node = allocate(0, bit_a, 0);
      *node->children() = child;
      return node;
    }
    Node* node = allocate(bit_a | bit_b, 0, 2);
    std::construct_at(node->entries(), bit_a < bit_b ? a : b);
    std::construct_at(node->entries() + 1, bit_a < bit_b ? b : a);
    return node;
  }

  // --- insert and erase ----------------------------------------------------------------------------
  static Node* put(const Node& node, unsigned shift, uint64_t hash, const Entry& entry, bool& added) noexcept {
    if (shift >= kHashBits) return put_colliding(node, entry, added);
    const uint32_t bit = bit_of(hash, shift);
    if (node.child_map & bit) {
      const Node* child = node.children()[index_of(node.child_map, bit)];
      return with_slot(node, bit, nullptr, put(*child, shift + kBits, hash, entry, added));
    }
    if (node.entry_map & bit) {
      const Entry& present = node.entries()[index_of(node.entry_map, bit)];
      if (!(present.key == entry.key)) {
        return with_slot(node, bit, nullptr, fork(shift + kBits, present, hash_of(present.key), entry, hash));
      }
      added = false;
    }
    return with_slot(node, bit, &entry, nullptr);
  }

  // What remains of `node` without `key`, which is in it; null when that is nothing.
  static Node* take(const Node& node, unsigned shift, uint64_t hash, const K& key) noexcept {
    if (shift >= kHashBits) return take_colliding(node, key);
    const uint32_t bit = bit_of(hash, shift);
    if (node.entry_map & bit) {
      if (node.entry_count == 1 && node.child_map == 0) return nullptr;
      return with_slot(node, bit, nullptr, nullptr);
    }
    const Node* child = node.children()[index_of(node.child_map, bit)];
    Node* rest = take(*child, shift + kBits, hash, key);
    if (rest == nullptr || rest->child_map != 0 || rest->entry_count != 1) return with_slot(node, bit, nullptr, rest);
    Node* inlined = with_slot(node, bit, rest->entries(), nullptr);
    release(rest);
    return inlined;
  }

  // --- in place --------------------------------------------------------------------------------------
  // Each takes over the caller's reference to `node`, and gives one to what is there instead. A node that has one
  // reference, under nodes that have one each, is its owner's alone.
  static bool is_shared(const Node& node) { return node.references.load(std::memory_order_acquire) != 1; }

  static void make_own(Node*& node) noexcept {
    if (!is_shared(*node)) return;
    Node* copy = allocate(node->entry_map, node->child_map, node->entry_count);
    std::uninitialized_copy_n(node->entries(), node->entry_count, copy->entries());
    for (size_t i = 0, n = node->child_count(); i < n; ++i) copy->children()[i] = retained(node->children()[i]);
    release(std::exchange(node, copy));
  }

  // As with_slot, of a node that is not shared: what stays moves over. The child that was in the slot is the caller's.
  static Node* with_slot_moved(Node* from, uint32_t bit, Entry* entry, Node* child) noexcept {
    const uint32_t entry_map = (from->entry_map & ~bit) | (entry != nullptr ? bit : 0);
    const uint32_t child_map = (from->child_map & ~bit) | (child != nullptr ? bit : 0);
    Node* node = allocate(entry_map, child_map, static_cast<size_t>(std::popcount(entry_map)));
    Entry* to_entry = node->entries();
    for (uint32_t rest = entry_map; rest != 0; rest &= rest - 1) {
      const uint32_t at = rest & -rest;
      std::construct_at(to_entry++, std::move(at == bit ? *entry : from->entries()[index_of(from->entry_map, at)]));
    }
    Node** to_child = node->children();
    for (uint32_t rest = child_map; rest != 0; rest &= rest - 1) {
      const uint32_t at = rest & -rest;
      *to_child++ = at == bit ? child : from->children()[index_of(from->child_map, at)];
    }
    std::destroy_n(from->entries(), from->entry_count);
    from->~Node();
    ::operator delete(from);
    return node;
  }

  static Node* put_into(Node* node, unsigned shift, uint64_t hash, Entry& entry, bool& added) noexcept {
    if (is_shared(*node) || shift >= kHashBits) {
      Node* copy = put(*node, shift, hash, entry, added);
      release(node);
      return copy;
    }
    const uint32_t bit = bit_of(hash, shift);
    if (node->child_map & bit) {
      Node*& child = node->children()[index_of(node->child_map, bit)];
      child = put_into(child, shift + kBits, hash, entry, added);
      return node;
    }
    if (node->entry_map & bit) {
      Entry& present = node->entries()[index_of(node->entry_map, bit)];
      if (!(present.key == entry.key)) {
        return with_slot_moved(node, bit, nullptr, fork(shift + kBits, present, hash_of(present.key), entry, hash));
      }
      present.value = std::move(entry.value);
      added = false;
      return node;
    }
    return with_slot_moved(node, bit, &entry, nullptr);
  }

  static Node* take_from(Node* node, unsigned shift, uint64_t hash, const K& key) noexcept {
    if (is_shared(*node) || shift >= kHashBits) {
      Node* copy = take(*node, shift, hash, key);
      release(node);
      return copy;
    }
    const uint32_t bit = bit_of(hash, shift);
    if (node->entry_map & bit) {
      if (node->entry_count > 1 || node->child_map != 0) return with_slot_moved(node, bit, nullptr, nullptr);
      release(node);
      return nullptr;
    }
    Node*& child = node->children()[index_of(node->child_map, bit)];
    Node* rest = take_from(child, shift + kBits, hash, key);
    child = rest;
    if (rest == nullptr) return with_slot_moved(node, bit, nullptr, nullptr);
    if (rest->child_map != 0 || rest->entry_count != 1) return node;
    Node* inlined = with_slot_moved(node, bit, rest->entries(), nullptr);
    release(rest);
    return inlined;
  }

  static const Entry* find_colliding(const Node& node, const K& key) {
    for (size_t i = 0; i < node.entry_count; ++i) {
      if (node.entries()[i].key == key) return node.entries() + i;
    }
    return nullptr;
  }
  static Node* put_colliding(const Node& node, const Entry& entry, bool& added) noexcept {
    const Entry* present = find_colliding(node, entry.key);
    added = present == nullptr;
    Node* copy = allocate(0, 0, node.entry_count + (added ? 1 : 0));
    for (size_t i = 0; i < node.entry_count; ++i) {
      const Entry& old = node.entries()[i];
      std::construct_at(copy->entries() + i, &old == present ? entry : old);
    }
    if (added) std::construct_at(copy->entries() + node.entry_count, entry);
    return copy;
  }
  static Node* take_colliding(const Node& node, const K& key) noexcept {
    Node* copy = allocate(0, 0, node.entry_count - 1);
    Entry* to = copy->entries();
    for (size_t i = 0; i < node.entry_count; ++i) {
      if (!(node.entries()[i].key == key)) std::construct_at(to++, node.entries()[i]);
    }
    return copy;
  }

  // --- walking -------------------------------------------------------------------------------------
  template <class F>
  static void walk(const Node& node, F& visit) {
    for (size_t i = 0; i < node.entry_count; ++i) visit(node.entries()[i].key, node.entries()[i].value);
    for (size_t i = 0, n = node.child_count(); i < n; ++i) walk(*node.children()[i], visit);
  }

  // What one slot of a node holds.
  struct Slot {
    const Entry* entry = nullptr;
    const Node* child = nullptr;
  };
  static Slot slot_of(const Node* node, uint32_t bit) {
    if (node == nullptr) return {};
    if (node->entry_map & bit) return {node->entries() + index_of(node->entry_map, bit), nullptr};
    if (node->child_map & bit) return {nullptr, node->children()[index_of(node->child_map, bit)]};
    return {};
  }

  template <class F>
  static void diff_nodes(const Node* before, const Node* after, unsigned shift, F& visit) {
    if (before == after) return;
    if (shift >= kHashBits) return diff_colliding(before, after, visit);
    uint32_t used = 0;
    for (const Node* node : {before, after}) {
      if (node != nullptr) used |= node->entry_map | node->child_map;
    }
    for (; used != 0; used &= used - 1) {
      const uint32_t bit = used & -used;
      diff_slots(slot_of(before, bit), slot_of(after, bit), shift + kBits, visit);
    }
  }

  template <class F>
  static void diff_slots(Slot before, Slot after, unsigned shift, F& visit) {
    if (before.entry == nullptr && after.entry == nullptr) return diff_nodes(before.child, after.child, shift, visit);
    if (before.child != nullptr) {
      return match_lone(*before.child, after.entry, [&](const Entry* a, const Entry* b) { report(a, b, visit); });
    }
    if (after.child != nullptr) {
      return match_lone(*after.child, before.entry, [&](const Entry* b, const Entry* a) { report(a, b, visit); });
    }
    if (before.entry != nullptr && after.entry != nullptr && !(before.entry->key == after.entry->key)) {
      report(before.entry, nullptr, visit);
      report(nullptr, after.entry, visit);
      return;
    }
    report(before.entry, after.entry, visit);
  }

  // A sub-tree of one side against the only entry (or none) of the other: tell(of the tree, of the other).
  template <class Tell>
  static void match_lone(const Node& tree, const Entry* lone, Tell&& tell) {
    walk_entries(tree, [&](const Entry& entry) {
      const bool same = lone != nullptr && entry.key == lone->key;
      tell(&entry, same ? lone : nullptr);
      if (same) lone = nullptr;
    });
    if (lone != nullptr) tell(nullptr, lone);
  }
  template <class F>
  static void walk_entries(const Node& node, F&& visit) {
    for (size_t i = 0; i < node.entry_count; ++i) visit(node.entries()[i]);
    for (size_t i = 0, n = node.child_count(); i < n; ++i) walk_entries(*node.children()[i], visit);
  }

  template <class F>
  static void diff_colliding(const Node* before, const Node* after, F& visit) {
    for (size_t i = 0; before != nullptr && i < before->entry_count; ++i) {
      const Entry& entry = before->entries()[i];
      report(&entry, after != nullptr ? find_colliding(*after, entry.key) : nullptr, visit);
    }
    for (size_t i = 0; after != nullptr && i < after->entry_count; ++i) {
      const Entry& entry = after->entries()[i];
      if (before == nullptr || find_colliding(*before, entry.key) == nullptr) report(nullptr, &entry, visit);
    }
  }

  template <class F>
  static void report(const Entry* before, const Entry* after, F& visit) {
    if (before != nullptr && after != nullptr && before->value == after->value) return;
    visit(before != nullptr ? before->key : after->key, before != nullptr ? &before->value : nullptr,
          after != nullptr ? &after->value : nullptr);
  }

  Node* root_ = nullptr;
  size_t size_ = 0;
};

// The value of a set's entries: takes no room.
struct Present {
  friend bool operator==(Present, Present) = default;
};

template <class K, class Hash = std::hash<K>>
class PersistentSet {
 public:
  size_t size() const { return map_.size(); }
  bool empty() const { return map_.empty(); }
  bool contains(const K& key) const { return map_.contains(key); }
  [[nodiscard]] PersistentSet insert(K key) const { return PersistentSet(map_.insert(std::move(key), Present{})); }
  [[nodiscard]] PersistentSet erase(const K& key) const { return PersistentSet(map_.erase(key)); }
  void put(K key) { map_.put(std::move(key), Present{}); }
  void remove(const K& key) { map_.remove(key); }
  template <class F>
  void for_each(F&& visit) const {
    map_.for_each([&](const K& key, Present) { visit(key); });
  }
  PersistentSet() = default;

 private:
  explicit PersistentSet(PersistentMap<K, Present, Hash> map) : map_(std::move(map)) {}
  PersistentMap<K, Present, Hash> map_;
};

}  // namespace viaduct::topology
