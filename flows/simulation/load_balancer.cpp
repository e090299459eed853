// Load balancing at a router (devices.md 1.9): what comes for a VIP goes to a member of its pool, and answers come back as
// the VIP's. Members are chosen by consistent hashing, so that every host chooses alike; a connection stays with its
// member for as long as that one is healthy.
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

struct Chosen {
  const VipView* vip = nullptr;
  const PoolView* pool = nullptr;
};

template <std::invocable F>
void note(Walk& walk, const BalancerView& balancer, F&& text) {
  walk.note(DeviceKind::load_balancer, balancer.id.uuid(), Stage::load_balancer, text);
}

void stand_at(Walk& walk, const BalancerView& balancer) { walk.at = {DeviceKind::load_balancer, balancer.id.uuid()}; }

uint64_t hash_of(const Tuple& tuple, bool sticky) {
  uint64_t hash = std::hash<IpAddress>{}(tuple.src);
  if (!sticky) hash ^= (uint64_t{tuple.src_port} << 16 | tuple.proto) * 0x9e37'79b9'7f4a'7c15ULL;
  hash = (hash ^ std::hash<IpAddress>{}(tuple.dst) * 3 ^ tuple.dst_port) * 0xff51'afd7'ed55'8ccdULL;
  return hash ^ hash >> 32;
}

// A binding to it is kept: also a member that takes nothing new goes on with what it has, unless clients stick to members
// (devices.md 1.9).
bool may_stay(const MemberView& member, bool sticky) { return member.healthy && (member.enabled || !sticky); }

ConnectionKey sticky_key(const BalancerView& balancer, const Tuple& tuple) {
  return {ConnectionKind::sticky, tuple.proto, 0, tuple.dst_port, tuple.src, tuple.dst, balancer.id.uuid()};
}

const MemberView* stuck_member(Walk& walk, const PoolView& pool, const ConnectionKey& key) {
  const auto known = find_connection(walk, key);
  if (!known) return nullptr;
  const MemberView* member = pool.find(known->address, known->port);
  if (member == nullptr || !may_stay(*member, true)) return nullptr;
  walk.verdict.touches.push_back(ConnectionUse{key, Direction::forward});
  return member;
}

const MemberView* new_member(Walk& walk, const BalancerView& balancer, const Chosen& to, const Tuple& tuple) {
  const bool sticky = to.vip->sticky || to.pool->sticky;
  const ConnectionKey stick = sticky_key(balancer, tuple);
  const MemberView* member = sticky ? stuck_member(walk, *to.pool, stick) : nullptr;
  if (member != nullptr) return member;
  const uint32_t index = to.pool->table.pick(hash_of(tuple, sticky));
  if (index == MaglevTable::kNone) return nullptr;
  member = &to.pool->members[index];
  if (sticky) {
    ConnectionEntry entry;
    entry.address = member->address;
    entry.port = member->port;
    open_connection(walk, stick, entry, Direction::forward);
  }
  return member;
}

// The VIP that the packet is for; null when it is for none.
Chosen find_vip(Walk& walk, const BalancerView& balancer, const Tuple& tuple) {
  const VipView* vip = balancer.vips.find({tuple.dst, tuple.dst_port, tuple.proto});
  if (vip == nullptr) return {};
  walk.tag(tag::device(vip->pool));
  return {vip, walk.network().pool(vip->pool)};
}

Balanced open_for(Walk& walk, const BalancerView& balancer, const Chosen& to, const Tuple& tuple) {
  const ConnectionKey key = key_of(ConnectionKind::dnat, balancer.id.uuid(), tuple);
  const bool sticky = to.vip->sticky || to.pool->sticky;
  if (const auto known = find_connection(walk, key)) {
    const MemberView* member = to.pool->find(known->address, known->port);
    if (member != nullptr && may_stay(*member, sticky)) {
      walk.verdict.touches.push_back(ConnectionUse{key, Direction::forward});
      apply_translation(walk, key, *known);
      return Balanced::done;
    }
    note(walk, balancer, [&] { return "its member " + known->address.to_string() + " has left"; });
    walk.verdict.closes.push_back(*partner_of(key, *known));
    walk.verdict.closes.push_back(key);
  }
  if (walk.quote) return Balanced::not_concerned;
  const MemberView* member = new_member(walk, balancer, to, tuple);
  if (member == nullptr) {
    stand_at(walk, balancer);
    walk.drop(DropReason::no_pool_member);
    return Balanced::failed;
  }
  ConnectionEntry entry;
  entry.address = member->address;
  entry.port = member->port;
  if (open_pair(walk, key, entry)) return Balanced::done;
  note(walk, balancer, [&] { return "the client has a connection with the same ports to that member already"; });
  stand_at(walk, balancer);
  walk.drop_once(DropReason::nat_ports_exhausted);
  return Balanced::failed;
}

}  // namespace

Balanced balance(Walk& walk, LoadBalancerId id) {
  if (id.is_nil()) return Balanced::not_concerned;
  walk.tag(tag::device(id));
  const BalancerView* balancer = walk.network().balancer(id);
  if (balancer == nullptr) return Balanced::not_concerned;
  walk.verdict.mask.add(Field::ip_dst);
  walk.tag(balanced_tag(id, walk.key.ip_dst));
  if (!balancer->vip_addresses.contains(walk.key.ip_dst)) return Balanced::not_concerned;
  const auto tuple = tuple_of(walk);
  if (!tuple) return Balanced::not_concerned;
  const Chosen to = find_vip(walk, *balancer, *tuple);
  if (to.vip == nullptr) return Balanced::not_concerned;
  note(walk, *balancer, [&] { return "VIP " + tuple->dst.to_string() + " port " + std::to_string(tuple->dst_port); });
  if (!balancer->admin_up || to.pool == nullptr || !to.pool->admin_up || !to.vip->admin_up) {
    stand_at(walk, *balancer);
    walk.drop(DropReason::load_balancer_down);
    return Balanced::failed;
  }
  return open_for(walk, *balancer, to, *tuple);
}

Balanced unbalance(Walk& walk, LoadBalancerId id) {
  const BalancerView* balancer = id.is_nil() ? nullptr : walk.network().balancer(id);
  if (balancer == nullptr) return Balanced::not_concerned;
  walk.verdict.mask.add(Field::ip_src);
  walk.tag(balanced_tag(id, walk.key.ip_src));
  const bool icmp = walk.key.ip_proto == ip_proto::kIcmp || walk.key.ip_proto == ip_proto::kIcmpv6;
  if (!icmp && !balancer->member_addresses.contains(walk.key.ip_src)) return Balanced::not_concerned;
  const auto tuple = tuple_of(walk);
  if (!tuple || !balancer->member_addresses.contains(tuple->src)) return Balanced::not_concerned;
  const ConnectionKey key = key_of(ConnectionKind::dnat_reverse, balancer->id.uuid(), *tuple);
  const auto known = find_connection(walk, key);
  if (!known) return Balanced::not_concerned;
  const Tuple as_sent{tuple->proto, tuple->dst_port, known->port, tuple->dst, known->address};
  const Chosen from = find_vip(walk, *balancer, as_sent);
  const MemberView* member = from.pool == nullptr ? nullptr : from.pool->find(tuple->src, tuple->src_port);
  const bool up =
      balancer->admin_up && from.vip != nullptr && from.vip->admin_up && from.pool != nullptr && from.pool->admin_up;
  if (!up || member == nullptr || !may_stay(*member, from.vip->sticky || from.pool->sticky)) {
    stand_at(walk, *balancer);
    walk.drop(up ? DropReason::no_pool_member : DropReason::load_balancer_down);
    return Balanced::failed;
  }
  walk.verdict.touches.push_back(ConnectionUse{*partner_of(key, *known), Direction::back});
  apply_translation(walk, key, *known);
  return Balanced::done;
}

}  // namespace viaduct::flows::simulation
