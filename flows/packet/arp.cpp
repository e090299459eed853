#include "flows/packet/headers.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

std::optional<Arp> parse_arp(const Packet& packet) {
  // The parser leaves the operation 0 for other hardware or protocols, and for operations that nobody defines.
  if (packet.error != DropReason::none || packet.key.eth_type != ethertype::kArp || packet.key.ip_proto == 0) {
    return std::nullopt;
  }
  const uint8_t* arp = packet.bytes.data() + packet.l3_offset;
  Arp out;
  out.operation = packet.key.ip_proto;
  out.sender_mac = wire::load_mac(arp + wire::arp::kSenderMac);
  out.target_mac = wire::load_mac(arp + wire::arp::kTargetMac);
  out.sender_ip = packet.key.ip_src;
  out.target_ip = packet.key.ip_dst;
  return out;
}

}  // namespace viaduct::flows
