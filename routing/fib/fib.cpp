#include "routing/fib/fib.hpp"

#include <algorithm>
#include <span>

namespace viaduct::routing {
namespace {

uint64_t mixed(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58'476d'1ce4'e5b9ULL;
  x = (x ^ x >> 27) * 0x94d0'49bb'1331'11ebULL;
  return x ^ x >> 31;
}

// Rendezvous hashing (highest random weight): each candidate draws a number from the flow and its own id, so neither
// their order nor the others matter.
uint64_t score(RouteId id, uint64_t flow_hash) { return mixed(mixed(id.uuid().high() ^ flow_hash) + id.uuid().low()); }

// The entries are ordered by weight: those of the first that counts are the candidates.
// True when there is one.
bool select(std::span<const FibEntry> entries, const IpAddress& source, uint64_t flow_hash, FibMatch& match) {
  uint64_t best = 0;
  for (const FibEntry& entry : entries) {
    if (match.entry != nullptr && entry.weight != match.entry->weight) break;
    if (entry.source.length() != 0) {
      match.source_read = true;
      if (!entry.source.contains(source)) continue;
    }
    const uint64_t drawn = entries.size() > 1 ? score(entry.id, flow_hash) : 0;
    if (match.entry == nullptr || drawn > best) {
      match.entry = &entry;
      best = drawn;
    }
    ++match.candidates;
  }
  return match.entry != nullptr;
}

void visit_trie(const TrieNode* node, const std::function<void(const FibEntry&)>& visit) {
  if (node == nullptr) return;
  if (node->list) std::ranges::for_each(node->list->entries(), visit);
  visit_trie(node->child[0].get(), visit);
  visit_trie(node->child[1].get(), visit);
}

bool has(const EntryList* list, RouteId id) {
  return list != nullptr && std::ranges::any_of(list->entries(), [&](const FibEntry& entry) { return entry.id == id; });
}

}  // namespace

FibMatch Fib::lookup(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash) const {
  const TrieKey key = TrieKey::of(destination);
  const auto width = static_cast<unsigned>(destination.width_bits());
  const EntryList* holding[130];  // the lists at prefixes that hold the destination, shortest first
  int count = 0;
  for (const TrieNode* node = root(destination.family()).get(); node != nullptr;) {
    if (node->key.common(key) < node->length) break;
    holding[count] = node->list.get();
    count += holding[count] != nullptr ? 1 : 0;  // not a branch: every second node has none
    if (node->length == width) break;
    node = node->child[key.bit(node->length)].get();
  }
  FibMatch match;
  while (count > 0 && !select(holding[--count]->entries(), source, flow_hash, match)) {
  }
  return match;
}

Fib Fib::with(const FibEntry& entry) const {
  Fib out = *this;
  TrieRef& trie = out.root(entry.destination.family());
  if (!has(trie_find(trie, entry.destination), entry.id)) ++out.size_;
  trie = trie_with(trie, entry);
  return out;
}

Fib Fib::without(RouteId id, const IpPrefix& destination) const {
  Fib out = *this;
  TrieRef& trie = out.root(destination.family());
  if (!has(trie_find(trie, destination), id)) return out;
  trie = trie_without(trie, id, destination);
  --out.size_;
  return out;
}

void Fib::for_each(const std::function<void(const FibEntry&)>& visit) const {
  visit_trie(v4_.get(), visit);
  visit_trie(v6_.get(), visit);
}

}  // namespace viaduct::routing
