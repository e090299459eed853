#include "observability/event.hpp"

#include <array>

namespace viaduct::observability {
namespace {

struct Line {
  EventKind kind;
  std::string_view name, description;
};

constexpr std::array<Line, kEventKinds> kLines = {{
    {EventKind::topology_changed, "topology.changed", "a change of the topology, with who asked for it"},
    {EventKind::topology_applied, "topology.applied", "an agent has applied it, and by its request which"},
    {EventKind::host_joined, "host.joined", "a host's agent came to this cluster node"},
    {EventKind::host_left, "host.left", "a host's session has ended: what it told is gone"},
    {EventKind::agent_stuck, "agent.stuck", "an agent does not apply what it is told"},
    {EventKind::cluster_joined, "cluster.joined", "an agent is served by a cluster node"},
    {EventKind::cluster_lost, "cluster.lost", "an agent is not, and works on with what it knows"},
    {EventKind::port_active, "port.active", "a port's interface is there and up"},
    {EventKind::port_inactive, "port.inactive", "it is not any more"},
    {EventKind::tunnel_up, "tunnel.up", "another host answers in the tunnel"},
    {EventKind::tunnel_down, "tunnel.down", "it does not, or the tunnel is not to be used"},
    {EventKind::bgp_up, "bgp.up", "a BGP session is established"},
    {EventKind::bgp_down, "bgp.down", "it has ended"},
    {EventKind::member_up, "member.up", "a pool's member answers its health monitor"},
    {EventKind::member_down, "member.down", "it does not"},
    {EventKind::pool_taken, "pool.taken", "a host begins to check a pool's members"},
    {EventKind::pool_released, "pool.released", "it leaves them to another one"},
    {EventKind::replication_lost, "replication.lost", "another host does not answer: packets wait for it no more"},
    {EventKind::replication_resync, "replication.resync",
     "it answers again, and is told all connections that concern it"},
    {EventKind::nat_yielded, "nat.yielded", "blocks of NAT ports have become another host's"},
    {EventKind::nat_exhausted, "nat.exhausted", "no NAT port is left for new connections"},
    {EventKind::actor_died, "actor.died", "a part of a daemon died; it is started again, or the daemon ends"},
    {EventKind::store_lost, "store.lost", "the database, or one of its servers, does not answer"},
    {EventKind::store_found, "store.found", "the database's changes come again"},
    {EventKind::daemon_ready, "daemon.ready", "a daemon has started"},
    {EventKind::daemon_reloaded, "daemon.reloaded", "it has read its configuration again"},
    {EventKind::daemon_stopping, "daemon.stopping", "it was asked to end"},
}};

constexpr bool in_order() {
  for (size_t i = 0; i < kLines.size(); ++i) {
    if (kLines[i].kind != static_cast<EventKind>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "kLines needs a line for the new kind");

const Line& line_of(EventKind kind) { return kLines[static_cast<size_t>(kind)]; }

}  // namespace

std::string_view to_string(EventKind kind) { return line_of(kind).name; }
std::string_view description_of(EventKind kind) { return line_of(kind).description; }
bool is_change(EventKind kind) { return kind == EventKind::topology_changed || kind == EventKind::topology_applied; }

}  // namespace viaduct::observability
