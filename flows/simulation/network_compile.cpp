// From topology objects to views, one object at a time.
#include "flows/simulation/network.hpp"
#include "flows/simulation/network_views.hpp"

namespace viaduct::flows::simulation {

namespace {

using routing::FibEntry;
using topology::NextHop;

// The same port and prefix always give the same id, so that the route's tag means the same in every network.
RouteId derived_route_id(PortId port, const IpPrefix& prefix, NextHop kind) {
  const uint64_t seed = std::hash<IpPrefix>{}(prefix)*2 + (kind == NextHop::local ? 1 : 0);
  const uint64_t mixed = (seed ^ seed >> 31) * 0x9e37'79b9'7f4a'7c15ULL;
  return RouteId(Uuid::from_words(port.uuid().high() ^ mixed, port.uuid().low() + (mixed ^ mixed >> 29)));
}

FibEntry own_route(const PortView& port, const IpPrefix& destination, NextHop kind) {
  FibEntry entry;
  entry.id = derived_route_id(port.id, destination, kind);
  entry.source = IpPrefix::any(destination.family());
  entry.destination = destination;
  entry.kind = kind;
  entry.port = port.id;
  entry.weight = 0;
  return entry;
}

void sort_unique(std::vector<PortId>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

bool PortView::has_address(const IpAddress& address) const {
  if (link_local == address) return true;
  return std::any_of(addresses.begin(), addresses.end(), [&](const IpPrefix& own) { return own.address() == address; });
}

bool PortView::on_link(const IpAddress& address) const {
  if (link_local && is_link_local_v6(address)) return true;
  return std::any_of(addresses.begin(), addresses.end(), [&](const IpPrefix& own) { return own.contains(address); });
}

std::optional<IpAddress> PortView::source_for(const IpAddress& destination) const {
  if (link_local && is_link_local_v6(destination)) return link_local;
  std::optional<IpAddress> any;
  for (const IpPrefix& own : addresses) {
    if (own.family() != destination.family() || is_link_local_v6(own.address())) continue;
    if (own.contains(destination)) return own.address();
    if (!any) any = own.address();
  }
  return any || destination.is_v4() ? any : link_local;
}

namespace {
std::vector<PortId> siblings_of(const PortView& port, const topology::Snapshot& snapshot) {
  std::vector<PortId> out;
  for (PortGroupId id : port.groups) {
    const topology::PortGroup* group = snapshot.find(id);
    if (group == nullptr || !group->stateful) continue;
    snapshot.for_each_port_of(id, [&](const topology::PortGroupPort& member) {
      if (member.port != port.id) out.push_back(member.port);
    });
  }
  sort_unique(out);
  return out;
}

void add_members(const topology::Snapshot& snapshot, PortGroupId group, std::vector<PortId>& ports) {
  const topology::PortGroup* known = snapshot.find(group);
  if (known == nullptr || !known->stateful) return;
  snapshot.for_each_port_of(group, [&](const topology::PortGroupPort& member) { ports.push_back(member.port); });
}
}  // namespace

PortView view_of(const topology::Port& port, const Locations& locations, const topology::Snapshot& snapshot) {
  PortView view;
  view.id = port.id;
  view.name = port.name;
  view.device = port.on_bridge() ? PortDevice::bridge : PortDevice::router;
  view.device_id = port.device();
  view.admin_up = port.admin_up;
  view.exterior = port.is_exterior();
  view.host = port.host;
  view.peer = port.peer;
  view.inbound_filter = port.inbound_filter;
  view.outbound_filter = port.outbound_filter;
  snapshot.for_each_port_group_of(port.id,
                                  [&](const topology::PortGroupPort& member) { view.groups.push_back(member.group); });
  std::sort(view.groups.begin(), view.groups.end());
  view.siblings = siblings_of(view, snapshot);
  view.mac = port.mac;
  view.addresses = port.addresses;
  view.mtu = port.mtu;
  const PortNumber* number = view.exterior ? locations.bindings.find(port.id) : nullptr;
  if (number != nullptr) view.number = *number;
  const Speaker* speaker = number != nullptr && !view.on_bridge() ? locations.speakers.find(port.id) : nullptr;
  if (speaker != nullptr) view.speaker = *speaker;
  const RemotePort* remote = view.exterior && number == nullptr ? locations.remote.find(port.id) : nullptr;
  // Who claims a port that is bound to another host is not believed.
  if (remote != nullptr && remote->host == port.host) {
    view.remote = *remote;
    const TunnelPath* path = locations.paths.find(remote->host);
    view.silent = !view.on_bridge() && path != nullptr && !path->alive;
  }
  for (const IpPrefix& own : port.addresses) {
    if (own.family() == IpFamily::v6) view.link_local = IpAddress::link_local_of(port.mac);
  }
  return view;
}

std::optional<BridgeShare> share_of(const NetworkData& network, PortId bridge_port) {
  const PortView* port = network.port(bridge_port);
  if (port == nullptr || port->device != PortDevice::bridge) return std::nullopt;
  BridgeShare share;
  share.bridge = BridgeId(port->device_id);
  if (port->exterior && port->admin_up) share.flood = port->number;
  const PortView* peer = port->peer.is_nil() ? nullptr : network.port(port->peer);
  if (peer != nullptr && peer->device == PortDevice::router) {
    share.link = RouterLink{port->id, peer->id, peer->mac};
    for (const IpPrefix& own : peer->addresses) share.addresses.push_back(own.address());
    if (peer->link_local) share.addresses.push_back(*peer->link_local);
  }
  return share;
}

std::vector<FibEntry> own_routes(const PortView& port) {
  std::vector<FibEntry> entries;
  if (port.device != PortDevice::router || !port.publishes_routes()) return entries;
  for (const IpPrefix& own : port.addresses) {
    // Link-local addresses mean something on their link only (RFC 4291 2.5.6): router.cpp asks the port for them.
    if (is_link_local_v6(own.address())) continue;
    entries.push_back(own_route(port, IpPrefix::host(own.address()), NextHop::local));
    if (!own.is_host()) entries.push_back(own_route(port, own.network(), NextHop::port));
  }
  return entries;
}

const LearnedAtPort* learned_at(const NetworkData& network, PortId id) {
  const LearnedByHost* learned = network.locations.learned.find(id);
  const PortView* port = learned == nullptr ? nullptr : network.port(id);
  if (port == nullptr || port->device != PortDevice::router || !port->exterior) return nullptr;
  const auto said = learned->find(port->host);
  return said == learned->end() ? nullptr : said->second.get();
}

routing::NextHops next_hops_of(const NetworkData& network, PortId id) {
  const PortView* port = network.port(id);
  if (port == nullptr || port->device != PortDevice::router) return {};
  const LearnedAtPort* learned = learned_at(network, id);
  return {port->route_standing(), learned == nullptr ? std::vector<IpAddress>{} : learned->lost};
}

FibEntry learned_route(PortId port, const IpPrefix& destination, const LearnedPart& part) {
  constexpr uint32_t kExternalDistance = 20;  // of external BGP, as routers have it by default: before stored routes
  FibEntry entry;
  // Of each part its own, though a prefix should be in one only: where it is in two for a moment, one may go.
  const uint64_t by = LearnedPartHash{}(part);
  const Uuid id = derived_route_id(port, destination, NextHop::port).uuid();
  entry.id = RouteId(Uuid::from_words(id.high() ^ by, id.low() + by));
  entry.source = IpPrefix::any(destination.family());
  entry.destination = destination;
  entry.kind = NextHop::port;
  entry.port = port;
  entry.gateway = part.gateway;
  entry.weight = kExternalDistance;
  return entry;
}

void for_each_learned_change(const LearnedAtPort* before, const LearnedAtPort* after, const LearnedChange& visit) {
  using Parts = decltype(LearnedAtPort::parts);
  using Part = std::shared_ptr<const topology::LearnedRoutes>;
  static const std::vector<IpPrefix> kNone;
  const auto changed = [&](const LearnedPart& key, const Part* old, const Part* now, bool added) {
    const std::vector<IpPrefix>& from = old == nullptr ? kNone : (*old)->prefixes;
    const std::vector<IpPrefix>& to = now == nullptr ? kNone : (*now)->prefixes;
    const auto& [more, less] = added ? std::tie(to, from) : std::tie(from, to);
    auto other = less.begin();
    for (const IpPrefix& prefix : more) {
      while (other != less.end() && *other < prefix) ++other;
      if (other == less.end() || *other != prefix) visit(prefix, key, added);
    }
  };
  const Parts none;
  const Parts& old = before == nullptr ? none : before->parts;
  const Parts& now = after == nullptr ? none : after->parts;
  // What goes first, so that a prefix may move between parts.
  for (const bool added : {false, true}) {
    Parts::diff(old, now, [&](const LearnedPart& key, const Part* a, const Part* b) { changed(key, a, b, added); });
  }
}

std::optional<FibEntry> entry_of(const topology::Route& route, const NetworkData& network) {
  FibEntry entry{route.id,      route.source, route.destination, route.next_hop, route.next_hop_port,
                 route.gateway, route.weight};
  if (route.next_hop != NextHop::port) return entry;
  const PortView* port = network.port(route.next_hop_port);
  if (port == nullptr || port->device_id != route.router.uuid()) return std::nullopt;
  return entry;
}

std::vector<PortId> changed_ports(const topology::Delta& delta, const Moved& moved, const topology::Snapshot& before,
                                  const topology::Snapshot& after) {
  std::vector<PortId> ports = moved.ports;
  for (HostId host : moved.hosts) {  // its uplinks may be silent now, or not any more
    after.for_each_port_bound_to(host, [&](const topology::Port& port) {
      if (port.on_router()) ports.push_back(port.id);
    });
  }
  const auto member = [&](const topology::PortGroupPort* of, const topology::Snapshot& then) {
    if (of == nullptr) return;
    ports.push_back(of->port);
    add_members(then, of->group, ports);
  };
  for (const auto& [ref, change] : delta.changes) {
    if (ref.kind == topology::Kind::port) ports.emplace_back(ref.id);
    if (ref.kind == topology::Kind::port_group) {
      add_members(before, PortGroupId(ref.id), ports);
      add_members(after, PortGroupId(ref.id), ports);
    }
    if (ref.kind != topology::Kind::port_group_port) continue;
    member(as<topology::PortGroupPort>(change.before), before);
    member(as<topology::PortGroupPort>(change.after), after);
  }
  sort_unique(ports);
  return ports;
}

std::vector<PortId> changed_shares(const std::vector<PortId>& ports, const NetworkData& before,
                                   const NetworkData& after) {
  std::vector<PortId> shares = ports;
  for (PortId id : ports) {
    for (const NetworkData* network : {&before, &after}) {
      const PortView* port = network->port(id);
      if (port != nullptr && !port->peer.is_nil()) shares.push_back(port->peer);
    }
  }
  sort_unique(shares);
  return shares;
}

}  // namespace viaduct::flows::simulation
