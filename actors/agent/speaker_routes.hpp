// From what a speaker has learned to what others are told of it: routes in parts, and gateways that are lost, which is said
// at once and repairs all their routes together.
//
// An earlier life's routes count until the speaker has told everything (settled); meanwhile they are what packets go by.
// A change of routes rewrites a part of 1/256 of a table. So routes are gathered for longer the more was said last: a table that
// comes in costs a few times what one telling costs, and one that never rests a telling a second.
//
// Not for several threads at a time; on the speaker's thread.
#pragma once

#include <chrono>
#include <set>
#include <span>
#include <vector>

#include "actors/agent/learned_parts.hpp"
#include "routing/bgp/peer_status.hpp"
#include "routing/bgp/rib.hpp"
#include "routing/bgp/speaker_config.hpp"

namespace viaduct::actors {

class SpeakerRoutes {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::nanoseconds kPausePerPrefix{100'000};
  static constexpr std::chrono::milliseconds kLongestPause{1'000};

  explicit SpeakerRoutes(PortId port) : port_(port), parts_(port) {}

  // Before anything else. Returns by whom these routes go.
  std::vector<IpAddress> adopt(std::span<const topology::HostFact> said);
  void learn(std::vector<routing::bgp::RouteChange> changes);
  // What bgpd says of its peers; of who is not named there nothing is known.
  void hear(std::span<const routing::bgp::PeerStatus> peers, std::span<const routing::bgp::SpeakerPeer> wanted);
  // Peers that are not wanted any more are not lost either.
  void keep_only(std::span<const routing::bgp::SpeakerPeer> wanted);
  // The speaker begins anew: what it had learned is as an earlier life's.
  void doubt();
  // All has been told that there is.
  void settled();
  void end();

  // What is to be said now. Empty: nothing, or not yet (next_deadline).
  RoutesLearned take(Time now);
  std::optional<Time> next_deadline() const;
  size_t prefixes() const { return parts_.prefixes(); }

 private:
  const PortId port_;
  LearnedParts parts_;
  std::set<IpAddress> adopted_lost_;  // of an earlier life, and nothing heard since
  bool dirty_ = false;                // routes have changed
  bool adopted_ = false;              // and has not settled
  Time next_routes_{};
};

}  // namespace viaduct::actors
