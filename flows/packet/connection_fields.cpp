#include "flows/packet/connection_fields.hpp"

#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

constexpr size_t kTcpFlags = 13;
constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragmentHeader = 44, kDestination = 60;

std::optional<uint32_t> identification_v6(const Packet& packet) {
  size_t at = packet.l3_offset + wire::ipv6::kBytes;
  uint8_t next = packet.bytes[packet.l3_offset + 6U];
  while (at + 8 <= packet.bytes.size()) {
    const uint8_t* header = packet.bytes.data() + at;
    if (next == kFragmentHeader) return uint32_t{wire::load16(header + 4)} << 16 | wire::load16(header + 6);
    if (next != kHopByHop && next != kRouting && next != kDestination) break;
    next = header[0];
    at += (header[1] + 1U) * 8;
  }
  return std::nullopt;
}

}  // namespace

uint8_t tcp_flags(const Packet& packet) {
  if (packet.key.ip_proto != ip_proto::kTcp || !packet.key.is_ip() || packet.l4_offset == 0) return 0;
  if (packet.bytes.size() <= packet.l4_offset + kTcpFlags) return 0;
  return packet.bytes[packet.l4_offset + kTcpFlags];
}

std::optional<uint32_t> fragment_identification(const Packet& packet) {
  if (packet.key.fragment == Fragment::none || packet.error != DropReason::none) return std::nullopt;
  if (packet.key.eth_type == ethertype::kIpv6) return identification_v6(packet);
  return wire::load16(packet.bytes.data() + packet.l3_offset + 4);
}

}  // namespace viaduct::flows
