// Where exterior ports are, kept for the simulation: this host's own bindings and the keys it gives them, what other
// hosts say of theirs, the paths to those hosts, the health of pools' members, and what routers have learned. Says what moved,
// and what of its own this host has to publish.
//
// Not for several threads at a time; in the topology mirror's actor.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "actors/agent/health_book.hpp"
#include "actors/agent/route_book.hpp"
#include "actors/messages.hpp"
#include "flows/simulation/locations.hpp"
#include "routing/underlay/tunnel_keys.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

class LocationBook {
 public:
  LocationBook(HostId host, routing::underlay::RandomSource random)
      : host_(host), keys_(std::move(random)), health_(host), routes_(host) {}

  // Keys that this host's earlier life gave, and what it had learned, as the state tables hold them. Before anything else.
  void restore(const std::vector<topology::StatePtr>& own);

  // Each adds what it moved to `moved`.
  void bind(const BindingsChanged& bindings, const topology::Snapshot& topology, flows::Time now,
            flows::simulation::Moved& moved);
  void follow(const std::vector<topology::StateChange>& changes, flows::simulation::Moved& moved);
  void set_paths(const std::map<HostId, flows::simulation::TunnelPath>& paths, flows::simulation::Moved& moved);
  void judge(const OwnHealth& own, flows::simulation::Moved& moved) { health_.judge(own, locations_, moved); }
  void forget_unmonitored(const topology::Snapshot& topology, flows::simulation::Moved& moved) {
    health_.forget_unmonitored(topology, locations_, moved);
  }
  void learn(const RoutesLearned& news, flows::simulation::Moved& moved) { routes_.learn(news, locations_, moved); }
  // Of what this host's routers have learned: the state tables have it no more.
  bool is_missing(const topology::StateChange& change) const { return routes_.is_missing(change, locations_); }
  // The interfaces of speakers are bound as ports are, under ids of their own. Returns what is to be bound and unbound.
  ReconcileBindings set_speakers(const SpeakersChanged& news, flows::simulation::Moved& moved);
  std::vector<ReconcileBindings::Binding> speakers() const;
  void set_copy_dscp(bool copy) { locations_.copy_dscp = copy; }

  const flows::simulation::Locations& locations() const { return locations_; }
  // PortActive and FloodKey entries of this host, all that there are.
  std::vector<topology::StateEntry> own() const;

 private:
  void activate(PortId port, const topology::Snapshot& topology, flows::Time now, flows::simulation::Moved& moved);
  void deactivate(PortId port, flows::Time now, flows::simulation::Moved& moved);
  void give_key(const routing::underlay::KeyOwner& owner, flows::Time now, flows::simulation::Moved& moved);
  void take_key(const routing::underlay::KeyOwner& owner, flows::Time now, flows::simulation::Moved& moved);
  // False: the id is no speaker's.
  bool bind_speaker(PortId bound, const topology::Snapshot& topology, flows::simulation::Moved& moved);
  void show_speaker(PortId port, flows::simulation::Moved& moved);
  void follow_port(const topology::StateChange& change, flows::simulation::Moved& moved);
  void follow_flood(const topology::StateChange& change, flows::simulation::Moved& moved);

  const HostId host_;
  routing::underlay::TunnelKeys keys_;
  flows::simulation::Locations locations_;
  HealthBook health_;
  RouteBook routes_;
  std::map<PortId, SpeakersChanged::Wish> speakers_;  // by the port that they speak for
  std::map<PortId, BridgeId> active_;                 // here; nil for router ports
  std::map<BridgeId, std::set<PortId>> on_bridge_;    // of active_
};

}  // namespace viaduct::actors
