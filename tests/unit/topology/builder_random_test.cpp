// Random transactions. Whatever the builder accepts must be a topology that it would accept from nothing: the rules it
// asks of what was touched are then as strict as the rules asked of everything.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/topology/literals.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::vector<Operation> transaction(const Snapshot& snapshot) {
    std::vector<Operation> operations;
    for (uint64_t count = 1 + below(4); count > 0; --count) operations.push_back(operation(snapshot));
    return operations;
  }

 private:
  uint64_t below(uint64_t bound) { return random_() % bound; }

  Operation operation(const Snapshot& snapshot) {
    Object object = any_object();
    const auto stored = snapshot.find(ref_of(object));
    if (!stored) return Create{std::move(object)};
    if (below(5) == 0) return Erase{ref_of(object)};
    keep_parents(object, *stored);
    return Update{std::move(object)};
  }

  static void keep_parents(Object& object, const Object& stored) {
    if (auto* port = std::get_if<Port>(&object)) {
      const bool same_side = port->on_bridge() == std::get<Port>(stored).on_bridge();
      if (!same_side) *port = std::get<Port>(stored);
      port->bridge = std::get<Port>(stored).bridge;
      port->router = std::get<Port>(stored).router;
    } else if (auto* route = std::get_if<Route>(&object)) {
      route->router = std::get<Route>(stored).router;
    } else if (auto* member = std::get_if<TunnelZoneHost>(&object)) {
      member->zone = std::get<TunnelZoneHost>(stored).zone;
      member->host = std::get<TunnelZoneHost>(stored).host;
    } else if (auto* rule = std::get_if<Rule>(&object)) {
      rule->chain = std::get<Rule>(stored).chain;
    } else if (auto* member = std::get_if<PoolMember>(&object)) {
      member->pool = std::get<PoolMember>(stored).pool;
    } else if (auto* peer = std::get_if<BgpPeer>(&object)) {
      peer->router = std::get<BgpPeer>(stored).router;
    } else if (auto* network = std::get_if<BgpNetwork>(&object)) {
      network->router = std::get<BgpNetwork>(stored).router;
    }
  }

  // Chains have the numbers 40..42, groups 44..46, rules 50..57, members of groups 60..65, load balancers 70 and 71, pools
  // 72..74, VIPs and pool members 76..83, health monitors 90 and 91, BGP peers and networks 92..97.
  Object any_function() {
    switch (below(12)) {
      case 0:
        return chain(40 + below(3));
      case 1:
        return below(2) ? Object(port_group(44 + below(2))) : Object(ip_group(46));
      case 2:
        return port_group_port(60 + below(3), 44 + below(2), 5 + below(20));
      case 3:
        return ip_group_address(63 + below(3), 46, below(2) ? "10.0.0.0/8" : "fd00::/8");
      case 4:
        return load_balancer(70 + below(2));
      case 5:
        return health_monitor(90 + below(2));
      case 6: {
        Pool out = pool(72 + below(3), below(2) ? 70 + below(2) : 0, below(2) ? 90 + below(2) : 0);
        out.protocol = below(2) ? PoolProtocol::tcp : PoolProtocol::udp;
        return out;
      }
      case 7:
        return vip(76 + below(4), 72 + below(3), below(4) ? "10.0.1.80" : "fd00::80", below(2) ? 80 : 443);
      case 8:
        return pool_member(80 + below(4), 72 + below(3), below(4) ? "10.0.2.80" : "fd00::80", below(2) ? 80 : 443);
      case 9: {
        BgpPeer out = bgp_peer(92 + below(4), 3 + below(2), "10.0." + std::to_string(below(3)) + ".77");
        out.multihop = below(4) == 0 ? 2 : 0;
        return out;
      }
      case 10:
        return bgp_network(96 + below(2), 3 + below(2), below(2) ? "10.0.0.0/8" : "0.0.0.0/0");
      default:
        return any_rule();
    }
  }
  Rule any_rule() {
    const uint64_t number = 50 + below(8), of = 40 + below(3);
    Rule out = below(3) ? rule(number, of) : jump(number, of, 40 + below(3));
    out.position = static_cast<uint32_t>(below(5));
    if (below(3) == 0) out.condition.in_port_group.value = id<PortGroupId>(44 + below(2));
    if (below(3) == 0) out.condition.ip_dst_group.value = id<IpGroupId>(46);
    if (below(2) == 0) out.condition.out_ports.value = {id<PortId>(5 + below(20)), id<PortId>(5 + below(20))};
    out.condition.out_ports.inverted = out.condition.out_ports.value && below(2) == 0;
    return out;
  }
  ChainId any_filter() { return below(4) == 0 ? id<ChainId>(40 + below(3)) : ChainId{}; }
  Router any_router() {
    Router out = router(3 + below(2));
    out.inbound_filter = any_filter();
    out.as_number = below(4) ? 65'000 : 0;
    if (below(3) == 0) out.load_balancer = id<LoadBalancerId>(70 + below(2));
    return out;
  }

  // Bridges and routers have the numbers 1..4, ports 5..24, routes and static entries 25..29, tunnel zones 30 and 31,
  // their hosts 32..36.
  Object any_object() {
    if (below(2) == 0) return any_function();
    switch (below(10)) {
      case 0:
        return host(1 + below(2));
      case 1:
        return bridge(1 + below(2));
      case 2:
        return any_router();
      case 3:
        return any_route();
      case 4:
        return static_mac(25 + below(5), 1 + below(2), below(2) ? "02:00:00:00:00:01" : "02:00:00:00:00:02",
                          5 + below(20));
      case 5: {
        TunnelZone zone = tunnel_zone(30 + below(2));
        zone.type = below(4) == 0 ? TunnelType::gre : TunnelType::vxlan;
        return zone;
      }
      case 6:
        return tunnel_zone_host(32 + below(5), 30 + below(2), 1 + below(2),
                                below(5) == 0   ? "fd00::1"
                                : below(2) == 0 ? "192.0.2.1"
                                                : "192.0.2.2");
      default:
        return any_port(5 + below(20));
    }
  }
  Route any_route() {
    const bool gateway = below(2) == 0;
    return route(25 + below(5), 3 + below(2), "10.0.0.0/8", 5 + below(20), gateway ? "10.0.1.9" : "");
  }
  Port any_port(uint64_t number) {
    Port port = number % 2 == 0 ? bridge_port(number, 1 + below(2)) : router_port(number, 3 + below(2));
    port.outbound_filter = any_filter();
    if (below(2) == 0) port.peer = id<PortId>(5 + below(20));
    if (below(4) == 0) {
      port.host = id<HostId>(1 + below(2));
      port.interface = "eth" + std::to_string(below(3));
    }
    if (port.on_bridge()) {
      port.vlan = below(3) == 0 ? static_cast<uint16_t>(1 + below(3)) : 0;
    } else if (below(3) != 0) {
      port.addresses = {
          IpPrefix(IpAddress::v4(0x0a00'0001 + (static_cast<uint32_t>(below(4)) << 8)), below(2) ? 24 : 23)};
    }
    return port;
  }

  std::mt19937 random_;
};

std::vector<Operation> creation_of(const Snapshot& snapshot) {
  std::vector<Operation> operations;
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    snapshot.for_each(static_cast<Kind>(kind), [&](const Object& object) { operations.push_back(Create{object}); });
  }
  return operations;
}

void expect_sound(const Snapshot& snapshot) {
  snapshot.for_each(Kind::port, [&](const Object& object) {
    const Port& port = std::get<Port>(object);
    if (port.is_interior()) {
      EXPECT_EQ(snapshot.find(port.peer)->peer, port.id);
    }
  });
  const auto whole = build({}, creation_of(snapshot), 1);
  for (const Violation& violation : whole.violations) ADD_FAILURE() << to_string(violation);
}

TEST(BuilderAtRandom, WhatItAcceptsIsSoundAndWhatItRefusesChangesNothing) {
  size_t accepted = 0, refused = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Generator generator(seed);
    Snapshot snapshot;
    for (uint64_t revision = 1; revision <= 200; ++revision) {
      const auto result = build(snapshot, generator.transaction(snapshot), revision);
      ++(result.ok() ? accepted : refused);
      if (!result.ok()) {
        ASSERT_TRUE(Delta::between(snapshot, result.next).empty());
        continue;
      }
      ASSERT_TRUE(Delta::between(result.delta.apply_to(snapshot), result.next).empty());
      ASSERT_EQ(result.delta.changes.size(), result.changes.size());
      snapshot = result.next;
      if (revision % 4 == 0) expect_sound(snapshot);
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", revision " << revision;
    }
  }
  EXPECT_GT(accepted, 500u);
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace viaduct::topology
