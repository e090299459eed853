// The routes that peers have told, as FRR's best paths: prefix -> gateways. Pure: fed with news and a time, asked for what
// changed.
//
// What keeps packets flowing while daemons change their mind:
//   - a removal waits kDeleteHold: FRR says every change as a removal and a new route;
//   - while daemons restart removals wait for the end of the restart, and so do routes that a new FPM stream has not told
//     again (they are marked: the stream has no end-of-replay, so the end is quiet):
//
//             restart_begins / stream_lost          settled              kQuiet without news, or too late
//     normal ──────────────────────────────> away ──────────> returning ──────────────────────────────> normal
//                                              ^──────────────────┘ restart_begins / stream_lost          + sweep
//
// A gateway may tell a number of prefixes: the first ones stay; others wait, in order, for a place.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "routing/bgp/fpm.hpp"

namespace viaduct::routing::bgp {

using Time = std::chrono::steady_clock::time_point;

struct RouteChange {
  IpPrefix prefix;
  std::vector<IpAddress> gateways = {};  // sorted; empty: the route is gone
  friend bool operator==(const RouteChange&, const RouteChange&) = default;
};

enum class RouteRefusal : uint8_t {
  own_network,  // what we announce, or a part of it; of a default route that we announce only itself
  own_address,  // of this port; as destination or as gateway
  bad_prefix,   // multicast, loopback, link-local, "this network": nothing that is routed
};
inline constexpr size_t kRouteRefusals = 3;
const char* to_string(RouteRefusal refusal);

// 0: no limit.
struct RibLimits {
  std::map<IpAddress, uint32_t> per_gateway = {};
  uint32_t other_v4 = 0,
           other_v6 = 0;  // for each gateway that is not named above (third-party next hops), by its family
  friend bool operator==(const RibLimits&, const RibLimits&) = default;
};

class Rib {
 public:
  static constexpr std::chrono::milliseconds kDeleteHold{100};
  static constexpr std::chrono::milliseconds kQuiet{1000};

  enum class Phase : uint8_t { normal, away, returning };

  void learn(const RouteNews& news, Time now);
  // What is ours, and not to be told by others. Routes that break it now go, refused ones that no longer do come.
  void set_own(std::vector<IpPrefix> networks, std::vector<IpAddress> addresses, Time now);
  void set_limits(RibLimits limits);

  // A daemon has died, or zebra's stream has ended and a new one will tell everything. Until `latest` everything stays.
  void restart_begins(Time latest);
  void stream_lost(Time latest);
  // Daemons and peers are back; what has not been told when it is quiet will not come. Not in phase away: nothing.
  void settled(Time now);
  Phase phase() const { return phase_; }

  // Differences since the last call, by prefix. Does what is due.
  std::vector<RouteChange> take_changes(Time now);
  std::optional<Time> next_deadline() const;

  size_t size() const { return routes_.size(); }  // told and not refused; with those that wait for their removal
  uint64_t surplus() const;                       // pairs of prefix and gateway over the limit now
  const std::array<uint64_t, kRouteRefusals>& refused() const { return refused_; }

 private:
  struct Route {
    std::vector<IpAddress> told;       // by FRR
    std::vector<IpAddress> published;  // as of the last take_changes
    std::optional<Time> removed;       // since when
    bool marked = false;               // not told again by the new stream
  };
  // What one gateway has told.
  struct Share {
    uint32_t limit = 0;
    std::set<IpPrefix> admitted, waiting;
  };
  std::optional<RouteRefusal> refusal(const IpPrefix& prefix) const;
  std::vector<IpAddress> usable(const std::vector<IpAddress>& gateways) const;
  void set_told(const IpPrefix& prefix, Route& route, std::vector<IpAddress> gateways);
  void take(const RouteNews& news);
  void forget_removal(const IpPrefix& prefix, Route& route);
  void erase(const IpPrefix& prefix);
  uint32_t limit_of(const IpAddress& gateway) const;
  void join(const IpAddress& gateway, const IpPrefix& prefix);
  void leave(const IpAddress& gateway, const IpPrefix& prefix);
  void balance(Share& share);
  void expire(Time now);
  void sweep();

  std::map<IpPrefix, Route> routes_;
  std::map<IpPrefix, std::vector<IpAddress>> gone_;  // erased, and what was published of it
  std::map<IpAddress, Share> shares_;
  std::set<IpPrefix> dirty_;
  std::set<std::pair<Time, IpPrefix>> removals_;  // when a removal came, and of what; Route::removed says the same
  std::map<IpPrefix, RouteNews> refused_routes_;  // told, and not taken
  std::vector<IpPrefix> own_networks_;
  std::vector<IpAddress> own_addresses_;
  RibLimits limits_;
  Phase phase_ = Phase::normal;
  Time latest_{};       // not in phase normal: the end in any case
  Time quiet_since_{};  // returning: the last news
  std::array<uint64_t, kRouteRefusals> refused_{};
};

}  // namespace viaduct::routing::bgp
