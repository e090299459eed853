// What is known of pool members' health on this host, for the simulation and for operators: what the hosts that check them
// say by the state tables, and what this host finds itself.
//
// When a checker is gone, what it had found goes on to count until another one says otherwise; when a pool is not monitored
// any more, its members count as healthy.
//
// Not for several threads at a time; in the topology mirror's actor.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "actors/messages.hpp"
#include "flows/simulation/locations.hpp"

namespace viaduct::actors {

class HealthBook {
 public:
  explicit HealthBook(HostId self) : self_(self) {}

  // Each brings `locations` up to date, and adds what it moved to `moved`.
  void follow(const topology::StateChange& change, flows::simulation::Locations& locations,
              flows::simulation::Moved& moved);
  void judge(const OwnHealth& own, flows::simulation::Locations& locations, flows::simulation::Moved& moved);
  void forget_unmonitored(const topology::Snapshot& topology, flows::simulation::Locations& locations,
                          flows::simulation::Moved& moved);

 private:
  struct Pool {
    HostId owner;  // as the state tables say; nil: nobody's
    topology::HealthReport report;
    bool own = false;  // this host checks
  };
  void show(PoolId id, const Pool& pool, flows::simulation::Locations& locations,
            flows::simulation::Moved& moved) const;

  const HostId self_;
  std::map<PoolId, Pool> pools_;
};

}  // namespace viaduct::actors
