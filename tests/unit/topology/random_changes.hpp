// Networks that change at random, in ways that the builder accepts.
#pragma once

#include <algorithm>
#include <random>

#include "tests/unit/topology/closure_oracle.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology::testing {

inline constexpr uint64_t kHosts = 5, kDevices = 9, kPorts = 40;

// Ids: hosts 1.., devices 101.. (a bridge today, a router tomorrow), ports 201.., routes and static entries 301.., zones
// 401.., memberships 411.., chains 501.., groups 511.. and 516.., load balancers 521.., pools 531.., health monitors 541..;
// rules 601.., members of groups 631.. and 651.., pool members and VIPs 671.., BGP peers and networks 691... An id is used again, and on another device.
//
// What is named often is not there; the builder refuses that, and another operation is made.
class Changes {
 public:
  explicit Changes(unsigned seed) : random_(seed) {}

  uint64_t below(uint64_t bound) { return random_() % bound; }

  // One that the builder accepts.
  BuildResult next(const Snapshot& snapshot) {
    for (;;) {
      std::vector<Operation> operations;
      for (uint64_t count = 1 + below(3); count > 0; --count) operations.push_back(operation(snapshot));
      auto result = build(snapshot, std::move(operations), snapshot.revision() + 1);
      if (result.ok()) return result;
    }
  }

 private:
  Operation operation(const Snapshot& snapshot) {
    switch (below(24)) {
      case 0:
        return put_or_erase(snapshot, named_host(), 4);
      case 1:
        return put_or_erase(snapshot, device(snapshot, 101 + below(kDevices)), 5);
      case 2:
        return put_or_erase(snapshot, entry(snapshot), 3);
      case 3:
        return put_or_erase(snapshot, tunnel_zone(401 + below(3)), 6);
      case 4:
        return put_or_erase(snapshot, member(), 3);
      case 5:
      case 6:
        return put_or_erase(snapshot, owner(), 8);
      case 7:
      case 8:
      case 9:
        return put_or_erase(snapshot, any_rule(), 3);
      case 10:
      case 11:
        return put_or_erase(snapshot, port_group_port(631 + below(20), 511 + below(3), 201 + below(kPorts)), 2);
      case 12:
        return put_or_erase(snapshot, belonging(), 3);
      case 13:
      case 14:
        return filter_operation(snapshot);
      default:
        return port_operation(snapshot, 201 + below(kPorts));
    }
  }

  Operation put_or_erase(const Snapshot& snapshot, Object object, uint64_t one_in) {
    const bool there = snapshot.find(ref_of(object)) != nullptr;
    if (!there) return Create{std::move(object)};
    if (below(one_in) == 0) return Erase{ref_of(object)};
    return Update{std::move(object)};
  }

  Object named_host() {
    Host object = host(1 + below(kHosts));
    object.name += below(2) == 0 ? "" : "b";
    return object;
  }
  Object device(const Snapshot& snapshot, uint64_t id_number) {
    if (snapshot.find(id<BridgeId>(id_number)) != nullptr) return bridge(id_number);
    if (snapshot.find(id<RouterId>(id_number)) != nullptr) return bgp_router(id_number);
    return below(2) == 0 ? Object(bridge(id_number)) : Object(bgp_router(id_number));
  }
  Object entry(const Snapshot& snapshot) {
    const uint64_t on = 101 + below(kDevices), at = 301 + below(20);
    if (snapshot.find(id<BridgeId>(on)) != nullptr) return static_neighbour(at, on, "10.0.0.9", "02:00:00:00:00:09");
    Route out = route(at, on, "10.9.0.0/16", 0);
    out.next_hop = NextHop::blackhole;
    out.weight = static_cast<uint32_t>(below(100));
    return out;
  }
  Object member() {
    const uint64_t zone = below(3), of = 1 + below(kHosts);
    const uint64_t at = below(4) == 0 ? 411 + below(15) : 411 + zone * 5 + of - 1;
    return tunnel_zone_host(at, 401 + zone, of, "192.0.2." + std::to_string(1 + below(60)));
  }

  template <class IdType>
  IdType maybe(uint64_t first, uint64_t count) {
    return below(2) == 0 ? IdType{} : id<IdType>(first + below(count));
  }
  // What owns itself, and is no device.
  Object owner() {
    switch (below(6)) {
      case 0:
        return port_group(511 + below(3));
      case 1:
        return ip_group(516 + below(2));
      case 2:
        return load_balancer(521 + below(2));
      case 3:
        return health_monitor(541 + below(2));
      case 4: {
        Pool out = pool(531 + below(3));
        out.load_balancer = maybe<LoadBalancerId>(521, 2);
        out.health_monitor = maybe<HealthMonitorId>(541, 2);
        return out;
      }
      default:
        return chain(501 + below(5));
    }
  }
  Object any_rule() {
    const uint64_t number = 601 + below(20), of = 501 + below(5);
    Rule out = below(3) == 0 ? jump(number, of, 501 + below(5)) : rule(number, of);
    out.position = static_cast<uint32_t>(number);
    if (below(3) == 0) out.condition.port_group.value = id<PortGroupId>(511 + below(3));
    if (below(4) == 0) out.condition.in_port_group.value = id<PortGroupId>(511 + below(3));
    if (below(3) == 0) out.condition.ip_src_group.value = id<IpGroupId>(516 + below(2));
    if (below(3) == 0)
      out.condition.in_ports.value = {id<PortId>(201 + below(kPorts)), id<PortId>(201 + below(kPorts))};
    out.condition.in_ports.inverted = out.condition.in_ports.value && below(2) == 0;
    return out;
  }
  // What a router speaks BGP with or about.
  Object spoken() {
    const uint64_t number = below(4), on = 101 + below(kDevices);
    if (below(2) == 0) return bgp_network(695 + number, on, "10.6." + std::to_string(number) + ".0/24");
    BgpPeer out = bgp_peer(691 + number, on, "10.7.0." + std::to_string(1 + number));
    out.multihop = 2;
    out.admin_up = below(2) == 0;
    return out;
  }
  Object belonging() {
    const uint64_t number = below(5);
    if (below(3) == 0) return spoken();
    const std::string last = std::to_string(1 + number);
    if (below(3) == 0) return ip_group_address(651 + number, 516 + below(2), "10.3.0." + last + "/32");
    if (below(2) == 0) return vip(671 + number, 531 + below(3), "10.4.0." + last, 80);
    return pool_member(681 + number, 531 + below(3), "10.5.0." + last, 80);
  }
  // A device or a port gets other filters, or a load balancer.
  Operation filter_operation(const Snapshot& snapshot) {
    const uint64_t on = 101 + below(kDevices);
    if (below(2) == 0) {
      const Port* known = snapshot.find(id<PortId>(201 + below(kPorts)));
      if (known == nullptr) return Create{chain(501 + below(5))};
      Port port = *known;
      port.inbound_filter = maybe<ChainId>(501, 5);
      port.outbound_filter = maybe<ChainId>(501, 5);
      return Update{port};
    }
    if (const Bridge* known = snapshot.find(id<BridgeId>(on))) {
      Bridge bridge = *known;
      bridge.inbound_filter = maybe<ChainId>(501, 5);
      bridge.outbound_filter = maybe<ChainId>(501, 5);
      return Update{bridge};
    }
    Router out = bgp_router(on);
    out.local_redirect = maybe<ChainId>(501, 5);
    out.forward_filter = maybe<ChainId>(501, 5);
    out.load_balancer = maybe<LoadBalancerId>(521, 2);
    if (snapshot.find(out.id) == nullptr) return Create{out};
    return Update{out};
  }

  Operation port_operation(const Snapshot& snapshot, uint64_t id_number) {
    const Port* known = snapshot.find(id<PortId>(id_number));
    if (known != nullptr && below(5) == 0) return Erase{ref_of(*known)};
    const uint64_t on = 101 + below(kDevices);
    Port port = known != nullptr                             ? *known
                : snapshot.find(id<BridgeId>(on)) != nullptr ? bridge_port(id_number, on)
                                                             : router_port(id_number, on);
    port.revision = 0;
    const uint64_t what = below(5);
    port.peer = what < 3 ? id<PortId>(201 + below(kPorts)) : PortId{};
    port.vlan = what == 0 && port.on_bridge() ? static_cast<uint16_t>(1 + id_number % 100) : 0;
    port.host = what == 3 ? id<HostId>(1 + below(kHosts)) : HostId{};
    port.interface = what == 3 ? "eth" + std::to_string(id_number) : "";
    if (known != nullptr) return Update{port};
    return Create{port};
  }

  std::mt19937 random_;
};

inline std::vector<HostId> all_hosts() {
  std::vector<HostId> hosts;
  for (uint64_t number = 1; number <= kHosts; ++number) hosts.push_back(id<HostId>(number));
  return hosts;
}

inline std::set<Uuid> owners_by_walking(const Snapshot& snapshot, HostId host) {
  std::set<Uuid> owners = joined_by_walking(snapshot, host);
  owners.merge(zones_by_walking(snapshot, host));
  return owners;
}

}  // namespace viaduct::topology::testing
