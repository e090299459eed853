// What a host needs, by walking everything from its bound ports: as the rule is written, without any index.
#pragma once

#include <map>
#include <set>

#include "tests/unit/topology/literals.hpp"
#include "topology/closure.hpp"
#include "topology/violation.hpp"

namespace viaduct::topology::testing {

inline std::set<Uuid> devices_by_walking(const Snapshot& snapshot, HostId host) {
  std::set<Uuid> found;
  std::vector<Uuid> queue;
  const auto reach = [&](const Uuid& device) {
    if (found.insert(device).second) queue.push_back(device);
  };
  std::multimap<Uuid, Uuid> links;
  snapshot.for_each(Kind::port, [&](const Object& object) {
    const Port& port = std::get<Port>(object);
    if (port.is_exterior() && port.host == host) reach(port.device());
    if (port.is_interior()) links.emplace(port.device(), snapshot.find(port.peer)->device());
  });
  while (!queue.empty()) {
    const Uuid device = queue.back();
    queue.pop_back();
    const auto [first, end] = links.equal_range(device);
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
  std::set<Uuid> owners = devices_by_walking(snapshot, host);
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
