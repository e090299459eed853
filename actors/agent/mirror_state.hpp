// The mirror's logic without the actor: from feed batches to snapshots, deltas, locations, and what they mean for this
// host.
#pragma once

#include <optional>

#include "actors/agent/feed_apply.hpp"
#include "actors/agent/location_book.hpp"
#include "actors/messages.hpp"
#include "flows/simulation/invalidation.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

class MirrorState {
 public:
  explicit MirrorState(HostId host, routing::underlay::RandomSource random = routing::underlay::kernel_random())
      : host_(host), locations_(host, std::move(random)) {}

  // A batch read, and what it asks of the datapath. No network knows of it before finish().
  struct Pending {
    topology::FeedBatch batch;
    FeedEffect effect;
    ReconcileBindings bindings;                      // see wish()
    std::vector<PortId> rebound;                     // see bound()
    std::map<HostId, std::vector<PortId>> arrivals;  // ports that are this host's from now on, and were that one's
    std::optional<UnderlayTopology> underlay;        // when the tunnels depend on what changed
    WallTime committed_at;
    bool from_cache = false;
    bool needs_reconcile() const { return bindings.complete || !bindings.bind.empty() || !bindings.unbind.empty(); }
  };
  // Nothing when the batch cannot be read (`error` says why): everything is needed anew.
  std::optional<Pending> prepare(topology::FeedBatch batch, std::string& error);
  std::optional<Pending> prepare(const schema::Frame& frame, std::string& error);

  // What the new state is for everybody else.
  struct Published {
    std::shared_ptr<const flows::simulation::Network> network;
    flows::simulation::Invalidation invalidation;
    DevicesChanged devices;
    std::vector<topology::StateChange> states;  // of the state tables
    std::vector<PortId> moved_ends;             // see ends_with_moved_peers()
    std::optional<RoutesLearned> restored;      // with the first: what an earlier life of this host had learned
    bool topology = false;                      // has changed, or is the first
    bool own_moved = false;  // own_locations() differ from what they were, or from the tables; or own routes do
  };
  // What the datapath is asked for a batch, at the time of asking: all interfaces that there are to be, speakers' too, when
  // it is complete.
  ReconcileBindings wish(const Pending& pending) const;
  // Its answer. It counts from now on, whenever the batch is finished: later answers may come before that.
  void bound(Pending& pending, const BindingsChanged& bindings);
  // `paths`: the answer to Pending::underlay.
  Published finish(Pending pending, const std::optional<HostPaths>& paths);
  Published rebind(const BindingsChanged& bindings);
  Published reach(const HostPaths& paths);
  Published judge(const OwnHealth& own);
  Published learn(const RoutesLearned& news);
  // `wish`: what is to be bound and unbound for it.
  Published speak(const SpeakersChanged& news, ReconcileBindings& wish);

  uint64_t revision() const { return snapshot_.revision(); }
  const topology::Snapshot& snapshot() const { return snapshot_; }
  const topology::StateIndex& states() const { return states_; }
  std::vector<topology::StateEntry> own_locations() const { return locations_.own(); }
  bool ready() const { return !first_; }  // a network was published

 private:
  Published publish(const topology::Snapshot& snapshot, const topology::Delta& delta,
                    const flows::simulation::Moved& moved);
  RoutesLearned restore();
  void set_paths(const HostPaths& paths, flows::simulation::Moved& moved);
  std::map<HostId, std::vector<PortId>> arrivals(const ReconcileBindings& bindings, const topology::Delta& delta) const;
  ReconcileBindings wishes(const topology::Snapshot& snapshot, const topology::Delta& delta, bool complete) const;

  const HostId host_;
  bool first_ = true;
  topology::Snapshot snapshot_;
  topology::StateIndex states_;                        // ahead of the network by what waits
  std::vector<topology::StateChange> waiting_states_;  // of batches that are not finished
  LocationBook locations_;
  flows::simulation::Bindings bound_;  // as the datapath has said last
  std::shared_ptr<const flows::simulation::Network> network_ = std::make_shared<const flows::simulation::Network>();
};

}  // namespace viaduct::actors
