#include "flows/packet/icmp_error.hpp"

#include <algorithm>

#include "flows/packet/headers.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {

namespace {

constexpr uint8_t kErrorTtl = 64;
constexpr uint8_t kErrorTos = 0xc0;         // internetwork control (RFC 1812 4.3.2.5)
constexpr size_t kMaxIpv4ErrorBytes = 576;  // RFC 1812 4.3.2.3

bool is_icmp_query(uint16_t type) {
  constexpr uint16_t kQueries[] = {0, 8, 9, 10, 13, 14, 15, 16, 17, 18};  // RFC 1122 3.2.2
  return std::find(std::begin(kQueries), std::end(kQueries), type) != std::end(kQueries);
}

// RFC 1812 4.3.2.7: "a source that does not define a single host".
bool is_single_host_v4(const IpAddress& ip) {
  uint8_t first = ip.bytes()[0];
  return first != 0 && first < 224 && !ip.is_loopback();
}

bool may_answer_v4(const FlowKey& key) {
  if (key.eth_dst.is_multicast() || key.ip_dst.is_multicast() || key.ip_dst.is_limited_broadcast()) return false;
  if (!is_single_host_v4(key.ip_src)) return false;
  return key.ip_proto != ip_proto::kIcmp || is_icmp_query(key.l4_src);
}

bool may_answer_v6(const FlowKey& key, IcmpErrorKind kind) {
  bool group = key.eth_dst.is_multicast() || key.ip_dst.is_multicast();
  if (group && kind != IcmpErrorKind::packet_too_big) return false;
  if (key.ip_src.is_any() || key.ip_src.is_multicast() || key.ip_src.is_loopback()) return false;
  // Types below 128 are errors (RFC 4443 2.1).
  return key.ip_proto != ip_proto::kIcmpv6 || (key.l4_src >= 128 && key.l4_src != wire::icmpv6::kRedirect);
}

struct TypeCode {
  uint8_t type, code;
};

// RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1.
TypeCode unreachable_code(Unreachable what, bool v4) {
  uint8_t type = v4 ? wire::icmp::kUnreachable : wire::icmpv6::kUnreachable;
  switch (what) {
    case Unreachable::network:
      return {type, 0};
    case Unreachable::host:
      return {type, static_cast<uint8_t>(v4 ? 1 : 3)};
    case Unreachable::port:
      return {type, static_cast<uint8_t>(v4 ? 3 : 4)};
    case Unreachable::prohibited:
      break;
  }
  return {type, static_cast<uint8_t>(v4 ? 13 : 1)};
}

}  // namespace

bool may_answer_with_error(const Packet& packet, IcmpErrorKind kind) {
  if (packet.error != DropReason::none || packet.key.fragment == Fragment::later) return false;
  if (packet.key.eth_type == ethertype::kIpv4) return may_answer_v4(packet.key);
  return packet.key.eth_type == ethertype::kIpv6 && may_answer_v6(packet.key, kind);
}

std::optional<std::vector<uint8_t>> make_icmp_error(const Packet& packet, const IcmpErrorSender& sender, uint8_t type,
                                                    uint8_t code, uint32_t rest) {
  const FlowKey& key = packet.key;
  if (packet.error != DropReason::none || !key.is_ip() || key.ip_src.family() != sender.ip.family()) {
    return std::nullopt;
  }
  bool v4 = key.eth_type == ethertype::kIpv4;
  size_t room = v4 ? kMaxIpv4ErrorBytes - wire::ipv4::kBytes : wire::ipv6::kMinMtu - wire::ipv6::kBytes;
  size_t whole = packet.l3_length != 0 ? packet.l3_length : packet.bytes.size() - packet.l3_offset;
  size_t quoted = std::min(whole, room - wire::icmp::kBytes);
  return PacketBuilder{}
      .eth(sender.mac, sender.next_hop)
      .ip(sender.ip, key.ip_src)
      .ttl(kErrorTtl)
      .tos(v4 ? kErrorTos : 0)
      .icmp(type, code, rest)
      .payload(packet.bytes.subspan(packet.l3_offset, quoted))
      .build();
}

std::optional<std::vector<uint8_t>> make_unreachable(const Packet& packet, const IcmpErrorSender& sender,
                                                     Unreachable what) {
  TypeCode code = unreachable_code(what, sender.ip.is_v4());
  return make_icmp_error(packet, sender, code.type, code.code, 0);
}

std::optional<std::vector<uint8_t>> make_time_exceeded(const Packet& packet, const IcmpErrorSender& sender) {
  uint8_t type = sender.ip.is_v4() ? wire::icmp::kTimeExceeded : wire::icmpv6::kTimeExceeded;
  return make_icmp_error(packet, sender, type, 0, 0);
}

std::optional<std::vector<uint8_t>> make_packet_too_big(const Packet& packet, const IcmpErrorSender& sender,
                                                        uint16_t mtu) {
  if (sender.ip.is_v4()) return make_icmp_error(packet, sender, wire::icmp::kUnreachable, 4, mtu);
  return make_icmp_error(packet, sender, wire::icmpv6::kPacketTooBig, 0, mtu);
}

}  // namespace viaduct::flows
