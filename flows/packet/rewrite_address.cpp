#include <array>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"

namespace viaduct::flows {

namespace {

// A 16-bit checksum of layer 4, and how it follows what it covers.
class L4Checksum {
 public:
  // The packet has a layer-4 header. Nothing to do for protocols without such a checksum, and for UDP without any.
  explicit L4Checksum(Packet& packet) : packet_(packet) {
    uint8_t* l4 = packet.bytes.data() + packet.l4_offset;
    bool v6 = packet.key.eth_type == ethertype::kIpv6;
    switch (packet.key.ip_proto) {
      case ip_proto::kTcp:
        field_ = l4 + wire::tcp::kChecksum;
        break;
      case ip_proto::kUdp:
        if (wire::load16(l4 + wire::udp::kChecksum) != 0) field_ = l4 + wire::udp::kChecksum;
        break;
      case ip_proto::kIcmp:
        pseudo_header_ = false;
        if (!v6) field_ = l4 + wire::icmp::kChecksum;
        break;
      case ip_proto::kIcmpv6:
        if (v6) field_ = l4 + wire::icmp::kChecksum;
        break;
      default:
        break;
    }
  }
  // Both are sums of words.
  void pseudo_header_changed(uint16_t before, uint16_t after) {
    if (field_ == nullptr || !pseudo_header_) return;
    if (packet_.offload.partial_checksum) {
      wire::store16(field_, update_partial_checksum(wire::load16(field_), before, after));
    } else {
      update(before, after);
    }
  }
  void header_changed(uint16_t before, uint16_t after) {
    if (field_ != nullptr && !packet_.offload.partial_checksum) update(before, after);
  }

 private:
  void update(uint16_t before, uint16_t after) {
    uint16_t checksum = update_checksum(wire::load16(field_), before, after);
    if (checksum == 0 && packet_.key.ip_proto == ip_proto::kUdp) checksum = 0xffff;
    wire::store16(field_, checksum);
  }

  Packet& packet_;
  uint8_t* field_ = nullptr;
  bool pseudo_header_ = true;
};

// A wrong CRC stays wrong in the same bits: CRCs are linear.
void set_sctp_ports(const Packet& packet, std::span<const uint8_t, 4> ports) {
  size_t end = packet.l3_length != 0 ? packet.l3_offset + size_t{packet.l3_length} : packet.bytes.size();
  std::span<uint8_t> sctp = packet.bytes.subspan(packet.l4_offset, end - packet.l4_offset);
  uint32_t change = packet.offload.partial_checksum ? 0 : sctp_checksum(sctp);
  std::memcpy(sctp.data(), ports.data(), ports.size());
  if (packet.offload.partial_checksum) return;
  change ^= sctp_checksum(sctp);
  for (size_t i = 0; i < 4; ++i) sctp[wire::sctp::kChecksum + i] ^= static_cast<uint8_t>(change >> 8 * i);
}

bool has_ports(const Packet& packet) {
  uint8_t proto = packet.key.ip_proto;
  if (packet.error != DropReason::none || !packet.key.is_ip() || packet.l4_offset == 0) return false;
  if (proto == ip_proto::kSctp) return packet.key.fragment == Fragment::none;
  return proto == ip_proto::kTcp || proto == ip_proto::kUdp;
}

}  // namespace

bool set_ip(Packet& packet, const IpAddress& src, const IpAddress& dst) {
  FlowKey& key = packet.key;
  if (packet.error != DropReason::none || !key.is_ip() || src.family() != dst.family()) return false;
  bool v4 = key.eth_type == ethertype::kIpv4;
  if (src.is_v4() != v4) return false;
  uint8_t* ip = packet.bytes.data() + packet.l3_offset;
  uint8_t* addresses = ip + (v4 ? wire::ipv4::kSrc : wire::ipv6::kSrc);
  size_t length = src.bytes().size();
  std::span<const uint8_t> covered(addresses, 2 * length);
  uint16_t before = checksum_sum(covered);
  wire::store_ip(addresses, src);
  wire::store_ip(addresses + length, dst);
  uint16_t after = checksum_sum(covered);
  if (v4) {
    uint8_t* checksum = ip + wire::ipv4::kChecksum;
    wire::store16(checksum, update_checksum(wire::load16(checksum), before, after));
  }
  if (packet.l4_offset != 0) L4Checksum(packet).pseudo_header_changed(before, after);
  key.ip_src = src;
  key.ip_dst = dst;
  return true;
}

bool set_ports(Packet& packet, uint16_t src, uint16_t dst) {
  if (!has_ports(packet)) return false;
  std::array<uint8_t, 4> ports;
  wire::store16(ports.data(), src);
  wire::store16(ports.data() + 2, dst);
  uint8_t* l4 = packet.bytes.data() + packet.l4_offset;
  if (packet.key.ip_proto == ip_proto::kSctp) {
    set_sctp_ports(packet, ports);
  } else {
    L4Checksum(packet).header_changed(checksum_sum(std::span(l4, ports.size())), checksum_sum(ports));
    std::memcpy(l4, ports.data(), ports.size());
  }
  packet.key.l4_src = src;
  packet.key.l4_dst = dst;
  return true;
}

std::optional<uint16_t> icmp_id(const Packet& packet) {
  const FlowKey& key = packet.key;
  if (packet.error != DropReason::none || packet.l4_offset == 0) return std::nullopt;
  bool echo = key.eth_type == ethertype::kIpv4 ? key.ip_proto == ip_proto::kIcmp && wire::icmp::is_echo(key.l4_src)
                                               : key.ip_proto == ip_proto::kIcmpv6 && wire::icmpv6::is_echo(key.l4_src);
  if (!echo) return std::nullopt;
  return wire::load16(packet.bytes.data() + packet.l4_offset + wire::icmp::kEchoId);
}

bool set_icmp_id(Packet& packet, uint16_t id) {
  std::optional<uint16_t> before = icmp_id(packet);
  if (!before) return false;
  wire::store16(packet.bytes.data() + packet.l4_offset + wire::icmp::kEchoId, id);
  L4Checksum(packet).header_changed(*before, id);
  return true;
}

}  // namespace viaduct::flows
