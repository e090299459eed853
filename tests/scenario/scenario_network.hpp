// A virtual network written down as a literal, for tests: devices and ports by name.
//
//   ScenarioNetwork net;
//   net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
//   net.router("r1").link("green", "r1-green", "02:00:00:00:01:fe", {"10.0.1.254/24", "fd00:1::254/64"});
//
// Guest ports and uplinks are exterior ports, active here, numbered 1, 2, 3, … in the order of their making. Ids follow
// from the order too, so that two runs build the same network. The same literal describes the network to a simulation
// and, through its snapshot, to a daemon.
//
// All is on one host unless it is spread over several, which are called h1, h2, … and numbered from 0.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "flows/simulation/network.hpp"
#include "scenario_hosts.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::scenario {

MacAddress mac(std::string_view text);  // these throw std::invalid_argument
IpAddress ip(std::string_view text);
IpPrefix prefix(std::string_view text);

class ScenarioNetwork {
 public:
  using Addresses = std::vector<std::string>;

  ScenarioNetwork& bridge(const std::string& name);
  ScenarioNetwork& router(const std::string& name);
  ScenarioNetwork& guest_port(const std::string& bridge, const std::string& name);
  // An exterior port of a router.
  ScenarioNetwork& uplink(const std::string& router, const std::string& name, const std::string& mac,
                          const Addresses& addresses);
  // A port of `router` (the device named last by router()) linked to a new port of `bridge`.
  ScenarioNetwork& link(const std::string& bridge, const std::string& name, const std::string& mac,
                        const Addresses& addresses);
  struct End {
    std::string router, port, mac;
    Addresses addresses;
  };
  ScenarioNetwork& link_routers(const End& a, const End& b);

  ScenarioNetwork& route(const std::string& name, const std::string& router, const std::string& destination,
                         const std::string& port, const std::string& gateway = "", uint32_t weight = 100);
  ScenarioNetwork& special_route(const std::string& name, const std::string& router, const std::string& destination,
                                 topology::NextHop kind);
  ScenarioNetwork& static_mac(const std::string& bridge, const std::string& mac, const std::string& port);
  ScenarioNetwork& static_neighbour(const std::string& bridge, const std::string& address, const std::string& mac);

  // --- rules, groups, load balancers -----------------------------------------------------------------
  ScenarioNetwork& chain(const std::string& name);
  // The chain's next rule.
  ScenarioNetwork& rule(const std::string& chain, topology::Rule rule);
  // Of a port, bridge or router; "inbound", "outbound", "forward", "local_redirect".
  ScenarioNetwork& filter(const std::string& device, const std::string& where, const std::string& chain);
  ScenarioNetwork& port_group(const std::string& name, const std::vector<std::string>& ports);
  ScenarioNetwork& ip_group(const std::string& name, const std::vector<std::string>& prefixes);
  ScenarioNetwork& load_balancer(const std::string& router, const std::string& name);
  ScenarioNetwork& pool(const std::string& balancer, const std::string& name,
                        topology::PoolProtocol protocol = topology::PoolProtocol::tcp);
  ScenarioNetwork& vip(const std::string& pool, const std::string& name, const std::string& address, uint16_t port);
  ScenarioNetwork& member(const std::string& pool, const std::string& name, const std::string& address, uint16_t port,
                          uint32_t weight = 1);
  // Any object by its name, changed.
  template <class T>
  ScenarioNetwork& change(const std::string& name, const std::function<void(T&)>& edit) {
    topology::Object object = *snapshot_.find(names_.at(name));
    edit(std::get<T>(object));
    commit(std::move(object));
    return *this;
  }
  ScenarioNetwork& unhealthy(const std::string& member, bool is = true);
  // The host that checks its members; -1: none.
  ScenarioNetwork& checked_by(const std::string& pool, int host);

  // --- changes of what is there ------------------------------------------------------------------
  enum class Admin : uint8_t { down, up };
  ScenarioNetwork& set(const std::string& name, Admin state);
  ScenarioNetwork& set_mtu(const std::string& port, uint16_t mtu);
  ScenarioNetwork& remove(const std::string& name);
  ScenarioNetwork& deactivate(const std::string& port);
  ScenarioNetwork& activate(const std::string& port);
  // The same port under another number of the datapath, as after its interface was made anew.
  ScenarioNetwork& renumber(const std::string& port);
  // --- hosts ---------------------------------------------------------------------------------------
  // Exterior ports, also later ones, are on the hosts by turns, in the order of their making.
  ScenarioNetwork& spread(int hosts);
  // Bound to, and active on, another host than it was.
  ScenarioNetwork& move(const std::string& port, int host);
  // Active on that host, whatever the topology says.
  ScenarioNetwork& claim(const std::string& port, int host);
  ScenarioNetwork& kill_host(int host);  // its ports vanish
  ScenarioHosts& change_hosts() { return hosts_; }
  // --- routing protocols ---------------------------------------------------------------------------
  // What the port's host says that this gateway behind it leads to: all of that part, which may be nothing.
  ScenarioNetwork& learn(const std::string& port, const std::string& gateway, const Addresses& prefixes,
                         uint16_t part = 0);
  // A speaker for the port, on its host, which can be sent from and to; without peers it goes.
  ScenarioNetwork& speak(const std::string& port, const std::string& speaker, const Addresses& peers);
  ScenarioNetwork& lose_gateway(const std::string& port, const std::string& gateway);
  ScenarioNetwork& find_gateway(const std::string& port, const std::string& gateway);

  ScenarioNetwork& put(topology::Object object);
  // What the topology's builder made of this network's snapshot. Names stay as they are.
  ScenarioNetwork& replace(const topology::Snapshot& snapshot);

  // --- what came of it -----------------------------------------------------------------------------
  const topology::Snapshot& snapshot() const { return snapshot_; }
  const flows::simulation::Locations& locations() const { return locations_; }  // as if there were one host
  flows::simulation::Locations locations(int host) const;
  flows::simulation::Network compile() const { return flows::simulation::Network::compile(snapshot_, locations_); }
  flows::simulation::Network compile(int host) const {
    return flows::simulation::Network::compile(snapshot_, locations(host));
  }
  const ScenarioHosts& hosts() const { return hosts_; }
  Uuid id(const std::string& name) const;
  PortId port(const std::string& name) const { return PortId(id(name)); }
  // 0 for ports that are not exterior.
  flows::PortNumber number(const std::string& port) const;
  std::string name_of(flows::PortNumber number) const;

 private:
  Uuid make_id(const std::string& name);
  ScenarioNetwork& bind(topology::Port port);
  template <class Change>
  ScenarioNetwork& change_learned(const std::string& port, Change&& change);
  topology::Port router_port(const std::string& router, const std::string& name, const std::string& mac,
                             const Addresses& addresses);
  void commit(topology::Object object);

  topology::Snapshot snapshot_;
  flows::simulation::Locations locations_;
  ScenarioHosts hosts_;
  std::map<PoolId, int> checkers_;
  std::map<std::string, std::string> speakers_;  // each with its port, on whose host it is
  std::map<std::string, topology::ObjectRef> names_;
  std::map<std::string, flows::PortNumber> numbers_;
  std::string last_router_;
  uint64_t ids_ = 0;
  uint32_t last_number_ = 0;
  std::map<std::string, uint32_t> last_position_;  // by chain
};

}  // namespace viaduct::scenario
