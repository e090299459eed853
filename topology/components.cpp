#include "topology/components.hpp"

#include <unordered_set>
#include <utility>

namespace viaduct::topology {

// --- searching -------------------------------------------------------------------------------------

class Components::Search {
 public:
  Search(const Devices& devices, const Uuid& start) : devices_(devices) { reach(start); }

  enum class Step : uint8_t { on, met, exhausted };
  // Follows one link.
  Step step(const Search& other) {
    while (link_ == end_) {
      if (next_ == order_.size()) return Step::exhausted;
      const auto& links = devices_.at(order_[next_++]).links;
      link_ = links.begin();
      end_ = links.end();
    }
    const Uuid& found = (link_++)->second.device;
    if (other.seen_.contains(found)) return Step::met;
    reach(found);
    return Step::on;
  }
  // All that it reached.
  const std::vector<Uuid>& reached() const { return order_; }

 private:
  void reach(const Uuid& device) {
    if (seen_.insert(device).second) order_.push_back(device);
  }

  using Links = std::unordered_multimap<PortId, Link>;
  const Devices& devices_;
  std::vector<Uuid> order_;
  std::unordered_set<Uuid> seen_;
  size_t next_ = 0;
  Links::const_iterator link_{}, end_{};
};

// A link between them was taken away: are they still joined?
void Components::part(const Uuid& a, const Uuid& b) {
  if (a == b) return;
  Search from_a(devices_, a), from_b(devices_, b);
  Search *turn = &from_a, *other = &from_b;
  for (;; std::swap(turn, other)) {
    const Search::Step step = turn->step(*other);
    if (step == Search::Step::met) return;
    if (step == Search::Step::exhausted) return split(turn->reached());
  }
}

// --- components ------------------------------------------------------------------------------------

void Components::put(const Uuid& id, Device& device, Key component) {
  std::vector<Uuid>& list = components_[component];
  device.component = component;
  device.at = list.size();
  list.push_back(id);
}

void Components::take(Device& device) {
  std::vector<Uuid>& list = components_.at(device.component);
  list[device.at] = list.back();
  devices_.at(list[device.at]).at = device.at;
  list.pop_back();
  if (list.empty()) components_.erase(device.component);
}

void Components::merge(Key a, Key b) {
  const auto weight = [&](Key key) { return components_.at(key).size() + audiences_.hosts(key).size(); };
  const auto [small, large] = weight(a) < weight(b) ? std::pair(a, b) : std::pair(b, a);
  for (const Uuid& id : components_.at(small)) {
    before_.try_emplace(id, small);
    put(id, devices_.at(id), large);
  }
  components_.erase(small);
  audiences_.merge(small, large);
}

void Components::split(const std::vector<Uuid>& piece) {
  const Key fresh = audiences_.create();
  for (const Uuid& id : piece) {
    Device& device = devices_.at(id);
    const Key old = device.component;
    before_.try_emplace(id, old);
    take(device);
    put(id, device, fresh);
    for (const auto& [host, ports] : device.bound) {
      audiences_.remove(old, host, ports);
      audiences_.add(fresh, host, ports);
    }
  }
}

// --- devices, bindings, links ----------------------------------------------------------------------

void Components::add(const Uuid& id) {
  const auto [at, is_new] = devices_.try_emplace(id);
  if (!is_new) return;
  before_.try_emplace(id, 0);
  put(id, at->second, audiences_.create());
}

void Components::remove(const Uuid& id) {
  const auto at = devices_.find(id);
  if (at == devices_.end()) return;
  Device& device = at->second;
  while (!device.links.empty()) unlink(id, device.links.begin()->first, device.links.begin()->second.peer);
  before_.try_emplace(id, device.component);
  audiences_.dissolve(device.component);
  take(device);
  devices_.erase(at);
}

void Components::bind(const Uuid& id, HostId host) {
  const auto at = devices_.find(id);
  if (at == devices_.end()) return;
  ++at->second.bound[host];
  audiences_.add(at->second.component, host);
}

void Components::unbind(const Uuid& id, HostId host) {
  const auto at = devices_.find(id);
  if (at == devices_.end()) return;
  const auto bound = at->second.bound.find(host);
  if (bound == at->second.bound.end()) return;
  if (--bound->second == 0) at->second.bound.erase(bound);
  audiences_.remove(at->second.component, host);
}

void Components::link(const Uuid& id, PortId port, const Uuid& other_id, PortId other_port) {
  const auto device = devices_.find(id), other = devices_.find(other_id);
  if (device == devices_.end() || other == devices_.end()) return;
  const auto [first, end] = device->second.links.equal_range(port);
  for (auto at = first; at != end; ++at) {
    if (at->second.peer == other_port && at->second.device == other_id) return;
  }
  device->second.links.emplace(port, Link{other_port, other_id});
  other->second.links.emplace(other_port, Link{port, id});
  if (device->second.component != other->second.component) merge(device->second.component, other->second.component);
}

bool Components::erase_link(const Uuid& id, PortId port, PortId peer, const Uuid& other) {
  auto& links = devices_.at(id).links;
  const auto [first, end] = links.equal_range(port);
  for (auto at = first; at != end; ++at) {
    if (at->second.peer != peer || at->second.device != other) continue;
    links.erase(at);
    return true;
  }
  return false;
}

void Components::unlink(const Uuid& id, PortId port, PortId peer) {
  const auto device = devices_.find(id);
  if (device == devices_.end()) return;
  const auto [first, end] = device->second.links.equal_range(port);
  for (auto at = first; at != end; ++at) {
    if (at->second.peer != peer) continue;
    const Uuid other = at->second.device;
    device->second.links.erase(at);
    erase_link(other, peer, port, id);
    return part(id, other);
  }
}

Components::Key Components::component_of(const Uuid& device) const {
  const auto at = devices_.find(device);
  return at == devices_.end() ? 0 : at->second.component;
}

const std::vector<Uuid>& Components::devices(Key component) const {
  static const std::vector<Uuid> kNone;
  const auto at = components_.find(component);
  return at == components_.end() ? kNone : at->second;
}

Components::Key Components::component_before(const Uuid& device) const {
  const auto at = before_.find(device);
  return at == before_.end() ? component_of(device) : at->second;
}

}  // namespace viaduct::topology
