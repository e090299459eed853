#include "actors/agent/tunnel_paths.hpp"

#include <algorithm>
#include <set>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace underlay = routing::underlay;
using topology::TunnelType;

namespace {

constexpr IpFamily kFamilies[] = {IpFamily::v4, IpFamily::v6};

flows::TunnelKind kind_of(TunnelType type) {
  return type == TunnelType::gre ? flows::TunnelKind::gre : flows::TunnelKind::vxlan;
}

std::string explain(TunnelType type, const std::error_code& error, uint16_t udp_port) {
  if (error == std::errc::not_supported) {
    return type == TunnelType::gre
               ? "this kernel has no GRE tunnels (ip_gre, CONFIG_NET_IPGRE); use a zone of type vxlan"
               : "this kernel has no VXLAN tunnels (CONFIG_VXLAN)";
  }
  if (error == std::errc::address_in_use) {
    return "UDP port " + std::to_string(udp_port) + " is in use; free it, or set underlay.vxlan_port on every host";
  }
  return error.message();
}

}  // namespace

void TunnelPaths::set_topology(UnderlayTopology topology) { topology_ = std::move(topology); }

void TunnelPaths::refresh() {
  make_ports();
  peers_ = underlay::find_peers(facts());
}

// Only kinds that a zone of this host asks for.
void TunnelPaths::make_ports() {
  std::set<TunnelZoneId> own;
  for (const auto& member : topology_.members) {
    if (member.host == options_.host) own.insert(member.zone);
  }
  for (const auto& zone : topology_.zones) {
    if (!own.contains(zone.id) || ports_.contains(zone.type)) continue;
    std::error_code error;
    auto port = datapath_.add_tunnel_port({kind_of(zone.type), options_.vxlan_port}, error);
    if (!error) {
      ports_[zone.type] = port.number;
      refused_.erase(zone.type);
      continue;
    }
    std::string why = explain(zone.type, error, options_.vxlan_port);
    if (refused_[zone.type] == why) continue;
    log::error(log::Component::datapath, "no tunnel port", {{"zone", zone.name}, {"reason", why}});
    refused_[zone.type] = std::move(why);
  }
}

underlay::PeerFacts TunnelPaths::facts() {
  underlay::PeerFacts out;
  out.self = options_.host;
  out.zones = topology_.zones;
  out.members = topology_.members;
  out.names = topology_.names;
  auto local = addresses_.addresses();
  if (auto* found = std::get_if<std::vector<underlay::LocalAddress>>(&local)) out.local = std::move(*found);
  for (auto& address : out.local) {
    if (options_.mtu != 0) address.mtu = options_.mtu;
  }
  // Of the flow-based devices only ip6gretap would carry it, which neither Open vSwitch's module nor we make.
  out.unavailable[{topology::TunnelType::gre, IpFamily::v6}] = "GRE tunnels go over IPv4 only";
  for (const auto& [kind, why] : refused_) {
    for (IpFamily family : kFamilies) out.unavailable[{kind, family}] = why;
  }
  std::map<TunnelZoneId, IpAddress> own;
  for (const auto& member : out.members) {
    if (member.host == options_.host) own[member.zone] = member.address;
  }
  for (const auto& member : out.members) {
    auto src = own.find(member.zone);
    if (options_.mtu != 0 || member.host == options_.host || src == own.end()) continue;
    auto route = addresses_.route(src->second, member.address);
    if (const auto* found = std::get_if<underlay::UnderlayRoute>(&route)) {
      out.route_mtu[{src->second, member.address}] = found->mtu;
    }
  }
  return out;
}

flows::simulation::TunnelPath TunnelPaths::path_to(const underlay::PeerPath& peer) const {
  auto port = ports_.find(peer.kind);
  return {port == ports_.end() ? flows::PortNumber{} : port->second,
          peer.src,
          peer.dst,
          peer.mtu,
          true,
          kind_of(peer.kind)};
}

std::string TunnelPaths::name_of(HostId host) const {
  auto name = topology_.names.find(host);
  return name == topology_.names.end() ? host.to_string() : name->second;
}

}  // namespace viaduct::actors
