// Changes of the topology for who watches them: server-sent events (WHATWG HTML, 9.2), one for each object that a commit has
// changed.
//
//   event: updated
//   id: 42
//   data: {"revision": 42, "resource": "bridges", "id": "…", "uri": "…", "document": {…}}
//
// `event` is created, updated, deleted (the document is null), or reset: what has happened meanwhile is not known, and the
// watcher has to read anew. The last event of a commit has its revision as id, with which a watcher resumes
// (Last-Event-ID). Documents are those of a GET then, without secrets; null: it could not be made.
//
// All watchers share the events of the last while: each has a place among them and no queue, so that a slow one costs
// nothing; what falls out before it was read becomes a reset. While nobody watches, and a minute behind, none are made.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/client/client.hpp"
#include "api/rest/event.hpp"
#include "topology/delta.hpp"

namespace viaduct::api::rest {

struct EventOptions {
  size_t most_watchers = 100;
  size_t most_events = 10'000;
  size_t most_bytes = size_t{16} << 20;  // of them
  size_t most_pending = 1'000;           // commits of which events have yet to be made
  std::chrono::seconds heartbeat{15};
  std::chrono::seconds keep{60};       // events, behind the last watcher
  std::chrono::seconds lifetime{900};  // of a stream: then it is asked again who may watch
  std::function<std::chrono::steady_clock::time_point()> now = [] { return std::chrono::steady_clock::now(); };
};

// Called by any thread.
struct EventProbe {
  std::function<void(size_t now)> watching = {};
  // "slow": fell behind; "unknown": resumed from what is not known any more; "burst": too many commits at once, or one that could not be read.
  std::function<void(std::string_view reason)> reset = {};
  std::function<void()> refused = {};  // too many watch already
};

// Thread-safe. Has a thread of its own, which makes the events and wakes who waits for them.
class EventFeed {
 public:
  // `connect` as in GatewayLinks; asked for what documents say of hosts.
  using Connect = std::function<Result<std::unique_ptr<Client>>(std::chrono::milliseconds timeout)>;
  EventFeed(Connect connect, EventOptions options = {}, EventProbe probe = {});
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // The topology is now at the snapshot, by the delta; without one that is where it begins. Never blocks.
  void changed(std::shared_ptr<const topology::Snapshot> snapshot, std::shared_ptr<const topology::Delta> delta);
  // "unavailable": too many watch already, or the feed has ended. The stream must end before the feed does.
  Result<std::shared_ptr<BodyStream>> watch(WatchFilter filter, std::string base, std::optional<uint64_t> resume_from);
  uint64_t revision();  // of the last commit that has been taken in
  // Ends all streams.
  void finish();

 private:
  class Watch;
  struct Pending {
    std::shared_ptr<const topology::Snapshot> snapshot;
    std::shared_ptr<const topology::Delta> delta;
  };
  using Time = std::chrono::steady_clock::time_point;
  using Wakes = std::vector<std::function<void()>>;

  void run();
  std::optional<std::vector<Event>> make(const Pending& commit) const;
  // With the mutex; take() lets go of it meanwhile.
  void take(const Pending& commit, std::unique_lock<std::mutex>& lock);
  void append(std::vector<Event> events, uint64_t revision);
  void trim();
  void forget_all();
  Wakes wakes_of_waiting();
  void leave(const Watch* watch);

  const Connect connect_;
  const EventOptions options_;
  const EventProbe probe_;
  const std::string placeholder_;  // where a document says the API is, until a watcher's own is put in
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<Pending> pending_;
  std::deque<std::shared_ptr<const Event>> events_;
  uint64_t first_ = 0;     // of all that there ever were, the number of the first in events_
  size_t bytes_ = 0;       // in events_
  uint64_t revision_ = 0;  // up to here events have been made, or passed over
  uint64_t horizon_ = 0;   // behind this one all are in events_
  bool lost_ = false;      // pending commits were too many
  bool finished_ = false;
  Time last_watched_ = {};
  std::vector<Watch*> watches_;
  std::thread thread_;
};

}  // namespace viaduct::api::rest
