#include "flows/health/answer.hpp"

#include <algorithm>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/icmp_quote.hpp"
#include "flows/packet/rewrite.hpp"

namespace viaduct::flows::health {

namespace {

bool is_icmp(const FlowKey& key) {
  return key.eth_type == ethertype::kIpv4 ? key.ip_proto == ip_proto::kIcmp : key.ip_proto == ip_proto::kIcmpv6;
}

bool is_unreachable(const FlowKey& key) {
  return is_icmp(key) &&
         key.l4_src == (key.eth_type == ethertype::kIpv4 ? wire::icmp::kUnreachable : wire::icmpv6::kUnreachable);
}

bool is_echo_reply(const FlowKey& key) {
  return is_icmp(key) &&
         key.l4_src == (key.eth_type == ethertype::kIpv4 ? wire::icmp::kEchoReply : wire::icmpv6::kEchoReply);
}

std::optional<ProbeKind> kind_of(uint8_t proto) {
  if (proto == ip_proto::kTcp) return ProbeKind::tcp;
  if (proto == ip_proto::kUdp) return ProbeKind::udp;
  if (proto == ip_proto::kIcmp || proto == ip_proto::kIcmpv6) return ProbeKind::echo;
  return std::nullopt;
}

// What layer 4 has, to the end that the IP header claims.
std::span<const uint8_t> layer4(const Packet& packet) {
  const size_t end = std::min(packet.bytes.size(), packet.l3_offset + size_t{packet.l3_length});
  return packet.bytes.first(end).subspan(packet.l4_offset);
}

std::optional<Answer> about_quote(const Packet& packet, Answer out) {
  const auto quote = parse_icmp_quote(packet);
  const auto of = quote && quote->has_ports ? kind_of(quote->proto) : std::nullopt;
  if (!of || quote->src != packet.key.ip_dst || !is_check_port(quote->l4_src)) return std::nullopt;
  out.kind = Answer::Kind::unreachable;
  out.of = *of;
  out.from = quote->dst;
  out.from_port = *of == ProbeKind::echo ? uint16_t{0} : quote->l4_dst;
  out.to_port = quote->l4_src;
  out.code = static_cast<uint8_t>(packet.key.l4_dst);
  return out;
}

std::optional<Answer> about_segment(const Packet& packet, Answer out) {
  const auto tcp = layer4(packet);
  if (tcp.size() < wire::tcp::kBytes) return std::nullopt;
  const size_t header = size_t{4} * (tcp[wire::tcp::kDataOffset] >> 4);
  if (header < wire::tcp::kBytes || header > tcp.size()) return std::nullopt;
  out.sequence = wire::load32(tcp.data() + wire::tcp::kSequence);
  out.acknowledged = wire::load32(tcp.data() + wire::tcp::kAck);
  out.tcp_flags = tcp[wire::tcp::kFlags];
  const auto payload = tcp.subspan(header);
  out.payload_bytes = static_cast<uint32_t>(payload.size());
  const auto kept = payload.first(std::min(payload.size(), kMaxPayload));
  out.payload.assign(kept.begin(), kept.end());
  return out;
}

std::optional<Answer> about_echo(const Packet& packet, Answer out) {
  const auto id = icmp_id(packet);
  const auto icmp = layer4(packet);
  if (!id || !is_check_port(*id) || icmp.size() < wire::icmp::kBytes) return std::nullopt;
  out.to_port = *id;
  out.from_port = wire::load16(icmp.data() + wire::icmp::kRest + 2);
  return out;
}

}  // namespace

bool may_be_answer(const FlowKey& key) {
  if (key.ip_proto == ip_proto::kTcp || key.ip_proto == ip_proto::kUdp) return is_check_port(key.l4_dst);
  return (is_echo_reply(key) && key.l4_dst == 0) || is_unreachable(key);
}

std::optional<Answer> parse_answer(const Packet& packet, RouterId router) {
  const FlowKey& key = packet.key;
  if (packet.error != DropReason::none || key.fragment != Fragment::none || packet.l4_offset == 0) return std::nullopt;
  const auto of = kind_of(key.ip_proto);
  if (!of || !may_be_answer(key) || !verify_l4_checksum(packet)) return std::nullopt;
  Answer out{router, Answer::Kind::packet, *of, key.ip_src, key.ip_dst, key.l4_src, key.l4_dst};
  if (is_unreachable(key)) return about_quote(packet, out);
  if (*of == ProbeKind::tcp) return about_segment(packet, out);
  return *of == ProbeKind::echo ? about_echo(packet, out) : out;
}

std::optional<Answer> no_neighbour_for(const Packet& probe, RouterId router) {
  const FlowKey& key = probe.key;
  const auto of = kind_of(key.ip_proto);
  const auto id = icmp_id(probe);
  if (!of || probe.error != DropReason::none || (*of == ProbeKind::echo && !id)) return std::nullopt;
  Answer out{router, Answer::Kind::no_neighbour, *of, key.ip_dst, key.ip_src, key.l4_dst, key.l4_src};
  if (*of == ProbeKind::echo) out.from_port = 0, out.to_port = *id;
  return is_check_port(out.to_port) ? std::optional(out) : std::nullopt;
}

}  // namespace viaduct::flows::health
