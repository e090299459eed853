// What a Network holds for each device, and how the view of one object is made. Internal to flows/simulation.
//
// Everything that grows with the size of a device is a persistent map, so that one more port costs O(log n) copies
// whatever the device's size. Where several objects may claim one key (two router ports with the same MAC on a bridge)
// the value is the sorted list of the claims and the first one counts: the order of changes does not matter.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flows/match/tag.hpp"
#include "flows/simulation/maglev.hpp"
#include "flows/simulation/network.hpp"
#include "flows/simulation/rule_index.hpp"

namespace viaduct::flows::simulation {

// Bridges do not look at VLAN tags: all frames belong to this one.
inline constexpr uint16_t kVlan = 0;

// On every link, not on one prefix of it.
inline bool is_link_local_v6(const IpAddress& address) { return address.is_v6() && address.is_link_local(); }

// An object of a change whose kind is known; null when there is none.
template <class T>
const T* as(const topology::Ref<topology::Object>& object) {
  return object == nullptr ? nullptr : &std::get<T>(*object);
}

template <class K, class V>
using PersistentMap = topology::PersistentMap<K, V>;

// Keys with several claims, the least first.
template <class K, class V>
class Claims {
 public:
  // The claim that counts, or null.
  const V* find(const K& key) const {
    const std::vector<V>* all = map_.find(key);
    return all == nullptr ? nullptr : &all->front();
  }
  void add(const K& key, const V& claim) {
    std::vector<V> all = claims(key);
    auto at = std::lower_bound(all.begin(), all.end(), claim);
    if (at != all.end() && *at == claim) return;
    all.insert(at, claim);
    map_ = map_.insert(key, std::move(all));
  }
  void remove(const K& key, const V& claim) {
    std::vector<V> all = claims(key);
    std::erase(all, claim);
    map_ = all.empty() ? map_.erase(key) : map_.insert(key, std::move(all));
  }
  template <class F>
  void for_each(F&& visit) const {
    map_.for_each([&](const K& key, const std::vector<V>& all) {
      for (const V& claim : all) visit(key, claim);
    });
  }

 private:
  std::vector<V> claims(const K& key) const {
    const std::vector<V>* all = map_.find(key);
    return all == nullptr ? std::vector<V>{} : *all;
  }
  PersistentMap<K, std::vector<V>> map_;
};

// A router's port that is linked to a port of the bridge.
struct RouterLink {
  PortId bridge_port;
  PortId router_port;
  MacAddress mac;
  friend auto operator<=>(const RouterLink&, const RouterLink&) = default;
};
struct PinnedMac {
  StaticMacId id;
  PortId port;
  friend auto operator<=>(const PinnedMac&, const PinnedMac&) = default;
};
struct PinnedNeighbour {
  StaticNeighbourId id;
  MacAddress mac;
  friend auto operator<=>(const PinnedNeighbour&, const PinnedNeighbour&) = default;
};

struct BridgeView {
  BridgeId id;
  std::string name;
  bool admin_up = true;
  uint32_t tenant = 0;                      // hash of its name: see Account
  ChainId inbound_filter, outbound_filter;  // of untagged frames
  PersistentMap<PortId, PortNumber> flood;  // exterior ports that are up and active here
  Claims<MacAddress, RouterLink> router_macs;
  Claims<IpAddress, RouterLink> router_addresses;
  Claims<MacAddress, PinnedMac> static_macs;  // of VLAN 0: bridges do not look at tags
  Claims<IpAddress, PinnedNeighbour> static_neighbours;
};

struct RouterView {
  RouterId id;
  std::string name;
  bool admin_up = true;
  uint32_t tenant = 0;
  ChainId local_redirect, inbound_filter, forward_filter, outbound_filter;
  LoadBalancerId load_balancer;
  routing::Fib fib;  // connected and local routes of the ports that publish, and stored ones; how its ports stand
};

struct ChainView {
  ChainId id;
  std::string name;
  RuleIndex rules;
};

struct IpGroupView {
  PersistentMap<IpPrefix, IpGroupAddressId> prefixes;
  std::array<uint32_t, 33> v4{};  // prefixes of each length
  std::array<uint32_t, 129> v6{};

  bool contains(const IpAddress& address) const;
  void add(const topology::IpGroupAddress& address);
  void remove(const topology::IpGroupAddress& address);

 private:
  uint32_t& count(const IpPrefix& prefix);
};

struct VipKey {
  IpAddress address;
  uint16_t port = 0;
  uint8_t proto = 0;
  friend bool operator==(const VipKey&, const VipKey&) = default;
};
struct VipKeyHash {
  size_t operator()(const VipKey& key) const noexcept {
    return std::hash<IpAddress>{}(key.address) ^ (uint64_t{key.port} << 8 | key.proto) * 0x9e37'79b9'7f4a'7c15ULL;
  }
};
struct VipView {
  VipId id;
  PoolId pool;
  bool sticky = false;
  bool admin_up = true;
  friend bool operator==(const VipView&, const VipView&) = default;
};
struct BalancerView {
  LoadBalancerId id;
  bool admin_up = true;
  topology::PersistentMap<VipKey, VipView, VipKeyHash> vips;
  PersistentMap<IpAddress, uint32_t> vip_addresses;     // how many VIPs have each
  PersistentMap<IpAddress, uint32_t> member_addresses;  // likewise, of all pools
};

// Held by flows of an address that is not the balancer's, as a VIP or a member; and by those of one that is.
inline Tag balanced_tag(LoadBalancerId balancer, const IpAddress& address) {
  return tag::group_address(IpGroupId(balancer.uuid()), address);
}

struct MemberView {
  PoolMemberId id;
  IpAddress address;
  uint16_t port = 0;
  bool enabled = true;  // takes new connections: up, and with a weight
  bool healthy = true;
  friend bool operator==(const MemberView&, const MemberView&) = default;
};
struct PoolView {
  PoolId id;
  bool sticky = false;
  bool admin_up = true;
  std::vector<MemberView> members;  // by address and port
  MaglevTable table;                // of indexes of members

  const MemberView* find(const IpAddress& address, uint16_t port) const;
};

struct NetworkData {
  topology::Snapshot snapshot;
  Locations locations;
  PersistentMap<PortId, std::shared_ptr<const PortView>> ports;
  PersistentMap<PortNumber, PortId> by_number;
  PersistentMap<PortNumber, PortId> speakers;        // whom they speak for
  PersistentMap<PortNumber, uint32_t> tunnel_ports;  // how many of the paths go by each
  Claims<IpAddress, HostId> peers;                   // whose packets come by tunnels from this address
  PersistentMap<BridgeId, std::shared_ptr<const BridgeView>> bridges;
  PersistentMap<RouterId, std::shared_ptr<const RouterView>> routers;

  PersistentMap<ChainId, std::shared_ptr<const ChainView>> chains;
  PersistentMap<IpGroupId, std::shared_ptr<const IpGroupView>> ip_groups;
  PersistentMap<LoadBalancerId, std::shared_ptr<const BalancerView>> balancers;
  PersistentMap<PoolId, std::shared_ptr<const PoolView>> pools;

  const PortView* port(PortId id) const {
    const auto* view = ports.find(id);
    return view == nullptr ? nullptr : view->get();
  }
};

// --- views of single objects (network_compile.cpp) ------------------------------------------------
PortView view_of(const topology::Port& port, const Locations& locations, const topology::Snapshot& snapshot);
uint32_t tenant_hash(const std::string& name);  // 0 for none
PoolView view_of(const topology::Pool& pool, const topology::Snapshot& snapshot, const Locations& locations);
BalancerView view_of(const topology::LoadBalancer& balancer, const topology::Snapshot& snapshot);

// What one port gives to its bridge.
struct BridgeShare {
  BridgeId bridge;
  PortNumber flood;                  // set when frames are flooded to it
  std::optional<RouterLink> link;    // the router port behind it
  std::vector<IpAddress> addresses;  // of that router port
  friend bool operator==(const BridgeShare&, const BridgeShare&) = default;
};
// Nothing for ids that are no bridge port in `network`.
std::optional<BridgeShare> share_of(const NetworkData& network, PortId bridge_port);

// What counts of what is said to be learned behind a router's port; null: nothing.
const LearnedAtPort* learned_at(const NetworkData& network, PortId port);
// How routes through a router's port stand; of a bridge's port, or none: good, nothing to say.
routing::NextHops next_hops_of(const NetworkData& network, PortId port);
// The prefixes that are in a part, and were not, or the other way round.
using LearnedChange = std::function<void(const IpPrefix& prefix, const LearnedPart& part, bool added)>;
void for_each_learned_change(const LearnedAtPort* before, const LearnedAtPort* after, const LearnedChange& visit);
routing::FibEntry learned_route(PortId port, const IpPrefix& destination, const LearnedPart& part);
// The connected and local routes of a router port; empty unless it publishes its routes.
std::vector<routing::FibEntry> own_routes(const PortView& port);
// A stored route; nothing when the port that it goes through is another device's.
std::optional<routing::FibEntry> entry_of(const topology::Route& route, const NetworkData& network);

// The pools and load balancers whose views may differ.
std::vector<PoolId> changed_pools(const topology::Delta& delta, const Moved& moved, const topology::Snapshot& after);
std::vector<LoadBalancerId> changed_balancers(const topology::Delta& delta, const topology::Snapshot& before,
                                              const topology::Snapshot& after);
// The ports whose views may differ between the networks before and after a change.
std::vector<PortId> changed_ports(const topology::Delta& delta, const Moved& moved, const topology::Snapshot& before,
                                  const topology::Snapshot& after);
// The bridge ports whose share may differ: the changed ones, and those that a changed port is or was linked to.
std::vector<PortId> changed_shares(const std::vector<PortId>& ports, const NetworkData& before,
                                   const NetworkData& after);

}  // namespace viaduct::flows::simulation
