#include "flows/packet/rewrite.hpp"

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

void set_ethernet(Packet& packet, const MacAddress& src, const MacAddress& dst) {
  wire::store_mac(packet.bytes.data() + wire::eth::kSrc, src);
  wire::store_mac(packet.bytes.data() + wire::eth::kDst, dst);
  packet.key.eth_src = src;
  packet.key.eth_dst = dst;
}

TtlResult decrement_ttl(Packet& packet) {
  if (packet.error != DropReason::none || !packet.key.is_ip()) return TtlResult::not_ip;
  if (packet.key.ip_ttl <= 1) return TtlResult::expired;
  uint8_t* ip = packet.bytes.data() + packet.l3_offset;
  --packet.key.ip_ttl;
  if (packet.key.eth_type == ethertype::kIpv6) {
    ip[wire::ipv6::kHopLimit] = packet.key.ip_ttl;
    return TtlResult::decremented;
  }
  uint16_t before = wire::load16(ip + wire::ipv4::kTtl);
  ip[wire::ipv4::kTtl] = packet.key.ip_ttl;
  uint16_t after = wire::load16(ip + wire::ipv4::kTtl);
  uint16_t checksum = wire::load16(ip + wire::ipv4::kChecksum);
  wire::store16(ip + wire::ipv4::kChecksum, update_checksum(checksum, before, after));
  return TtlResult::decremented;
}

}  // namespace viaduct::flows
