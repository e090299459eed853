// What hosts have learned by routing protocols behind routers' ports, kept for the simulation: what the state tables say of
// other hosts, and what this host's own speakers say, which is sooner and also there when the cluster is away.
//
// Not for several threads at a time; in the topology mirror's actor.
#pragma once

#include "actors/messages.hpp"
#include "flows/simulation/locations.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

class RouteBook {
 public:
  explicit RouteBook(HostId self) : self_(self) {}
  static bool is_route(const topology::HostFact& fact) {
    return std::holds_alternative<topology::LearnedRoutes>(fact) || std::holds_alternative<topology::GatewayLost>(fact);
  }

  // What an earlier life of this host has said: it counts until the speakers say otherwise.
  void restore(const topology::HostFact& fact, flows::simulation::Locations& locations) const;
  // Each brings `locations` up to date, and adds the ports whose routes are others to `moved`.
  void follow(const topology::StateChange& change, flows::simulation::Locations& locations,
              flows::simulation::Moved& moved) const;
  // Of this host's own: the state tables have it no more, as this host's, but it is still so.
  bool is_missing(const topology::StateChange& change, const flows::simulation::Locations& locations) const;
  void learn(const RoutesLearned& news, flows::simulation::Locations& locations, flows::simulation::Moved& moved) const;

 private:
  const HostId self_;
};

}  // namespace viaduct::actors
