#include "flows/simulation/invalidation.hpp"

#include <algorithm>
#include <set>

#include "flows/simulation/network_views.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::Kind;
using topology::ObjectChange;

// The same for packets: names are for people, tenants for accounts.
template <class T>
bool same_for_packets(const T& a, T b) {
  b.name = a.name;
  if constexpr (requires { b.tenant; }) b.tenant = a.tenant;
  if constexpr (requires { b.revision; }) b.revision = a.revision;
  return a == b;
}

class Collector {
 public:
  Collector(const NetworkData& before, const NetworkData& after) : before_(before), after_(after) {}

  void objects(const topology::Delta& delta) {
    for (const auto& [ref, change] : delta.changes) {
      switch (ref.kind) {
        case Kind::bridge:
          device<topology::Bridge>(ref.id, change);
          break;
        case Kind::router:
          device<topology::Router>(ref.id, change);
          break;
        case Kind::route:
          route(as<topology::Route>(change.before), as<topology::Route>(change.after));
          break;
        case Kind::static_mac:
          static_mac(as<topology::StaticMac>(change.before));
          static_mac(as<topology::StaticMac>(change.after));
          break;
        case Kind::static_neighbour:
          static_neighbour(as<topology::StaticNeighbour>(change.before));
          static_neighbour(as<topology::StaticNeighbour>(change.after));
          break;
        case Kind::chain:
          device<topology::Chain>(ref.id, change);
          break;
        case Kind::rule:
          rule(as<topology::Rule>(change.before));
          rule(as<topology::Rule>(change.after));
          break;
        case Kind::ip_group_address:
          group_address(as<topology::IpGroupAddress>(change.before));
          group_address(as<topology::IpGroupAddress>(change.after));
          break;
        case Kind::port_group_port:  // of its port: ports()
        case Kind::port_group:
        case Kind::ip_group:
        case Kind::load_balancer:  // balancing()
        case Kind::pool:
        case Kind::pool_member:
        case Kind::vip:
        case Kind::health_monitor:
        case Kind::bgp_peer:
        case Kind::bgp_network:
        case Kind::port:
        case Kind::host:
        case Kind::tunnel_zone:  // where packets go beneath: see locations.hpp
        case Kind::tunnel_zone_host:
        case Kind::count_:
          break;
      }
    }
  }

  void ports(const std::vector<PortId>& ids) {
    for (PortId id : ids) port(id, before_.port(id), after_.port(id));
    for (PortId id : changed_shares(ids, before_, after_)) share(share_of(before_, id), share_of(after_, id));
  }

  void balancing(const topology::Delta& delta, const Moved& moved) {
    for (PoolId id : changed_pools(delta, moved, after_.snapshot)) add(tag::device(id));
    for (LoadBalancerId id : changed_balancers(delta, before_.snapshot, after_.snapshot)) {
      const auto* old = before_.balancers.find(id);
      const auto* now = after_.balancers.find(id);
      if (old == nullptr || now == nullptr || (*old)->admin_up != (*now)->admin_up) add(tag::device(id));
      const BalancerView none;
      const BalancerView& before = old == nullptr ? none : **old;
      const BalancerView& after = now == nullptr ? none : **now;
      std::decay_t<decltype(before.vips)>::diff(
          before.vips, after.vips,
          [&](const VipKey& key, const VipView*, const VipView*) { balanced(id, key.address); });
      const auto members = [&](const IpAddress& address, const uint32_t*, const uint32_t*) { balanced(id, address); };
      std::decay_t<decltype(before.member_addresses)>::diff(before.member_addresses, after.member_addresses, members);
    }
  }

  void elsewhere(const Moved& moved) {
    const Locations &old = before_.locations, &now = after_.locations;
    for (BridgeId id : moved.bridges) {
      if (!same(old.floods.find(id), now.floods.find(id))) add(tag::broadcast(id));
    }
    for (uint32_t key : moved.keys) {
      if (!same(old.keys.find(key), now.keys.find(key))) add(tag::tunnel_key(key));
    }
    for (HostId id : moved.hosts) path(id, old.paths.find(id), now.paths.find(id));
    if (old.copy_dscp == now.copy_dscp) return;
    old.paths.for_each([&](const HostId& id, const TunnelPath&) { add(tag::tunnel_path(id)); });
  }

  Invalidation take() {
    std::sort(out_.tags.begin(), out_.tags.end());
    out_.tags.erase(std::unique(out_.tags.begin(), out_.tags.end()), out_.tags.end());
    for (RouterId router : rerouted_) out_.epochs.push_back(tag::routes(router));
    return std::move(out_);
  }

 private:
  void add(Tag tag) { out_.tags.push_back(tag); }

  template <class T>
  void device(const Uuid& id, const ObjectChange& change) {
    const T* old = as<T>(change.before);
    const T* now = as<T>(change.after);
    if (old != nullptr && now != nullptr && same_for_packets(*old, *now)) return;
    add(tag::device(id));
    if (old == nullptr) add(tag::absent(id));
  }

  void rule(const topology::Rule* rule) {
    if (rule != nullptr) add(tag::device(rule->chain));
  }
  void group_address(const topology::IpGroupAddress* entry) {
    if (entry == nullptr) return;
    add(entry->prefix.is_host() ? tag::group_address(entry->group, entry->prefix.address())
                                : tag::device(entry->group));
  }
  void balanced(LoadBalancerId balancer, const IpAddress& address) { add(balanced_tag(balancer, address)); }

  void route_gone(RouterId router, RouteId id) {
    add(tag::route(id));
    rerouted_.insert(router);
  }
  void route_here(RouterId router, const IpPrefix& destination) {
    out_.prefixes.push_back({router, destination});
    rerouted_.insert(router);
  }
  void route(const topology::Route* old, const topology::Route* now) {
    if (old != nullptr && entry_of(*old, before_)) route_gone(old->router, old->id);
    if (now != nullptr && entry_of(*now, after_)) route_here(now->router, now->destination);
  }

  void static_mac(const topology::StaticMac* entry) {
    if (entry == nullptr) return;
    add(tag::flood_mac(entry->bridge, kVlan, entry->mac));
    add(tag::mac(entry->bridge, kVlan, entry->mac, entry->port));
  }
  void bridge_neighbour(BridgeId bridge, const IpAddress& address) {
    add(tag::neighbour(RouterId(bridge.uuid()), PortId{}, address));
  }
  void static_neighbour(const topology::StaticNeighbour* entry) {
    if (entry != nullptr) bridge_neighbour(entry->bridge, entry->address);
  }

  void port(PortId id, const PortView* old, const PortView* now) {
    if (old == nullptr && now == nullptr) return;
    next_hops(id, old, now);
    if (old != nullptr && now != nullptr && same_for_packets(*old, *now)) return;
    add(tag::device(id));
    if (old == nullptr) add(tag::absent(id));
    if (old != nullptr && old->number) add(tag::datapath_port(old->number));
    if (now != nullptr && now->number) add(tag::datapath_port(now->number));
    if (old != nullptr && old->speaker.number) add(tag::datapath_port(old->speaker.number));
    if (now != nullptr && now->speaker.number) add(tag::datapath_port(now->speaker.number));
    own_routes_of(old, now);
    if (old == nullptr) {
      after_.snapshot.for_each_route_through(
          id, [&](const topology::Route& route) { route_here(route.router, route.destination); });
    }
  }
  // Learned routes come and go by themselves, and with their port.
  void next_hops(PortId id, const PortView* old, const PortView* now) {
    const bool stays = old != nullptr && now != nullptr && old->device_id == now->device_id;
    if (!stays || next_hops_of(before_, id) != next_hops_of(after_, id)) add(tag::next_hop(id));
    const LearnedAtPort* had = learned_at(before_, id);
    const LearnedAtPort* has = learned_at(after_, id);
    if (stays) return learned(id, RouterId(now->device_id), had, has);
    if (old != nullptr) learned(id, RouterId(old->device_id), had, nullptr);
    if (now != nullptr) learned(id, RouterId(now->device_id), nullptr, has);
  }
  void learned(PortId id, RouterId router, const LearnedAtPort* had, const LearnedAtPort* has) {
    if (had == has) return;
    for_each_learned_change(had, has, [&](const IpPrefix& prefix, const LearnedPart& part, bool added) {
      added ? route_here(router, prefix) : route_gone(router, learned_route(id, prefix, part).id);
    });
  }
  void own_routes_of(const PortView* old, const PortView* now) {
    const auto before = old == nullptr ? std::vector<routing::FibEntry>{} : own_routes(*old);
    const auto after = now == nullptr ? std::vector<routing::FibEntry>{} : own_routes(*now);
    const auto in = [](const auto& list, const routing::FibEntry& entry) {
      return std::find(list.begin(), list.end(), entry) != list.end();
    };
    for (const auto& entry : before) {
      if (!in(after, entry)) route_gone(RouterId(old->device_id), entry.id);
    }
    for (const auto& entry : after) {
      if (!in(before, entry)) route_here(RouterId(now->device_id), entry.destination);
    }
  }

  template <class T>
  static bool same(const T* a, const T* b) {
    return a == nullptr || b == nullptr ? a == b : *a == *b;
  }
  // Whether the other end answers concerns routes, see port(); and what the tunnel is called concerns nobody.
  static bool same_way(const TunnelPath& a, TunnelPath b) {
    b.alive = a.alive;
    b.kind = a.kind;
    return a == b;
  }
  void path(HostId host, const TunnelPath* old, const TunnelPath* now) {
    if (old == now || (old != nullptr && now != nullptr && same_way(*old, *now))) return;
    add(tag::tunnel_path(host));
    for (const TunnelPath* side : {old, now}) {
      if (side == nullptr) continue;
      if (!same(before_.peers.find(side->dst), after_.peers.find(side->dst))) add(tag::tunnel_peer(side->dst));
      const bool was = before_.tunnel_ports.contains(side->port), is = after_.tunnel_ports.contains(side->port);
      if (was != is) add(tag::datapath_port(side->port));
    }
  }

  void share(const std::optional<BridgeShare>& old, const std::optional<BridgeShare>& now) {
    if (old == now) return;
    for (const auto* side : {&old, &now}) {
      if (!*side) continue;
      const BridgeShare& share = **side;
      if (share.link) add(tag::flood_mac(share.bridge, kVlan, share.link->mac));
      for (const IpAddress& address : share.addresses) bridge_neighbour(share.bridge, address);
    }
    const PortNumber old_flood = old ? old->flood : PortNumber{};
    const PortNumber new_flood = now ? now->flood : PortNumber{};
    if (old_flood == new_flood) return;
    for (const auto* side : {&old, &now}) {
      if (!*side) continue;
      add(tag::broadcast((*side)->bridge));
      add(tag::local_flood((*side)->bridge));
    }
  }

  const NetworkData& before_;
  const NetworkData& after_;
  Invalidation out_;
  std::set<RouterId> rerouted_;
};

}  // namespace

Invalidation invalidated_by(const Network& before, const Network& after, const topology::Delta& delta,
                            const Moved& moved) {
  Collector collector(before.data(), after.data());
  collector.objects(delta);
  collector.ports(changed_ports(delta, moved, before.data().snapshot, after.data().snapshot));
  collector.balancing(delta, moved);
  collector.elsewhere(moved);
  return collector.take();
}

Invalidation invalidated_by(const StateWrite& write, LearnResult result, PortId previous) {
  Invalidation out;
  if (result != LearnResult::added && result != LearnResult::moved) return out;
  if (const auto* mac = std::get_if<LearnMac>(&write)) {
    out.tags.push_back(tag::flood_mac(mac->key.bridge, mac->key.vlan, mac->key.mac));
    if (result == LearnResult::moved) {
      out.tags.push_back(tag::mac(mac->key.bridge, mac->key.vlan, mac->key.mac, previous));
    }
  } else {
    out.tags.push_back(tag_of(std::get<LearnNeighbour>(write).key));
  }
  return out;
}

Invalidation invalidated_by_expiry(const MacKey& key, PortId port) {
  Invalidation out;
  out.tags.push_back(tag::mac(key.bridge, key.vlan, key.mac, port));
  return out;
}

Invalidation invalidated_by_expiry(const NeighbourKey& key) {
  Invalidation out;
  out.tags.push_back(tag_of(key));
  return out;
}

}  // namespace viaduct::flows::simulation
