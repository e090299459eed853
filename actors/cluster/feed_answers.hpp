// The first batch of an agent that comes: what it lacks, or everything. Many come at a time when a node starts, and most
// with the same revision: what several are told alike is found once.
//
// Its owner says what changes. Not for several threads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/cluster/feed_history.hpp"
#include "actors/cluster/feed_items.hpp"
#include "actors/messages.hpp"
#include "topology/interest.hpp"

namespace viaduct::actors {

class FeedAnswers {
 public:
  FeedAnswers(const topology::Interest& interest, const topology::StateIndex& states, const FeedHistory& history,
              FeedItems& items)
      : interest_(interest), states_(states), history_(history), items_(items) {}

  topology::FeedBatch whole(const SnapshotPtr& snapshot, HostId host);
  // For an agent that has everything of `has` up to `revision`, which the history reaches back to.
  topology::FeedBatch since(const SnapshotPtr& snapshot, HostId host, uint64_t revision, const std::vector<Uuid>& has);

  void topology_changed() { resumption_.reset(); }
  void state_changed(const topology::StateChange& change);
  // Also what is only kept for the next one that comes.
  void clear();

 private:
  using Items = std::vector<topology::FeedItemPtr>;
  // With what it refers to.
  struct Resuming {
    SnapshotPtr snapshot;
    topology::Resumption resumption;
  };
  topology::Resumption& resumption(const SnapshotPtr& snapshot);
  void add(const std::vector<topology::SharedChanges>& parts, topology::FeedBatch& batch) const;
  void add_gone(HostId host, uint64_t revision, const std::vector<Uuid>& has, topology::FeedBatch& batch) const;
  const Items& states_since(const Uuid& device, uint64_t revision);
  void forget_states(const Uuid& device);

  const topology::Interest& interest_;
  const topology::StateIndex& states_;
  const FeedHistory& history_;
  FeedItems& items_;
  std::unique_ptr<Resuming> resumption_;
  std::map<std::pair<Uuid, uint64_t>, Items> states_since_;
};

}  // namespace viaduct::actors
