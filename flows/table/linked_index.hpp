// Which flows hang on a key, and on which keys a flow hangs: lists woven through one vector of links.
//
//   map: key A -> link 4 <-> link 7          each link: its key, its flow, neighbours under the key,
//        key B -> link 5                                and the next link of the same flow
//
// Adding is O(1) besides the map's own cost, removing a flow is O(its keys), and a link is 24 bytes, where a multimap
// takes twice that. The map (ordered or not) has node-stable elements and maps a key to the first link; a key without
// flows is not in it. Flows are numbers that the caller gives out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "flows/match/chunked_vector.hpp"

namespace viaduct::flows {

inline constexpr uint32_t kNoLink = ~uint32_t{0};

template <class Map>
class LinkedIndex {
 public:
  using Key = typename Map::key_type;

  // Hangs `flow` under `key`; `chain` is the flow's first link (kNoLink at first), kept by the caller. A key that the
  // flow has already is not added again.
  void add(const Key& key, uint32_t flow, uint32_t& chain) {
    auto element = map_.try_emplace(key, kNoLink).first;
    if (has(chain, &*element)) return;
    const uint32_t at = allocate();
    links_[at] = {&*element, flow, kNoLink, element->second, chain};
    if (element->second != kNoLink) links_[element->second].previous = at;
    element->second = at;
    chain = at;
  }
  // Takes all links of one flow away.
  void remove(uint32_t chain) {
    while (chain != kNoLink) {
      const uint32_t next = links_[chain].next_of_flow;
      unlink(chain);
      links_[chain].next = std::exchange(free_, chain);
      --used_;
      chain = next;
    }
  }
  uint32_t flow_at(uint32_t link) const { return links_[link].flow; }
  template <class Visit>
  void for_each_key(uint32_t chain, Visit&& visit) const {
    for (; chain != kNoLink; chain = links_[chain].next_of_flow) visit(links_[chain].element->first);
  }

  // To find a key, or a range of an ordered map; the value is the first link.
  const Map& map() const { return map_; }
  size_t links() const { return used_; }
  size_t memory_bytes() const {
    constexpr size_t kNodeBytes = 48;  // of map and allocator around an element
    return links_.capacity() * sizeof(Link) + map_.size() * (sizeof(typename Map::value_type) + kNodeBytes);
  }

 private:
  using Element = typename Map::value_type;
  struct Link {
    Element* element = nullptr;
    uint32_t flow = 0;
    uint32_t previous = kNoLink, next = kNoLink;
    uint32_t next_of_flow = kNoLink;
  };

  bool has(uint32_t chain, const Element* element) const {
    for (; chain != kNoLink; chain = links_[chain].next_of_flow) {
      if (links_[chain].element == element) return true;
    }
    return false;
  }
  uint32_t allocate() {
    ++used_;
    if (free_ != kNoLink) return std::exchange(free_, links_[free_].next);
    return static_cast<uint32_t>(links_.append());
  }
  void unlink(uint32_t at) {
    const Link& link = links_[at];
    if (link.next != kNoLink) links_[link.next].previous = link.previous;
    if (link.previous != kNoLink) {
      links_[link.previous].next = link.next;
    } else if (link.next != kNoLink) {
      link.element->second = link.next;
    } else {
      map_.erase(map_.find(link.element->first));
    }
  }

  Map map_;
  ChunkedVector<Link> links_;
  uint32_t free_ = kNoLink;
  size_t used_ = 0;
};

}  // namespace viaduct::flows
