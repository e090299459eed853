// Views of what rules and load balancers look at.
#include <map>

#include "flows/simulation/network_views.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::Kind;
using topology::Snapshot;

uint8_t proto_of(topology::PoolProtocol protocol) {
  switch (protocol) {
    case topology::PoolProtocol::tcp:
      return ip_proto::kTcp;
    case topology::PoolProtocol::udp:
      return ip_proto::kUdp;
    case topology::PoolProtocol::sctp:
      break;
  }
  return ip_proto::kSctp;
}

// The same on every host, whatever ids the members have.
uint64_t name_hash(const MemberView& member) {
  uint64_t hash = std::hash<IpAddress>{}(member.address) ^ (uint64_t{member.port} << 48 | member.port);
  hash = (hash ^ hash >> 32) * 0xd6e8'feb8'6659'fd93ULL;
  return hash ^ hash >> 32;
}

template <class IdType>
void sort_unique(std::vector<IdType>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

// Both sides of a change of T, where there is one.
template <class T>
void for_each_side(const topology::ObjectChange& change, auto&& visit) {
  if (const T* before = as<T>(change.before)) visit(*before);
  if (const T* after = as<T>(change.after)) visit(*after);
}

}  // namespace

uint32_t tenant_hash(const std::string& name) {
  if (name.empty()) return 0;
  return static_cast<uint32_t>(std::hash<std::string>{}(name)) | 1;
}

// --- address groups --------------------------------------------------------------------------------

uint32_t& IpGroupView::count(const IpPrefix& prefix) {
  const auto length = static_cast<size_t>(prefix.length());
  return prefix.family() == IpFamily::v4 ? v4[length] : v6[length];
}

void IpGroupView::add(const topology::IpGroupAddress& address) {
  if (prefixes.contains(address.prefix)) return;
  prefixes.put(address.prefix, address.id);
  ++count(address.prefix);
}

void IpGroupView::remove(const topology::IpGroupAddress& address) {
  if (!prefixes.contains(address.prefix)) return;
  prefixes.remove(address.prefix);
  --count(address.prefix);
}

bool IpGroupView::contains(const IpAddress& address) const {
  for (int length = address.width_bits(); length >= 0; --length) {
    const auto at = static_cast<size_t>(length);
    if ((address.is_v4() ? v4[at] : v6[at]) == 0) continue;
    if (prefixes.contains(IpPrefix(address, length).network())) return true;
  }
  return false;
}

// --- load balancing --------------------------------------------------------------------------------

const MemberView* PoolView::find(const IpAddress& address, uint16_t port) const {
  const auto at = std::lower_bound(
      members.begin(), members.end(), std::tie(address, port),
      [](const MemberView& member, const auto& wanted) { return std::tie(member.address, member.port) < wanted; });
  return at != members.end() && at->address == address && at->port == port ? &*at : nullptr;
}

PoolView view_of(const topology::Pool& pool, const Snapshot& snapshot, const Locations& locations) {
  PoolView view{pool.id, pool.sticky, pool.admin_up, {}, {}};
  std::vector<std::pair<MemberView, uint32_t>> members;  // with weights
  snapshot.for_each_member_of(pool.id, [&](const topology::PoolMember& member) {
    const bool healthy = !locations.unhealthy.contains(member.id);
    const bool enabled = member.admin_up && member.weight != 0;
    members.push_back({{member.id, member.address, member.port, enabled, healthy}, member.weight});
  });
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.address, a.first.port) < std::tie(b.first.address, b.first.port);
  });
  std::vector<MaglevTable::Member> table;
  for (const auto& [member, weight] : members) {
    view.members.push_back(member);
    table.push_back({name_hash(member), member.enabled && member.healthy ? weight : 0});
  }
  view.table = MaglevTable(table);
  return view;
}

BalancerView view_of(const topology::LoadBalancer& balancer, const Snapshot& snapshot) {
  BalancerView view;
  view.id = balancer.id;
  view.admin_up = balancer.admin_up;
  std::map<IpAddress, uint32_t> vips, members;
  snapshot.for_each_pool_of(balancer.id, [&](const topology::Pool& pool) {
    snapshot.for_each_vip_of(pool.id, [&](const topology::Vip& vip) {
      view.vips.put({vip.address, vip.port, proto_of(pool.protocol)}, {vip.id, pool.id, vip.sticky, vip.admin_up});
      ++vips[vip.address];
    });
    snapshot.for_each_member_of(pool.id, [&](const topology::PoolMember& member) { ++members[member.address]; });
  });
  for (const auto& [address, count] : vips) view.vip_addresses.put(address, count);
  for (const auto& [address, count] : members) view.member_addresses.put(address, count);
  return view;
}

std::vector<PoolId> changed_pools(const topology::Delta& delta, const Moved& moved, const Snapshot& after) {
  std::vector<PoolId> pools;
  for (const auto& [ref, change] : delta.changes) {
    if (ref.kind == Kind::pool) pools.emplace_back(ref.id);
    if (ref.kind != Kind::pool_member) continue;
    for_each_side<topology::PoolMember>(change, [&](const auto& member) { pools.push_back(member.pool); });
  }
  for (PoolMemberId id : moved.members) {
    if (const auto* member = after.find(id)) pools.push_back(member->pool);
  }
  sort_unique(pools);
  return pools;
}

std::vector<LoadBalancerId> changed_balancers(const topology::Delta& delta, const Snapshot& before,
                                              const Snapshot& after) {
  std::vector<LoadBalancerId> balancers;
  const auto add = [&](PoolId id) {
    for (const Snapshot* snapshot : {&before, &after}) {
      if (const auto* pool = snapshot->find(id)) balancers.push_back(pool->load_balancer);
    }
  };
  for (const auto& [ref, change] : delta.changes) {
    if (ref.kind == Kind::load_balancer) balancers.emplace_back(ref.id);
    if (ref.kind == Kind::pool) add(PoolId(ref.id));
    if (ref.kind == Kind::pool_member) for_each_side<topology::PoolMember>(change, [&](const auto& m) { add(m.pool); });
    if (ref.kind == Kind::vip) for_each_side<topology::Vip>(change, [&](const auto& vip) { add(vip.pool); });
  }
  sort_unique(balancers);
  std::erase(balancers, LoadBalancerId{});
  return balancers;
}

}  // namespace viaduct::flows::simulation
