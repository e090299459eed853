#include "flows/packet/checksum.hpp"

#include <array>
#include <bit>
#include <optional>

#include "flows/packet/headers.hpp"

namespace viaduct::flows {

namespace {

constexpr uint16_t fold(uint64_t sum) {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

constexpr uint16_t to_host(uint16_t native_word_sum) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(native_word_sum) : native_word_sum;
}

// What a layer-4 checksum covers, and where it stands.
struct Coverage {
  std::span<uint8_t> bytes;  // header and payload
  size_t field;              // offset in `bytes`
  bool pseudo_header;
};

std::optional<Coverage> coverage(const Packet& packet) {
  const FlowKey& key = packet.key;
  if (packet.error != DropReason::none || packet.l4_offset == 0 || key.fragment != Fragment::none) return std::nullopt;
  size_t end = packet.l3_length != 0 ? packet.l3_offset + size_t{packet.l3_length} : packet.bytes.size();
  std::span<uint8_t> l4 = packet.bytes.subspan(packet.l4_offset, end - packet.l4_offset);
  bool v6 = key.eth_type == ethertype::kIpv6;
  switch (key.ip_proto) {
    case ip_proto::kTcp:
      return Coverage{l4, wire::tcp::kChecksum, true};
    case ip_proto::kUdp: {
      size_t claimed = wire::load16(l4.data() + wire::udp::kLength);
      return Coverage{claimed == 0 ? l4 : l4.first(claimed), wire::udp::kChecksum, true};
    }
    case ip_proto::kIcmp:
      return v6 ? std::nullopt : std::optional(Coverage{l4, wire::icmp::kChecksum, false});
    case ip_proto::kIcmpv6:
      return v6 ? std::optional(Coverage{l4, wire::icmp::kChecksum, true}) : std::nullopt;
    default:
      return std::nullopt;
  }
}

uint16_t pseudo_sum(const Packet& packet, const Coverage& covered) {
  if (!covered.pseudo_header) return 0;
  return pseudo_header_sum(packet.key.ip_src, packet.key.ip_dst, packet.key.ip_proto,
                           static_cast<uint32_t>(covered.bytes.size()));
}

constexpr std::array<uint32_t, 256> make_crc32c_table() {
  constexpr uint32_t kReflectedPolynomial = 0x82f6'3b78;
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReflectedPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrc32c = make_crc32c_table();

}  // namespace

uint16_t checksum_sum(std::span<const uint8_t> bytes, uint32_t start) {
  // Ones' complement addition does not care for byte order (RFC 1071 2 B): add native words, swap once. 64 bits
  // cannot overflow below 16 GiB.
  uint64_t sum = 0;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    sum += (word & 0xffff'ffff) + (word >> 32);
  }
  if (left != 0) {
    uint64_t word = 0;
    std::memcpy(&word, at, left);
    sum += (word & 0xffff'ffff) + (word >> 32);
  }
  return fold(uint64_t{to_host(fold(sum))} + start);
}

uint16_t internet_checksum(std::span<const uint8_t> bytes) { return static_cast<uint16_t>(~checksum_sum(bytes)); }

uint16_t update_checksum(uint16_t checksum, std::span<const uint8_t> before, std::span<const uint8_t> after) {
  return update_checksum(checksum, checksum_sum(before), checksum_sum(after));
}

uint16_t pseudo_header_sum(const IpAddress& src, const IpAddress& dst, uint8_t protocol, uint32_t length) {
  uint32_t start = (length >> 16) + (length & 0xffff) + protocol;
  return checksum_sum(dst.bytes(), checksum_sum(src.bytes(), start));
}

bool verify_ipv4_header(std::span<const uint8_t> header) {
  return checksum_sum(header.first(size_t{4} * (header[0] & 0x0f))) == 0xffff;
}

void fix_ipv4_header(std::span<uint8_t> header) {
  wire::store16(header.data() + wire::ipv4::kChecksum, 0);
  uint16_t checksum = internet_checksum(header.first(size_t{4} * (header[0] & 0x0f)));
  wire::store16(header.data() + wire::ipv4::kChecksum, checksum);
}

bool fix_l4_checksum(Packet& packet) {
  auto covered = coverage(packet);
  if (!covered) return false;
  uint8_t* field = covered->bytes.data() + covered->field;
  wire::store16(field, 0);
  auto checksum = static_cast<uint16_t>(~checksum_sum(covered->bytes, pseudo_sum(packet, *covered)));
  if (checksum == 0 && packet.key.ip_proto == ip_proto::kUdp) checksum = 0xffff;
  wire::store16(field, checksum);
  return true;
}

bool verify_l4_checksum(const Packet& packet) {
  if (packet.offload.partial_checksum) return true;
  auto covered = coverage(packet);
  if (!covered) return true;
  bool absent = wire::load16(covered->bytes.data() + covered->field) == 0;
  if (packet.key.ip_proto == ip_proto::kUdp && absent) return packet.key.eth_type == ethertype::kIpv4;
  return checksum_sum(covered->bytes, pseudo_sum(packet, *covered)) == 0xffff;
}

void complete_partial_checksum(Packet& packet) {
  if (!packet.offload.partial_checksum || packet.offload.gso != Offload::Gso::none) return;
  fix_l4_checksum(packet);
  packet.offload.partial_checksum = false;
}

void complete_sctp_checksum(Packet& packet) {
  const FlowKey& key = packet.key;
  if (packet.error != DropReason::none || packet.l4_offset == 0 || !key.is_ip() || key.ip_proto != ip_proto::kSctp)
    return;
  if (key.fragment != Fragment::none) return;
  size_t end = packet.l3_length != 0 ? packet.l3_offset + size_t{packet.l3_length} : packet.bytes.size();
  std::span<uint8_t> sctp = packet.bytes.subspan(packet.l4_offset, end - packet.l4_offset);
  uint8_t* field = sctp.data() + wire::sctp::kChecksum;
  if (wire::load32(field) != 0) return;
  uint32_t crc = sctp_checksum(sctp);
  for (size_t i = 0; i < 4; ++i) field[i] = static_cast<uint8_t>(crc >> 8 * i);
}

bool looks_partial(const Packet& packet) {
  if (packet.key.ip_proto != ip_proto::kTcp && packet.key.ip_proto != ip_proto::kUdp) return false;
  auto covered = coverage(packet);
  if (!covered) return false;
  return wire::load16(covered->bytes.data() + covered->field) == pseudo_sum(packet, *covered);
}

uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t before) {
  uint32_t crc = ~before;
  for (uint8_t byte : bytes) crc = (crc >> 8) ^ kCrc32c[(crc ^ byte) & 0xff];
  return ~crc;
}

uint32_t sctp_checksum(std::span<const uint8_t> sctp) {
  constexpr uint8_t kZero[4] = {};
  uint32_t crc = crc32c(kZero, crc32c(sctp.first(wire::sctp::kChecksum)));
  return crc32c(sctp.subspan(wire::sctp::kBytes), crc);
}

}  // namespace viaduct::flows
