// Who is told what of one step: hosts that are told the same get one batch, and no host gets two.
#pragma once

#include <vector>

#include "actors/cluster/feed_items.hpp"
#include "actors/messages.hpp"
#include "topology/interest.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

class FeedParts {
 public:
  // All of them after the step.
  FeedParts(const topology::Interest& interest, const topology::StateIndex& states, FeedItems& items, uint64_t revision)
      : interest_(interest), states_(states), items_(items), revision_(revision) {}

  // First the topology. A device that is gained brings its state entries.
  void add(const topology::ClosureDelta& told);
  void add(const std::vector<topology::StateChange>& changes);

  // `request`: that the step was made for; empty: none is known.
  std::vector<FeedPart> make(uint64_t committed_at, const std::string& request) const;

 private:
  // What goes to all of these hosts.
  struct Chunk {
    std::vector<HostId> hosts;
    std::vector<Uuid> forget;
    std::vector<topology::FeedItemPtr> items;
  };
  using ChunkList = std::vector<size_t>;

  void add(const topology::ClosureChange& change, Chunk& chunk) const;
  void add(const Uuid& device, std::vector<topology::FeedItemPtr> items);
  topology::FeedBatch batch_of(const ChunkList& list) const;

  const topology::Interest& interest_;
  const topology::StateIndex& states_;
  FeedItems& items_;
  const uint64_t revision_;
  std::vector<Chunk> chunks_;  // a host takes its own in this order
};

}  // namespace viaduct::actors
