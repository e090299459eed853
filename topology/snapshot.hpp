// One state of the topology, immutable, shared by every thread that reads it.
//
// A snapshot holds every object under its id, and indexes for the questions that readers ask. Two snapshots share all
// that did not change between them (persistent maps: an update copies O(log n) nodes), so keeping old ones and making
// new ones is cheap at any size, and pointer equality means "unchanged".
//
// Threads: const methods from any thread. Pointers stay valid while a copy of the snapshot is held.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "topology/index_key.hpp"
#include "topology/model/object.hpp"
#include "topology/persistent_map.hpp"

namespace viaduct::topology {

template <class T>
using Ref = std::shared_ptr<const T>;

class Snapshot {
 public:
  // Of the last commit that it contains.
  uint64_t revision() const { return revision_; }

  const Host* find(HostId id) const;
  const Bridge* find(BridgeId id) const;
  const Router* find(RouterId id) const;
  const Port* find(PortId id) const;
  const Route* find(RouteId id) const;
  const StaticMac* find(StaticMacId id) const;
  const StaticNeighbour* find(StaticNeighbourId id) const;
  const TunnelZone* find(TunnelZoneId id) const;
  const TunnelZoneHost* find(TunnelZoneHostId id) const;
  const Chain* find(ChainId id) const;
  const Rule* find(RuleId id) const;
  const PortGroup* find(PortGroupId id) const;
  const PortGroupPort* find(PortGroupPortId id) const;
  const IpGroup* find(IpGroupId id) const;
  const IpGroupAddress* find(IpGroupAddressId id) const;
  const LoadBalancer* find(LoadBalancerId id) const;
  const Pool* find(PoolId id) const;
  const PoolMember* find(PoolMemberId id) const;
  const Vip* find(VipId id) const;
  const HealthMonitor* find(HealthMonitorId id) const;
  const BgpPeer* find(BgpPeerId id) const;
  const BgpNetwork* find(BgpNetworkId id) const;
  // By reference; a null pointer when absent.
  Ref<Object> find(ObjectRef ref) const;

  // What belongs to a device, each once, in the order of the ids. Costs O(k log k) for k results, and an allocation.
  void for_each_port_of(Uuid device, const std::function<void(const Port&)>& visit) const;
  void for_each_route_of(RouterId router, const std::function<void(const Route&)>& visit) const;
  void for_each_route_through(PortId port, const std::function<void(const Route&)>& visit) const;
  void for_each_static_mac_of(BridgeId bridge, const std::function<void(const StaticMac&)>& visit) const;
  void for_each_static_neighbour_of(BridgeId bridge, const std::function<void(const StaticNeighbour&)>& visit) const;
  void for_each_port_bound_to(HostId host, const std::function<void(const Port&)>& visit) const;
  // Those of a device's ports that have a peer.
  void for_each_interior_port_of(Uuid device, const std::function<void(const Port&)>& visit) const;
  // The hosts of a tunnel zone, and the zones of a host.
  void for_each_host_of(TunnelZoneId zone, const std::function<void(const TunnelZoneHost&)>& visit) const;
  void for_each_zone_of(HostId host, const std::function<void(const TunnelZoneHost&)>& visit) const;
  // Rules in the order of their ids, not of their positions.
  void for_each_rule_of(ChainId chain, const std::function<void(const Rule&)>& visit) const;
  // The ports of a group, and the groups of a port; the addresses of a group.
  void for_each_port_of(PortGroupId group, const std::function<void(const PortGroupPort&)>& visit) const;
  void for_each_port_group_of(PortId port, const std::function<void(const PortGroupPort&)>& visit) const;
  void for_each_address_of(IpGroupId group, const std::function<void(const IpGroupAddress&)>& visit) const;
  // Load balancing: of a balancer or a monitor its pools, of a pool its members and VIPs, of a balancer its router.
  void for_each_pool_of(LoadBalancerId balancer, const std::function<void(const Pool&)>& visit) const;
  void for_each_pool_of(HealthMonitorId monitor, const std::function<void(const Pool&)>& visit) const;
  void for_each_member_of(PoolId pool, const std::function<void(const PoolMember&)>& visit) const;
  void for_each_vip_of(PoolId pool, const std::function<void(const Vip&)>& visit) const;
  std::optional<RouterId> router_of(LoadBalancerId balancer) const;
  // BGP: whom a router speaks to, and what it announces.
  void for_each_bgp_peer_of(RouterId router, const std::function<void(const BgpPeer&)>& visit) const;
  void for_each_bgp_network_of(RouterId router, const std::function<void(const BgpNetwork&)>& visit) const;
  // The port bound to this interface, if any.
  std::optional<PortId> bound_port(HostId host, std::string_view interface) const;
  // All objects of a kind with this name, and all objects of a kind.
  void for_each_named(Kind kind, std::string_view name, const std::function<void(const Object&)>& visit) const;
  void for_each(Kind kind, const std::function<void(const Object&)>& visit) const;
  // All objects that name `target` in this field.
  void for_each_referrer(Reference reference, Uuid target, const std::function<void(const Object&)>& visit) const;
  // All objects under a key of an index, and how many.
  void for_each_at(const IndexKey& key, const std::function<void(const Object&)>& visit) const;
  void for_each_at(const TextKey& key, const std::function<void(const Object&)>& visit) const;
  size_t count_at(const IndexKey& key) const;
  size_t count(Kind kind) const;
  size_t size() const;

  // One object put (created or replaced) or erased; indexes follow. These check nothing: see builder.hpp. They are for
  // who makes the next snapshot, which nobody else has seen; copies that were taken before stay as they were.
  void put(Ref<Object> object);
  void erase(ObjectRef ref);
  void set_revision(uint64_t revision) { revision_ = revision; }
  // Copies with that done.
  Snapshot with(Ref<Object> object) const;
  Snapshot without(ObjectRef ref) const;
  Snapshot at_revision(uint64_t revision) const;

  // Visits what differs (before null: only in b; after null: only in a), skipping what the two share.
  using VisitDifference = std::function<void(ObjectRef, const Ref<Object>& before, const Ref<Object>& after)>;
  static void diff(const Snapshot& a, const Snapshot& b, const VisitDifference& visit);

 private:
  using Objects = PersistentMap<Uuid, Ref<Object>>;
  using Refs = PersistentSet<ObjectRef, ObjectRefHash>;

  const Objects& objects(Kind kind) const { return objects_[static_cast<size_t>(kind)]; }
  template <class T>
  const T* find_as(Kind kind, const Uuid& id) const;
  void visit_sorted(const Refs* refs, const std::function<void(const Object&)>& visit) const;
  void reindex(const Object* before, const Object* after);

  uint64_t revision_ = 0;
  std::array<Objects, static_cast<size_t>(Kind::count_)> objects_;
  PersistentMap<IndexKey, Refs, IndexKeyHash> by_key_;
  PersistentMap<TextKey, Refs, TextKeyHash> by_text_;
};

}  // namespace viaduct::topology
