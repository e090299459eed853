#include <algorithm>
#include <vector>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"

namespace viaduct::flows {

namespace {

// Where the pieces of a super-packet are; offsets in the frame.
struct Layout {
  size_t header_bytes;  // Ethernet to layer 4, in front of every segment
  size_t payload_bytes;
};

bool kind_matches(const Packet& packet) {
  const FlowKey& key = packet.key;
  switch (packet.offload.gso) {
    case Offload::Gso::tcp_v4:
      return key.eth_type == ethertype::kIpv4 && key.ip_proto == ip_proto::kTcp;
    case Offload::Gso::tcp_v6:
      return key.eth_type == ethertype::kIpv6 && key.ip_proto == ip_proto::kTcp;
    case Offload::Gso::udp:
      return key.is_ip() && key.ip_proto == ip_proto::kUdp;
    case Offload::Gso::none:
      break;
  }
  return false;
}

// Nothing (payload 0) when the packet cannot be cut.
Layout layout_of(const Packet& packet) {
  if (packet.error != DropReason::none || packet.l4_offset == 0 || packet.key.fragment != Fragment::none ||
      packet.l3_length == 0 || packet.offload.gso_size < kMinGsoSize || !kind_matches(packet)) {
    return {0, 0};
  }
  size_t l4_header = wire::udp::kBytes;
  if (packet.key.ip_proto == ip_proto::kTcp) {
    l4_header = size_t{4} * (packet.bytes[packet.l4_offset + wire::tcp::kDataOffset] >> 4);
  }
  size_t header = packet.l4_offset + l4_header;
  return {header, packet.l3_offset + size_t{packet.l3_length} - header};
}

void adjust_ip(const Packet& super, std::span<uint8_t> frame, size_t index) {
  uint8_t* ip = frame.data() + super.l3_offset;
  size_t length = frame.size() - super.l3_offset;
  if (super.key.eth_type == ethertype::kIpv6) {
    wire::store16(ip + wire::ipv6::kPayloadLength, static_cast<uint16_t>(length - wire::ipv6::kBytes));
    return;
  }
  wire::store16(ip + wire::ipv4::kTotalLength, static_cast<uint16_t>(length));
  wire::store16(ip + wire::ipv4::kId, static_cast<uint16_t>(wire::load16(ip + wire::ipv4::kId) + index));
  fix_ipv4_header(frame.subspan(super.l3_offset));
}

void adjust_l4(const Packet& super, std::span<uint8_t> frame, size_t payload_at, bool last) {
  uint8_t* l4 = frame.data() + super.l4_offset;
  if (super.key.ip_proto == ip_proto::kUdp) {
    wire::store16(l4 + wire::udp::kLength, static_cast<uint16_t>(frame.size() - super.l4_offset));
  } else {
    wire::store32(l4 + wire::tcp::kSequence,
                  wire::load32(l4 + wire::tcp::kSequence) + static_cast<uint32_t>(payload_at));
    if (payload_at != 0) l4[wire::tcp::kFlags] &= static_cast<uint8_t>(~wire::tcp::kCwr);
    if (!last) l4[wire::tcp::kFlags] &= static_cast<uint8_t>(~(wire::tcp::kFin | wire::tcp::kPsh));
  }
  Packet piece = super;
  piece.bytes = frame;
  piece.l3_length = static_cast<uint32_t>(frame.size() - super.l3_offset);
  fix_l4_checksum(piece);
}

}  // namespace

size_t segment(const Packet& packet, FunctionRef<void(std::span<uint8_t>)> each) {
  Layout layout = layout_of(packet);
  if (layout.header_bytes == 0) return 0;
  std::vector<uint8_t> buffer(layout.header_bytes + std::min<size_t>(packet.offload.gso_size, layout.payload_bytes));
  const uint8_t* payload = packet.bytes.data() + layout.header_bytes;
  size_t count = 0;
  size_t at = 0;
  do {
    size_t chunk = std::min<size_t>(packet.offload.gso_size, layout.payload_bytes - at);
    std::copy_n(packet.bytes.data(), layout.header_bytes, buffer.data());
    std::copy_n(payload + at, chunk, buffer.data() + layout.header_bytes);
    std::span<uint8_t> frame = std::span(buffer).first(layout.header_bytes + chunk);
    adjust_ip(packet, frame, count);
    adjust_l4(packet, frame, at, at + chunk == layout.payload_bytes);
    each(frame);
    ++count;
    at += chunk;
  } while (at < layout.payload_bytes);
  return count;
}

}  // namespace viaduct::flows
