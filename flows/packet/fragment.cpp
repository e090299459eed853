#include "flows/packet/fragment.hpp"

#include <algorithm>
#include <vector>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

using Bytes = std::vector<uint8_t>;

// The header of the fragments behind the first: `header` without the options that are not to be copied (RFC 791 3.1).
// A list of options that is cut is copied no further than it can be read.
Bytes later_header(std::span<const uint8_t> header) {
  Bytes out(header.begin(), header.begin() + wire::ipv4::kBytes);
  for (size_t at = wire::ipv4::kBytes; at < header.size() && header[at] != wire::ipv4::kOptionEnd;) {
    if (header[at] == wire::ipv4::kOptionNop) {
      ++at;
      continue;
    }
    if (at + 1 >= header.size()) break;
    size_t length = header[at + 1];
    if (length < 2 || at + length > header.size()) break;
    if ((header[at] & wire::ipv4::kOptionCopied) != 0) {
      out.insert(out.end(), header.begin() + static_cast<long>(at), header.begin() + static_cast<long>(at + length));
    }
    at += length;
  }
  out.resize((out.size() + 3) / 4 * 4);  // 0 is end-of-list
  out[0] = static_cast<uint8_t>(4 << 4 | out.size() / 4);
  return out;
}

struct Piece {
  std::span<const uint8_t> link;    // Ethernet header and tags
  std::span<const uint8_t> header;  // IPv4, to be adjusted
  std::span<const uint8_t> payload;
  uint16_t flags_and_offset;
};

void write(const Piece& piece, Bytes& out) {
  out.assign(piece.link.begin(), piece.link.end());
  out.insert(out.end(), piece.header.begin(), piece.header.end());
  out.insert(out.end(), piece.payload.begin(), piece.payload.end());
  uint8_t* ip = out.data() + piece.link.size();
  wire::store16(ip + wire::ipv4::kTotalLength, static_cast<uint16_t>(piece.header.size() + piece.payload.size()));
  wire::store16(ip + wire::ipv4::kFragment, piece.flags_and_offset);
  fix_ipv4_header(std::span(out).subspan(piece.link.size()));
}

// `ip` is a whole packet that may be cut.
FragmentResult cut(std::span<const uint8_t> link, std::span<const uint8_t> ip, size_t mtu,
                   FunctionRef<void(std::span<uint8_t>)> each) {
  std::span<const uint8_t> header = ip.first(size_t{4} * (ip[0] & 0x0f));
  std::span<const uint8_t> payload = ip.subspan(header.size());
  if (mtu < wire::ipv4::kMinMtu) return FragmentResult::mtu_too_small;
  uint16_t field = wire::load16(ip.data() + wire::ipv4::kFragment);
  size_t first_offset = field & wire::ipv4::kOffsetMask;  // in units of 8 bytes
  bool last_has_more = (field & wire::ipv4::kMoreFragments) != 0;
  Bytes short_header = later_header(header);
  Bytes out;
  out.reserve(link.size() + std::min(mtu, ip.size()));
  size_t at = 0;
  do {
    std::span<const uint8_t> own = at == 0 ? header : std::span<const uint8_t>(short_header);
    size_t left = payload.size() - at;
    size_t chunk = left <= mtu - own.size() ? left : (mtu - own.size()) / 8 * 8;
    bool more = chunk < left || last_has_more;
    auto flags = static_cast<uint16_t>((more ? wire::ipv4::kMoreFragments : 0) | (first_offset + at / 8));
    write({link, own, payload.subspan(at, chunk), flags}, out);
    each(out);
    at += chunk;
  } while (at < payload.size());
  return FragmentResult::fragmented;
}

}  // namespace

FragmentResult fragment_ipv4(const Packet& packet, size_t mtu, FunctionRef<void(std::span<uint8_t>)> each) {
  if (packet.error != DropReason::none || packet.key.eth_type != ethertype::kIpv4) return FragmentResult::not_ipv4;
  if (packet.offload.gso != Offload::Gso::none) return FragmentResult::super_packet;
  std::span<const uint8_t> ip = packet.bytes.subspan(packet.l3_offset, packet.l3_length);
  bool fits = ip.size() <= mtu;
  if (!fits && (wire::load16(ip.data() + wire::ipv4::kFragment) & wire::ipv4::kDontFragment) != 0) {
    return FragmentResult::dont_fragment;
  }
  Bytes copy;
  Packet finished = packet;
  if (packet.offload.partial_checksum) {
    copy.assign(packet.bytes.begin(), packet.bytes.end());
    finished.bytes = copy;
    complete_partial_checksum(finished);
  }
  std::span<uint8_t> frame = finished.bytes.first(packet.l3_offset + packet.l3_length);
  if (fits) {
    each(frame);
    return FragmentResult::fragmented;
  }
  return cut(frame.first(packet.l3_offset), frame.subspan(packet.l3_offset), mtu, each);
}

}  // namespace viaduct::flows
