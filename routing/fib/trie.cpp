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
TrieRef make_leaf(TrieKey key, unsigned length, const FibEntry& entry) {
  return make_node(key, length, list_with({}, entry));
}

// For changing: the node itself when nobody else refers to it, or a copy that takes its place.
TrieNode* own(TrieRef& trie) {
  const TrieNode& node = *trie.get();
  if (!trie.unique()) trie = make_node(node.key, node.length, node.list, node.child[0], node.child[1]);
  return const_cast<TrieNode*>(trie.get());
}

uint32_t count_of(const EntryListRef& list) { return list ? list->count : 0; }

bool put(TrieRef& root, const TrieKey& key, unsigned length, const FibEntry& entry) {
  TrieRef* trie = &root;
  for (;;) {
    if (!*trie) {
      *trie = make_leaf(key, length, entry);
      return true;
    }
    const TrieNode& node = **trie;
    const unsigned common = std::min({node.key.common(key), node.length, length});
    if (common < node.length) {
      const bool side = node.key.bit(common);
      TrieRef below = std::move(*trie);
      if (common == length) {  // the new prefix holds the node's
        *trie = make_node(key, length, list_with({}, entry), side ? TrieRef() : below, side ? below : TrieRef());
      } else {
        TrieRef leaf = make_leaf(key, length, entry);
        *trie = make_node(truncated(key, common), common, {}, side ? leaf : below, side ? below : leaf);
      }
      return true;
    }
    TrieNode* owned = own(*trie);
    if (common == length) {
      const uint32_t before = count_of(owned->list);
      owned->list = list_with(owned->list, entry);
      return owned->list->count > before;
    }
    trie = &owned->child[key.bit(owned->length)];
  }
}

// `key` is known to be in the trie.
void remove(TrieRef& trie, const TrieKey& key, unsigned length, RouteId id) {
  TrieNode* node = own(trie);
  if (node->length == length) {
    node->list = list_without(node->list, id);
  } else {
    remove(node->child[key.bit(node->length)], key, length, id);
  }
  if (node->list || (node->child[0] && node->child[1])) return;
  // Nothing, or what its only child is.
  TrieRef child = std::move(node->child[node->child[0] ? 0 : 1]);
  trie = std::move(child);
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

bool trie_put(TrieRef& trie, const FibEntry& entry) {
  const auto length = static_cast<unsigned>(entry.destination.length());
  return put(trie, truncated(TrieKey::of(entry.destination.address()), length), length, entry);
}

bool trie_remove(TrieRef& trie, RouteId id, const IpPrefix& destination) {
  const EntryList* list = trie_find(trie, destination);
  if (list == nullptr) return false;
  const auto entries = list->entries();
  if (std::none_of(entries.begin(), entries.end(), [&](const FibEntry& entry) { return entry.id == id; })) return false;
  const auto length = static_cast<unsigned>(destination.length());
  remove(trie, truncated(TrieKey::of(destination.address()), length), length, id);
  return true;
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
