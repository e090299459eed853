// What becomes of the daemon when an actor dies: the one table of the supervision policy.
//
// core: the daemon cannot be trusted without it. Everything is stopped in order and the process ends with an error; the
//   kernel goes on forwarding, systemd starts the next life, and that adopts what it finds.
// auxiliary: it holds no state that others rely on; it is started again after a back-off, for ever.
#pragma once

#include <array>
#include <string_view>

namespace viaduct::actors {

enum class OnDeath : uint8_t { end_daemon, restart };

struct Policy {
  std::string_view kind;
  OnDeath on_death;
};

inline constexpr std::array kPolicies = {
    Policy{"topology_store", OnDeath::end_daemon},   // the one writer; clients must not see half of it
    Policy{"state_tables", OnDeath::end_daemon},     // knows the hosts' sessions
    Policy{"node_record", OnDeath::end_daemon},      // other nodes would wait for this one's agents
    Policy{"gateway", OnDeath::end_daemon},          // agents would find nobody
    Policy{"cluster_link", OnDeath::end_daemon},     // the agent would hear nothing any more, and say nothing
    Policy{"state_publisher", OnDeath::end_daemon},  // knows what others have been told
    Policy{"nat_leaser", OnDeath::end_daemon},       // knows which ports are this host's to give out
    Policy{"health_checker", OnDeath::end_daemon},   // knows which pools this host has promised to check
    Policy{"bgp_speakers", OnDeath::end_daemon},     // knows who speaks, and what that has learned
    Policy{"flow_replicator", OnDeath::end_daemon},  // packets wait for it
    Policy{"tunnel_manager", OnDeath::end_daemon},   // others are reached by what it knows
    Policy{"subscription", OnDeath::end_daemon},     // takes the store with it: its agent would get no more changes
    Policy{"topology_mirror", OnDeath::end_daemon},  // owns the published network
    Policy{"datapath", OnDeath::end_daemon},         // owns ports and packet workers
    Policy{"flow_controller", OnDeath::end_daemon},  // owns the index: without it stale flows would stay
    Policy{"connections", OnDeath::end_daemon},      // without it the table fills, and nothing more is let through
    Policy{"devices", OnDeath::end_daemon},
    Policy{"bridge", OnDeath::restart},  // rebuilds from the tables
    Policy{"router", OnDeath::restart},
    Policy{"learned_state", OnDeath::restart},
    Policy{"admin_endpoint", OnDeath::restart},
    Policy{"admin", OnDeath::restart},
    Policy{"rest_gateway", OnDeath::restart},
};

constexpr OnDeath on_death(std::string_view kind) {
  for (const Policy& policy : kPolicies) {
    if (policy.kind == kind) return policy.on_death;
  }
  return OnDeath::end_daemon;
}

}  // namespace viaduct::actors
