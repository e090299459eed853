// All of a compiled network as text, so that two ways to the same one can be compared.
#pragma once

#include <set>
#include <sstream>
#include <string>

#include "flows/simulation/network_views.hpp"

namespace viaduct::flows::simulation {

inline std::string text_of(const PortView& port) {
  std::ostringstream out;
  out << "port " << port.id.to_string() << ' ' << port.name << ' ' << static_cast<int>(port.device) << ' '
      << port.device_id.to_string() << ' ' << port.admin_up << port.exterior << ' ' << port.number.value << ' '
      << port.peer.to_string() << ' ' << port.mac.to_string() << ' ' << port.mtu;
  for (const IpPrefix& address : port.addresses) out << ' ' << address.to_string();
  if (port.active_elsewhere()) out << " on " << port.remote.host.to_string() << ' ' << port.remote.key;
  out << " in " << port.inbound_filter.to_string() << " out " << port.outbound_filter.to_string();
  for (const PortGroupId& group : port.groups) out << " of " << group.to_string();
  if (port.link_local) out << ' ' << port.link_local->to_string();
  return out.str();
}

inline std::string text_of(const BridgeView& bridge) {
  std::set<std::string> lines;
  bridge.flood.for_each([&](const PortId& id, PortNumber number) {
    lines.insert("flood " + id.to_string() + " " + std::to_string(number.value));
  });
  bridge.router_macs.for_each([&](const MacAddress& mac, const RouterLink& link) {
    lines.insert("router " + mac.to_string() + " " + link.bridge_port.to_string());
  });
  bridge.router_addresses.for_each([&](const IpAddress& ip, const RouterLink& link) {
    lines.insert("router " + ip.to_string() + " " + link.router_port.to_string() + " " + link.mac.to_string());
  });
  bridge.static_macs.for_each([&](const MacAddress& mac, const PinnedMac& pinned) {
    lines.insert("static " + mac.to_string() + " " + pinned.port.to_string());
  });
  bridge.static_neighbours.for_each([&](const IpAddress& ip, const PinnedNeighbour& pinned) {
    lines.insert("static " + ip.to_string() + " " + pinned.mac.to_string());
  });
  std::string out = "bridge " + bridge.id.to_string() + " " + bridge.name + (bridge.admin_up ? " up" : " down") +
                    " in " + bridge.inbound_filter.to_string() + " out " + bridge.outbound_filter.to_string();
  for (const std::string& line : lines) out += "\n  " + line;
  return out;
}

inline std::string text_of(const RouterView& router) {
  std::string out = "router " + router.id.to_string() + " " + router.name + (router.admin_up ? " up" : " down") + " " +
                    router.local_redirect.to_string() + " " + router.inbound_filter.to_string() + " " +
                    router.forward_filter.to_string() + " " + router.outbound_filter.to_string() + " " +
                    router.load_balancer.to_string();
  router.fib.for_each([&](const routing::FibEntry& entry) {
    out += "\n  " + entry.destination.to_string() + " from " + entry.source.to_string() + " " + entry.id.to_string() +
           " " + std::to_string(static_cast<int>(entry.kind)) + " " + entry.port.to_string() + " " +
           (entry.gateway ? entry.gateway->to_string() : "-") + " " + std::to_string(entry.weight);
  });
  std::set<std::string> standings;
  router.fib.next_hops().for_each([&](const PortId& port, const routing::NextHops& known) {
    std::string line = port.to_string() + " stands " + std::to_string(static_cast<int>(known.standing));
    for (const IpAddress& dead : known.dead) line += " without " + dead.to_string();
    standings.insert(line);
  });
  for (const std::string& line : standings) out += "\n  " + line;
  return out;
}

// Rules in the order in which any packet would meet them all.
inline std::string text_of(const ChainView& chain) {
  std::string out = "chain " + chain.id.to_string() + " " + chain.name + " " + std::to_string(chain.rules.size());
  std::set<std::string> rules;
  chain.rules.for_each([&](const topology::Rule& rule) {
    rules.insert(std::to_string(rule.position) + " " + rule.id.to_string() + " " + std::to_string(rule.revision));
  });
  for (const std::string& rule : rules) out += "\n  " + rule;
  return out;
}

inline std::string text_of(const IpGroupView& group) {
  std::set<std::string> prefixes;
  group.prefixes.for_each(
      [&](const IpPrefix& prefix, const IpGroupAddressId&) { prefixes.insert(prefix.to_string()); });
  std::string out = "addresses";
  for (const std::string& prefix : prefixes) out += " " + prefix;
  return out;
}

inline std::string text_of(const PoolView& pool) {
  std::string out = "pool " + pool.id.to_string() + (pool.sticky ? " sticky" : "") + (pool.admin_up ? " up" : " down");
  for (const MemberView& member : pool.members) {
    out += "\n  " + member.address.to_string() + " " + std::to_string(member.port) +
           (member.enabled ? " enabled" : "") + (member.healthy ? " healthy" : "");
  }
  for (size_t slot = 0; slot < pool.table.size(); slot += 97) out += " " + std::to_string(pool.table.pick(slot));
  return out;
}

inline std::string text_of(const BalancerView& balancer) {
  std::set<std::string> lines;
  balancer.vips.for_each([&](const VipKey& key, const VipView& vip) {
    lines.insert(key.address.to_string() + " " + std::to_string(key.port) + " " + vip.pool.to_string());
  });
  balancer.member_addresses.for_each([&](const IpAddress& address, uint32_t count) {
    lines.insert("member " + address.to_string() + " " + std::to_string(count));
  });
  std::string out = "balancer " + balancer.id.to_string() + (balancer.admin_up ? " up" : " down");
  for (const std::string& line : lines) out += "\n  " + line;
  return out;
}

inline std::string text_of(const Network& network) {
  std::set<std::string> parts;
  const NetworkData& data = network.data();
  data.chains.for_each([&](const ChainId&, const auto& chain) { parts.insert(text_of(*chain)); });
  data.ip_groups.for_each(
      [&](const IpGroupId& id, const auto& group) { parts.insert(id.to_string() + text_of(*group)); });
  data.pools.for_each([&](const PoolId&, const auto& pool) { parts.insert(text_of(*pool)); });
  data.balancers.for_each([&](const LoadBalancerId&, const auto& balancer) { parts.insert(text_of(*balancer)); });
  data.ports.for_each([&](const PortId&, const auto& port) { parts.insert(text_of(*port)); });
  data.by_number.for_each([&](PortNumber number, const PortId& id) {
    parts.insert("number " + std::to_string(number.value) + " " + id.to_string());
  });
  data.speakers.for_each([&](PortNumber number, const PortId& id) {
    const PortView* port = data.port(id);
    std::string line = "speaker " + std::to_string(number.value) + " " + id.to_string();
    if (port != nullptr && port->speaker.number == number) {
      for (const IpAddress& peer : port->speaker.peers) line += " " + peer.to_string();
    }
    parts.insert(line);
  });
  data.tunnel_ports.for_each([&](PortNumber number, uint32_t paths) {
    parts.insert("tunnel port " + std::to_string(number.value) + " of " + std::to_string(paths));
  });
  data.peers.for_each([&](const IpAddress& address, const HostId& host) {
    parts.insert("peer " + address.to_string() + " " + host.to_string());
  });
  data.bridges.for_each([&](const BridgeId&, const auto& bridge) { parts.insert(text_of(*bridge)); });
  data.routers.for_each([&](const RouterId&, const auto& router) { parts.insert(text_of(*router)); });
  std::string out;
  for (const std::string& part : parts) out += part + "\n";
  return out;
}

}  // namespace viaduct::flows::simulation
