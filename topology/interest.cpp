#include "topology/interest.hpp"

#include <algorithm>
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

bool same_member(const TunnelZoneHost* a, const TunnelZoneHost* b) {
  return a != nullptr && b != nullptr && a->zone == b->zone && a->host == b->host;
}

// Ids are used again, for owners of other kinds too.
bool is_joinable(const Snapshot& snapshot, const Uuid& id) {
  return std::any_of(kOwnerKinds.begin(), kOwnerKinds.end(), [&](Kind kind) {
    return kind != Kind::tunnel_zone && snapshot.find(ObjectRef{kind, id}) != nullptr;
  });
}

// Whether objects that name each other so have their owners joined (closure.hpp). Of a port, that is its device.
constexpr bool joins(Reference reference) {
  switch (reference) {
    case Reference::port_peer:
    case Reference::port_inbound_filter:
    case Reference::port_outbound_filter:
    case Reference::bridge_inbound_filter:
    case Reference::bridge_outbound_filter:
    case Reference::router_local_redirect:
    case Reference::router_inbound_filter:
    case Reference::router_forward_filter:
    case Reference::router_outbound_filter:
    case Reference::router_load_balancer:
    case Reference::rule_jump:
    case Reference::rule_port_group:
    case Reference::rule_in_port_group:
    case Reference::rule_out_port_group:
    case Reference::rule_ip_src_group:
    case Reference::rule_ip_dst_group:
    case Reference::port_group_port_port:
    case Reference::pool_load_balancer:
    case Reference::pool_health_monitor:
      return true;
    default:  // what an object belongs to, and what is looked at only where both are needed anyway
      return false;
  }
}

bool changed_device(const Port* a, const Port* b) { return a != nullptr && b != nullptr && a->device() != b->device(); }

struct Joint {
  Uuid a, b;  // owners
  LinkId id;
  friend bool operator==(const Joint&, const Joint&) = default;
};

// Of the references of one object. find_port: of the same snapshot as the object.
template <class F>
std::vector<Joint> joints_of(const Ref<Object>& object, F&& find_port) {
  std::vector<Joint> joints;
  if (!object) return joints;
  for_each_reference(*object, [&](Reference by, const Uuid& target) {
    if (!joins(by)) return;
    const Uuid from = id_of(*object), owner = *owner_of(*object);
    if (info_of(by).to != Kind::port) return joints.push_back({owner, target, {by, from, target}});
    const Port* port = find_port(PortId(target));
    if (port == nullptr || (by == Reference::port_peer && port->peer.uuid() != from)) return;
    const bool peers = by == Reference::port_peer;
    joints.push_back(
        {owner, port->device(), peers ? LinkId::of_peers(PortId(from), port->id) : LinkId{by, from, target}});
  });
  return joints;
}

}  // namespace

// From one snapshot to another.
struct Interest::Step {
  const Snapshot& after;
  const Delta& delta;

  const Port* port_after(PortId id) const { return after.find(id); }
  const Port* port_before(PortId id) const {
    const auto changed = delta.changes.find({Kind::port, id.uuid()});
    return changed != delta.changes.end() ? as<Port>(changed->second.before) : after.find(id);
  }
  // Of the groups that a port is in, to a device of it.
  template <class F>
  void for_each_group_joint(const Port& port, F&& visit) const {
    after.for_each_port_group_of(port.id, [&](const PortGroupPort& member) {
      visit(Joint{
          member.group.uuid(), port.device(), {Reference::port_group_port_port, member.id.uuid(), member.port.uuid()}});
    });
  }
  std::vector<Joint> before(const ObjectChange& change) const {
    return joints_of(change.before, [&](PortId id) { return port_before(id); });
  }
  std::vector<Joint> now(const ObjectChange& change) const {
    return joints_of(change.after, [&](PortId id) { return port_after(id); });
  }
};

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
  const Step step{after, delta};
  for (const auto& [ref, change] : delta.changes) {
    if (change.after && is_owner(ref.kind)) owner_comes(ref);
  }
  for (const auto& [ref, change] : delta.changes) come(step, change);
  for (const auto& [ref, change] : delta.changes) go(step, change);
  for (const auto& [ref, change] : delta.changes) {
    if (!change.after && is_owner(ref.kind)) owner_goes(after, ref);
  }
}

void Interest::owner_comes(const ObjectRef& ref) {
  if (ref.kind != Kind::tunnel_zone) return components_.add(ref.id);
  if (!zones_.contains(ref.id)) zone_of_[zones_[ref.id] = audiences_.create()] = ref.id;
}

void Interest::owner_goes(const Snapshot& after, const ObjectRef& ref) {
  if (ref.kind != Kind::tunnel_zone) {
    if (!is_joinable(after, ref.id)) components_.remove(ref.id);
    return;
  }
  const auto zone = zones_.find(ref.id);
  if (zone == zones_.end()) return;
  audiences_.dissolve(zone->second);
  gone_zones_.push_back(ref.id);
}

void Interest::come(const Step& step, const ObjectChange& change) {
  const auto *port = as<Port>(change.after), *port_before = as<Port>(change.before);
  if (port != nullptr && port->is_exterior() && !same_binding(port_before, port)) {
    components_.bind(port->device(), port->host);
  }
  const auto link = [&](const Joint& joint) { components_.link(joint.a, joint.b, joint.id); };
  for (const Joint& joint : step.now(change)) link(joint);
  if (changed_device(port_before, port)) step.for_each_group_joint(*port, link);
  const auto *member = as<TunnelZoneHost>(change.after), *member_before = as<TunnelZoneHost>(change.before);
  if (member == nullptr || same_member(member, member_before) || !zones_.contains(member->zone.uuid())) return;
  audiences_.add(zones_.at(member->zone.uuid()), member->host);
}

void Interest::go(const Step& step, const ObjectChange& change) {
  const auto *port = as<Port>(change.before), *port_now = as<Port>(change.after);
  if (port != nullptr && port->is_exterior() && !same_binding(port, port_now)) {
    components_.unbind(port->device(), port->host);
  }
  const auto unlink = [&](const Joint& joint) { components_.unlink(joint.a, joint.b, joint.id); };
  const std::vector<Joint> now = step.now(change);
  for (const Joint& joint : step.before(change)) {
    if (std::find(now.begin(), now.end(), joint) == now.end()) unlink(joint);
  }
  if (changed_device(port, port_now)) step.for_each_group_joint(*port, unlink);
  const auto *member = as<TunnelZoneHost>(change.before), *member_now = as<TunnelZoneHost>(change.after);
  if (member == nullptr || same_member(member, member_now) || !zones_.contains(member->zone.uuid())) return;
  audiences_.remove(zones_.at(member->zone.uuid()), member->host);
}

Interest::Key Interest::audience_of(const Uuid& owner) const {
  const auto zone = zones_.find(owner);
  return zone != zones_.end() ? zone->second : components_.component_of(owner);
}
Interest::Key Interest::audience_before(const Uuid& owner) const {
  const auto zone = zones_.find(owner);
  return zone != zones_.end() ? zone->second : components_.component_before(owner);
}

std::vector<Uuid> Interest::joined_to(HostId host) const {
  std::vector<Uuid> owners;
  for (const Key key : audiences_.of(host)) {
    const auto& of_component = components_.owners(key);
    owners.insert(owners.end(), of_component.begin(), of_component.end());
  }
  return owners;
}

std::vector<Uuid> Interest::zones_of(HostId host) const {
  std::vector<Uuid> zones;
  for (const Key key : audiences_.of(host)) {
    if (const auto zone = zone_of_.find(key); zone != zone_of_.end()) zones.push_back(zone->second);
  }
  return zones;
}

std::vector<Uuid> Interest::owners_of(HostId host) const {
  std::vector<Uuid> owners = joined_to(host);
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
