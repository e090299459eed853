// What a host needs, by walking everything from its bound ports: as the rule is written, without any index.
#pragma once

#include <map>
#include <set>

#include "tests/unit/topology/literals.hpp"
#include "topology/closure.hpp"
#include "topology/violation.hpp"

namespace viaduct::topology::testing {

// The owners that each object joins: of what it belongs to with what it names.
inline std::multimap<Uuid, Uuid> joints_in(const Snapshot& snapshot) {
  std::multimap<Uuid, Uuid> joints;
  const auto join = [&](const Uuid& a, const Uuid& b) {
    if (a.is_nil() || b.is_nil()) return;
    joints.emplace(a, b);
    joints.emplace(b, a);
  };
  const auto each = [&]<class T>(Kind kind, const std::function<void(const T&)>& visit) {
    snapshot.for_each(kind, [&](const Object& object) { visit(std::get<T>(object)); });
  };
  each.operator()<Bridge>(Kind::bridge, [&](const Bridge& bridge) {
    join(bridge.id.uuid(), bridge.inbound_filter.uuid());
    join(bridge.id.uuid(), bridge.outbound_filter.uuid());
  });
  each.operator()<Router>(Kind::router, [&](const Router& router) {
    for (ChainId chain :
         {router.local_redirect, router.inbound_filter, router.forward_filter, router.outbound_filter}) {
      join(router.id.uuid(), chain.uuid());
    }
    join(router.id.uuid(), router.load_balancer.uuid());
  });
  each.operator()<Port>(Kind::port, [&](const Port& port) {
    if (port.is_interior()) join(port.device(), snapshot.find(port.peer)->device());
    join(port.device(), port.inbound_filter.uuid());
    join(port.device(), port.outbound_filter.uuid());
  });
  each.operator()<Rule>(Kind::rule, [&](const Rule& rule) {
    join(rule.chain.uuid(), rule.jump.uuid());
    const Condition& c = rule.condition;
    for (const auto& group : {c.port_group, c.in_port_group, c.out_port_group}) {
      if (group.value) join(rule.chain.uuid(), group.value->uuid());
    }
    for (const auto& group : {c.ip_src_group, c.ip_dst_group}) {
      if (group.value) join(rule.chain.uuid(), group.value->uuid());
    }
  });
  each.operator()<PortGroupPort>(Kind::port_group_port, [&](const PortGroupPort& member) {
    join(member.group.uuid(), snapshot.find(member.port)->device());
  });
  each.operator()<Pool>(Kind::pool, [&](const Pool& pool) {
    join(pool.id.uuid(), pool.load_balancer.uuid());
    join(pool.id.uuid(), pool.health_monitor.uuid());
  });
  return joints;
}

inline std::set<Uuid> joined_by_walking(const Snapshot& snapshot, HostId host) {
  std::set<Uuid> found;
  std::vector<Uuid> queue;
  const auto reach = [&](const Uuid& owner) {
    if (found.insert(owner).second) queue.push_back(owner);
  };
  const auto joints = joints_in(snapshot);
  snapshot.for_each_port_bound_to(host, [&](const Port& port) {
    if (port.is_exterior()) reach(port.device());
  });
  while (!queue.empty()) {
    const Uuid owner = queue.back();
    queue.pop_back();
    const auto [first, end] = joints.equal_range(owner);
    for (auto at = first; at != end; ++at) reach(at->second);
  }
  return found;
}

inline std::set<Uuid> zones_by_walking(const Snapshot& snapshot, HostId host) {
  std::set<Uuid> found;
  snapshot.for_each(Kind::tunnel_zone_host, [&](const Object& object) {
    const auto& member = std::get<TunnelZoneHost>(object);
    if (member.host == host) found.insert(member.zone.uuid());
  });
  return found;
}

using Closure = std::map<ObjectRef, Object>;

inline Closure closure_by_walking(const Snapshot& snapshot, HostId host) {
  std::set<Uuid> owners = joined_by_walking(snapshot, host);
  owners.merge(zones_by_walking(snapshot, host));
  Closure closure;
  const auto add = [&](const Object& object) { closure.emplace(ref_of(object), object); };
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    snapshot.for_each(static_cast<Kind>(kind), [&](const Object& object) {
      if (const auto owner = owner_of(object); owner && owners.contains(*owner)) add(object);
      if (id_of(object) == host.uuid() && kind_of(object) == Kind::host) add(object);
      const auto* member = std::get_if<TunnelZoneHost>(&object);
      if (member != nullptr && owners.contains(member->zone.uuid()))
        add(*snapshot.find({Kind::host, member->host.uuid()}));
    });
  }
  return closure;
}

inline Closure everything_in(const Snapshot& snapshot) {
  Closure all;
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    snapshot.for_each(static_cast<Kind>(kind), [&](const Object& object) { all.emplace(ref_of(object), object); });
  }
  return all;
}

// For messages of failed tests: "port 0000…0005 r7".
inline std::string text_of(const Closure& closure) {
  std::string out;
  for (const auto& [ref, object] : closure) {
    out += label_of(object) + " r" + std::to_string(revision_of(object)) + "\n";
  }
  return out;
}

}  // namespace viaduct::topology::testing
