// The topology store's logic without the actor: commits, and the view of the store that they build on.
//
// A commit builds the next snapshot from the view's (references resolved, every rule checked) and writes the changed
// objects in one transaction, which holds only if nobody has written the topology since (kTopologyHeadKey). If somebody
// has, the view catches up and the commit is built again. The view itself changes only by what the watch says.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/cluster/nsdb_view.hpp"
#include "actors/cluster/watch_queue.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

class TopologyWriter {
 public:
  using OnStep = std::function<void(const NsdbView::Step&)>;
  // `on_step` gets every change, in order, from within commit() and follow(). `wake` comes from the watch's thread when
  // there is something to follow. A commit that others overtake is built again until `patience` has passed.
  TopologyWriter(topology::store::Store& store, std::function<void()> wake, OnStep on_step, size_t history = 10'000,
                 std::chrono::milliseconds patience = std::chrono::seconds(5));
  ~TopologyWriter();

  // Reads everything, and begins the watch. The text says what is wrong with the store, and the object when it is one's.
  std::optional<std::string> load();

  CommitReply commit(const CommitTransaction& request);
  // Takes in what the watch has said.
  void follow();
  // Until it is known what went before the load, which agents that resume have to be told; not for long.
  void await_history();
  // Until the view is at `revision`, if the store is: an agent may have heard of it from another node already. Not for
  // long: an agent that is ahead all the same is sent everything.
  void await(uint64_t revision);
  // Memory that is only there for agents that come all at once.
  void rest() { view_.rest(); }
  // Why the watch has ended, once for each time. follow() begins another, a second later at the earliest.
  std::optional<std::string> watch_error();

  const NsdbView& view() const { return view_; }
  const SnapshotPtr& snapshot() const { return view_.snapshot(); }

 private:
  std::optional<topology::store::Error> write(const topology::BuildResult& built, const topology::Cause& cause,
                                              uint64_t& revision);
  bool follow_until(uint64_t revision, std::chrono::seconds patience);
  void take(const WatchQueue::Item& item);
  void ensure_watch();
  void restart_watch(uint64_t from);
  void end_watch(std::string why);
  void resynchronise();

  topology::store::Store& store_;
  const size_t history_;
  const std::chrono::milliseconds patience_;
  const OnStep on_step_;
  NsdbView view_;
  WatchQueue queue_;
  std::unique_ptr<topology::store::Watch> watch_;
  uint64_t watch_from_ = 0;
  std::optional<std::string> watch_error_;
  std::chrono::steady_clock::time_point next_watch_;  // not before
  std::chrono::steady_clock::time_point history_due_;
};

}  // namespace viaduct::actors
