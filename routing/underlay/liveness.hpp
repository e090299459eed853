// Whether one peer answers through the tunnel: BFD in asynchronous mode (RFC 5880), simplified and with more numbers. A
// state machine without clock, socket or actor: fed with what came and a time, it says what to send and what changed.
//
//                 heard down                        heard init or up
//       ┌──────┐ ───────────> ┌──────┐ ───────────────────────────────> ┌────┐
//       │ down │              │ init │                                  │ up │
//       └──────┘ <─────────── └──────┘                                  └────┘
//         ^ │ ^  silence, heard admin_down                                ^ │
//         │ │ └────────── silence, heard down or admin_down ──────────────┼─┘
//         │ └──────────────────── heard init ─────────────────────────────┘
//         v  set_admin
//    ┌────────────┐
//    │ admin_down │
//    └────────────┘
//
// From RFC 5880: the states and what moves them (6.2, 6.8.6), detection time (6.8.4: the sender's multiplier times the
// slower of its interval and what the receiver asks for), jitter of 0 to 25 % below the interval, 10 to 25 % with a
// multiplier of 1 (6.8.7), and a probe at once when the state changes.
// Different:
//  - No poll sequence. A slower interval is announced at once and kept to when the peer has echoed such a probe.
//  - The fast pace is kept in every state, so that a path comes up in a round trip; `silent_after` unanswered probes slow
//    it down to `silent_interval`.
//  - Sequence numbers: a copy or a replay of a probe changes nothing, an overtaken one is counted and not obeyed.
//  - Once a peer has shown that it hears (it names our discriminator), only that pair of discriminators is believed until
//    it is silent for the detection time. A peer that restarts is therefore down for that time.
//  - A host that was late itself, by its own deadlines, cannot tell silence from what waits unread: excuse() gives the peer
//    one probe's time more, kExcuses times at most until it is heard.
//  - Round-trip time from echoed time stamps; loss in both directions, for each end says what it has counted.
//
// Not for several threads at a time.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "routing/underlay/loss_window.hpp"
#include "routing/underlay/probe_frame.hpp"
#include "routing/underlay/random_source.hpp"
#include "topology/address/id.hpp"

namespace viaduct::routing::underlay {

using Time = std::chrono::steady_clock::time_point;

struct LivenessOptions {
  std::chrono::microseconds interval{500'000};  // sent and required; kMinProbeInterval to kMaxProbeInterval
  uint8_t multiplier = 3;                       // 1 to kMaxMultiplier
  uint32_t silent_after = 20;                   // probes sent while nothing is heard
  std::chrono::microseconds silent_interval{2'000'000};
  uint64_t loss_window = 100;  // probes
  friend bool operator==(const LivenessOptions&, const LivenessOptions&) = default;
};
// Each value moved into its limits.
LivenessOptions limited(LivenessOptions options);

enum class ChangeReason : uint8_t { handshake, silence, peer_says_down, administrative };
const char* to_string(ChangeReason reason);

struct StateChange {
  HostId peer;
  LivenessState from, to;
  ChangeReason reason;
  friend bool operator==(const StateChange&, const StateChange&) = default;
};

// What is to be done; the caller appends to it over several calls.
struct LivenessActions {
  std::vector<Probe> send;  // to Probe::receiver
  std::vector<StateChange> changes;
};

// What became of a probe that came.
enum class ProbeFate : uint8_t {
  accepted,
  overtaken,  // by a later one: counted, not obeyed
  // Refused, no trace but in the counters:
  duplicate,            // or replayed
  wrong_discriminator,  // of another life of either host, or made up
  admin_down,           // this end is
  // By the table:
  unknown_peer,
  not_for_us,       // the receiver is another host
  foreign_address,  // the outer source is none of the sender's in a shared zone
};
inline constexpr size_t kProbeFates = 8;
const char* to_string(ProbeFate fate);

struct LivenessStats {
  LivenessState state = LivenessState::down;
  Time since;                       // of this state
  uint64_t sent = 0, received = 0;  // received: accepted and overtaken
  uint64_t refused = 0;
  uint64_t changes = 0;
  // Of the last probes; 1 towards us while the peer is silent, unknown before the first.
  std::optional<double> loss_to_us, loss_to_peer;
  std::optional<std::chrono::microseconds> round_trip;  // smoothed as in RFC 6298 2
};

class LivenessFsm {
 public:
  // `random` is asked for the discriminator and the jitter, and must outlive the machine.
  LivenessFsm(HostId self, HostId peer, const RandomSource& random, const LivenessOptions& options, Time now);

  ProbeFate receive(const Probe& probe, Time now, LivenessActions& out);
  // Whatever is due.
  void tick(Time now, LivenessActions& out);
  // This host was not there in time to hear what has come.
  void excuse(Time now);
  // Never later than it should; earlier calls of tick() do no harm.
  Time next_deadline() const;

  void configure(const LivenessOptions& options, Time now);
  enum class Admin : uint8_t { enabled, disabled };
  void set_admin(Admin admin, Time now, LivenessActions& out);

  LivenessState state() const { return state_; }
  uint32_t discriminator() const { return discriminator_; }
  LivenessStats stats() const;

 private:
  using Microseconds = std::chrono::microseconds;
  static constexpr unsigned kExcuses = 3;
  static constexpr size_t kHistory = 64;  // sequence numbers behind the highest that are told apart

  // What is known of the peer's present life.
  struct Remote {
    uint32_t discriminator = 0;  // 0: nobody was heard yet
    bool confirmed = false;      // it named our discriminator, and was not silent since
    Microseconds desired_interval{0}, required_interval{0};
    uint8_t multiplier = 1;
    uint64_t base = 0;                  // the sequence number before the first one heard
    uint64_t highest = 0, count = 0;    // sequence number heard; how many different ones
    std::bitset<kHistory> seen;         // bit i: highest - i
    std::optional<uint64_t> echo_base;  // our sequence number before the first one that it heard
    Probe::Microseconds sent_at{0};     // of the highest
    Time heard_at;
  };

  bool believed(const Probe& probe) const;
  void meet(const Probe& probe);
  ProbeFate note_sequence(uint64_t sequence);
  void note_remote(const Probe& probe, Time now);
  void note_echo(const Probe& probe, Time now);
  void obey(LivenessState heard, Time now, LivenessActions& out);
  void fall_silent(Time now, LivenessActions& out);
  void enter(LivenessState state, ChangeReason reason, Time now, LivenessActions& out);
  void send(Time now, LivenessActions& out);
  void keep_announced_pace();
  bool slow() const;
  Microseconds interval() const;
  Microseconds jittered(Microseconds interval) const;
  Microseconds detection_time() const;
  Probe::Microseconds age_at(Time now) const;

  const HostId self_, peer_;
  const RandomSource& random_;
  LivenessOptions options_;
  const uint32_t discriminator_;
  const Time born_;

  LivenessState state_ = LivenessState::down;
  Time since_;
  Remote remote_;
  bool heard_ = false;             // within the detection time
  std::optional<Time> detect_at_;  // when silence is long enough
  unsigned excuses_ = 0;           // since the peer was heard
  Time next_send_;
  uint64_t sequence_ = 0;    // of the last probe sent
  uint64_t unanswered_ = 0;  // sent since the last one was heard
  // A change of options counts for us when the peer has echoed the first probe that said it: until then we send at the
  // faster pace, and expect no more than the slower one.
  Microseconds pace_, floor_;
  uint64_t announced_from_ = 0;  // that probe; 0: nothing to wait for

  LossWindow to_us_, to_peer_;
  uint64_t echoed_ = 0;  // our highest sequence number that the peer has echoed
  std::optional<Microseconds> round_trip_;
  uint64_t received_ = 0, refused_ = 0, changes_ = 0;
};

}  // namespace viaduct::routing::underlay
