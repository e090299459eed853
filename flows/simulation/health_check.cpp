// Health checks on their way: probes out of the balancer's router, answers in (flows/health).
//
// A router is everywhere, and one host checks: probes leave the router there; answers arrive where the member is, and are
// told to that host. The router's rules, translations and balancing concern neither. All other devices' do: a member that
// its own firewall shuts off is not healthy.
#include "flows/simulation/health_check.hpp"

#include <algorithm>

#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::NextHop;

bool has_member(const Network& network, PoolId id, const IpAddress& address) {
  const PoolView* pool = network.pool(id);
  return pool != nullptr && std::any_of(pool->members.begin(), pool->members.end(),
                                        [&](const MemberView& member) { return member.address == address; });
}

// Several pools may have the member, and each its own checker: all of them hear it, one has asked.
void add_checkers(Walk& walk, LoadBalancerId balancer, CheckAnswer& out) {
  const NetworkData& data = walk.network().data();
  data.snapshot.for_each_pool_of(balancer, [&](const topology::Pool& pool) {
    const HostId* checker = data.locations.checkers.find(pool.id);
    if (checker == nullptr || !has_member(walk.network(), pool.id, out.answer.from)) return;
    if (checker->is_nil()) {
      out.here = true;
      return;
    }
    const TunnelPath* path = data.locations.paths.find(*checker);
    if (path == nullptr || !path->port) return;
    const TunnelOutput to{path->port, {health::kAnswerKey, path->src, path->dst}, health::kAnswerTos};
    if (std::find(out.others.begin(), out.others.end(), to) == out.others.end()) out.others.push_back(to);
  });
}

std::optional<health::Answer> read_answer(const Walk& walk, RouterId router) {
  std::vector<uint8_t> frame = walk.current_frame();
  return health::parse_answer(parse(frame, {}, walk.input.packet.offload), router);
}

const PortView* refuse(Walk& walk, const RouterView& router) {
  if (auto answer = health::no_neighbour_for(walk.input.packet, router.id)) {
    walk.verdict.check_answer = CheckAnswer{std::move(*answer), true};
  }
  return walk.drop_once(DropReason::next_hop_unresolved);
}

}  // namespace

bool take_check_answer(Walk& walk, const RouterView& router) {
  if (router.load_balancer.is_nil()) return false;
  walk.tag(tag::device(router.load_balancer));
  const BalancerView* balancer = walk.network().balancer(router.load_balancer);
  if (balancer == nullptr) return false;
  walk.tag(balanced_tag(balancer->id, walk.key.ip_src));
  if (!balancer->member_addresses.contains(walk.key.ip_src)) return false;
  walk.verdict.mask.add({Field::l4_src, Field::l4_dst});
  if (!health::may_be_answer(walk.key)) return false;
  const routing::FibEntry* entry = choose_route(walk, router, walk.key.ip_src, walk.key.ip_dst);
  if (entry == nullptr || entry->kind != NextHop::local) return false;
  walk.only_this_packet();
  auto answer = read_answer(walk, router.id);
  if (!answer || is_translated(walk, router.id.uuid())) return false;
  CheckAnswer out{std::move(*answer)};
  add_checkers(walk, balancer->id, out);
  if (!out.here && out.others.empty()) return false;
  walk.note_device(Stage::local_delivery, [&] {
    return std::string("answer to a health check") + (out.here ? ", of this host" : ", of another host");
  });
  walk.verdict.check_answer = std::move(out);
  walk.consume(DropReason::consumed_by_router);
  return true;
}

bool is_check(const Walk& walk) { return walk.input.packet.key.eth_dst == MacAddress{}; }

const PortView* send_check(Walk& walk, const RouterView& router) {
  walk.at = {DeviceKind::router, router.id.uuid()};
  const routing::FibEntry* entry = choose_route(walk, router, walk.key.ip_src, walk.key.ip_dst);
  const PortView* out = entry == nullptr || entry->kind != NextHop::port ? nullptr : walk.network().port(entry->port);
  if (out == nullptr || !router.admin_up) return refuse(walk, router);
  const IpAddress next_hop = entry->gateway.value_or(walk.key.ip_dst);
  walk.out = out;
  walk.next_hop = next_hop;
  const NextHopAnswer answer = resolve_next_hop(walk, router, *out, next_hop);
  if (answer.kind == NextHopAnswer::Kind::wanted) return walk.park(NeighbourWanted{router.id, out->id, next_hop});
  if (answer.kind == NextHopAnswer::Kind::unreachable) return refuse(walk, router);
  walk.key.eth_src = out->mac;
  walk.key.eth_dst = answer.mac;
  walk.rewritten = true;
  return out;
}

std::optional<CheckWay> way_to_member(const Network& network, RouterId id, const IpAddress& member) {
  const RouterView* router = network.router(id);
  if (router == nullptr) return std::nullopt;
  const routing::FibMatch match = router->fib.lookup(IpAddress::any(member.family()), member, 0);
  if (match.entry == nullptr || match.entry->kind != NextHop::port) return std::nullopt;
  const PortView* port = network.port(match.entry->port);
  const auto source = port == nullptr ? std::nullopt : port->source_for(match.entry->gateway.value_or(member));
  if (!source) return std::nullopt;
  return CheckWay{port->id, port->mac, *source};
}

}  // namespace viaduct::flows::simulation
