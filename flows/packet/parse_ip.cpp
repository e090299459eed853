#include "flows/packet/parse_ip.hpp"

#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

// Ports, or ICMP type and code. `l4` has `length` bytes. False when the header is cut or lies. The first fragment must
// hold the whole fixed header (RFC 1858 3, RFC 7112 5); what it says of the length is of the whole datagram.
bool parse_l4(FlowKey& key, const uint8_t* l4, size_t length) {
  bool whole = key.fragment == Fragment::none;
  switch (key.ip_proto) {
    case ip_proto::kTcp: {
      if (length < wire::tcp::kBytes) return false;
      size_t header = size_t{4} * (l4[wire::tcp::kDataOffset] >> 4);
      if (header < wire::tcp::kBytes || (whole && header > length)) return false;
      break;
    }
    case ip_proto::kUdp: {
      if (length < wire::udp::kBytes) return false;
      size_t claimed = wire::load16(l4 + wire::udp::kLength);
      // 0 is for jumbograms (RFC 2675 4), which are longer than the field can say.
      if (whole && !(claimed == 0 && length > 0xffff) && (claimed < wire::udp::kBytes || claimed > length))
        return false;
      break;
    }
    case ip_proto::kSctp:
      if (length < wire::sctp::kBytes) return false;
      break;
    case ip_proto::kIcmp:
    case ip_proto::kIcmpv6:
      if ((key.eth_type == ethertype::kIpv4) != (key.ip_proto == ip_proto::kIcmp)) return true;
      if (length < wire::icmp::kBytes) return false;
      key.l4_src = l4[wire::icmp::kType];
      key.l4_dst = l4[wire::icmp::kCode];
      return true;
    default:
      return true;
  }
  key.l4_src = wire::load16(l4);
  key.l4_dst = wire::load16(l4 + 2);
  return true;
}

// The L4 header is at `at`, the IP packet ends at `end`, both offsets in the frame.
void finish(Packet& packet, size_t at, size_t end) {
  packet.l4_offset = static_cast<uint16_t>(at);
  if (!parse_l4(packet.key, packet.bytes.data() + at, end - at)) {
    packet.l4_offset = 0;
    packet.error = DropReason::malformed;
  }
}

// RFC 2675: a payload length of zero with the jumbo option in a hop-by-hop header that comes first. Returns the
// payload's length, 0 when there is none or it lies. `header` has `available` bytes.
size_t jumbo_length(const uint8_t* header, size_t available) {
  if (available < 8) return 0;
  size_t end = size_t{8} * (header[1] + 1U);
  if (end > available) return 0;
  for (size_t at = 2; at + 2 <= end;) {
    if (header[at] == 0) {  // Pad1
      ++at;
      continue;
    }
    size_t length = header[at + 1];
    if (at + 2 + length > end) return 0;
    if (header[at] == wire::ipv6::kJumboOption && length == 4) {
      size_t claimed = wire::load32(header + at + 2);
      return claimed > 0xffff && claimed <= available ? claimed : 0;
    }
    at += 2 + length;
  }
  return 0;
}

enum class Step : uint8_t { next, done, malformed };

// One extension header of `type` at `at`. The offset stays below 64 KiB: 16 headers of at most 2048 bytes.
Step walk_extension(Packet& packet, uint8_t& type, size_t& at, size_t end) {
  const uint8_t* header = packet.bytes.data() + at;
  if (end - at < 8) return Step::malformed;
  size_t length = wire::ipv6::extension_bytes(type, header);
  if (type == wire::ipv6::kFragment) {
    uint16_t field = wire::load16(header + 2);
    bool first = (field & wire::ipv6::kOffsetMask) == 0;
    packet.key.fragment = first ? Fragment::first : Fragment::later;
    type = header[0];
    at += length;
    return first ? Step::next : Step::done;
  }
  if (length > end - at) return Step::malformed;
  type = header[0];
  at += length;
  return Step::next;
}

}  // namespace

void parse_ipv4(Packet& packet) {
  const uint8_t* ip = packet.bytes.data() + packet.l3_offset;
  size_t available = packet.bytes.size() - packet.l3_offset;
  packet.error = DropReason::malformed;
  if (available < wire::ipv4::kBytes || ip[0] >> 4 != 4) return;
  size_t header = size_t{4} * (ip[0] & 0x0f);
  size_t total = wire::load16(ip + wire::ipv4::kTotalLength);
  if (header < wire::ipv4::kBytes || header > total || total > available) return;
  uint16_t fragment = wire::load16(ip + wire::ipv4::kFragment);
  size_t offset = size_t{8} * (fragment & wire::ipv4::kOffsetMask);
  if (offset + total > 0xffff) return;  // would reassemble to more than a datagram can be
  packet.error = DropReason::none;
  packet.l3_length = static_cast<uint32_t>(total);
  FlowKey& key = packet.key;
  key.ip_proto = ip[wire::ipv4::kProtocol];
  key.ip_tos = ip[wire::ipv4::kTos];
  key.ip_ttl = ip[wire::ipv4::kTtl];
  key.ip_src = wire::load_ipv4(ip + wire::ipv4::kSrc);
  key.ip_dst = wire::load_ipv4(ip + wire::ipv4::kDst);
  if (offset != 0) {
    key.fragment = Fragment::later;
    return;
  }
  if ((fragment & wire::ipv4::kMoreFragments) != 0) key.fragment = Fragment::first;
  finish(packet, packet.l3_offset + header, packet.l3_offset + total);
}

void parse_ipv6(Packet& packet) {
  const uint8_t* ip = packet.bytes.data() + packet.l3_offset;
  size_t available = packet.bytes.size() - packet.l3_offset;
  packet.error = DropReason::malformed;
  if (available < wire::ipv6::kBytes || ip[0] >> 4 != 6) return;
  uint8_t type = ip[wire::ipv6::kNextHeader];
  size_t payload = wire::load16(ip + wire::ipv6::kPayloadLength);
  bool jumbo = payload == 0 && type == wire::ipv6::kHopByHop;
  if (jumbo) {
    payload = jumbo_length(ip + wire::ipv6::kBytes, available - wire::ipv6::kBytes);
    if (payload == 0) return;
  }
  if (payload > available - wire::ipv6::kBytes) return;
  packet.l3_length = jumbo ? 0 : static_cast<uint32_t>(wire::ipv6::kBytes + payload);
  FlowKey& key = packet.key;
  key.ip_tos = static_cast<uint8_t>(wire::load16(ip) >> 4);
  key.ip_ttl = ip[wire::ipv6::kHopLimit];
  key.ip_src = wire::load_ipv6(ip + wire::ipv6::kSrc);
  key.ip_dst = wire::load_ipv6(ip + wire::ipv6::kDst);
  size_t at = packet.l3_offset + wire::ipv6::kBytes;
  size_t end = at + payload;
  for (int extensions = 0; wire::ipv6::is_extension(type); ++extensions) {
    if (extensions == wire::ipv6::kMaxExtensions) return;
    Step step = walk_extension(packet, type, at, end);
    if (step == Step::malformed) return;
    if (step == Step::done) break;
  }
  packet.error = DropReason::none;
  key.ip_proto = type;
  if (key.fragment != Fragment::later) finish(packet, at, end);
}

}  // namespace viaduct::flows
