#include "actors/admin/describe_packet.hpp"

#include "flows/packet/build.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::actors {

using flows::NeighbourKey;
using topology::Port;

namespace {

// The MAC learned behind the port.
std::optional<MacAddress> learned_mac(const Port& port, const AgentState& state) {
  std::optional<MacAddress> found;
  state.macs.for_each([&](const flows::MacKey& key, const flows::MacEntry& entry) {
    if (entry.port == port.id) found = key.mac;
  });
  return found;
}

// The address that the bridge knows for a MAC.
std::optional<IpAddress> learned_address(const Port& port, const MacAddress& mac, IpFamily family,
                                         const AgentState& state) {
  std::optional<IpAddress> found;
  state.neighbours.for_each([&](const NeighbourKey& key, const flows::NeighbourEntry& entry) {
    bool fits = key.device == port.device() && entry.mac == mac && key.address.family() == family;
    if (fits && !key.address.is_link_local()) found = key.address;
  });
  return found;
}

// The router ports that a guest on this port's bridge sees.
template <class Visit>
void for_each_router_port(const Port& port, const topology::Snapshot& snapshot, Visit visit) {
  snapshot.for_each_port_of(port.device(), [&](const Port& other) {
    const Port* peer = other.peer.is_nil() ? nullptr : snapshot.find(other.peer);
    if (peer != nullptr && peer->on_router()) visit(*peer);
  });
}

bool holds(const Port& router_port, const IpAddress& address) {
  for (const auto& prefix : router_port.addresses) {
    if (prefix.contains(address)) return true;
  }
  return false;
}

std::optional<MacAddress> guess_destination(const PacketDescription& packet, const Port& port,
                                            const topology::Snapshot& snapshot, const AgentState& state) {
  const IpAddress& to = *packet.ip_dst;
  if (to.is_multicast()) return to.multicast_mac();
  if (to.is_limited_broadcast()) return MacAddress::broadcast();
  if (port.on_router()) return port.mac;
  std::optional<MacAddress> gateway, owner;
  bool on_link = false;
  for_each_router_port(port, snapshot, [&](const Port& router_port) {
    for (const auto& prefix : router_port.addresses) {
      if (prefix.address() == to) owner = router_port.mac;
    }
    on_link |= holds(router_port, to);
    if (!gateway || holds(router_port, *packet.ip_src)) gateway = router_port.mac;
  });
  if (owner) return owner;
  if (auto known = state.neighbours.find({port.device(), PortId{}, to})) return known->mac;
  return on_link ? std::nullopt : gateway;
}

bool fill_source(PacketDescription& packet, const Port& port, const AgentState& state, std::string& error) {
  if (packet.eth_src.is_zero()) {
    auto mac = learned_mac(port, state);
    if (!mac) {
      error = "no MAC address was learned on this port yet; say which: smac 02:00:00:00:00:01";
      return false;
    }
    packet.eth_src = *mac;
  }
  if (!packet.ip_dst || packet.ip_src) return true;
  packet.ip_src = learned_address(port, packet.eth_src, packet.ip_dst->family(), state);
  if (!packet.ip_src) error = "no address is known for " + packet.eth_src.to_string() + "; say which: from ADDRESS";
  return packet.ip_src.has_value();
}

std::vector<uint8_t> layer3(const PacketDescription& packet) {
  flows::PacketBuilder builder;
  builder.eth(packet.eth_src, packet.eth_dst);
  if (packet.vlan != 0) builder.vlan(packet.vlan);
  builder.ip(*packet.ip_src, *packet.ip_dst).ttl(packet.ttl == 0 ? 64 : packet.ttl).tos(packet.tos);
  if (packet.dont_fragment) builder.dont_fragment();
  bool echo =
      packet.ip_proto == 0 || packet.ip_proto == flows::ip_proto::kIcmp || packet.ip_proto == flows::ip_proto::kIcmpv6;
  if (echo) {
    builder.icmp_echo_request(1, 1);
  } else if (packet.ip_proto == flows::ip_proto::kTcp) {
    builder.tcp(packet.l4_src, packet.l4_dst, 0x02);
  } else if (packet.ip_proto == flows::ip_proto::kUdp) {
    builder.udp(packet.l4_src, packet.l4_dst);
  } else {
    builder.protocol(packet.ip_proto);
  }
  size_t bare = builder.build().size();
  if (packet.length > bare) builder.payload(packet.length - bare);
  return builder.build();
}

std::vector<uint8_t> resolution(const PacketDescription& packet) {
  return packet.ip_dst->is_v4() ? flows::make_arp_request(packet.eth_src, *packet.ip_src, *packet.ip_dst)
                                : flows::make_neighbour_solicitation(packet.eth_src, *packet.ip_src, *packet.ip_dst);
}

}  // namespace

std::optional<std::vector<uint8_t>> make_frame(PacketDescription packet, const Port& port,
                                               const topology::Snapshot& snapshot, const AgentState& state,
                                               std::string& error) {
  if (!packet.frame.empty()) return std::move(packet.frame);
  if (packet.ip_src && packet.ip_dst && packet.ip_src->family() != packet.ip_dst->family()) {
    error = "source and destination are of different families";
    return std::nullopt;
  }
  if (!fill_source(packet, port, state, error)) return std::nullopt;
  if (packet.ip_dst && packet.arp) return resolution(packet);
  if (packet.eth_dst.is_zero() && packet.ip_dst) {
    auto mac = guess_destination(packet, port, snapshot, state);
    if (!mac) {
      error = "the MAC address of " + packet.ip_dst->to_string() + " is not known yet; say which: dmac ADDRESS";
      return std::nullopt;
    }
    packet.eth_dst = *mac;
  }
  if (packet.ip_dst) return layer3(packet);
  if (packet.eth_dst.is_zero()) {
    error = "a packet needs a destination: to ADDRESS, or dmac ADDRESS";
    return std::nullopt;
  }
  flows::PacketBuilder builder;
  builder.eth(packet.eth_src, packet.eth_dst);
  if (packet.vlan != 0) builder.vlan(packet.vlan);
  return builder.ethertype(packet.eth_type == 0 ? 0x88b5 : packet.eth_type).payload(46).build();
}

std::string describe(const flows::Packet& packet) {
  const auto& key = packet.key;
  std::string text = key.eth_src.to_string() + " -> " + key.eth_dst.to_string();
  if (key.is_tagged()) text += ", vlan " + std::to_string(key.vlan_id());
  if (key.is_ip() || key.eth_type == flows::ethertype::kArp) {
    text += ", " + key.ip_src.to_string() + " -> " + key.ip_dst.to_string();
  }
  if (key.eth_type == flows::ethertype::kArp) text += " arp";
  if (key.is_ip()) {
    text += " protocol " + std::to_string(key.ip_proto) + " " + std::to_string(key.l4_src) + " -> " +
            std::to_string(key.l4_dst) + ", ttl " + std::to_string(key.ip_ttl);
  }
  if (packet.error != flows::DropReason::none) text += ", " + std::string(flows::to_string(packet.error));
  return text + ", " + std::to_string(packet.bytes.size()) + " bytes";
}

}  // namespace viaduct::actors
