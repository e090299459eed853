// Connection state on its way to one other host: what waits, what was sent and not acknowledged, when it is sent again.
//
//   put ──> waiting ──poll()──> in flight ──acknowledged()──> done
//             ^                    │ │
//             └── newer put of ────┘ └── time-out: poll() sends the batch again, later each time
//                 a key in flight
//
// Newest wins: a key that is put again while it waits is sent once, and one that is in flight waits until its batch was
// acknowledged, so no older update ever follows a newer one and the receiver needs no memory. Bounded: when more waits
// than `max_waiting`, all of it is forgotten and resync() says so, until the owner has put everything again.
//
// What is not acknowledged is sent again after twice the time that it last took, `first_timeout` at least; where that is
// too short for the path, the time doubles until answers are in time.
//
// A peer that does not answer for `patience` is silent: nobody waits for it, but it is sent what changed, at the slowest
// pace, until it answers. One that answers in another life has lost what it had: resync().
//
// A state machine without sockets, clocks or threads; one owner. Times only go forward.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "flows/replication/state_frame.hpp"

namespace viaduct::flows {

// Whoever waits until an update is with the peer; 0: nobody.
using ReplicationTicket = uint64_t;

class ReplicationLink {
 public:
  struct Options {
    std::chrono::milliseconds first_timeout{10};
    std::chrono::milliseconds last_timeout{1'000};
    std::chrono::milliseconds patience{300};
    size_t window = 64;  // batches in flight
    size_t max_waiting = 65'536;
    // Told of each batch that has arrived, how long that took from the first time it was sent. May be empty.
    std::function<void(std::chrono::nanoseconds)> on_acknowledged = {};
  };
  ReplicationLink() : ReplicationLink(Options()) {}
  explicit ReplicationLink(const Options& options) : options_(options) {}

  // False when the ticket need not wait: the peer is silent.
  bool put(const ConnectionKey& key, ConnectionUpdate update, ReplicationTicket ticket, Time now);
  // Until the key that was put before has arrived; false when it has, or nobody waits for the peer.
  bool wait_for(const ConnectionKey& key, ReplicationTicket ticket);
  // Batches that are due, at most `limit`: new ones, and those that were not acknowledged in time.
  std::vector<StateBatch> poll(Time now, size_t limit);
  // The tickets of what has arrived. `peer_life`: of who acknowledges.
  std::vector<ReplicationTicket> acknowledged(const std::vector<uint64_t>& sequences, uint64_t peer_life, Time now);
  // Tickets that must not wait any longer: the peer has become silent, or what they waited for was forgotten.
  std::vector<ReplicationTicket> give_up(Time now);
  // When poll() or give_up() have something to do; nothing while all is quiet.
  std::optional<Time> next_deadline() const;

  // All of them, when the link is given up.
  std::vector<ReplicationTicket> all_tickets();
  // Somebody else knows already that the peer does not answer.
  void hush();
  // And that it does again: it is waited for, and has the whole patience from now on.
  void expect(Time now);
  // Everything has to be put again, for another reason than those that the link finds out.
  void start_over() { resync_ = true; }
  // The peer lacks things that were put before: put everything again. Said once.
  bool resync();
  bool silent() const { return silent_; }
  // When the oldest update that the peer has not acknowledged was put.
  std::optional<Time> oldest() const;
  size_t waiting() const { return waiting_.size(); }
  size_t in_flight() const { return flights_.size(); }
  uint64_t sent_again() const { return sent_again_; }
  uint64_t overflows() const { return overflows_; }

 private:
  struct Waiting {
    ConnectionUpdate update;
    std::vector<ReplicationTicket> tickets;
    Time since;  // of the first of the puts
  };
  struct Flight {
    StateBatch batch;
    std::vector<ReplicationTicket> tickets;
    Time sent;
    Time since;  // its oldest update was put
    Time due;    // to be sent again
    std::chrono::milliseconds timeout;
    bool again = false;  // was sent more than once: its answer tells nothing of the round trip (RFC 6298 3)
  };
  void overflow();
  void answered(const Flight& flight, Time now);

  const Options options_;
  std::chrono::milliseconds timeout_{options_.first_timeout};  // of new batches, by what the last ones needed

  std::unordered_map<ConnectionKey, Waiting, ConnectionKeyHash> waiting_;
  std::deque<ConnectionKey> order_;  // of waiting_; may name keys that wait no more
  std::unordered_map<ConnectionKey, uint64_t, ConnectionKeyHash> flying_;  // by which batch
  std::map<uint64_t, Flight> flights_;                                     // by sequence
  uint64_t next_sequence_ = 1;
  uint64_t peer_life_ = 0;
  std::optional<Time> unanswered_since_;
  std::vector<ReplicationTicket> forgotten_;  // whose updates an overflow took
  bool silent_ = false;
  bool resync_ = false;
  uint64_t sent_again_ = 0;
  uint64_t overflows_ = 0;
};

}  // namespace viaduct::flows
