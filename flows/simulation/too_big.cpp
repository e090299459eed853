// What does not fit (RFC 1191, RFC 8201): into the link of a router's port, which the router itself sees, or into a
// tunnel, which the sender must learn of although no router is there. Who tells it:
//
//   routed    the router that the packet passed last, as if the tunnel's room were its port's MTU
//   bridged   the bridge, in the name of the packet's own destination: it has no address. Linux does the same for bridges
//             over VXLAN (skb_tunnel_check_pmtu). Nobody cuts packets there: also without DF they are dropped, and told
//   made      by a device here: cut if it is IPv4 of a router that may be, else dropped
#include "flows/packet/build.hpp"
#include "flows/packet/fragment.hpp"
#include "flows/packet/icmp_error.hpp"
#include "flows/packet/rewrite.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

void answer_for_destination(Walk& walk, uint16_t room) {
  const FlowKey& key = walk.input.packet.key;
  if (!key.is_ip() || key.ip_dst.is_multicast() || key.ip_dst.is_limited_broadcast() || key.eth_dst.is_multicast()) {
    return;
  }
  const Packet& packet = walk.input.packet;
  if (!may_answer_with_error(packet, IcmpErrorKind::packet_too_big)) return;
  const auto error = make_packet_too_big(packet, {key.ip_dst, key.eth_dst, key.eth_src}, room);
  if (!error) return;
  walk.note_device(Stage::icmp_error, [&] {
    return "packet too big, " + key.ip_dst.to_string() + " > " + key.ip_src.to_string() + ", by the bridge";
  });
  walk.emit(*walk.in, with_tags_of(packet, *error), EmittedPacket::Limit::icmp_error);
}

}  // namespace

bool forbids_fragments(const Packet& packet) {
  if (packet.key.eth_type != ethertype::kIpv4) return true;
  return (wire::load16(packet.bytes.data() + packet.l3_offset + wire::ipv4::kFragment) & wire::ipv4::kDontFragment) !=
         0;
}

void send_fragments(Walk& walk, const PortView& out, uint16_t mtu) {
  std::vector<uint8_t> frame = walk.current_frame();
  Packet whole = parse(frame, walk.key.in_port, walk.input.packet.offload);
  size_t pieces = 0;
  const auto send = [&](std::span<uint8_t> piece) {
    ++pieces;
    walk.emit(out, {piece.begin(), piece.end()});
  };
  const auto cut = [&](const Packet& packet) { return fragment_ipv4(packet, mtu, send); };
  if (whole.offload.gso == Offload::Gso::none) {
    cut(whole);
  } else {
    segment(whole, [&](std::span<uint8_t> piece) { cut(parse(piece, walk.key.in_port)); });
  }
  walk.note_device(Stage::mtu, [&] { return std::to_string(pieces) + " pieces for " + std::to_string(mtu); });
  if (pieces == 0) {
    walk.drop_once(DropReason::malformed);
  } else {
    walk.consume(DropReason::none);
  }
}

bool cut_for_tunnel(Walk& walk, uint16_t room) {
  const PortView* out = walk.decrements > 0 ? walk.last_router.out : walk.maker;
  if (out == nullptr || out->device != PortDevice::router || forbids_fragments(walk.input.packet)) return false;
  send_fragments(walk, *out, room);
  return true;
}

void tell_too_big_for_tunnel(Walk& walk, uint16_t room) {
  walk.note_device(Stage::mtu, [&] { return "more than " + std::to_string(room) + " bytes for the tunnel"; });
  walk.only_this_packet();
  if (walk.decrements > 0) {
    walk.return_to_last_router();
    answer_too_big(walk, room);
  } else if (walk.maker == nullptr) {
    answer_for_destination(walk, room);
  }
}

}  // namespace viaduct::flows::simulation
