// The last events of a daemon, and of the hosts that it serves: what `viaduct events` reads.
//
// Bounded in memory, by number and by bytes: a host that tells much makes it forget earlier, no more. Changes of the topology
// may come by thousands a second, so they have a ring of their own and push nothing else out. Nothing is on disk: each event
// is a line of the log, too. What falls out, is passed over or was never told has a counter.
//
// An agent's events go to its cluster node (beyond()), which takes them in (take()); one that comes a second time, as after
// a lost answer or a move to another node, is known by the number that it has in the agent's journal.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "observability/event.hpp"
#include "observability/log.hpp"
#include "observability/metrics.hpp"

namespace viaduct::observability {

struct EventFilter {
  uint64_t after = 0;                                // events of greater ids only
  std::chrono::system_clock::time_point since = {};  // not before
  std::vector<std::string> kinds = {};               // "port", "port.active"; empty: all
  std::vector<std::string> values = {};              // each must be the host, or the value of a field
  size_t limit = 1'000;
};

struct EventPage {
  std::vector<Event> events;  // by id
  bool more = false;          // with `after`: there are further ones behind; else there were earlier ones
  uint64_t next = 0;          // `after` for what comes later
};

struct JournalOptions {
  size_t most_changes = 10'000, most_others = 10'000;
  size_t most_bytes = 16 << 20;  // of each ring
  std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
};

// Thread-safe.
class Journal {
 public:
  static constexpr size_t kMaxText = 1'024;  // bytes of a message or a value
  static constexpr size_t kMaxFields = 32;
  static constexpr size_t kMaxHosts = 10'000;    // of which it is remembered what they have told
  static constexpr size_t kPageBytes = 8 << 20;  // of a page, which goes into one frame of the admin protocol

  // `host`: the name of this one.
  Journal(std::string host, Registry& registry, JournalOptions options = {});

  void record(log::Level level, EventKind kind, std::string_view message, log::Fields fields);
  // What another host has told of itself. Cut where it is too long; what is here already is passed over.
  void take(const std::string& host, std::vector<Event> events);

  // Without `after` the newest of those that fit, otherwise the first behind it: `limit` of them, or kPageBytes.
  EventPage read(const EventFilter& filter) const;
  // How far somebody has been told of this host's own: by number, of each ring.
  struct Position {
    uint64_t changes = 0, others = 0;
  };
  // Its own behind the position, at most `limit`, and the position behind them. Changes last: there may be very many. Those
  // that fell out are not told any more.
  std::vector<Event> beyond(Position& position, size_t limit) const;
  // So many of the newest of each ring are told to a node that is new.
  Position before_newest(size_t count) const;
  // Its node has what is up to here, or is not to have it. What falls out behind it before the next call is counted as never told.
  void told(const Position& position);

 private:
  struct Ring {
    size_t most;
    Counter& forgotten;
    std::deque<Event> events = {};
    size_t bytes = 0;  // of the events, about
  };
  using Places = std::deque<Event>::const_iterator;
  static Places behind(const Ring& ring, uint64_t id);
  void append(Event event, bool change);
  void forget_oldest(Ring& ring, uint64_t told);

  const std::string host_;
  const JournalOptions options_;
  std::vector<Counter*> counters_;  // by kind
  Counter &received_, &repeated_, &untold_;
  mutable std::mutex mutex_;
  Ring changes_, others_;
  uint64_t last_id_ = 0;
  std::map<std::string, Position> heard_;  // by host: up to where it has told
  std::optional<Position> told_;           // of its own; nothing: it tells nobody
};

}  // namespace viaduct::observability
