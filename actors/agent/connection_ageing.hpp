// Connections end when they have been idle for as long as their protocol and state allow (ConnectionTimeouts), and sooner
// where there is too little room (connection_eviction.hpp).
//
// The table is walked round and round, a slice at a time, so that a million entries hold nobody up: walk() looks at a
// hundredth of it, and at no more than kSlice buckets. What is due ends when the walk comes by, with 20 slices a second at
// most five seconds late (six with a million entries).
//
//   ageing ── too little room ──> counting ── plan ──> evicting ──> ageing, where it was
//                                 each a walk over the whole table
//
// Of a pair the forward half is the one that ages, and the other one ends with it. A half that is alone is what a race or
// a death has left: it ends too, a reverse one after kOrphanGrace, because it is opened before the other.
//
// One owner: the connections' actor. No clock: times are arguments. Ended entries are out of the table when walk() returns;
// their flows are the caller's to invalidate.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <unordered_map>
#include <vector>

#include "actors/agent/connection_eviction.hpp"
#include "actors/agent/connection_filter.hpp"
#include "flows/state/connection_table.hpp"

namespace viaduct::actors {

// Why a connection ended by itself: in which state it had been idle for too long, or its other half was missing.
enum class Expiry : uint8_t { opening, established, closing, closed, sticky, fragment, orphaned };
inline constexpr size_t kExpiries = 7;
std::string_view to_string(Expiry expiry);

// What the table holds: the entries of each kind, and the connections (forward halves and those that have none) of each
// protocol and state.
struct ConnectionCensus {
  static constexpr size_t kKinds = static_cast<size_t>(flows::ConnectionKind::count_);
  static constexpr size_t kProtocols = 5;
  static constexpr size_t kStates = 4;
  static constexpr std::array<std::string_view, kProtocols> kProtocolNames{"tcp", "udp", "icmp", "sctp", "other"};
  std::array<size_t, kKinds> kinds{};
  std::array<std::array<size_t, kStates>, kProtocols> connections{};
  void add(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry);
};

struct EndedConnections {
  std::vector<flows::ConnectionKey> keys;  // all entries
  std::array<size_t, kExpiries> expired{};
  std::array<size_t, kShortages> evicted{};
  size_t flushed = 0;
  bool evicting = false;  // for want of room
};

class ConnectionAgeing {
 public:
  static constexpr size_t kSlices = 100;                         // of a walk, unless they were
  static constexpr size_t kSmallestSlice = 256, kSlice = 2'048;  // buckets: the largest has some 10'000 entries
  static constexpr std::chrono::seconds kOrphanGrace{5};
  static constexpr std::chrono::milliseconds kEvictionPause{200};  // between the beginnings of two

  ConnectionAgeing(flows::ConnectionTable table, const flows::ConnectionLimits& limits,
                   const flows::ConnectionTimeouts& timeouts)
      : table_(std::move(table)),
        limits_(limits),
        slice_(std::clamp(limits.capacity / 5 / kSlices, kSmallestSlice, kSlice)),
        timeouts_(timeouts) {}
  void set_timeouts(const flows::ConnectionTimeouts& timeouts) { timeouts_ = timeouts; }

  // Looks at the next slice.
  EndedConnections walk(flows::Time now);
  // Room is being made: the next slice is best looked at without a pause.
  bool hurries() const { return phase_ != Phase::ageing; }
  // The last slice was the end of a walk of ageing: census() is of that walk.
  bool round_over() const { return phase_ == Phase::ageing && at_ == 0; }
  const ConnectionCensus& census() const { return census_; }

  // Ends what fits, with its other halves, in one go.
  EndedConnections flush(const ConnectionFilter& filter);

 private:
  enum class Phase : uint8_t { ageing, counting, evicting };

  // Ends the connection and its other half, unless it was used at `deadline` or later. Returns how many entries that were.
  size_t end(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry, flows::Time deadline,
             std::vector<flows::ConnectionKey>& ended);
  void age(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry, flows::Time now,
           EndedConnections& ended);
  void age_reverse(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry, flows::Time now,
                   EndedConnections& ended);
  void evict(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry, EndedConnections& ended);
  // The other half is there and means this one.
  bool has_partner(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry) const;
  void begin_when_crowded(flows::Time now);
  void next_phase();
  void resume();
  bool a_share_is_crowded() const;

  flows::ConnectionTable table_;
  const flows::ConnectionLimits limits_;
  const size_t slice_;
  flows::ConnectionTimeouts timeouts_;
  Phase phase_ = Phase::ageing;
  size_t at_ = 0;      // the next bucket
  size_t resume_ = 0;  // where ageing goes on when there is room again
  flows::Time last_eviction_{};
  ConnectionCensus census_, counted_;
  std::unordered_map<flows::Account, size_t, AccountHash> accounts_;  // of this walk
  bool crowded_share_ = false;                                        // as the last walk has found
  EvictionPlanner planner_;
  EvictionPlan plan_;
};

}  // namespace viaduct::actors
