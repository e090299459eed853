// How one router finds and keeps the MAC addresses of its neighbours: ARP (RFC 826) and ND (RFC 4861 7.2, 7.3), with the
// times of devices.md 1.4. A state machine without clock, socket or actor: fed with what happened and a time, it says
// what to send and what to change in the NeighbourTable. Its caller does that; flows are the caller's to invalidate.
//
//              wanted                       learned
//   (nothing) ────────> incomplete ──────────────────────> reachable <───────────────────────┐
//       ^                   │ asked 3 times, 1 s apart        │ 60 s (+ up to 20 %)          │ learned
//       │                   v (RETRANS_TIMER, jittered)       v unconfirmed                  │
//       │    wanted ┌──── failed                            stale ───────────────────────────┘
//       │           │       │ 5 s: packets may ask again     │ used since: asked, twice the known MAC, then everybody
//       │           v       v                               │
//       └────── incomplete  retrying ── asked after 10, 20, │ 90 s unconfirmed: erased
//        60 s not wanted <──┘ 40, 60, 60 s … while wanted   └──> (nothing)
//
// Where MidoNet kept packets for up to 60 s, three fast requests decide here: a neighbour that is there answers the first
// within milliseconds, and a packet that must fail says so after 3 s. The table's entry is the truth about when a
// neighbour was confirmed and used: a lost piece of news delays an action and never causes a wrong one, and every
// change carries the deadline that keeps it from undoing what a worker has learned meanwhile.
//
// Limits: at most max_pending neighbours are being asked for the first time (a scan of an empty subnet), at most
// max_tracked are followed; what is beyond is counted, and wanted again by the next packet.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "flows/simulation/verdict.hpp"
#include "flows/state/state_tables.hpp"
#include "topology/address/id.hpp"

namespace viaduct::actors {

struct ResolverOptions {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds retransmit{
      1'000};      // between first requests, jittered by ±25 %, but failed after exactly probes times it
  int probes = 3;  // RFC 4861 10: MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
  Milliseconds failed_hold{5'000};     // packets are refused without being parked
  Milliseconds first_backoff{10'000};  // of asking in the background after failing; doubles
  Milliseconds last_backoff{60'000};
  Milliseconds wanted_memory{60'000};  // a neighbour that no packet wanted for so long is given up
  Milliseconds stale_after{60'000};    // + up to 20 %
  Milliseconds check_use{5'000};       // how often a stale entry is looked at, and asked for while used
  Milliseconds expire_after{90'000};
  size_t max_pending = 1024;
  size_t max_tracked = 32768;
};

// What is to be done, in this order.
struct ResolverActions {
  // An ARP request or neighbour solicitation out of the port; to one MAC where that is given, else to all.
  struct Ask {
    PortId port;
    IpAddress address;
    std::optional<MacAddress> unicast;
    friend bool operator==(const Ask&, const Ask&) = default;
  };
  // NeighbourTable::set_state_if_older; failing concerns flows (they carry the neighbour's tag), going stale does not.
  struct Mark {
    flows::NeighbourKey key;
    flows::NeighbourState state;
    flows::Time deadline;
    friend bool operator==(const Mark&, const Mark&) = default;
  };
  // NeighbourTable::erase_if_older; when that says true, flows that carry the neighbour's tag go.
  struct Expire {
    flows::NeighbourKey key;
    flows::Time deadline;
    friend bool operator==(const Expire&, const Expire&) = default;
  };
  std::vector<Ask> ask;
  std::vector<Mark> mark;
  std::vector<Expire> expire;
  std::vector<flows::simulation::NeighbourWanted> failed;  // tell the packets that wait
  std::vector<flows::simulation::NeighbourWanted> ready;   // wanted, and in the table meanwhile: try them again
  bool empty() const { return ask.empty() && mark.empty() && expire.empty() && failed.empty() && ready.empty(); }
};

class NeighbourResolver {
 public:
  // `seed` of the jitter, so that hosts do not ask in step and tests know what comes.
  NeighbourResolver(RouterId router, uint64_t seed, const ResolverOptions& options = {});

  // A packet is parked for it.
  void wanted(PortId port, const IpAddress& address, flows::Time now, const flows::NeighbourTable& table,
              ResolverActions& out);
  // A worker has put an answer or an announcement into the table.
  void learned(PortId port, const IpAddress& address, flows::Time now);
  // A packet used a stale entry.
  void refresh(PortId port, const IpAddress& address, flows::Time now, const flows::NeighbourTable& table,
               ResolverActions& out);
  // Whatever is due.
  void tick(flows::Time now, const flows::NeighbourTable& table, ResolverActions& out);
  // The port is removed, or its addresses are others.
  void port_gone(PortId port, ResolverActions& out);
  // Forgets all, of the table too.
  void flush(const flows::NeighbourTable& table, ResolverActions& out);
  // Follows what the table holds of this router: after a restart of the actor, and now and then.
  void adopt(const flows::NeighbourTable& table, flows::Time now);

  // When tick() has something to do; nothing when there is nothing to wait for.
  std::optional<flows::Time> next_deadline() const;
  size_t tracked() const { return neighbours_.size(); }
  size_t pending() const { return pending_; }
  uint64_t refused() const { return refused_; }  // by a limit

 private:
  enum class State : uint8_t { incomplete, failed, retrying, reachable, stale };
  struct Key {
    PortId port;
    IpAddress address;
    friend constexpr auto operator<=>(const Key&, const Key&) = default;
  };
  struct Neighbour {
    State state = State::reachable;
    int asked = 0;      // in this state
    flows::Time since;  // of this state
    flows::Time last_wanted;
    flows::Time due;
  };
  using Neighbours = std::map<Key, Neighbour>;

  flows::NeighbourKey table_key(const Key& key) const { return {router_.uuid(), key.port, key.address}; }
  flows::simulation::NeighbourWanted waiting(const Key& key) const { return {router_, key.port, key.address}; }
  flows::Time::duration jittered(flows::Time::duration interval);
  Neighbour* track(const Key& key);
  void forget(Neighbours::iterator at);
  void schedule(const Key& key, Neighbour& neighbour, flows::Time due);
  void enter(Neighbour& neighbour, State state, flows::Time now);
  void confirm(const Key& key, Neighbour& neighbour, flows::Time confirmed);
  void ask_again(const Key& key, Neighbour& neighbour, flows::Time now, ResolverActions& out);

  void due(Neighbours::iterator at, flows::Time now, const flows::NeighbourTable& table, ResolverActions& out);
  void incomplete_due(const Key& key, Neighbour& neighbour, flows::Time now, ResolverActions& out);
  void failed_due(const Key& key, Neighbour& neighbour, const std::optional<flows::NeighbourEntry>& entry,
                  flows::Time now, ResolverActions& out);
  void retrying_due(Neighbours::iterator at, flows::Time now, ResolverActions& out);
  void known_due(Neighbours::iterator at, const flows::NeighbourEntry& entry, flows::Time now, ResolverActions& out);
  void ask_stale(const Key& key, Neighbour& neighbour, const flows::NeighbourEntry& entry, flows::Time now,
                 ResolverActions& out);

  const RouterId router_;
  const ResolverOptions options_;
  std::minstd_rand random_;
  Neighbours neighbours_;
  std::set<std::pair<flows::Time, Key>> timers_;  // one for each neighbour
  size_t pending_ = 0;                            // in state incomplete
  uint64_t refused_ = 0;
};

}  // namespace viaduct::actors
