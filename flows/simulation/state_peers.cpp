#include "flows/simulation/state_peers.hpp"

#include <algorithm>

#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

void add(HostId host, StatePeers& peers) {
  if (std::find(peers.begin(), peers.end(), host) == peers.end()) peers.push_back(host);
}

void add_host_of(const PortView& port, StatePeers& peers) {
  if (port.number || !port.exterior) return;
  if (port.active_elsewhere()) {
    add(port.remote.host, peers);
  } else if (!port.host.is_nil()) {
    add(port.host, peers);
  }
}

bool concerns_connections(const Verdict& verdict) {
  if (verdict.outcome != Outcome::forward) return false;
  return !verdict.opens.empty() || std::any_of(verdict.touches.begin(), verdict.touches.end(), [](const Touch& touch) {
    return std::holds_alternative<ConnectionUse>(touch);
  });
}

}  // namespace

void add_state_peers(const Network& network, std::span<const PortId> ends, StatePeers& peers) {
  for (PortId end : ends) {
    const PortView* port = network.port(end);
    if (port == nullptr) continue;
    add_host_of(*port, peers);
    for (PortId sibling : port->siblings) {
      const PortView* other = network.port(sibling);
      if (other != nullptr) add_host_of(*other, peers);
    }
  }
}

std::vector<PortId> ends_with_moved_peers(const Network& before, const Network& after, const topology::Delta& delta,
                                          const Moved& moved) {
  std::vector<PortId> ends = changed_ports(delta, moved, before.data().snapshot, after.data().snapshot);
  const size_t changed = ends.size();
  for (size_t i = 0; i < changed; ++i) {
    for (const Network* network : {&before, &after}) {
      const PortView* port = network->port(ends[i]);
      if (port != nullptr) ends.insert(ends.end(), port->siblings.begin(), port->siblings.end());
    }
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

void name_peers(Walk& walk) {
  Verdict& verdict = walk.verdict;
  if (!concerns_connections(verdict)) {
    verdict.ends.clear();
    verdict.peers.clear();
    return;
  }
  if (walk.first != nullptr) verdict.ends.push_back(walk.first->id);
  add_state_peers(walk.network(), {verdict.ends.begin(), verdict.ends.size()}, verdict.peers);
}

}  // namespace viaduct::flows::simulation
