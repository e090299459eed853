#include "scenario_network.hpp"

#include <algorithm>
#include <stdexcept>

namespace viaduct::scenario {

using topology::Kind;
using topology::Object;

namespace {

template <class T>
T parsed(std::string_view text) {
  auto value = T::parse(text);
  if (!value) throw std::invalid_argument("not an address: " + std::string(text));
  return *value;
}

}  // namespace

MacAddress mac(std::string_view text) { return parsed<MacAddress>(text); }
IpAddress ip(std::string_view text) { return parsed<IpAddress>(text); }
IpPrefix prefix(std::string_view text) { return parsed<IpPrefix>(text); }

Uuid ScenarioNetwork::make_id(const std::string& name) {
  if (names_.count(name) != 0) throw std::invalid_argument("named twice: " + name);
  // Spread like real ids, so that tests do not depend on an order that only small numbers have.
  ++ids_;
  return Uuid::from_words(0x9e37'79b9'7f4a'7c15ULL * ids_, ids_);
}

void ScenarioNetwork::commit(Object object) {
  const uint64_t revision = snapshot_.revision() + 1;
  std::visit([&](auto& value) { value.revision = revision; }, object);
  snapshot_ = snapshot_.with(std::make_shared<const Object>(std::move(object))).at_revision(revision);
}

ScenarioNetwork& ScenarioNetwork::put(Object object) {
  const std::string name = topology::name_of(object);
  if (!name.empty()) names_[name] = topology::ref_of(object);
  commit(std::move(object));
  return *this;
}

Uuid ScenarioNetwork::id(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) throw std::invalid_argument("nothing is called " + name);
  return found->second.id;
}

flows::PortNumber ScenarioNetwork::number(const std::string& port) const {
  const auto found = numbers_.find(port);
  return found == numbers_.end() ? flows::PortNumber{} : found->second;
}

std::string ScenarioNetwork::name_of(flows::PortNumber number) const {
  for (const auto& [name, known] : numbers_) {
    if (known == number) return name;
  }
  return "port " + std::to_string(number.value);
}

ScenarioNetwork& ScenarioNetwork::bridge(const std::string& name) {
  topology::Bridge bridge;
  bridge.id = BridgeId(make_id(name));
  bridge.name = name;
  return put(bridge);
}

ScenarioNetwork& ScenarioNetwork::router(const std::string& name) {
  topology::Router router;
  router.id = RouterId(make_id(name));
  router.name = name;
  last_router_ = name;
  return put(router);
}

ScenarioNetwork& ScenarioNetwork::bind(topology::Port port) {
  port.host = ScenarioHosts::id(hosts_.add(port.id));
  port.interface = "if-" + port.name;
  const flows::PortNumber number{++last_number_};
  numbers_[port.name] = number;
  locations_.bindings = locations_.bindings.insert(port.id, number);
  return put(port);
}

ScenarioNetwork& ScenarioNetwork::guest_port(const std::string& bridge, const std::string& name) {
  topology::Port port;
  port.id = PortId(make_id(name));
  port.name = name;
  port.bridge = BridgeId(id(bridge));
  return bind(port);
}

topology::Port ScenarioNetwork::router_port(const std::string& router, const std::string& name,
                                            const std::string& mac_text, const Addresses& addresses) {
  topology::Port port;
  port.id = PortId(make_id(name));
  port.name = name;
  port.router = RouterId(id(router));
  port.mac = mac(mac_text);
  for (const std::string& address : addresses) port.addresses.push_back(prefix(address));
  return port;
}

ScenarioNetwork& ScenarioNetwork::uplink(const std::string& router, const std::string& name, const std::string& mac,
                                         const Addresses& addresses) {
  return bind(router_port(router, name, mac, addresses));
}

ScenarioNetwork& ScenarioNetwork::link(const std::string& bridge, const std::string& name, const std::string& mac,
                                       const Addresses& addresses) {
  topology::Port far = router_port(last_router_, name, mac, addresses);
  topology::Port near;
  near.name = bridge + "-" + name;
  near.id = PortId(make_id(near.name));
  near.bridge = BridgeId(id(bridge));
  near.peer = far.id;
  far.peer = near.id;
  return put(near).put(far);
}

ScenarioNetwork& ScenarioNetwork::link_routers(const End& a, const End& b) {
  topology::Port left = router_port(a.router, a.port, a.mac, a.addresses);
  topology::Port right = router_port(b.router, b.port, b.mac, b.addresses);
  left.peer = right.id;
  right.peer = left.id;
  return put(left).put(right);
}

ScenarioNetwork& ScenarioNetwork::route(const std::string& name, const std::string& router,
                                        const std::string& destination, const std::string& port,
                                        const std::string& gateway, uint32_t weight) {
  topology::Route route;
  route.id = RouteId(make_id(name));
  route.router = RouterId(id(router));
  route.destination = prefix(destination);
  route.source = IpPrefix::any(route.destination.family());
  route.next_hop_port = PortId(id(port));
  if (!gateway.empty()) route.gateway = ip(gateway);
  route.weight = weight;
  names_[name] = {Kind::route, route.id.uuid()};
  return put(route);
}

ScenarioNetwork& ScenarioNetwork::special_route(const std::string& name, const std::string& router,
                                                const std::string& destination, topology::NextHop kind) {
  topology::Route route;
  route.id = RouteId(make_id(name));
  route.router = RouterId(id(router));
  route.destination = prefix(destination);
  route.source = IpPrefix::any(route.destination.family());
  route.next_hop = kind;
  names_[name] = {Kind::route, route.id.uuid()};
  return put(route);
}

ScenarioNetwork& ScenarioNetwork::static_mac(const std::string& bridge, const std::string& mac_text,
                                             const std::string& port) {
  topology::StaticMac entry;
  const std::string name = bridge + " " + mac_text;
  entry.id = StaticMacId(make_id(name));
  entry.bridge = BridgeId(id(bridge));
  entry.mac = mac(mac_text);
  entry.port = PortId(id(port));
  names_[name] = {Kind::static_mac, entry.id.uuid()};
  return put(entry);
}

ScenarioNetwork& ScenarioNetwork::static_neighbour(const std::string& bridge, const std::string& address,
                                                   const std::string& mac_text) {
  topology::StaticNeighbour entry;
  const std::string name = bridge + " " + address;
  entry.id = StaticNeighbourId(make_id(name));
  entry.bridge = BridgeId(id(bridge));
  entry.address = ip(address);
  entry.mac = mac(mac_text);
  names_[name] = {Kind::static_neighbour, entry.id.uuid()};
  return put(entry);
}

ScenarioNetwork& ScenarioNetwork::set(const std::string& name, Admin state) {
  Object object = *snapshot_.find(names_.at(name));
  std::visit(
      [&](auto& value) {
        if constexpr (requires { value.admin_up; }) value.admin_up = state == Admin::up;
      },
      object);
  return put(object);
}

ScenarioNetwork& ScenarioNetwork::set_mtu(const std::string& port, uint16_t mtu) {
  Object object = *snapshot_.find(names_.at(port));
  std::get<topology::Port>(object).mtu = mtu;
  return put(object);
}

ScenarioNetwork& ScenarioNetwork::remove(const std::string& name) {
  snapshot_ = snapshot_.without(names_.at(name)).at_revision(snapshot_.revision() + 1);
  names_.erase(name);
  return *this;
}

ScenarioNetwork& ScenarioNetwork::deactivate(const std::string& port) {
  locations_.bindings = locations_.bindings.erase(PortId(id(port)));
  return *this;
}

ScenarioNetwork& ScenarioNetwork::renumber(const std::string& port) {
  numbers_.at(port) = flows::PortNumber{++last_number_};
  return locations_.bindings.find(PortId(id(port))) == nullptr ? *this : activate(port);
}

ScenarioNetwork& ScenarioNetwork::replace(const topology::Snapshot& snapshot) {
  snapshot_ = snapshot;
  return *this;
}

ScenarioNetwork& ScenarioNetwork::activate(const std::string& port) {
  locations_.bindings = locations_.bindings.insert(PortId(id(port)), number(port));
  return *this;
}

ScenarioNetwork& ScenarioNetwork::spread(int hosts) {
  for (int host = 0; host < hosts; ++host) put(ScenarioHosts::object(host));
  hosts_.set_count(hosts);
  for (const auto& [name, number] : numbers_) {
    if (names_.count(name) != 0) move(name, hosts_.host_of(port(name)));
  }
  for (const auto& [speaker, name] : speakers_) hosts_.place(port(speaker), hosts_.host_of(port(name)));
  return *this;
}

ScenarioNetwork& ScenarioNetwork::move(const std::string& name, int host) {
  claim(name, host);
  const topology::Port* known = snapshot_.find(port(name));
  if (known == nullptr || !known->is_exterior()) return *this;
  topology::Port moved = *known;
  moved.host = ScenarioHosts::id(host);
  return put(moved);
}

ScenarioNetwork& ScenarioNetwork::claim(const std::string& name, int host) {
  hosts_.place(port(name), host);
  return *this;
}

ScenarioNetwork& ScenarioNetwork::kill_host(int host) {
  for (const auto& [name, number] : numbers_) {
    if (names_.count(name) != 0 && hosts_.host_of(port(name)) == host) deactivate(name);
  }
  return *this;
}

template <class Change>
ScenarioNetwork& ScenarioNetwork::change_learned(const std::string& port, Change&& change) {
  using flows::simulation::LearnedAtPort;
  const auto* known = locations_.learned.find(this->port(port));
  auto all = known == nullptr ? flows::simulation::LearnedByHost{} : *known;
  const topology::Port* object = snapshot_.find(this->port(port));
  auto& said = all[object == nullptr ? HostId{} : object->host];
  auto learned = said == nullptr ? LearnedAtPort{} : *said;
  change(learned);
  said = std::make_shared<const LearnedAtPort>(std::move(learned));
  locations_.learned.put(this->port(port), std::move(all));
  return *this;
}

ScenarioNetwork& ScenarioNetwork::learn(const std::string& port, const std::string& gateway, const Addresses& prefixes,
                                        uint16_t part) {
  topology::LearnedRoutes routes{this->port(port), ip(gateway), part};
  for (const std::string& prefix : prefixes) routes.prefixes.push_back(IpPrefix::parse(prefix).value().network());
  std::sort(routes.prefixes.begin(), routes.prefixes.end());
  return change_learned(port, [&](auto& learned) {
    if (prefixes.empty()) return learned.parts.remove({routes.gateway, part});
    learned.parts.put({routes.gateway, part}, std::make_shared<const topology::LearnedRoutes>(routes));
  });
}

ScenarioNetwork& ScenarioNetwork::speak(const std::string& port, const std::string& speaker, const Addresses& peers) {
  if (names_.count(speaker) == 0) {
    names_.emplace(speaker, topology::ObjectRef{Kind::port, make_id(speaker)});
    numbers_[speaker] = flows::PortNumber{++last_number_};
    speakers_[speaker] = port;
    hosts_.place(this->port(speaker), hosts_.host_of(this->port(port)));
  }
  flows::simulation::Speaker speaks{number(speaker), {}};
  for (const std::string& peer : peers) speaks.peers.push_back(ip(peer));
  std::sort(speaks.peers.begin(), speaks.peers.end());
  if (peers.empty()) {
    locations_.speakers.remove(this->port(port));
  } else {
    locations_.speakers.put(this->port(port), std::move(speaks));
  }
  return *this;
}

ScenarioNetwork& ScenarioNetwork::lose_gateway(const std::string& port, const std::string& gateway) {
  return change_learned(port, [&](auto& learned) {
    learned.lost.push_back(ip(gateway));
    std::sort(learned.lost.begin(), learned.lost.end());
    learned.lost.erase(std::unique(learned.lost.begin(), learned.lost.end()), learned.lost.end());
  });
}

ScenarioNetwork& ScenarioNetwork::find_gateway(const std::string& port, const std::string& gateway) {
  return change_learned(port, [&](auto& learned) { std::erase(learned.lost, ip(gateway)); });
}

flows::simulation::Locations ScenarioNetwork::locations(int host) const {
  auto locations = hosts_.count() == 1 ? locations_ : hosts_.locations(host, snapshot_, locations_.bindings);
  locations.unhealthy = locations_.unhealthy;
  locations.learned = locations_.learned;
  locations.speakers = locations_.speakers;
  for (const auto& [pool, checker] : checkers_) {
    if (checker >= 0) locations.checkers.put(pool, checker == host ? HostId{} : ScenarioHosts::id(checker));
  }
  return locations;
}

}  // namespace viaduct::scenario
