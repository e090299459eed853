#include "topology/snapshot.hpp"

#include <algorithm>
#include <vector>

namespace viaduct::topology {
namespace {

template <class T>
std::function<void(const Object&)> as(const std::function<void(const T&)>& visit) {
  return [&visit](const Object& object) { visit(std::get<T>(object)); };
}

template <class Index, class Key>
void remove_from(Index& index, const Key& key, const ObjectRef& ref) {
  auto* refs = index.edit(key);
  if (refs == nullptr) return;
  refs->remove(ref);
  if (refs->empty()) index.remove(key);
}

template <class Index, class Key>
void add_to(Index& index, const Key& key, const ObjectRef& ref) {
  if (auto* refs = index.edit(key)) return refs->put(ref);
  std::remove_cvref_t<decltype(*index.find(key))> refs;
  refs.put(ref);
  index.put(key, std::move(refs));
}

// Both lists sorted: what is only in `before` leaves the index, what is only in `after` enters it.
template <class Index, class Key>
void move_keys(Index& index, const std::vector<Key>& before, const std::vector<Key>& after, const ObjectRef& ref) {
  for (const Key& key : before) {
    if (!std::binary_search(after.begin(), after.end(), key)) remove_from(index, key, ref);
  }
  for (const Key& key : after) {
    if (!std::binary_search(before.begin(), before.end(), key)) add_to(index, key, ref);
  }
}

}  // namespace

template <class T>
const T* Snapshot::find_as(Kind kind, const Uuid& id) const {
  const Ref<Object>* object = objects(kind).find(id);
  return object != nullptr ? std::get_if<T>(object->get()) : nullptr;
}

const Host* Snapshot::find(HostId id) const { return find_as<Host>(Kind::host, id.uuid()); }
const Bridge* Snapshot::find(BridgeId id) const { return find_as<Bridge>(Kind::bridge, id.uuid()); }
const Router* Snapshot::find(RouterId id) const { return find_as<Router>(Kind::router, id.uuid()); }
const Port* Snapshot::find(PortId id) const { return find_as<Port>(Kind::port, id.uuid()); }
const Route* Snapshot::find(RouteId id) const { return find_as<Route>(Kind::route, id.uuid()); }
const StaticMac* Snapshot::find(StaticMacId id) const { return find_as<StaticMac>(Kind::static_mac, id.uuid()); }
const StaticNeighbour* Snapshot::find(StaticNeighbourId id) const {
  return find_as<StaticNeighbour>(Kind::static_neighbour, id.uuid());
}
const TunnelZone* Snapshot::find(TunnelZoneId id) const { return find_as<TunnelZone>(Kind::tunnel_zone, id.uuid()); }
const TunnelZoneHost* Snapshot::find(TunnelZoneHostId id) const {
  return find_as<TunnelZoneHost>(Kind::tunnel_zone_host, id.uuid());
}
const Chain* Snapshot::find(ChainId id) const { return find_as<Chain>(Kind::chain, id.uuid()); }
const Rule* Snapshot::find(RuleId id) const { return find_as<Rule>(Kind::rule, id.uuid()); }
const PortGroup* Snapshot::find(PortGroupId id) const { return find_as<PortGroup>(Kind::port_group, id.uuid()); }
const PortGroupPort* Snapshot::find(PortGroupPortId id) const {
  return find_as<PortGroupPort>(Kind::port_group_port, id.uuid());
}
const IpGroup* Snapshot::find(IpGroupId id) const { return find_as<IpGroup>(Kind::ip_group, id.uuid()); }
const IpGroupAddress* Snapshot::find(IpGroupAddressId id) const {
  return find_as<IpGroupAddress>(Kind::ip_group_address, id.uuid());
}
const LoadBalancer* Snapshot::find(LoadBalancerId id) const {
  return find_as<LoadBalancer>(Kind::load_balancer, id.uuid());
}
const Pool* Snapshot::find(PoolId id) const { return find_as<Pool>(Kind::pool, id.uuid()); }
const PoolMember* Snapshot::find(PoolMemberId id) const { return find_as<PoolMember>(Kind::pool_member, id.uuid()); }
const Vip* Snapshot::find(VipId id) const { return find_as<Vip>(Kind::vip, id.uuid()); }
const HealthMonitor* Snapshot::find(HealthMonitorId id) const {
  return find_as<HealthMonitor>(Kind::health_monitor, id.uuid());
}
const BgpPeer* Snapshot::find(BgpPeerId id) const { return find_as<BgpPeer>(Kind::bgp_peer, id.uuid()); }
const BgpNetwork* Snapshot::find(BgpNetworkId id) const { return find_as<BgpNetwork>(Kind::bgp_network, id.uuid()); }

Ref<Object> Snapshot::find(ObjectRef ref) const {
  if (ref.kind >= Kind::count_) return nullptr;
  const Ref<Object>* object = objects(ref.kind).find(ref.id);
  return object != nullptr ? *object : nullptr;
}

void Snapshot::visit_sorted(const Refs* refs, const std::function<void(const Object&)>& visit) const {
  if (refs == nullptr) return;
  std::vector<ObjectRef> sorted;
  sorted.reserve(refs->size());
  refs->for_each([&](const ObjectRef& ref) { sorted.push_back(ref); });
  std::sort(sorted.begin(), sorted.end());
  for (const ObjectRef& ref : sorted) visit(**objects(ref.kind).find(ref.id));
}

void Snapshot::for_each_at(const IndexKey& key, const std::function<void(const Object&)>& visit) const {
  visit_sorted(by_key_.find(key), visit);
}
void Snapshot::for_each_at(const TextKey& key, const std::function<void(const Object&)>& visit) const {
  visit_sorted(by_text_.find(key), visit);
}
size_t Snapshot::count_at(const IndexKey& key) const {
  const Refs* refs = by_key_.find(key);
  return refs != nullptr ? refs->size() : 0;
}
void Snapshot::for_each_referrer(Reference reference, Uuid target,
                                 const std::function<void(const Object&)>& visit) const {
  for_each_at(IndexKey::referrers_of(reference, target), visit);
}

void Snapshot::for_each_port_of(Uuid device, const std::function<void(const Port&)>& visit) const {
  for_each_referrer(Reference::port_bridge, device, as(visit));
  for_each_referrer(Reference::port_router, device, as(visit));
}
void Snapshot::for_each_route_of(RouterId router, const std::function<void(const Route&)>& visit) const {
  for_each_referrer(Reference::route_router, router.uuid(), as(visit));
}
void Snapshot::for_each_route_through(PortId port, const std::function<void(const Route&)>& visit) const {
  for_each_referrer(Reference::route_next_hop_port, port.uuid(), as(visit));
}
void Snapshot::for_each_static_mac_of(BridgeId bridge, const std::function<void(const StaticMac&)>& visit) const {
  for_each_referrer(Reference::static_mac_bridge, bridge.uuid(), as(visit));
}
void Snapshot::for_each_static_neighbour_of(BridgeId bridge,
                                            const std::function<void(const StaticNeighbour&)>& visit) const {
  for_each_referrer(Reference::static_neighbour_bridge, bridge.uuid(), as(visit));
}
void Snapshot::for_each_port_bound_to(HostId host, const std::function<void(const Port&)>& visit) const {
  for_each_referrer(Reference::port_host, host.uuid(), as(visit));
}
void Snapshot::for_each_interior_port_of(Uuid device, const std::function<void(const Port&)>& visit) const {
  for_each_at(IndexKey::interior_ports_of(device), as(visit));
}
void Snapshot::for_each_host_of(TunnelZoneId zone, const std::function<void(const TunnelZoneHost&)>& visit) const {
  for_each_referrer(Reference::tunnel_zone_host_zone, zone.uuid(), as(visit));
}
void Snapshot::for_each_zone_of(HostId host, const std::function<void(const TunnelZoneHost&)>& visit) const {
  for_each_referrer(Reference::tunnel_zone_host_host, host.uuid(), as(visit));
}
void Snapshot::for_each_rule_of(ChainId chain, const std::function<void(const Rule&)>& visit) const {
  for_each_referrer(Reference::rule_chain, chain.uuid(), as(visit));
}
void Snapshot::for_each_port_of(PortGroupId group, const std::function<void(const PortGroupPort&)>& visit) const {
  for_each_referrer(Reference::port_group_port_group, group.uuid(), as(visit));
}
void Snapshot::for_each_port_group_of(PortId port, const std::function<void(const PortGroupPort&)>& visit) const {
  for_each_referrer(Reference::port_group_port_port, port.uuid(), as(visit));
}
void Snapshot::for_each_address_of(IpGroupId group, const std::function<void(const IpGroupAddress&)>& visit) const {
  for_each_referrer(Reference::ip_group_address_group, group.uuid(), as(visit));
}
void Snapshot::for_each_pool_of(LoadBalancerId balancer, const std::function<void(const Pool&)>& visit) const {
  for_each_referrer(Reference::pool_load_balancer, balancer.uuid(), as(visit));
}
void Snapshot::for_each_pool_of(HealthMonitorId monitor, const std::function<void(const Pool&)>& visit) const {
  for_each_referrer(Reference::pool_health_monitor, monitor.uuid(), as(visit));
}
void Snapshot::for_each_member_of(PoolId pool, const std::function<void(const PoolMember&)>& visit) const {
  for_each_referrer(Reference::pool_member_pool, pool.uuid(), as(visit));
}
void Snapshot::for_each_vip_of(PoolId pool, const std::function<void(const Vip&)>& visit) const {
  for_each_referrer(Reference::vip_pool, pool.uuid(), as(visit));
}
void Snapshot::for_each_bgp_peer_of(RouterId router, const std::function<void(const BgpPeer&)>& visit) const {
  for_each_referrer(Reference::bgp_peer_router, router.uuid(), as(visit));
}
void Snapshot::for_each_bgp_network_of(RouterId router, const std::function<void(const BgpNetwork&)>& visit) const {
  for_each_referrer(Reference::bgp_network_router, router.uuid(), as(visit));
}

std::optional<RouterId> Snapshot::router_of(LoadBalancerId balancer) const {
  std::optional<RouterId> found;
  for_each_referrer(Reference::router_load_balancer, balancer.uuid(), [&](const Object& object) {
    if (!found) found = std::get<Router>(object).id;
  });
  return found;
}
std::optional<PortId> Snapshot::bound_port(HostId host, std::string_view interface) const {
  std::optional<PortId> found;
  for_each_at(TextKey::binding_of(host, interface), [&](const Object& object) {
    if (!found) found = std::get<Port>(object).id;
  });
  return found;
}

void Snapshot::for_each_named(Kind kind, std::string_view name, const std::function<void(const Object&)>& visit) const {
  for_each_at(TextKey::name_of(kind, name), visit);
}

void Snapshot::for_each(Kind kind, const std::function<void(const Object&)>& visit) const {
  std::vector<std::pair<Uuid, const Object*>> sorted;
  sorted.reserve(objects(kind).size());
  objects(kind).for_each([&](const Uuid& id, const Ref<Object>& object) { sorted.emplace_back(id, object.get()); });
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [id, object] : sorted) visit(*object);
}

size_t Snapshot::count(Kind kind) const { return objects(kind).size(); }
size_t Snapshot::size() const {
  size_t total = 0;
  for (const Objects& of_kind : objects_) total += of_kind.size();
  return total;
}

void Snapshot::reindex(const Object* before, const Object* after) {
  const ObjectRef ref = ref_of(before != nullptr ? *before : *after);
  using Keys = std::vector<IndexKey>;
  using TextKeys = std::vector<TextKey>;
  move_keys(by_key_, before ? index_keys_of(*before) : Keys{}, after ? index_keys_of(*after) : Keys{}, ref);
  move_keys(by_text_, before ? text_keys_of(*before) : TextKeys{}, after ? text_keys_of(*after) : TextKeys{}, ref);
}

void Snapshot::put(Ref<Object> object) {
  const ObjectRef ref = ref_of(*object);
  const Ref<Object> before = find(ref);
  reindex(before.get(), object.get());
  objects_[static_cast<size_t>(ref.kind)].put(ref.id, std::move(object));
}

void Snapshot::erase(ObjectRef ref) {
  const Ref<Object> before = find(ref);
  if (!before) return;
  reindex(before.get(), nullptr);
  objects_[static_cast<size_t>(ref.kind)].remove(ref.id);
}

Snapshot Snapshot::with(Ref<Object> object) const {
  Snapshot next = *this;
  next.put(std::move(object));
  return next;
}

Snapshot Snapshot::without(ObjectRef ref) const {
  Snapshot next = *this;
  next.erase(ref);
  return next;
}

Snapshot Snapshot::at_revision(uint64_t revision) const {
  Snapshot next = *this;
  next.set_revision(revision);
  return next;
}

void Snapshot::diff(const Snapshot& a, const Snapshot& b, const VisitDifference& visit) {
  const Ref<Object> none;
  for (size_t kind = 0; kind < a.objects_.size(); ++kind) {
    Objects::diff(a.objects_[kind], b.objects_[kind],
                  [&](const Uuid& id, const Ref<Object>* before, const Ref<Object>* after) {
                    visit({static_cast<Kind>(kind), id}, before ? *before : none, after ? *after : none);
                  });
  }
}

}  // namespace viaduct::topology
