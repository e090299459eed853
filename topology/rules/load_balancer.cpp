// Load balancers, pools, their members and VIPs.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr uint32_t kMaxWeight = 65'535;

std::string endpoint(const IpAddress& address, uint16_t port) {
  return (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + ":" + std::to_string(port);
}

// Of members and VIPs alike.
template <class Endpoint>
void check_endpoint(const Endpoint& point, const ObjectRef& ref, Inspection& inspection) {
  if (const auto reason = reason_not_unicast(point.address); !reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "address",
                      point.address.to_string() + " is " + std::string(reason) + ".", "Use a unicast address.");
  }
  if (point.port == 0) {
    inspection.report(BrokenRule::l4_port_missing, ref, "port", "It has no port.", "Give it one, 1 to 65535.");
  }
  const IpFamily family = point.address.family();
  if (inspection.next().count_at(IndexKey::pool_family_of(point.pool, other_family(family))) == 0) return;
  inspection.report(BrokenRule::address_family_mismatch, ref, "address",
                    point.address.to_string() + " is " + std::string(family_name(family)) + ", and " +
                        inspection.label(ObjectRef{Kind::pool, point.pool.uuid()}) + " has " +
                        std::string(family_name(other_family(family))) + " addresses.",
                    "Use one family in a pool; the load balancer may have a second pool with the other one.");
}

void report_taken(const Vip& vip, const Vip& other, Inspection& inspection) {
  inspection.report(BrokenRule::endpoint_in_use, ref_of(vip), "address",
                    endpoint(vip.address, vip.port) + " is that of " + inspection.label(Object(other)) + " too.",
                    "Give each VIP of a load balancer its own address or port.");
}

// Against the VIPs of one pool.
void check_taken_in(const Pool& pool, const Vip& vip, Inspection& inspection) {
  const IndexKey key = IndexKey::vip_of(pool.id, vip.address, vip.port);
  inspection.next().for_each_at(key, [&](const Object& object) {
    const Vip& other = std::get<Vip>(object);
    if (other.id != vip.id && other.address == vip.address) report_taken(vip, other, inspection);
  });
}

void check_taken(const Vip& vip, const Pool& pool, Inspection& inspection) {
  if (pool.load_balancer.is_nil()) return check_taken_in(pool, vip, inspection);
  inspection.next().for_each_pool_of(pool.load_balancer, [&](const Pool& other) {
    if (other.protocol == pool.protocol) check_taken_in(other, vip, inspection);
  });
}

// A router that has nothing of a family receives no packet of it.
void check_reachable(const Vip& vip, const Pool& pool, Inspection& inspection) {
  const auto router = inspection.next().router_of(pool.load_balancer);
  const IpFamily family = vip.address.family();
  if (!router || inspection.next().count_at(IndexKey::router_family_of(*router, family)) != 0) return;
  inspection.report(BrokenRule::vip_unreachable, ref_of(vip), "address",
                    vip.address.to_string() + " is " + std::string(family_name(family)) + ", and " +
                        inspection.label(ObjectRef{Kind::router, router->uuid()}) +
                        " has neither a port nor a route of that family: nothing could reach the VIP.",
                    "Give the router a port with an address of that family first, or delete the VIP.");
}

void check_placement(const Vip& vip, const Pool& pool, Inspection& inspection) {
  check_taken(vip, pool, inspection);
  check_reachable(vip, pool, inspection);
}

}  // namespace

void check(const LoadBalancer& balancer, Inspection& inspection) {
  check_name(balancer.name, "name", ref_of(balancer), inspection);
  check_name(balancer.tenant, "tenant", ref_of(balancer), inspection);
}

void check(const Pool& pool, Inspection& inspection) {
  const ObjectRef ref = ref_of(pool);
  check_name(pool.name, "name", ref, inspection);
  check_named(Reference::pool_load_balancer, pool.load_balancer.uuid(), ref, inspection);
  check_named(Reference::pool_health_monitor, pool.health_monitor.uuid(), ref, inspection);
  const Pool* before = inspection.current().find(pool.id);
  if (before == nullptr) return;  // its VIPs are new, too
  if (before->load_balancer == pool.load_balancer && before->protocol == pool.protocol) return;
  inspection.next().for_each_vip_of(pool.id, [&](const Vip& vip) { check_placement(vip, pool, inspection); });
}

void check(const PoolMember& member, Inspection& inspection) {
  const ObjectRef ref = ref_of(member);
  check_parent(Reference::pool_member_pool, member.pool.uuid(), ref, inspection);
  check_endpoint(member, ref, inspection);
  if (member.weight > kMaxWeight) {
    inspection.report(BrokenRule::weight_out_of_range, ref, "weight",
                      "The weight " + std::to_string(member.weight) + " is too great.",
                      "Use 0 to " + std::to_string(kMaxWeight) + ".");
  }
  const IndexKey key = IndexKey::pool_member_of(member.pool, member.address, member.port);
  inspection.next().for_each_at(key, [&](const Object& object) {
    const auto& other = std::get<PoolMember>(object);
    if (other.id == member.id || other.address != member.address) return;
    inspection.report(
        BrokenRule::endpoint_in_use, ref, "address",
        endpoint(member.address, member.port) + " is in the pool already, as " + inspection.label(object) + ".",
        "Give the one that is there a greater weight.");
  });
}

void check(const Vip& vip, Inspection& inspection) {
  const ObjectRef ref = ref_of(vip);
  check_name(vip.name, "name", ref, inspection);
  check_parent(Reference::vip_pool, vip.pool.uuid(), ref, inspection);
  check_endpoint(vip, ref, inspection);
  if (const Pool* pool = inspection.next().find(vip.pool)) check_placement(vip, *pool, inspection);
}

void check_vips_of(LoadBalancerId balancer, Inspection& inspection) {
  inspection.next().for_each_pool_of(balancer, [&](const Pool& pool) {
    inspection.next().for_each_vip_of(pool.id, [&](const Vip& vip) { check_reachable(vip, pool, inspection); });
  });
}

}  // namespace viaduct::topology::rules
