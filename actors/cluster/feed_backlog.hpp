// What an agent has still to be told: batches of the feed that wait for the one that is out.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "schema/frame.hpp"
#include "topology/feed.hpp"

namespace viaduct::actors {

using FeedBatchPtr = std::shared_ptr<const topology::FeedBatch>;

// The bytes of a batch, made once for all who send it at about the same time. Any thread.
class FeedEncoder {
 public:
  std::shared_ptr<const schema::Frame> frame_of(const FeedBatchPtr& batch);

 private:
  static constexpr size_t kRemembered = 16;
  struct Made {
    FeedBatchPtr batch;  // held, so that no other has its address
    std::shared_ptr<const schema::Frame> frame;
  };
  std::mutex mutex_;
  std::deque<Made> made_;
};

// Not for several threads.
class FeedBacklog {
 public:
  // Of batches that could not be merged (those with something to forget); more, and the agent gets everything anew.
  static constexpr size_t kMaxParts = 32;

  // False: too much waits, ask for everything instead.
  bool add(const FeedBatchPtr& batch);
  // The next one to send, merged of all that can go together; null when nothing waits.
  FeedBatchPtr take();
  void clear() { parts_.clear(); }
  bool empty() const { return parts_.empty(); }

 private:
  struct Part {
    FeedBatchPtr whole;        // as it came, while nothing was merged into it
    topology::FeedBatch head;  // without its items
    std::map<std::string, topology::FeedItemPtr> items;
  };
  static void open(Part& part);
  std::deque<Part> parts_;
};

}  // namespace viaduct::actors
