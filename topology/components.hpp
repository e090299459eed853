// Which owners (devices, and the chains, groups and load balancers that these name) are joined by links, directly or
// through others, and which hosts have a port bound to one of them. All of a component have one audience: whoever needs
// one of them needs them all.
//
// Two owners may be joined by several links; they part with the last one.
//
// Cost: a link between two components relabels the smaller; taking the last link of two owners away searches from both
// ends at once, one neighbour at a time in turns, so that it costs the smaller half, or the length of a way around; all
// else O(1).
//
// Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "topology/audiences.hpp"
#include "topology/reference.hpp"

namespace viaduct::topology {

// Why two owners are joined: `from` names `to` in this field. Of two ports that name each other, one link.
struct LinkId {
  Reference by = Reference::port_peer;
  Uuid from, to;
  static LinkId of_peers(PortId a, PortId b) {
    return {Reference::port_peer, std::min(a, b).uuid(), std::max(a, b).uuid()};
  }
  friend bool operator==(const LinkId&, const LinkId&) = default;
};

class Components {
 public:
  using Key = Audiences::Key;  // of a component and its audience alike

  explicit Components(Audiences& audiences) : audiences_(audiences) {}
  Components(const Components&) = delete;
  Components& operator=(const Components&) = delete;

  // What was done already is not done twice; what is not there is not taken away. A link of an owner to itself is none.
  void add(const Uuid& owner);
  void remove(const Uuid& owner);  // with its bindings and links
  void bind(const Uuid& owner, HostId host);
  void unbind(const Uuid& owner, HostId host);
  void link(const Uuid& a, const Uuid& b, const LinkId& id);
  void unlink(const Uuid& a, const Uuid& b, const LinkId& id);

  Key component_of(const Uuid& owner) const;  // 0: there is no such owner
  // In no order; nothing for other audiences.
  const std::vector<Uuid>& owners(Key component) const;

  // The same as Audiences::begin_step for owners: in which component each was.
  void begin_step() { before_.clear(); }
  Key component_before(const Uuid& owner) const;  // 0: there was no such owner
  // Those that were in another component, or in none, or are in none now.
  const std::unordered_map<Uuid, Key>& moved() const { return before_; }

 private:
  struct Owner {
    Key component = 0;
    size_t at = 0;  // in the component's list
    std::unordered_map<HostId, uint32_t> bound;
    std::unordered_set<Uuid> neighbours;
  };
  // Two owners, the lesser id first.
  struct Pair {
    Uuid a, b;
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  struct PairHash {
    size_t operator()(const Pair& pair) const noexcept;
  };
  struct LinkHash {
    size_t operator()(const LinkId& id) const noexcept;
  };
  static Pair pair_of(const Uuid& a, const Uuid& b) { return a < b ? Pair{a, b} : Pair{b, a}; }
  // One end's half of a search: breadth first, one neighbour a step.
  class Search;

  using Owners = std::unordered_map<Uuid, Owner>;

  void put(const Uuid& id, Owner& owner, Key component);
  void take(Owner& owner);
  void merge(Key a, Key b);
  void split(const std::vector<Uuid>& piece);
  void part(const Uuid& a, const Uuid& b);
  void separate(const Uuid& a, const Uuid& b);

  Audiences& audiences_;
  Owners owners_;
  std::unordered_map<Pair, std::unordered_set<LinkId, LinkHash>, PairHash> links_;
  std::unordered_map<Key, std::vector<Uuid>> components_;
  std::unordered_map<Uuid, Key> before_;
};

}  // namespace viaduct::topology
