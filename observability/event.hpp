// What happens to a system that operators ask for later: kinds of events, and one that has happened (journal.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::observability {

// Names that stay as they are, for scripts and alerts. Add one here and in event.cpp's table.
enum class EventKind : uint8_t {
  topology_changed,  // a commit, as each cluster node sees it
  topology_applied,  // ... and each host whose agent needs it
  host_joined,       // its session begins or goes on
  host_left,         // its session has ended
  agent_stuck,       // it does not apply its feed
  cluster_joined,    // this agent, to a node
  cluster_lost,
  port_active,
  port_inactive,
  tunnel_up,
  tunnel_down,
  bgp_up,
  bgp_down,
  member_up,  // of a pool
  member_down,
  pool_taken,  // this host checks its members from now on
  pool_released,
  replication_lost,    // another host does not answer: packets wait for it no more
  replication_resync,  // it answers again, and is told all connections that concern it
  nat_yielded,         // blocks of NAT ports that another host has adopted
  nat_exhausted,       // no port is left for new connections
  actor_died,
  store_lost,  // the database, or one of its servers
  store_found,
  daemon_ready,
  daemon_reloaded,
  daemon_stopping,
  count_,
};
inline constexpr size_t kEventKinds = static_cast<size_t>(EventKind::count_);

std::string_view to_string(EventKind kind);       // "port.active"
std::string_view description_of(EventKind kind);  // a phrase
// Of what a person or a program has asked for; the others are what became of the system.
bool is_change(EventKind kind);

struct Event {
  uint64_t id = 0;      // in the journal that was asked: ascending, also over restarts
  uint64_t origin = 0;  // in the journal of the host where it happened
  std::chrono::system_clock::time_point at = {};
  std::string kind = {};   // of a newer host perhaps one that is not known here
  std::string level = {};  // info, warning, error
  std::string host = {};   // where it happened, by name
  std::string message = {};
  std::vector<std::pair<std::string, std::string>> fields = {};
  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace viaduct::observability
