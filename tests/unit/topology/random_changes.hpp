// Networks that change at random, in ways that the builder accepts.
#pragma once

#include <algorithm>
#include <random>

#include "tests/unit/topology/closure_oracle.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology::testing {

inline constexpr uint64_t kHosts = 5, kDevices = 9, kPorts = 40;

// Ids: hosts 1.., devices 101.. (a bridge today, a router tomorrow), ports 201.., routes and static entries 301.., zones
// 401.., memberships 411... An id is used again, and on another device.
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
    switch (below(12)) {
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
    if (snapshot.find(id<RouterId>(id_number)) != nullptr) return router(id_number);
    return below(2) == 0 ? Object(bridge(id_number)) : Object(router(id_number));
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
  std::set<Uuid> owners = devices_by_walking(snapshot, host);
  owners.merge(zones_by_walking(snapshot, host));
  return owners;
}

}  // namespace viaduct::topology::testing
