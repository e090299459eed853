#include "random_changes.hpp"

namespace viaduct::scenario {

using topology::Kind;
using topology::NextHop;
using topology::Object;

namespace {

const std::vector<std::string> kAddresses = {"10.66.0.1/24", "fd66::1/64", "10.0.9.2/24"};
const std::vector<std::string> kDestinations = {"0.0.0.0/0",   "::/0",        "10.66.0.0/16",  "10.0.2.0/24",
                                                "10.0.2.3/32", "10.0.3.0/24", "fd00:2::/64",   "fd00:3::5/128",
                                                "fd00:8::/64", "8.8.8.8/32",  "10.0.2.254/32", "10.0.1.255/32"};
const std::vector<std::string> kGateways = {"10.0.9.254", "10.12.0.2",   "10.12.0.1", "10.0.2.253",
                                            "10.0.8.254", "fd00:9::254", "fd12::2",   "fd12::1"};
const std::vector<std::string> kHosts = {"10.0.1.1", "10.0.1.2", "10.0.2.3", "10.0.2.4", "fd00:1::2", "fd00:2::3"};

MacAddress guest(int number) { return MacAddress::from_uint64(0x0200'0000'0000 + static_cast<uint64_t>(number)); }

}  // namespace

RandomChanges::RandomChanges(std::mt19937_64& random, ScenarioNetwork& net, std::vector<std::string> exterior)
    : random_(random), net_(net), exterior_(std::move(exterior)) {}

void RandomChanges::change() {
  if (chance(10)) return change_learned();
  if (net_.hosts().count() > 1 && chance(40)) return change_hosts();
  const uint64_t before = net_.snapshot().revision();
  for (int i = 0; i < 6 && net_.snapshot().revision() == before; ++i) attempt();
}

void RandomChanges::attempt() {
  if (chance(35)) {
    switch (roll(6)) {
      case 0:
        return change_filter();
      case 1:
        return change_group();
      case 2:
        return change_balancing();
      case 3:
        return change_rule();
      default:
        return create_rule();
    }
  }
  switch (roll(16)) {
    case 0:
    case 1:
      return switch_admin_state();
    case 2:
    case 3:
      return change_binding();
    case 4:
      return erase();
    case 5:
    case 6:
      return restore();
    case 7:
    case 8:
    case 9:
      return change_port();
    case 10:
      return create_route();
    case 11:
    case 12:
      return change_route();
    case 13:
      return change_static_neighbour();
    default:
      return change_static_mac();
  }
}

std::vector<Object> RandomChanges::all(Kind kind) const {
  std::vector<Object> found;
  net_.snapshot().for_each(kind, [&](const Object& object) { found.push_back(object); });
  std::sort(found.begin(), found.end(),
            [](const Object& a, const Object& b) { return topology::id_of(a) < topology::id_of(b); });
  return found;
}

template <class T>
std::optional<T> RandomChanges::any() {
  const std::vector<Object> found = all(topology::ref_of(T{}).kind);
  return found.empty() ? std::nullopt : std::optional(std::get<T>(any_of(found)));
}

bool RandomChanges::commit(Operations operations) {
  auto result = topology::build(net_.snapshot(), std::move(operations), net_.snapshot().revision() + 1);
  if (result.ok()) net_.replace(result.next);
  return result.ok();
}

void RandomChanges::erase() {
  static const std::vector<Kind> kinds = {
      Kind::bridge,           Kind::router,           Kind::port,  Kind::port,       Kind::port, Kind::route,
      Kind::static_mac,       Kind::static_neighbour, Kind::chain, Kind::rule,       Kind::rule, Kind::rule,
      Kind::ip_group_address, Kind::port_group_port,  Kind::vip,   Kind::pool_member};
  const std::vector<Object> candidates = all(any_of(kinds));
  if (removed_.size() >= 2) return restore();
  if (candidates.empty()) return;
  const auto result = topology::build(net_.snapshot(), {topology::Erase{topology::ref_of(any_of(candidates))}},
                                      net_.snapshot().revision() + 1);
  if (!result.ok()) return;
  Operations back;
  for (const auto& [ref, change] : result.delta.changes) {
    if (change.after == nullptr) back.push_back(topology::Create{*change.before});
  }
  removed_.push_back(std::move(back));
  net_.replace(result.next);
}

void RandomChanges::restore() {
  if (removed_.empty()) return;
  Operations back = std::move(removed_.back());
  removed_.pop_back();
  // Objects that name what another deletion took cannot come back before it: they are given up.
  if (commit(back)) return;
  for (topology::Operation& one : back) commit({std::move(one)});
}

void RandomChanges::switch_admin_state() {
  const auto flip = [&](auto object) {
    if (!object) return;
    object->admin_up = !object->admin_up || chance(30);
    update(*object);
  };
  // Mostly up: a network that is down teaches little.
  for (Kind kind : {Kind::port, Kind::bridge, Kind::router}) {
    for (Object& object : all(kind)) {
      const bool down = std::visit(
          [](const auto& value) {
            if constexpr (requires { value.admin_up; }) return !value.admin_up;
            return false;
          },
          object);
      if (!down || chance(50)) continue;
      net_.set(topology::name_of(object), ScenarioNetwork::Admin::up);
      return;
    }
  }
  const int dice = roll(10);
  if (dice < 7) {
    flip(any<topology::Port>());
  } else if (dice < 8) {
    flip(any<topology::Bridge>());
  } else {
    flip(any<topology::Router>());
  }
}

void RandomChanges::change_binding() {
  const std::string& name = any_of(exterior_);
  const int dice = roll(10);
  if (dice < 3) {
    net_.deactivate(name);
  } else if (dice < 8) {
    net_.activate(name);
  } else {
    net_.renumber(name);
  }
}

void RandomChanges::change_learned() {
  const std::vector<std::string> uplinks = {"up1", "up2"};
  const std::string& port = any_of(uplinks);
  const std::string& gateway = any_of(kGateways);
  switch (roll(5)) {
    case 4:
      return void(net_.speak("up1", "s1", chance(40) ? std::vector<std::string>{} : std::vector{gateway}));
    case 0:
      return void(net_.lose_gateway(port, gateway));
    case 1:
      return void(net_.find_gateway(port, gateway));
    default: {
      std::vector<std::string> prefixes;
      const bool v6 = gateway.find(':') != std::string::npos;
      const auto part = static_cast<uint16_t>(roll(2));  // a prefix is in one only
      for (size_t i = part; i < kDestinations.size(); i += 2) {
        const bool is_v6 = kDestinations[i].find(':') != std::string::npos;
        if (is_v6 == v6 && chance(60)) prefixes.push_back(kDestinations[i]);
      }
      net_.learn(port, gateway, prefixes, part);
    }
  }
}

void RandomChanges::change_hosts() {
  static const std::vector<uint16_t> mtus = {0, 1300, 1400, 600};
  ScenarioHosts& hosts = net_.change_hosts();
  const std::string& name = any_of(exterior_);
  const std::pair<int, int> way{roll(hosts.count()), roll(hosts.count())};
  switch (roll(10)) {
    case 0:
    case 1:
    case 2:
      return void(net_.move(name, roll(hosts.count())));
    case 3:
      return void(net_.claim(name, roll(hosts.count())));
    case 4:
      return hosts.rekey(net_.id(name));
    case 5: {
      const auto bridge = any<topology::Bridge>();
      return bridge ? hosts.rekey(bridge->id.uuid()) : void();
    }
    case 6:
      if (hosts.cut.erase(way) == 0) hosts.cut.insert(way);
      return;
    case 7:
      hosts.alive = !hosts.alive;
      return;
    case 8:
      hosts.copy_dscp = !hosts.copy_dscp;
      return;
    default:
      hosts.path_mtus[way] = any_of(mtus);
  }
}

void RandomChanges::change_port() {
  auto port = any<topology::Port>();
  if (!port) return;
  const int dice = roll(10);
  if (dice < 2) {
    relink(*port);
  } else if (dice < 4 && port->is_exterior()) {
    port->host = HostId{};
    port->interface.clear();
    update(*port);
  } else if (!port->is_exterior() && !port->is_interior() && net_.number(port->name)) {
    port->host = std::get<topology::Host>(any_of(all(Kind::host))).id;
    port->interface = "if-" + port->name;
    update(*port);
  } else if (port->on_router()) {
    change_router_port(*port);
  }
}

void RandomChanges::change_router_port(topology::Port port) {
  switch (roll(5)) {
    case 0:
      port.mac = MacAddress::from_uint64(port.mac.as_uint64() ^ 0x100);
      break;
    case 1:
      port.mtu = chance(50) ? 0 : 1300;
      break;
    case 2:
      if (!port.addresses.empty())
        port.addresses.erase(port.addresses.begin() + roll(static_cast<int>(port.addresses.size())));
      break;
    case 3:  // what a guest had until now
      if (!port.addresses.empty()) port.addresses.front() = prefix(chance(50) ? "10.0.2.3/24" : "10.0.2.4/24");
      break;
    default:
      port.addresses.push_back(prefix(any_of(kAddresses)));
  }
  update(std::move(port));
}

void RandomChanges::relink(topology::Port port) {
  if (port.is_exterior()) return;
  if (port.is_interior()) {
    port.peer = PortId{};
    return update(std::move(port));
  }
  for (const Object& object : all(Kind::port)) {
    const auto& other = std::get<topology::Port>(object);
    if (other.id == port.id || other.is_exterior() || other.is_interior()) continue;
    port.peer = other.id;
    if (commit({topology::Update{port}})) return;
  }
}

void RandomChanges::create_route() {
  if (all(Kind::route).size() > 16) return;
  const auto port = any<topology::Port>();
  const auto router = any<topology::Router>();
  if (!port || !router) return;
  topology::Route route;
  route.router = port->on_router() ? port->router : router->id;
  route.destination = prefix(any_of(kDestinations));
  route.source = IpPrefix::any(route.destination.family());
  if (chance(10) && route.destination.family() == IpFamily::v4) route.source = prefix("10.0.1.0/24");
  route.next_hop = any_of(std::vector{NextHop::port, NextHop::local, NextHop::blackhole, NextHop::reject});
  if (port->on_router()) route.next_hop = NextHop::port;
  if (route.next_hop == NextHop::port) {
    route.next_hop_port = port->id;
    if (chance(80)) route.gateway = ip(any_of(kGateways));
  }
  // Not by the builder's own chance: a seed has to give the same walk again.
  route.id = RouteId(Uuid::from_words(random_(), random_()));
  commit({topology::Create{route}});
}

void RandomChanges::change_route() {
  auto route = any<topology::Route>();
  if (!route) return;
  switch (roll(5)) {
    case 0:
      route->weight = chance(50) ? 100 : 50;
      break;
    case 1:
      route->gateway = ip(any_of(kGateways));
      break;
    case 2:
      route->destination = prefix(any_of(kDestinations));
      route->source = IpPrefix::any(route->destination.family());
      break;
    case 3: {
      const auto port = any<topology::Port>();
      route->next_hop = NextHop::port;
      route->next_hop_port = port->id;
      if (chance(50)) route->gateway.reset();
      break;
    }
    default:
      route->next_hop = any_of(std::vector{NextHop::local, NextHop::blackhole, NextHop::reject});
      route->next_hop_port = PortId{};
      route->gateway.reset();
  }
  update(*route);
}

void RandomChanges::change_static_mac() {
  auto known = any<topology::StaticMac>();
  const auto port = any<topology::Port>();
  if (known && chance(30)) return void(commit({topology::Erase{topology::ref_of(*known)}}));
  if (!port || !port->on_bridge()) return;
  topology::StaticMac entry = known && chance(60) ? *known : topology::StaticMac{};
  const bool fresh = entry.id.is_nil();
  if (fresh) entry.id = StaticMacId(Uuid::from_words(random_(), random_()));
  if (fresh || chance(30)) entry.mac = guest(1 + roll(5));
  if (fresh || entry.bridge == port->bridge) entry.port = port->id;
  if (fresh) entry.bridge = port->bridge;
  fresh ? void(commit({topology::Create{entry}})) : update(entry);
}

void RandomChanges::change_static_neighbour() {
  auto known = any<topology::StaticNeighbour>();
  const auto bridge = any<topology::Bridge>();
  if (known && chance(30)) return void(commit({topology::Erase{topology::ref_of(*known)}}));
  if (!bridge) return;
  topology::StaticNeighbour entry = known && chance(60) ? *known : topology::StaticNeighbour{};
  const bool fresh = entry.id.is_nil();
  if (fresh) entry.id = StaticNeighbourId(Uuid::from_words(random_(), random_()));
  if (fresh) entry.bridge = bridge->id;
  if (fresh || chance(40)) entry.address = ip(any_of(kHosts));
  if (fresh || chance(40)) entry.mac = guest(1 + roll(5));
  fresh ? void(commit({topology::Create{entry}})) : update(entry);
}

}  // namespace viaduct::scenario
