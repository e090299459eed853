// What the network state database holds, in memory: the topology as a snapshot, the state tables, and what vanished
// lately. It follows the database's watch and nothing else, also for what this node writes itself, so that every node of
// a cluster sees the same changes in the same order.
//
// For each change it says which agents have to know: those whose bound ports can reach what changed (topology/interest.hpp).
// The feed's batches are made once for all who get the same.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "actors/cluster/cluster_nodes.hpp"
#include "actors/cluster/feed_answers.hpp"
#include "actors/messages.hpp"
#include "topology/codec.hpp"
#include "topology/state_index.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

// Its revision is that of the last committed change of the topology: writers compare it, so that two nodes never build
// on the same snapshot. Its value is why that was made (topology/cause.hpp).
inline constexpr std::string_view kTopologyHeadKey = "/head/topology";

class NsdbView {
 public:
  // `history`: how many deletions are kept for agents that resume.
  explicit NsdbView(size_t history = 10'000) : history_(history) {}
  NsdbView(const NsdbView&) = delete;
  NsdbView& operator=(const NsdbView&) = delete;

  // Everything that the store holds, as of one revision. The text says what is wrong, and the key when it is one's.
  std::optional<std::string> load(topology::store::Store& store);

  struct Step {
    SnapshotPtr snapshot;
    std::shared_ptr<const topology::Delta> delta;  // of the topology; may be empty
    std::vector<topology::StateChange> states;
    std::vector<FeedPart> parts;  // a host is in one at most
    topology::Cause cause;        // of the topology's change
    WallTime at;
    bool resynchronised = false;  // everything was read again: every agent needs the whole
  };
  // All changes of one revision. Those up to the revision that was loaded only tell what had vanished before.
  Step follow(const topology::store::WatchBatch& batch, WallTime at);

  // For an agent that has nothing, or nothing that could be continued.
  topology::FeedBatch whole(HostId host) const { return answers_->whole(snapshot_, host); }
  // For an agent that has everything of these devices and zones up to `revision`. Nothing when too much was forgotten since.
  std::optional<topology::FeedBatch> since(HostId host, uint64_t revision, const std::vector<Uuid>& devices) const;
  // For an agent that nothing has concerned for long: it has everything up to now.
  topology::FeedBatch nothing_new() const;
  // Memory that is only there for agents that come all at once.
  void rest();

  const SnapshotPtr& snapshot() const { return snapshot_; }
  const topology::StateIndex& states() const { return states_; }
  const ClusterNodes& nodes() const { return nodes_; }
  uint64_t revision() const { return revision_; }  // of the last change of any kind
  uint64_t head() const { return head_; }          // of kTopologyHeadKey; 0: the topology was never written
  uint64_t unreadable() const { return unreadable_; }
  // The batches that follow begin behind this revision, before what was loaded: once they have reached it, what was
  // deleted in between is known.
  void expect_history_from(uint64_t revision) { history_.expect_from(revision, revision_); }
  bool awaits_history() const { return history_.awaited(); }
  // Deletions up to this revision are not known.
  uint64_t forgotten() const { return history_.horizon(); }

 private:
  std::optional<std::string> take(const topology::store::Entry& entry, topology::Snapshot& into);
  void take_history(const topology::store::WatchBatch& batch);
  std::shared_ptr<const topology::Delta> take(const topology::store::WatchBatch& batch,
                                              std::vector<topology::StateChange>& states, topology::Cause& cause);
  void apply_object(const topology::store::WatchEvent& event, topology::ObjectRef ref, topology::Snapshot& next,
                    topology::Delta& delta);
  void apply_node(const topology::store::WatchEvent& event);
  void apply_state(const topology::store::WatchEvent& event, std::vector<topology::StateChange>& changes);

  FeedHistory history_;
  std::unordered_set<std::string> ports_gone_;  // in the history before the load: their ids
  SnapshotPtr snapshot_ = std::make_shared<const topology::Snapshot>();
  topology::StateIndex states_;
  ClusterNodes nodes_;
  FeedItems items_;
  // Made anew with each load, the second over the first.
  std::unique_ptr<topology::Interest> interest_ = std::make_unique<topology::Interest>();
  std::unique_ptr<FeedAnswers> answers_ = std::make_unique<FeedAnswers>(*interest_, states_, history_, items_);
  uint64_t revision_ = 0;
  uint64_t head_ = 0;
  uint64_t unreadable_ = 0;
};

}  // namespace viaduct::actors
