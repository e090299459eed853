#include "routing/fib/fib.hpp"

#include <algorithm>

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

void visit_trie(const TrieNode* node, const std::function<void(const FibEntry&)>& visit) {
  if (node == nullptr) return;
  if (node->list) std::ranges::for_each(node->list->entries(), visit);
  visit_trie(node->child[0].get(), visit);
  visit_trie(node->child[1].get(), visit);
}

}  // namespace

Standing NextHops::of(const std::optional<IpAddress>& gateway) const {
  return gateway && std::ranges::binary_search(dead, *gateway) ? Standing::none : standing;
}

Standing Fib::standing_of(const FibEntry& entry) const {
  if (entry.kind != topology::NextHop::port || next_hops_.empty()) return Standing::good;
  const NextHops* known = next_hops_.find(entry.port);
  return known == nullptr ? Standing::good : known->of(entry.gateway);
}

// The entries are ordered by weight: those of the first that counts are the candidates. True when there is one.
bool Fib::select(const EntryList& list, const IpAddress& source, uint64_t flow_hash, PassedOver passed_over,
                 FibMatch& match) const {
  for (const Standing wanted : {Standing::good, Standing::doubtful}) {
    uint64_t best = 0;
    bool others = false;  // that a second turn could serve
    for (const FibEntry& entry : list.entries()) {
      if (match.entry != nullptr && entry.weight != match.entry->weight) break;
      if (entry.source.length() != 0) {
        match.source_read = true;
        if (!entry.source.contains(source)) continue;
      }
      if (const Standing standing = standing_of(entry); standing != wanted) {
        if (wanted == Standing::good) passed_over.call(passed_over.to, entry.port);
        others = others || standing == Standing::doubtful;
        continue;
      }
      const uint64_t drawn = list.count > 1 ? score(entry.id, flow_hash) : 0;
      if (match.entry == nullptr || drawn > best) {
        match.entry = &entry;
        best = drawn;
      }
      ++match.candidates;
    }
    if (match.entry != nullptr || !others) break;
  }
  return match.entry != nullptr;
}

FibMatch Fib::find(const IpAddress& source, const IpAddress& destination, uint64_t flow_hash,
                   PassedOver passed_over) const {
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
  while (count > 0 && !select(*holding[--count], source, flow_hash, passed_over, match)) {
  }
  return match;
}

void Fib::put(const FibEntry& entry) {
  if (trie_put(root(entry.destination.family()), entry)) ++size_;
}

void Fib::remove(RouteId id, const IpPrefix& destination) {
  if (trie_remove(root(destination.family()), id, destination)) --size_;
}

void Fib::stand(PortId port, const NextHops& next_hops) {
  if (next_hops == NextHops{}) {
    next_hops_.remove(port);
  } else {
    next_hops_.put(port, next_hops);
  }
}

void Fib::for_each(const std::function<void(const FibEntry&)>& visit) const {
  visit_trie(v4_.get(), visit);
  visit_trie(v6_.get(), visit);
}

}  // namespace viaduct::routing
