#include "flows/packet/build.hpp"

#include <algorithm>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {

namespace {

constexpr uint8_t kReplyTtl = 64;

FrameBytes make_arp(uint16_t operation, const MacAddress& eth_dst, const Arp& arp) {
  uint8_t body[wire::arp::kBytes] = {0, 1, 0x08, 0x00, 6, 4};
  wire::store16(body + wire::arp::kOperation, operation);
  wire::store_mac(body + wire::arp::kSenderMac, arp.sender_mac);
  wire::store_ip(body + wire::arp::kSenderIp, IpAddress::v4(arp.sender_ip.v4_host_order()));
  wire::store_mac(body + wire::arp::kTargetMac, arp.target_mac);
  wire::store_ip(body + wire::arp::kTargetIp, IpAddress::v4(arp.target_ip.v4_host_order()));
  return PacketBuilder{}.eth(arp.sender_mac, eth_dst).ethertype(ethertype::kArp).payload(body).build();
}

IpAddress all_nodes() { return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}); }

// Behind the ICMPv6 header: the target and one link-layer address option (RFC 4861 4.6.1).
std::vector<uint8_t> nd_body(const IpAddress& target, uint8_t option, const MacAddress& mac) {
  std::vector<uint8_t> body(24);
  wire::store_ip(body.data(), target);
  body[16] = option;
  body[17] = 1;  // in units of 8 bytes
  wire::store_mac(body.data() + 18, mac);
  return body;
}

struct Advertisement {
  MacAddress eth_dst;
  IpAddress dst, target;
  MacAddress answer;
  uint8_t flags;
};

FrameBytes make_advertisement(const Advertisement& ad) {
  return PacketBuilder{}
      .eth(ad.answer, ad.eth_dst)
      .ipv6(ad.target, ad.dst)
      .ttl(wire::nd::kHopLimit)
      .icmp(wire::icmpv6::kNeighbourAdvertisement, 0, uint32_t{ad.flags} << 24)
      .payload(nd_body(ad.target, wire::nd::kTargetLinkLayer, ad.answer))
      .build();
}

uint8_t flags_of(NodeKind kind) {
  return static_cast<uint8_t>(wire::nd::kOverrideFlag | (kind == NodeKind::router ? wire::nd::kRouterFlag : 0));
}

bool is_answerable_echo(const Packet& packet) {
  const FlowKey& key = packet.key;
  bool v4 =
      key.eth_type == ethertype::kIpv4 && key.ip_proto == ip_proto::kIcmp && key.l4_src == wire::icmp::kEchoRequest;
  bool v6 =
      key.eth_type == ethertype::kIpv6 && key.ip_proto == ip_proto::kIcmpv6 && key.l4_src == wire::icmpv6::kEchoRequest;
  return packet.error == DropReason::none && (v4 || v6) && key.l4_dst == 0 && key.fragment == Fragment::none &&
         packet.l4_offset != 0 && packet.l3_length != 0 && !key.ip_dst.is_multicast() &&
         !key.ip_dst.is_limited_broadcast() && verify_l4_checksum(packet);
}

// The one whose header needs no second look: no options, no extension headers but that of the fragment.
bool is_plain_icmp_fragment(const Packet& packet) {
  const FlowKey& key = packet.key;
  const uint8_t* ip = packet.bytes.data() + packet.l3_offset;
  if (packet.error != DropReason::none || packet.l3_length == 0 || key.fragment == Fragment::none) return false;
  if (key.ip_dst.is_multicast() || key.ip_dst.is_limited_broadcast() || packet.offload != Offload{}) return false;
  return key.eth_type == ethertype::kIpv4
             ? key.ip_proto == ip_proto::kIcmp && (ip[0] & 0x0f) * 4 == wire::ipv4::kBytes
             : key.ip_proto == ip_proto::kIcmpv6 && ip[wire::ipv6::kNextHeader] == wire::ipv6::kFragment &&
                   ip[wire::ipv6::kBytes] == ip_proto::kIcmpv6;
}

// Turns the first fragment of a request into that of its reply. The checksum covers the addresses in any order.
bool turn_to_reply(const Packet& request, FrameBytes& frame) {
  const bool v4 = request.key.eth_type == ethertype::kIpv4;
  const uint8_t asks = v4 ? wire::icmp::kEchoRequest : wire::icmpv6::kEchoRequest;
  if (request.key.l4_src != asks || request.key.l4_dst != 0) return false;
  uint8_t* icmp = frame.data() + request.l4_offset;
  const uint16_t before = wire::load16(icmp + wire::icmp::kType);
  icmp[wire::icmp::kType] = v4 ? wire::icmp::kEchoReply : wire::icmpv6::kEchoReply;
  const uint16_t sum = wire::load16(icmp + wire::icmp::kChecksum);
  wire::store16(icmp + wire::icmp::kChecksum, update_checksum(sum, before, wire::load16(icmp + wire::icmp::kType)));
  return true;
}

}  // namespace

FrameBytes make_arp_request(const MacAddress& src_mac, const IpAddress& src_ip, const IpAddress& target) {
  return make_arp(Arp::request, MacAddress::broadcast(), {Arp::request, src_mac, {}, src_ip, target});
}

FrameBytes make_arp_reply(const Arp& request, const MacAddress& answer) {
  return make_arp(Arp::reply, request.sender_mac,
                  {Arp::reply, answer, request.sender_mac, request.target_ip, request.sender_ip});
}

FrameBytes make_gratuitous_arp(const MacAddress& mac, const IpAddress& ip) {
  return make_arp(Arp::request, MacAddress::broadcast(), {Arp::request, mac, {}, ip, ip});
}

FrameBytes make_neighbour_solicitation(const MacAddress& src_mac, const IpAddress& src_ip, const IpAddress& target) {
  IpAddress group = target.solicited_node();
  return PacketBuilder{}
      .eth(src_mac, group.multicast_mac())
      .ipv6(src_ip, group)
      .ttl(wire::nd::kHopLimit)
      .icmp(wire::icmpv6::kNeighbourSolicitation, 0, 0)
      .payload(nd_body(target, wire::nd::kSourceLinkLayer, src_mac))
      .build();
}

FrameBytes make_neighbour_advertisement(const NeighbourDiscovery& solicitation, const MacAddress& asker,
                                        const MacAddress& answer, NodeKind kind) {
  if (solicitation.is_dad()) return make_unsolicited_advertisement(answer, solicitation.target, kind);
  auto flags = static_cast<uint8_t>(flags_of(kind) | wire::nd::kSolicitedFlag);
  return make_advertisement({asker, solicitation.source, solicitation.target, answer, flags});
}

FrameBytes make_unsolicited_advertisement(const MacAddress& mac, const IpAddress& ip, NodeKind kind) {
  return make_advertisement({all_nodes().multicast_mac(), all_nodes(), ip, mac, flags_of(kind)});
}

std::optional<FrameBytes> make_echo_reply(const Packet& request) {
  if (!is_answerable_echo(request)) return std::nullopt;
  size_t end = request.l3_offset + size_t{request.l3_length};
  std::span<const uint8_t> message = request.bytes.first(end).subspan(request.l4_offset);
  const FlowKey& key = request.key;
  bool v4 = key.eth_type == ethertype::kIpv4;
  uint32_t id = v4 ? wire::load16(request.bytes.data() + request.l3_offset + wire::ipv4::kId) : 0;
  FrameBytes reply = PacketBuilder{}
                         .eth(key.eth_dst, key.eth_src)
                         .ip(key.ip_dst, key.ip_src)
                         .ttl(kReplyTtl)
                         .tos(key.ip_tos)
                         .identification(id)
                         .icmp(v4 ? wire::icmp::kEchoReply : wire::icmpv6::kEchoReply, 0,
                               wire::load32(message.data() + wire::icmp::kRest))
                         .payload(message.subspan(wire::icmp::kBytes))
                         .build();
  return with_tags_of(request, reply);
}

std::optional<FrameBytes> make_echo_reply_fragment(const Packet& request) {
  if (!is_plain_icmp_fragment(request)) return std::nullopt;
  const FlowKey& key = request.key;
  const bool v4 = key.eth_type == ethertype::kIpv4, first = key.fragment == Fragment::first;
  if (!first && key.ip_ttl <= 1) return std::nullopt;
  FrameBytes frame(request.bytes.begin(), request.bytes.begin() + request.l3_offset + request.l3_length);
  if (first && !turn_to_reply(request, frame)) return std::nullopt;
  wire::store_mac(frame.data() + wire::eth::kDst, key.eth_src);
  wire::store_mac(frame.data() + wire::eth::kSrc, key.eth_dst);
  uint8_t* ip = frame.data() + request.l3_offset;
  wire::store_ip(ip + (v4 ? wire::ipv4::kSrc : wire::ipv6::kSrc), key.ip_dst);
  wire::store_ip(ip + (v4 ? wire::ipv4::kDst : wire::ipv6::kDst), key.ip_src);
  const int spent = key.ip_ttl - 1;
  ip[v4 ? wire::ipv4::kTtl : wire::ipv6::kHopLimit] =
      first ? kReplyTtl : static_cast<uint8_t>(std::min<int>(kReplyTtl, spent));
  if (v4) fix_ipv4_header(std::span(frame).subspan(request.l3_offset));
  return frame;
}

FrameBytes with_tags_of(const Packet& model, const FrameBytes& frame) {
  FrameBytes out = frame;
  if (model.l3_offset <= wire::eth::kBytes) return out;
  auto tags = model.bytes.subspan(wire::eth::kType, model.l3_offset - wire::eth::kBytes);
  out.insert(out.begin() + wire::eth::kType, tags.begin(), tags.end());
  return out;
}

}  // namespace viaduct::flows
