// A network from the one before it and what changed. Compiling from nothing is an update of the empty network.
#include <map>
#include <set>

#include "flows/simulation/network.hpp"
#include "flows/simulation/network_views.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::Kind;
using topology::ObjectChange;

// Views of one kind of device that are being changed: copied when first touched, put back once at the end.
template <class IdType, class View>
class Workbench {
 public:
  explicit Workbench(PersistentMap<IdType, std::shared_ptr<const View>>& views) : views_(views) {}

  // Null when there is no such device.
  View* edit(IdType id) {
    auto found = edited_.find(id);
    if (found != edited_.end()) return found->second.get();
    const auto* view = views_.find(id);
    if (view == nullptr) return nullptr;
    return edited_.emplace(id, std::make_shared<View>(**view)).first->second.get();
  }
  template <class T>
  void put(IdType id, const T* object) {
    if (object == nullptr) {
      edited_.erase(id);
      views_ = views_.erase(id);
      return;
    }
    View* view = edit(id);
    if (view == nullptr) view = edited_.emplace(id, std::make_shared<View>()).first->second.get();
    view->id = id;
    view->name = object->name;
    if constexpr (requires { view->admin_up; }) view->admin_up = object->admin_up;
    if constexpr (requires { view->tenant; }) view->tenant = tenant_hash(object->tenant);
    if constexpr (requires { view->inbound_filter; }) {
      view->inbound_filter = object->inbound_filter;
      view->outbound_filter = object->outbound_filter;
    }
    if constexpr (requires { view->load_balancer; }) {
      view->local_redirect = object->local_redirect;
      view->forward_filter = object->forward_filter;
      view->load_balancer = object->load_balancer;
    }
  }
  void finish() {
    for (auto& [id, view] : edited_) views_ = views_.insert(id, std::move(view));
  }

 private:
  PersistentMap<IdType, std::shared_ptr<const View>>& views_;
  std::map<IdType, std::shared_ptr<View>> edited_;
};

class Update {
 public:
  Update(const NetworkData& before, NetworkData& after, const topology::Delta& delta, const Moved& moved)
      : before_(before),
        after_(after),
        delta_(delta),
        ports_(changed_ports(delta, moved, before.snapshot, after.snapshot)),
        hosts_(moved.hosts.begin(), moved.hosts.end()),
        moved_(moved),
        bridges_(after.bridges),
        routers_(after.routers),
        chains_(after.chains) {}

  void run() {
    update_paths();
    update_devices();
    update_ports();
    update_bridge_shares();
    update_routes();
    update_static_entries();
    update_chains();
    update_ip_groups();
    update_balancing();
    bridges_.finish();
    routers_.finish();
    chains_.finish();
  }

 private:
  void for_each_change(Kind kind, const std::function<void(const Uuid&, const ObjectChange&)>& visit) const {
    for (auto it = delta_.changes.lower_bound({kind, Uuid{}}); it != delta_.changes.end() && it->first.kind == kind;
         ++it) {
      visit(it->first.id, it->second);
    }
  }

  void update_paths() {
    for (HostId host : hosts_) {
      if (const TunnelPath* old = before_.locations.paths.find(host)) {
        after_.peers.remove(old->dst, host);
        count_path(old->port, -1);
      }
      if (const TunnelPath* now = after_.locations.paths.find(host)) {
        after_.peers.add(now->dst, host);
        count_path(now->port, 1);
      }
    }
  }
  void count_path(PortNumber port, int change) {
    if (!port) return;
    const uint32_t* paths = after_.tunnel_ports.find(port);
    const int64_t count = (paths == nullptr ? 0 : int64_t{*paths}) + change;
    after_.tunnel_ports =
        count == 0 ? after_.tunnel_ports.erase(port) : after_.tunnel_ports.insert(port, static_cast<uint32_t>(count));
  }

  void update_devices() {
    for_each_change(Kind::bridge, [&](const Uuid& id, const ObjectChange& change) {
      bridges_.put(BridgeId(id), as<topology::Bridge>(change.after));
    });
    for_each_change(Kind::router, [&](const Uuid& id, const ObjectChange& change) {
      routers_.put(RouterId(id), as<topology::Router>(change.after));
    });
  }

  void update_ports() {
    for (PortId id : ports_) {
      const PortView* old = before_.port(id);
      if (old == nullptr) continue;
      if (old->number) after_.by_number = after_.by_number.erase(old->number);
      if (old->speaker.number) after_.speakers = after_.speakers.erase(old->speaker.number);
    }
    for (PortId id : ports_) {
      const topology::Port* port = after_.snapshot.find(id);
      if (port == nullptr) {
        after_.ports = after_.ports.erase(id);
        continue;
      }
      auto view = std::make_shared<const PortView>(view_of(*port, after_.locations, after_.snapshot));
      if (view->number) after_.by_number = after_.by_number.insert(view->number, id);
      if (view->speaker.number) after_.speakers = after_.speakers.insert(view->speaker.number, id);
      after_.ports = after_.ports.insert(id, std::move(view));
    }
  }

  void update_bridge_shares() {
    for (PortId id : changed_shares(ports_, before_, after_)) {
      const auto old = share_of(before_, id);
      const auto now = share_of(after_, id);
      if (old == now) continue;
      if (old) withdraw(id, *old);
      if (now) contribute(id, *now);
    }
  }
  void withdraw(PortId port, const BridgeShare& share) {
    BridgeView* bridge = bridges_.edit(share.bridge);
    if (bridge == nullptr) return;
    if (share.flood) bridge->flood = bridge->flood.erase(port);
    if (!share.link) return;
    bridge->router_macs.remove(share.link->mac, *share.link);
    for (const IpAddress& address : share.addresses) bridge->router_addresses.remove(address, *share.link);
  }
  void contribute(PortId port, const BridgeShare& share) {
    BridgeView* bridge = bridges_.edit(share.bridge);
    if (bridge == nullptr) return;
    if (share.flood) bridge->flood = bridge->flood.insert(port, share.flood);
    if (!share.link) return;
    bridge->router_macs.add(share.link->mac, *share.link);
    for (const IpAddress& address : share.addresses) bridge->router_addresses.add(address, *share.link);
  }

  void update_routes() {
    for_each_change(Kind::route, [&](const Uuid& id, const ObjectChange& change) {
      const auto* old = as<topology::Route>(change.before);
      RouterView* router = old == nullptr ? nullptr : routers_.edit(old->router);
      if (router != nullptr) router->fib.remove(RouteId(id), old->destination);
    });
    for (PortId id : ports_) update_routes_of(id);
    for_each_change(Kind::route, [&](const Uuid&, const ObjectChange& change) {
      if (const auto* now = as<topology::Route>(change.after)) put_route(*now);
    });
  }
  void update_routes_of(PortId id) {
    const PortView* old = before_.port(id);
    const PortView* now = after_.port(id);
    const auto old_routes = old == nullptr ? std::vector<routing::FibEntry>{} : own_routes(*old);
    const auto new_routes = now == nullptr ? std::vector<routing::FibEntry>{} : own_routes(*now);
    if (old_routes != new_routes || (old && now && old->device_id != now->device_id)) {
      RouterView* from = old_routes.empty() ? nullptr : routers_.edit(RouterId(old->device_id));
      if (from != nullptr) {
        for (const auto& entry : old_routes) from->fib.remove(entry.id, entry.destination);
      }
      RouterView* to = new_routes.empty() ? nullptr : routers_.edit(RouterId(now->device_id));
      if (to != nullptr) {
        for (const auto& entry : new_routes) to->fib.put(entry);
      }
    }
    update_next_hops_of(id, old, now);
  }
  void update_next_hops_of(PortId id, const PortView* old, const PortView* now) {
    // A route may have come before the port that it names.
    if (old == nullptr && now != nullptr) {
      after_.snapshot.for_each_route_through(id, [&](const topology::Route& route) { put_route(route); });
    }
    const LearnedAtPort* had = learned_at(before_, id);
    const LearnedAtPort* has = learned_at(after_, id);
    if (old != nullptr && now != nullptr && old->device_id == now->device_id) {
      if (had == has && next_hops_of(before_, id) == next_hops_of(after_, id)) return;
      return change_next_hops_of(id, *now, had, has);
    }
    if (old != nullptr) change_next_hops_of(id, *old, had, nullptr);
    if (now != nullptr) change_next_hops_of(id, *now, nullptr, has);
  }
  // In the router that `at` is, or was, a port of.
  void change_next_hops_of(PortId id, const PortView& at, const LearnedAtPort* had, const LearnedAtPort* has) {
    RouterView* router = at.device == PortDevice::router ? routers_.edit(RouterId(at.device_id)) : nullptr;
    if (router == nullptr) return;
    const PortView* now = after_.port(id);
    const bool stays = now != nullptr && now->device_id == at.device_id;
    router->fib.stand(id, stays ? next_hops_of(after_, id) : routing::NextHops{});
    for_each_learned_change(had, has, [&](const IpPrefix& prefix, const LearnedPart& part, bool added) {
      const routing::FibEntry entry = learned_route(id, prefix, part);
      added ? router->fib.put(entry) : router->fib.remove(entry.id, prefix);
    });
  }
  void put_route(const topology::Route& route) {
    RouterView* router = routers_.edit(route.router);
    if (router == nullptr) return;
    const auto entry = entry_of(route, after_);
    entry ? router->fib.put(*entry) : router->fib.remove(route.id, route.destination);
  }

  void update_static_entries() {
    for_each_change(Kind::static_mac, [&](const Uuid&, const ObjectChange& change) {
      if (const auto* old = as<topology::StaticMac>(change.before)) {
        BridgeView* bridge = old->vlan == 0 ? bridges_.edit(old->bridge) : nullptr;
        if (bridge != nullptr) bridge->static_macs.remove(old->mac, {old->id, old->port});
      }
      if (const auto* now = as<topology::StaticMac>(change.after)) {
        BridgeView* bridge = now->vlan == 0 ? bridges_.edit(now->bridge) : nullptr;
        if (bridge != nullptr) bridge->static_macs.add(now->mac, {now->id, now->port});
      }
    });
    for_each_change(Kind::static_neighbour, [&](const Uuid&, const ObjectChange& change) {
      if (const auto* old = as<topology::StaticNeighbour>(change.before)) {
        BridgeView* bridge = bridges_.edit(old->bridge);
        if (bridge != nullptr) bridge->static_neighbours.remove(old->address, {old->id, old->mac});
      }
      if (const auto* now = as<topology::StaticNeighbour>(change.after)) {
        BridgeView* bridge = bridges_.edit(now->bridge);
        if (bridge != nullptr) bridge->static_neighbours.add(now->address, {now->id, now->mac});
      }
    });
  }

  void update_chains() {
    for_each_change(Kind::chain, [&](const Uuid& id, const ObjectChange& change) {
      chains_.put(ChainId(id), as<topology::Chain>(change.after));
    });
    for_each_change(Kind::rule, [&](const Uuid& id, const ObjectChange& change) {
      const auto* old = as<topology::Rule>(change.before);
      const auto* now = as<topology::Rule>(change.after);
      ChainView* left = old == nullptr ? nullptr : chains_.edit(old->chain);
      if (left != nullptr) left->rules.remove(RuleId(id));
      ChainView* joined = now == nullptr ? nullptr : chains_.edit(now->chain);
      if (joined != nullptr) joined->rules.add(rule_of(change.after));
    });
  }

  void update_ip_groups() {
    std::map<IpGroupId, std::shared_ptr<IpGroupView>> groups;
    const auto edit = [&](IpGroupId id) -> IpGroupView& {
      auto& group = groups[id];
      const auto* known = group == nullptr ? after_.ip_groups.find(id) : nullptr;
      if (group == nullptr)
        group = known == nullptr ? std::make_shared<IpGroupView>() : std::make_shared<IpGroupView>(**known);
      return *group;
    };
    for_each_change(Kind::ip_group_address, [&](const Uuid&, const ObjectChange& change) {
      if (const auto* old = as<topology::IpGroupAddress>(change.before)) edit(old->group).remove(*old);
    });
    for_each_change(Kind::ip_group_address, [&](const Uuid&, const ObjectChange& change) {
      if (const auto* now = as<topology::IpGroupAddress>(change.after)) edit(now->group).add(*now);
    });
    for (auto& [id, group] : groups) {
      if (group->prefixes.empty()) {
        after_.ip_groups.remove(id);
      } else {
        after_.ip_groups.put(id, std::move(group));
      }
    }
  }

  void update_balancing() {
    for (PoolId id : changed_pools(delta_, moved_, after_.snapshot)) {
      const topology::Pool* pool = after_.snapshot.find(id);
      if (pool == nullptr) {
        after_.pools.remove(id);
      } else {
        after_.pools.put(id, std::make_shared<const PoolView>(view_of(*pool, after_.snapshot, after_.locations)));
      }
    }
    for (LoadBalancerId id : changed_balancers(delta_, before_.snapshot, after_.snapshot)) {
      const topology::LoadBalancer* balancer = after_.snapshot.find(id);
      if (balancer == nullptr) {
        after_.balancers.remove(id);
      } else {
        after_.balancers.put(id, std::make_shared<const BalancerView>(view_of(*balancer, after_.snapshot)));
      }
    }
  }

  const NetworkData& before_;
  NetworkData& after_;
  const topology::Delta& delta_;
  const std::vector<PortId> ports_;
  const std::set<HostId> hosts_;
  const Moved& moved_;
  Workbench<BridgeId, BridgeView> bridges_;
  Workbench<RouterId, RouterView> routers_;
  Workbench<ChainId, ChainView> chains_;
};

}  // namespace

Network::Network() : data_(std::make_shared<const NetworkData>()) {}

uint64_t Network::revision() const { return data_->snapshot.revision(); }
const PortView* Network::port(PortId id) const { return data_->port(id); }
const BridgeView* Network::bridge(BridgeId id) const {
  const auto* view = data_->bridges.find(id);
  return view == nullptr ? nullptr : view->get();
}
const RouterView* Network::router(RouterId id) const {
  const auto* view = data_->routers.find(id);
  return view == nullptr ? nullptr : view->get();
}
const ChainView* Network::chain(ChainId id) const {
  const auto* view = data_->chains.find(id);
  return view == nullptr ? nullptr : view->get();
}
void Network::for_each_port(const std::function<void(const PortView&)>& visit) const {
  data_->ports.for_each([&](const PortId&, const auto& view) { visit(*view); });
}
const Locations& Network::locations() const { return data_->locations; }
const HostId* Network::peer_at(const IpAddress& tunnel_source) const { return data_->peers.find(tunnel_source); }
const topology::Snapshot& Network::snapshot() const { return data_->snapshot; }
const IpGroupView* Network::ip_group(IpGroupId id) const {
  const auto* view = data_->ip_groups.find(id);
  return view == nullptr ? nullptr : view->get();
}
const BalancerView* Network::balancer(LoadBalancerId id) const {
  const auto* view = data_->balancers.find(id);
  return view == nullptr ? nullptr : view->get();
}
const PoolView* Network::pool(PoolId id) const {
  const auto* view = data_->pools.find(id);
  return view == nullptr ? nullptr : view->get();
}
const PortView* Network::spoken_for(PortNumber speaker) const {
  const PortId* id = data_->speakers.find(speaker);
  return id == nullptr ? nullptr : port(*id);
}
const PortView* Network::at(PortNumber number) const {
  const PortId* id = data_->by_number.find(number);
  return id == nullptr ? nullptr : port(*id);
}

Network Network::compile(const topology::Snapshot& snapshot, const Locations& locations) {
  Moved all;  // the rest is looked up for each object, or when it is needed
  locations.paths.for_each([&](const HostId& host, const TunnelPath&) { all.hosts.push_back(host); });
  return Network().updated(snapshot, topology::Delta::between(topology::Snapshot{}, snapshot), locations, all);
}

Network Network::updated(const topology::Snapshot& snapshot, const topology::Delta& delta, const Locations& locations,
                         const Moved& moved) const {
  auto after = std::make_shared<NetworkData>(*data_);
  after->snapshot = snapshot;
  after->locations = locations;
  Update(*data_, *after, delta, moved).run();
  return Network(std::move(after));
}

}  // namespace viaduct::flows::simulation
