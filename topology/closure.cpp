#include "topology/closure.hpp"

#include <map>
#include <set>

namespace viaduct::topology {
namespace {

template <class... Visits>
struct Overloaded : Visits... {
  using Visits::operator()...;
};
template <class... Visits>
Overloaded(Visits...) -> Overloaded<Visits...>;

// The changes one after the other, over what the host has.
class Application {
 public:
  Application(const Snapshot& have, HostId self) : have_(have), self_(self) {}

  void apply(const ClosureChange& change) {
    std::visit(
        Overloaded{[&](const Ref<Object>& object) { set(ref_of(*object), object); },
                   [&](const ObjectRef& ref) { set(ref, nullptr); }, [&](const Forget& forget) { apply(forget); }},
        change);
  }

  Delta finish(uint64_t revision) {
    const std::set<HostId> named = named_hosts();
    for (const HostId& host : hosts_) {
      if (host != self_ && !named.contains(host)) after_[{Kind::host, host.uuid()}] = nullptr;
    }
    return current(revision);
  }

 private:
  void set(const ObjectRef& ref, const Ref<Object>& object) {
    if (ref.kind == Kind::host) hosts_.insert(HostId(ref.id));
    note_host(have_.find(ref));
    after_[ref] = object;
  }
  // A membership that goes may take the last reason for its host along.
  void note_host(const Ref<Object>& object) {
    const auto* member = object ? std::get_if<TunnelZoneHost>(object.get()) : nullptr;
    if (member != nullptr) hosts_.insert(member->host);
  }
  // Those of hosts_ that a membership names at the end.
  std::set<HostId> named_hosts() const {
    std::set<HostId> out;
    for (const auto& [ref, object] : after_) {
      const auto* member = object ? std::get_if<TunnelZoneHost>(object.get()) : nullptr;
      if (member != nullptr) out.insert(member->host);
    }
    for (const HostId& host : hosts_) {
      have_.for_each_zone_of(host, [&](const TunnelZoneHost& member) {
        if (!after_.contains({Kind::tunnel_zone_host, member.id.uuid()})) out.insert(host);
      });
    }
    return out;
  }
  void apply(const Forget& forget) {
    for (auto& [ref, object] : after_) {
      if (object && owner_of(*object) == forget.owner) {
        note_host(object);
        object = nullptr;
      }
    }
    for_each_belonging(have_, forget.owner, [&](const Object& object) {
      if (!after_.contains(ref_of(object))) set(ref_of(object), nullptr);
    });
  }
  Delta current(uint64_t revision) const {
    Delta delta{have_.revision(), revision, {}};
    for (const auto& [ref, after] : after_) {
      const Ref<Object> before = have_.find(ref);
      const bool same = before == after || (before && after && *before == *after);
      if (!same) delta.changes.emplace_hint(delta.changes.end(), ref, ObjectChange{before, after});
    }
    return delta;
  }

  const Snapshot& have_;
  const HostId self_;
  std::map<ObjectRef, Ref<Object>> after_;
  std::set<HostId> hosts_;  // that may have lost their reason
};

}  // namespace

std::optional<Uuid> owner_of(const Object& object) {
  using Owner = std::optional<Uuid>;
  return std::visit(Overloaded{[](const Host&) -> Owner { return std::nullopt; },
                               [](const Port& port) -> Owner { return port.device(); },
                               [](const Route& route) -> Owner { return route.router.uuid(); },
                               [](const StaticMac& entry) -> Owner { return entry.bridge.uuid(); },
                               [](const StaticNeighbour& entry) -> Owner { return entry.bridge.uuid(); },
                               [](const TunnelZoneHost& member) -> Owner { return member.zone.uuid(); },
                               [](const Rule& rule) -> Owner { return rule.chain.uuid(); },
                               [](const PortGroupPort& member) -> Owner { return member.group.uuid(); },
                               [](const IpGroupAddress& member) -> Owner { return member.group.uuid(); },
                               [](const PoolMember& member) -> Owner { return member.pool.uuid(); },
                               [](const Vip& vip) -> Owner { return vip.pool.uuid(); },
                               [](const BgpPeer& peer) -> Owner { return peer.router.uuid(); },
                               [](const BgpNetwork& network) -> Owner { return network.router.uuid(); },
                               [](const auto& owner) -> Owner { return owner.id.uuid(); }},
                    object);
}

void for_each_belonging(const Snapshot& snapshot, const Uuid& owner, const std::function<void(const Object&)>& visit) {
  for (const Kind kind : kOwnerKinds) {
    if (const auto object = snapshot.find(ObjectRef{kind, owner})) visit(*object);
  }
  for (const Reference reference :
       {Reference::port_bridge, Reference::port_router, Reference::route_router, Reference::static_mac_bridge,
        Reference::static_neighbour_bridge, Reference::tunnel_zone_host_zone, Reference::rule_chain,
        Reference::port_group_port_group, Reference::ip_group_address_group, Reference::pool_member_pool,
        Reference::vip_pool, Reference::bgp_peer_router, Reference::bgp_network_router}) {
    snapshot.for_each_referrer(reference, owner, visit);
  }
}

std::vector<Uuid> owners_in(const Snapshot& closure) {
  std::vector<Uuid> owners;
  for (const Kind kind : kOwnerKinds) {
    closure.for_each(kind, [&](const Object& object) { owners.push_back(id_of(object)); });
  }
  return owners;
}

Delta delta_of(const Snapshot& have, HostId self, std::span<const ClosureChange> changes, uint64_t revision) {
  Application application(have, self);
  for (const ClosureChange& change : changes) application.apply(change);
  return application.finish(revision);
}

}  // namespace viaduct::topology
