// One BGP speaker: zebra, bfdd and bgpd of FRR as children, in a network namespace of their own, for one router port.
//
//   desired state ── files, vty commands ──> bgpd ──routes──> zebra ── FPM ──> Rib ──> take_route_changes
//                                             └─ `show … json`, once a second ──────> peers
//
// A daemon that dies is started again, at once and then with growing pauses; its routes stay meanwhile (Rib's restart). When
// zebra dies bgpd and bfdd are killed as well: bgpd would not tell a new zebra what it had told the old one. They are killed,
// not stopped, so that peers take it for a restart (RFC 4724) and go on forwarding.
//
// One thread: the one that called start must make all calls and live longer (see ChildProcess). Calls block for milliseconds
// (a vty command; up to 3 s when a daemon hangs), `stop` for up to Options::stop_patience. The owner polls `descriptors` until `next_deadline` and calls
// `step`; or calls `run_for`.
#pragma once

#include <poll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routing/bgp/namespace.hpp"
#include "routing/bgp/peer_status.hpp"
#include "routing/bgp/rib.hpp"
#include "routing/bgp/speaker_config.hpp"

namespace viaduct::routing::bgp {

struct SpeakerOptions {
  std::string name;           // of the namespace; unique on the host
  std::string run_directory;  // made, 0700 and its user's; removed at the end. At most 80 bytes: sockets lie in it
  Uplink uplink;
  std::string frr_directory = "/usr/lib/frr";
  std::string user = "frr";
  std::chrono::milliseconds stop_patience{3000};
  // Peers whose routes are known from an earlier life. Until they have told everything again, or restart_time is over,
  // the speaker is in a restart: rib().phase() is not `normal`.
  std::vector<IpAddress> expected = {};
};

// What peers hear at the end.
enum class Farewell : uint8_t {
  cease,  // it is over: they forget our routes at once
  none    // we come back: with graceful restart they go on forwarding (RFC 4724)
};

enum class FrrDaemon : uint8_t { zebra, bfdd, bgpd };
inline constexpr size_t kFrrDaemons = 3;
const char* to_string(FrrDaemon daemon);

struct DaemonStatus {
  bool running = false;
  int pid = -1;
  uint64_t starts = 0;        // 1 after the first
  std::string last_end = {};  // how it ended last, and the last that it said
};

class FrrSpeaker {
 public:
  FrrSpeaker(SpeakerOptions options, SpeakerConfig config);
  ~FrrSpeaker();  // stops
  FrrSpeaker(const FrrSpeaker&) = delete;
  FrrSpeaker& operator=(const FrrSpeaker&) = delete;

  // Removes what an earlier life left under the same name, makes the namespace and starts the daemons. What it returns an
  // operator can act on (a missing package is named); then nothing is left.
  Problem start();
  // From now on this is wanted, and these ways to peers beyond the link (Uplink::routes). Sessions that are not concerned are
  // not touched. Refused (and nothing changes) when check() finds something. Files that cannot be written and routes that
  // cannot be changed are tried again each second: see problem().
  Problem reconfigure(const SpeakerConfig& config, const std::vector<UplinkRoute>& routes = {});
  // Namespace, veth and directory are gone afterwards.
  Problem stop(Farewell farewell = Farewell::cease);

  std::vector<pollfd> descriptors() const;
  Time next_deadline() const;
  // Does what is ready or due; does not wait.
  void step();
  void run_for(std::chrono::milliseconds time);

  std::vector<RouteChange> take_route_changes();
  const Problem& problem() const;  // what of the wanted state a daemon that dies would not find
  const std::vector<PeerStatus>& peers() const;
  DaemonStatus daemon(FrrDaemon daemon) const;
  const Rib& rib() const;
  const FpmCounters& fpm_counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::routing::bgp
