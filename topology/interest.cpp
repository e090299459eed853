#include "topology/interest.hpp"

#include <set>
#include <utility>

#include "topology/closure_plan.hpp"

namespace viaduct::topology {
namespace {

template <class T>
const T* as(const Ref<Object>& object) {
  return object ? std::get_if<T>(object.get()) : nullptr;
}

bool same_binding(const Port* a, const Port* b) {
  return a != nullptr && b != nullptr && a->is_exterior() && b->is_exterior() && a->host == b->host &&
         a->device() == b->device();
}

bool exists(const Snapshot& snapshot, const Uuid& device) {
  return snapshot.find(BridgeId(device)) != nullptr || snapshot.find(RouterId(device)) != nullptr;
}

}  // namespace

Interest::Interest(const Snapshot& snapshot) : Interest() {
  take(snapshot, Delta::between({}, snapshot));
  begin_step();
}

ClosureDelta Interest::follow(const Snapshot& after, const Delta& delta) {
  begin_step();
  take(after, delta);
  return ClosurePlan(*this, after, delta).make();
}

void Interest::begin_step() {
  audiences_.begin_step();
  components_.begin_step();
  for (const Uuid& zone : gone_zones_) {
    zone_of_.erase(zones_.at(zone));
    zones_.erase(zone);
  }
  gone_zones_.clear();
}

// What comes first: a link that replaces another spares a search, a host whose port moves stays.
void Interest::take(const Snapshot& after, const Delta& delta) {
  for (const auto& [ref, change] : delta.changes) come(after, ref, change);
  for (const auto& [ref, change] : delta.changes) go(after, ref, change);
  for (const auto& [ref, change] : delta.changes) {
    const bool device = ref.kind == Kind::bridge || ref.kind == Kind::router;
    if (device && !change.after && !exists(after, ref.id)) components_.remove(ref.id);
    if (ref.kind != Kind::tunnel_zone || change.after) continue;
    const auto zone = zones_.find(ref.id);
    if (zone == zones_.end()) continue;
    audiences_.dissolve(zone->second);
    gone_zones_.push_back(ref.id);
  }
}

void Interest::come(const Snapshot& after, const ObjectRef& ref, const ObjectChange& change) {
  if (!change.after) return;
  if (ref.kind == Kind::bridge || ref.kind == Kind::router) return components_.add(ref.id);
  if (const auto* port = as<Port>(change.after)) return port_comes(after, as<Port>(change.before), *port);
  if (ref.kind == Kind::tunnel_zone && !zones_.contains(ref.id)) {
    zone_of_[zones_[ref.id] = audiences_.create()] = ref.id;
  }
  const auto* member = as<TunnelZoneHost>(change.after);
  if (member == nullptr) return;
  const auto* before = as<TunnelZoneHost>(change.before);
  const bool same = before != nullptr && before->zone == member->zone && before->host == member->host;
  if (!same && zones_.contains(member->zone.uuid())) audiences_.add(zones_.at(member->zone.uuid()), member->host);
}

void Interest::go(const Snapshot&, const ObjectRef&, const ObjectChange& change) {
  if (const auto* port = as<Port>(change.before)) return port_goes(*port, as<Port>(change.after));
  const auto* member = as<TunnelZoneHost>(change.before);
  if (member == nullptr) return;
  const auto* now = as<TunnelZoneHost>(change.after);
  const bool same = now != nullptr && now->zone == member->zone && now->host == member->host;
  if (!same && zones_.contains(member->zone.uuid())) audiences_.remove(zones_.at(member->zone.uuid()), member->host);
}

void Interest::port_comes(const Snapshot& after, const Port* before, const Port& now) {
  if (now.is_exterior() && !same_binding(before, &now)) components_.bind(now.device(), now.host);
  const Port* peer = now.is_interior() ? after.find(now.peer) : nullptr;
  if (peer != nullptr && peer->peer == now.id) components_.link(now.device(), now.id, peer->device(), peer->id);
}

void Interest::port_goes(const Port& before, const Port* now) {
  if (before.is_exterior() && !same_binding(&before, now)) components_.unbind(before.device(), before.host);
  const bool same_link = now != nullptr && now->peer == before.peer && now->device() == before.device();
  if (before.is_interior() && !same_link) components_.unlink(before.device(), before.id, before.peer);
}

Interest::Key Interest::audience_of(const Uuid& owner) const {
  const auto zone = zones_.find(owner);
  return zone != zones_.end() ? zone->second : components_.component_of(owner);
}
Interest::Key Interest::audience_before(const Uuid& owner) const {
  const auto zone = zones_.find(owner);
  return zone != zones_.end() ? zone->second : components_.component_before(owner);
}

std::vector<Uuid> Interest::devices_of(HostId host) const {
  std::vector<Uuid> devices;
  for (const Key key : audiences_.of(host)) {
    const auto& of_component = components_.devices(key);
    devices.insert(devices.end(), of_component.begin(), of_component.end());
  }
  return devices;
}

std::vector<Uuid> Interest::zones_of(HostId host) const {
  std::vector<Uuid> zones;
  for (const Key key : audiences_.of(host)) {
    if (const auto zone = zone_of_.find(key); zone != zone_of_.end()) zones.push_back(zone->second);
  }
  return zones;
}

std::vector<Uuid> Interest::owners_of(HostId host) const {
  std::vector<Uuid> owners = devices_of(host);
  for (const Uuid& zone : zones_of(host)) owners.push_back(zone);
  return owners;
}

void Interest::for_each_object_of(const Snapshot& snapshot, HostId host,
                                  const std::function<void(const Object&)>& visit) const {
  std::set<Uuid> hosts{host.uuid()};
  for (const Uuid& owner : owners_of(host)) {
    for_each_belonging(snapshot, owner, [&](const Object& object) {
      visit(object);
      if (const auto* member = std::get_if<TunnelZoneHost>(&object)) hosts.insert(member->host.uuid());
    });
  }
  for (const Uuid& id : hosts) {
    if (const auto object = snapshot.find(ObjectRef{Kind::host, id})) visit(*object);
  }
}

}  // namespace viaduct::topology
