#include "topology/components.hpp"

#include <unordered_set>
#include <utility>

namespace viaduct::topology {

// --- searching -------------------------------------------------------------------------------------

class Components::Search {
 public:
  Search(const Owners& owners, const Uuid& start) : owners_(owners) { reach(start); }

  enum class Step : uint8_t { on, met, exhausted };
  // To one neighbour.
  Step step(const Search& other) {
    while (at_ == end_) {
      if (next_ == order_.size()) return Step::exhausted;
      const auto& neighbours = owners_.at(order_[next_++]).neighbours;
      at_ = neighbours.begin();
      end_ = neighbours.end();
    }
    const Uuid& found = *at_++;
    if (other.seen_.contains(found)) return Step::met;
    reach(found);
    return Step::on;
  }
  // All that it reached.
  const std::vector<Uuid>& reached() const { return order_; }

 private:
  void reach(const Uuid& owner) {
    if (seen_.insert(owner).second) order_.push_back(owner);
  }

  const Owners& owners_;
  std::vector<Uuid> order_;
  std::unordered_set<Uuid> seen_;
  size_t next_ = 0;
  std::unordered_set<Uuid>::const_iterator at_{}, end_{};
};

// The last link between them was taken away: are they still joined?
void Components::part(const Uuid& a, const Uuid& b) {
  Search from_a(owners_, a), from_b(owners_, b);
  Search *turn = &from_a, *other = &from_b;
  for (;; std::swap(turn, other)) {
    const Search::Step step = turn->step(*other);
    if (step == Search::Step::met) return;
    if (step == Search::Step::exhausted) return split(turn->reached());
  }
}

// --- components ------------------------------------------------------------------------------------

void Components::put(const Uuid& id, Owner& owner, Key component) {
  std::vector<Uuid>& list = components_[component];
  owner.component = component;
  owner.at = list.size();
  list.push_back(id);
}

void Components::take(Owner& owner) {
  std::vector<Uuid>& list = components_.at(owner.component);
  list[owner.at] = list.back();
  owners_.at(list[owner.at]).at = owner.at;
  list.pop_back();
  if (list.empty()) components_.erase(owner.component);
}

void Components::merge(Key a, Key b) {
  const auto weight = [&](Key key) { return components_.at(key).size() + audiences_.hosts(key).size(); };
  const auto [small, large] = weight(a) < weight(b) ? std::pair(a, b) : std::pair(b, a);
  for (const Uuid& id : components_.at(small)) {
    before_.try_emplace(id, small);
    put(id, owners_.at(id), large);
  }
  components_.erase(small);
  audiences_.merge(small, large);
}

void Components::split(const std::vector<Uuid>& piece) {
  const Key fresh = audiences_.create();
  for (const Uuid& id : piece) {
    Owner& owner = owners_.at(id);
    const Key old = owner.component;
    before_.try_emplace(id, old);
    take(owner);
    put(id, owner, fresh);
    for (const auto& [host, ports] : owner.bound) {
      audiences_.remove(old, host, ports);
      audiences_.add(fresh, host, ports);
    }
  }
}

// --- owners, bindings, links -----------------------------------------------------------------------

size_t Components::PairHash::operator()(const Pair& pair) const noexcept {
  const std::hash<Uuid> hash;
  return hash(pair.a) * 0x9e37'79b9'7f4a'7c15ULL + hash(pair.b);
}
size_t Components::LinkHash::operator()(const LinkId& id) const noexcept {
  return PairHash{}({id.from, id.to}) + static_cast<size_t>(id.by);
}

void Components::add(const Uuid& id) {
  const auto [at, is_new] = owners_.try_emplace(id);
  if (!is_new) return;
  before_.try_emplace(id, 0);
  put(id, at->second, audiences_.create());
}

void Components::remove(const Uuid& id) {
  const auto at = owners_.find(id);
  if (at == owners_.end()) return;
  Owner& owner = at->second;
  while (!owner.neighbours.empty()) separate(id, Uuid(*owner.neighbours.begin()));
  before_.try_emplace(id, owner.component);
  audiences_.dissolve(owner.component);
  take(owner);
  owners_.erase(at);
}

void Components::bind(const Uuid& id, HostId host) {
  const auto at = owners_.find(id);
  if (at == owners_.end()) return;
  ++at->second.bound[host];
  audiences_.add(at->second.component, host);
}

void Components::unbind(const Uuid& id, HostId host) {
  const auto at = owners_.find(id);
  if (at == owners_.end()) return;
  const auto bound = at->second.bound.find(host);
  if (bound == at->second.bound.end()) return;
  if (--bound->second == 0) at->second.bound.erase(bound);
  audiences_.remove(at->second.component, host);
}

void Components::link(const Uuid& a, const Uuid& b, const LinkId& id) {
  const auto owner = owners_.find(a), other = owners_.find(b);
  if (a == b || owner == owners_.end() || other == owners_.end()) return;
  if (!links_[pair_of(a, b)].insert(id).second) return;
  if (!owner->second.neighbours.insert(b).second) return;
  other->second.neighbours.insert(a);
  if (owner->second.component != other->second.component) merge(owner->second.component, other->second.component);
}

void Components::unlink(const Uuid& a, const Uuid& b, const LinkId& id) {
  const auto links = links_.find(pair_of(a, b));
  if (links == links_.end() || links->second.erase(id) == 0) return;
  if (links->second.empty()) separate(a, b);
}

// Whatever links they have.
void Components::separate(const Uuid& a, const Uuid& b) {
  links_.erase(pair_of(a, b));
  owners_.at(a).neighbours.erase(b);
  owners_.at(b).neighbours.erase(a);
  part(a, b);
}

Components::Key Components::component_of(const Uuid& owner) const {
  const auto at = owners_.find(owner);
  return at == owners_.end() ? 0 : at->second.component;
}

const std::vector<Uuid>& Components::owners(Key component) const {
  static const std::vector<Uuid> kNone;
  const auto at = components_.find(component);
  return at == components_.end() ? kNone : at->second;
}

Components::Key Components::component_before(const Uuid& owner) const {
  const auto at = before_.find(owner);
  return at == before_.end() ? component_of(owner) : at->second;
}

}  // namespace viaduct::topology
