// The hosts that a scenario's ports are spread over: which port is active on which, by which keys, and how the hosts reach
// each other. What their daemons would publish, and each would know of the others.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "flows/simulation/locations.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::scenario {

class ScenarioHosts {
 public:
  static constexpr flows::PortNumber kTunnelPort{9000};  // on every host

  static HostId id(int host) { return HostId(Uuid::from_words(0xabcd, static_cast<uint64_t>(host) + 1)); }
  static topology::Host object(int host) { return {id(host), 0, "h" + std::to_string(host + 1)}; }
  IpAddress address(int host) const;
  // -1: of no host.
  int host_at(const IpAddress& address) const;

  int count() const { return count_; }
  void set_count(int count) { count_ = count; }
  // A new port; its host.
  int add(PortId port);
  int host_of(PortId port) const;
  void place(PortId port, int host);
  // Of a port, or of a bridge on a host: as after the binding was made anew.
  void rekey(const Uuid& id) { ++generations_[id]; }
  uint32_t key_of(PortId port) const;
  uint32_t flood_key(BridgeId bridge, int host) const;

  // --- the underlay ----------------------------------------------------------------------------------
  IpFamily family = IpFamily::v4;
  uint16_t mtu = 0;                                   // 0: whatever comes
  std::map<std::pair<int, int>, uint16_t> path_mtus;  // that differ
  std::set<std::pair<int, int>> cut;                  // who has no path to whom
  bool alive = true;
  bool copy_dscp = false;

  uint16_t mtu_between(int from, int to) const;
  // What `host` knows when the ports in `active` are.
  flows::simulation::Locations locations(int host, const topology::Snapshot& snapshot,
                                         const flows::simulation::Bindings& active) const;

 private:
  uint32_t generation(const Uuid& id) const;

  int count_ = 1;
  std::map<PortId, int> turns_;   // the order of making
  std::map<PortId, int> places_;  // of those that were moved
  std::map<Uuid, uint32_t> generations_;
};

// What differs.
flows::simulation::Moved moved(const flows::simulation::Locations& before, const flows::simulation::Locations& after);

}  // namespace viaduct::scenario
