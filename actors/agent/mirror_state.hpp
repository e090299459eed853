// The mirror's logic without the actor: from feed batches to snapshots, deltas, and what they mean for this host.
#pragma once

#include <optional>

#include "actors/messages.hpp"
#include "flows/simulation/invalidation.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

class MirrorState {
 public:
  explicit MirrorState(HostId host) : host_(host) {}

  // A batch decoded, and what it asks of the datapath. Nothing is adopted before finish().
  struct Pending {
    topology::Snapshot snapshot;
    topology::Delta delta;
    ReconcileBindings bindings;
    WallTime committed_at;
    bool needs_reconcile() const { return bindings.complete || !bindings.bind.empty() || !bindings.unbind.empty(); }
  };
  // Nothing when the batch does not follow what is here, or cannot be read (`error` says which): a resync is needed.
  std::optional<Pending> prepare(const schema::Frame& frame, std::string& error) const;

  // What the new state is for everybody else.
  struct Published {
    std::shared_ptr<const flows::simulation::Network> network;
    flows::simulation::Invalidation invalidation;
    DevicesChanged devices;
  };
  Published finish(Pending pending, const BindingsChanged& bindings);
  Published rebind(const BindingsChanged& bindings);
  // The bindings as they are, for a batch that does not touch them.
  BindingsChanged current_bindings() const { return {locations_.bindings, {}}; }

  uint64_t revision() const { return snapshot_.revision(); }
  const topology::Snapshot& snapshot() const { return snapshot_; }

 private:
  Published publish(const topology::Snapshot& snapshot, const topology::Delta& delta, const BindingsChanged& bindings);
  ReconcileBindings wishes(const topology::Snapshot& snapshot, const topology::Delta& delta, bool complete) const;

  const HostId host_;
  bool first_ = true;
  topology::Snapshot snapshot_;
  flows::simulation::Locations locations_;  // of this host's own ports so far
  std::shared_ptr<const flows::simulation::Network> network_ = std::make_shared<const flows::simulation::Network>();
};

}  // namespace viaduct::actors
