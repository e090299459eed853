#include "routing/fib/trie.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>

namespace viaduct::routing {
namespace {

static_assert(std::is_trivially_copyable_v<FibEntry> && alignof(FibEntry) <= sizeof(EntryList));

EntryList* allocate_list(size_t count) {
  auto* list = new (::operator new(sizeof(EntryList) + count * sizeof(FibEntry))) EntryList;
  list->count = static_cast<uint32_t>(count);
  return list;
}
FibEntry* storage(EntryList* list) { return reinterpret_cast<FibEntry*>(list + 1); }

TrieKey truncated(TrieKey key, unsigned length) {
  const auto mask = [](unsigned bits) {
    return bits == 0 ? 0 : bits >= 64 ? ~uint64_t{0} : ~uint64_t{0} << (64 - bits);
  };
  return {key.high & mask(length), key.low & mask(length > 64 ? length - 64 : 0)};
}

TrieRef make_node(TrieKey key, unsigned length, EntryListRef list, TrieRef zero = {}, TrieRef one = {}) {
  auto node = std::make_unique<TrieNode>();
  node->key = key;
  node->length = length;
  node->list = std::move(list);
  node->child[0] = std::move(zero);
  node->child[1] = std::move(one);
  return TrieRef(node.release());
}
TrieRef with_child(const TrieNode& node, bool side, TrieRef child) {
  return side ? make_node(node.key, node.length, node.list, node.child[0], std::move(child))
              : make_node(node.key, node.length, node.list, std::move(child), node.child[1]);
}

TrieRef insert(const TrieRef& trie, const TrieKey& key, unsigned length, const FibEntry& entry) {
  if (!trie) return make_node(key, length, list_with({}, entry));
  const TrieNode& node = *trie.get();
  const unsigned common = std::min({node.key.common(key), node.length, length});
  if (common == node.length && common == length) {
    return make_node(key, length, list_with(node.list, entry), node.child[0], node.child[1]);
  }
  if (common == node.length) {
    const bool side = key.bit(node.length);
    return with_child(node, side, insert(node.child[side], key, length, entry));
  }
  if (common == length) {  // the new prefix holds the node's
    const bool side = node.key.bit(length);
    return make_node(key, length, list_with({}, entry), side ? TrieRef() : trie, side ? trie : TrieRef());
  }
  TrieRef leaf = make_node(key, length, list_with({}, entry));
  const bool side = key.bit(common);
  return make_node(truncated(key, common), common, {}, side ? trie : leaf, side ? leaf : trie);
}

// What stands for a node of these parts: itself, its only child, or nothing.
TrieRef joined(const TrieNode& node, EntryListRef list, TrieRef zero, TrieRef one) {
  if (!list && !zero) return one;
  if (!list && !one) return zero;
  return make_node(node.key, node.length, std::move(list), std::move(zero), std::move(one));
}

// `key` is known to be in the trie.
TrieRef remove(const TrieRef& trie, const TrieKey& key, unsigned length, RouteId id) {
  const TrieNode& node = *trie.get();
  if (node.length == length) return joined(node, list_without(node.list, id), node.child[0], node.child[1]);
  const bool side = key.bit(node.length);
  TrieRef changed = remove(node.child[side], key, length, id);
  return side ? joined(node, node.list, node.child[0], std::move(changed))
              : joined(node, node.list, std::move(changed), node.child[1]);
}

}  // namespace

void EntryList::destroy(const EntryList* list) {
  list->~EntryList();
  ::operator delete(const_cast<EntryList*>(list));
}

EntryListRef list_with(const EntryListRef& list, const FibEntry& entry) {
  const std::span<const FibEntry> old = list ? list->entries() : std::span<const FibEntry>();
  const auto same = [&](const FibEntry& other) { return other.id == entry.id; };
  const auto before = [&](const FibEntry& other) {
    return !same(other) && std::tie(other.weight, other.id) < std::tie(entry.weight, entry.id);
  };
  const auto after = [&](const FibEntry& other) { return !same(other) && !before(other); };
  EntryList* out = allocate_list(old.size() + 1 - (std::any_of(old.begin(), old.end(), same) ? 1 : 0));
  FibEntry* end = std::copy_if(old.begin(), old.end(), storage(out), before);
  end = std::uninitialized_copy_n(&entry, 1, end);
  std::copy_if(old.begin(), old.end(), end, after);
  return EntryListRef(out);
}

EntryListRef list_without(const EntryListRef& list, RouteId id) {
  const auto same = [&](const FibEntry& other) { return other.id == id; };
  const std::span<const FibEntry> old = list->entries();
  if (std::none_of(old.begin(), old.end(), same)) return list;
  if (old.size() == 1) return {};
  EntryList* out = allocate_list(old.size() - 1);
  std::remove_copy_if(old.begin(), old.end(), storage(out), same);
  return EntryListRef(out);
}

TrieKey TrieKey::of(const IpAddress& address) {
  const auto word = [&](size_t at) {
    uint64_t value;
    std::memcpy(&value, address.storage().data() + at, 8);
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
  };
  return {word(0), word(8)};
}

TrieRef trie_with(const TrieRef& trie, const FibEntry& entry) {
  const auto length = static_cast<unsigned>(entry.destination.length());
  return insert(trie, truncated(TrieKey::of(entry.destination.address()), length), length, entry);
}

TrieRef trie_without(const TrieRef& trie, RouteId id, const IpPrefix& destination) {
  const auto length = static_cast<unsigned>(destination.length());
  return remove(trie, truncated(TrieKey::of(destination.address()), length), length, id);
}

const EntryList* trie_find(const TrieRef& trie, const IpPrefix& destination) {
  const TrieKey key = TrieKey::of(destination.address());
  const auto length = static_cast<unsigned>(destination.length());
  for (const TrieNode* node = trie.get(); node != nullptr && node->length <= length;) {
    if (node->key.common(key) < node->length) return nullptr;
    if (node->length == length) return node->list.get();
    node = node->child[key.bit(node->length)].get();
  }
  return nullptr;
}

}  // namespace viaduct::routing
