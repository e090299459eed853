// The liveness of all peers: who is probed, what came from whom, what is due next. For thousands of peers: an event costs
// the logarithm of their number.
//
// Not for several threads at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "routing/underlay/liveness.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::routing::underlay {

class LivenessTable {
 public:
  LivenessTable(HostId self, RandomSource random, const LivenessOptions& options = {});
  LivenessTable(const LivenessTable&) = delete;
  LivenessTable& operator=(const LivenessTable&) = delete;

  // Exactly these are probed from now on, each believed from its addresses only (Peers::sources). First probes are spread
  // over an interval.
  void set_peers(const std::map<HostId, std::set<IpAddress>>& sources, Time now);
  void configure(const LivenessOptions& options, Time now);
  // `from`: the outer source address.
  ProbeFate receive(const Probe& probe, const IpAddress& from, Time now, LivenessActions& out);
  // Whatever is due at all peers.
  void tick(Time now, LivenessActions& out);
  // This host stops: peers are told, so that they need not detect it.
  void leave(Time now, LivenessActions& out);

  std::optional<Time> next_deadline() const;
  size_t size() const { return peers_.size(); }
  LivenessState state(HostId peer) const;  // down for a host that is not probed
  void for_each(const std::function<void(HostId, const LivenessStats&)>& visit) const;
  // How often this host was late itself, by half an interval and more: its peers were excused.
  uint64_t late() const { return late_; }
  // Of probes that came since the beginning, by what became of them.
  const std::array<uint64_t, kProbeFates>& fates() const { return fates_; }

 private:
  struct Peer {
    LivenessFsm fsm;
    std::set<IpAddress> sources;
    Time due;
  };
  ProbeFate judge(const Probe& probe, const IpAddress& from, Time now, LivenessActions& out);
  void notice_lateness(Time now);
  void schedule(HostId host, Peer& peer);

  const HostId self_;
  const RandomSource random_;
  LivenessOptions options_;
  std::map<HostId, Peer> peers_;
  std::set<std::pair<Time, HostId>> due_;
  Time noticed_{};  // lateness, the last time
  uint64_t late_ = 0;
  std::array<uint64_t, kProbeFates> fates_{};
};

}  // namespace viaduct::routing::underlay
