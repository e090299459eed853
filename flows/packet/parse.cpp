#include <algorithm>

#include "flows/packet/headers.hpp"
#include "flows/packet/packet.hpp"
#include "flows/packet/parse_ip.hpp"

namespace viaduct::flows {

namespace {

constexpr bool is_vlan(uint16_t type) { return type == ethertype::kVlan || type == ethertype::kQinQ; }

// Moves `at` (the place of a type field) behind up to two tags. A tag that is cut short stays the packet's type, which
// is what the kernel makes of it.
void parse_tags(Packet& packet, size_t& at) {
  const uint8_t* bytes = packet.bytes.data();
  for (uint16_t* tci : {&packet.key.vlan_tci, &packet.key.inner_vlan_tci}) {
    if (!is_vlan(wire::load16(bytes + at))) return;
    if (packet.bytes.size() < at + 2 + wire::eth::kVlanBytes) {
      packet.error = DropReason::malformed;
      return;
    }
    *tci = static_cast<uint16_t>(wire::load16(bytes + at + 2) | FlowKey::kVlanPresent);
    at += wire::eth::kVlanBytes;
  }
}

void parse_arp_fields(Packet& packet) {
  const uint8_t* arp = packet.bytes.data() + packet.l3_offset;
  if (packet.bytes.size() - packet.l3_offset < wire::arp::kBytes) {
    packet.error = DropReason::malformed;
    return;
  }
  // Other hardware and protocols are legal and have no fields for us.
  if (wire::load16(arp + wire::arp::kHardware) != wire::arp::kHardwareEthernet ||
      wire::load16(arp + wire::arp::kProtocol) != ethertype::kIpv4 || arp[wire::arp::kHardwareBytes] != 6 ||
      arp[wire::arp::kProtocolBytes] != 4) {
    return;
  }
  uint16_t operation = wire::load16(arp + wire::arp::kOperation);
  packet.key.ip_proto = operation <= 0xff ? static_cast<uint8_t>(operation) : 0;
  packet.key.ip_src = wire::load_ipv4(arp + wire::arp::kSenderIp);
  packet.key.ip_dst = wire::load_ipv4(arp + wire::arp::kTargetIp);
}

// An 802.3 frame: the length must lie inside of the frame.
void parse_llc(Packet& packet, uint16_t length) {
  packet.key.eth_type = ethertype::kLlc;
  if (length > packet.bytes.size() - packet.l3_offset) packet.error = DropReason::malformed;
}

}  // namespace

Packet parse(std::span<uint8_t> frame, PortNumber in_port, Offload offload) {
  Packet packet;
  packet.bytes = frame;
  packet.offload = offload;
  if (frame.size() < wire::eth::kBytes) {
    packet.error = DropReason::malformed;
    return packet;
  }
  FlowKey& key = packet.key;
  key.in_port = in_port;
  key.eth_dst = wire::load_mac(frame.data() + wire::eth::kDst);
  key.eth_src = wire::load_mac(frame.data() + wire::eth::kSrc);
  size_t at = wire::eth::kType;
  parse_tags(packet, at);
  uint16_t type = wire::load16(frame.data() + at);
  packet.l3_offset = static_cast<uint16_t>(at + 2);
  key.eth_type = type;
  if (packet.error != DropReason::none) return packet;
  if (type == ethertype::kIpv4) {
    parse_ipv4(packet);
  } else if (type == ethertype::kIpv6) {
    parse_ipv6(packet);
  } else if (type == ethertype::kArp) {
    parse_arp_fields(packet);
  } else if (type < wire::eth::kMinType) {
    parse_llc(packet, type);
  }
  return packet;
}

uint8_t Packet::tcp_flags() const {
  if (error != DropReason::none || l4_offset == 0 || !key.is_ip() || key.ip_proto != ip_proto::kTcp) return 0;
  return bytes[l4_offset + wire::tcp::kFlags];
}

size_t Packet::l3_segment_bytes() const {
  size_t behind = bytes.size() > l3_offset ? bytes.size() - l3_offset : 0;
  size_t whole = l3_length != 0 ? l3_length : behind;
  if (offload.gso == Offload::Gso::none || l4_offset == 0) return whole;
  size_t l4_header = wire::udp::kBytes;
  if (key.ip_proto == ip_proto::kTcp) {
    if (bytes.size() < l4_offset + wire::tcp::kBytes) return whole;
    l4_header = size_t{4} * (bytes[l4_offset + wire::tcp::kDataOffset] >> 4);
  }
  return std::min(whole, l4_offset - l3_offset + l4_header + offload.gso_size);
}

}  // namespace viaduct::flows
