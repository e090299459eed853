#include "actors/agent/flow_prover.hpp"

#include <array>

#include "flows/packet/packet_builder.hpp"

namespace viaduct::actors {

using flows::FlowKey;
using flows::simulation::Outcome;

namespace {

constexpr uint8_t kHarmlessTtl = 64;

void add_layer4(flows::PacketBuilder& builder, const FlowKey& key) {
  switch (key.ip_proto) {
    case flows::ip_proto::kTcp:
      builder.tcp(key.l4_src, key.l4_dst);
      return;
    case flows::ip_proto::kUdp:
      builder.udp(key.l4_src, key.l4_dst);
      return;
    case flows::ip_proto::kIcmp:
    case flows::ip_proto::kIcmpv6:
      builder.icmp(static_cast<uint8_t>(key.l4_src), static_cast<uint8_t>(key.l4_dst), 0);
      return;
    case flows::ip_proto::kSctp: {  // RFC 9260 3.1: ports, verification tag, checksum
      const std::array<uint8_t, 12> header = {static_cast<uint8_t>(key.l4_src >> 8), static_cast<uint8_t>(key.l4_src),
                                              static_cast<uint8_t>(key.l4_dst >> 8), static_cast<uint8_t>(key.l4_dst)};
      builder.protocol(key.ip_proto).payload(header);
      return;
    }
    default:
      builder.protocol(key.ip_proto);
      return;
  }
}

void add_ip(flows::PacketBuilder& builder, const FlowKey& key) {
  auto family = key.eth_type == flows::ethertype::kIpv4 ? IpFamily::v4 : IpFamily::v6;
  // A field outside the mask is zero, which for an address also means "the other family's any".
  auto address = [family](const IpAddress& ip) { return ip.family() == family ? ip : IpAddress::any(family); };
  builder.ip(address(key.ip_src), address(key.ip_dst)).tos(key.ip_tos).ttl(key.ip_ttl == 0 ? kHarmlessTtl : key.ip_ttl);
  if (key.fragment == flows::Fragment::first) builder.fragment(0, true);
  if (key.fragment == flows::Fragment::later) builder.fragment(64, false);
  add_layer4(builder, key);
}

}  // namespace

std::vector<uint8_t> specimen(const FlowKey& key) {
  flows::PacketBuilder builder;
  builder.eth(key.eth_src, key.eth_dst);
  auto tag = [&builder](uint16_t tci) { builder.vlan(tci & 0x0fff, static_cast<uint8_t>(tci >> 13)); };
  if (key.is_tagged()) tag(key.vlan_tci);
  if ((key.inner_vlan_tci & FlowKey::kVlanPresent) != 0) tag(key.inner_vlan_tci);
  if (key.is_ip()) {
    add_ip(builder, key);
  } else {
    builder.ethertype(key.eth_type == flows::ethertype::kLlc ? 46 : key.eth_type).payload(46);
  }
  return builder.build();
}

Proof prove(const flows::Flow& flow, const AgentState& state, const flows::simulation::Network& network,
            flows::Time now) {
  Proof proof;
  uint64_t epoch = state.epochs.now();
  std::vector<uint8_t> frame = specimen(flow.key);
  flows::Packet packet = flows::parse(frame, flow.key.in_port);
  packet.key.tunnel = flow.key.tunnel;
  if (!flow.matches(packet.key)) return proof;
  flows::simulation::Verdict verdict;
  const flows::StateView view = state.view();
  flows::simulation::simulate({network, view, packet, now}, verdict);
  if (verdict.outcome == Outcome::park) {
    const auto* neighbour = std::get_if<flows::simulation::NeighbourWanted>(&verdict.wanted);
    if (neighbour == nullptr) return proof;  // its connection is not known any more
    proof.result = Proof::Result::unknown;
    proof.wanted = *neighbour;
    return proof;
  }
  // It would open what this life has not seen: its next packet does.
  if (!verdict.opens.empty()) return proof;
  flows::Flow again = flows::Flow::make(packet.key, verdict.mask, verdict.actions);
  if (!verdict.cacheable || again.id != flow.id || !(again.actions == flow.actions)) return proof;
  proof.result = Proof::Result::same;
  proof.record.id = flow.id;
  proof.record.in_port = flow.key.in_port;
  proof.record.epoch = epoch;
  proof.record.tags = verdict.tags;
  for (const auto& routed : verdict.routed) proof.record.routed.push_back({routed.router, routed.destination});
  proof.record.attachment.touches = verdict.touches;
  if (verdict.outcome == Outcome::drop) {
    proof.record.attachment.drop = verdict.drop_reason;
    proof.record.drop_site = verdict.drop_site;
  }
  return proof;
}

}  // namespace viaduct::actors
