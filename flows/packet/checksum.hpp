// The Internet checksum (RFC 1071) and what is built on it: incremental repair (RFC 1624), pseudo-headers (RFC 9293
// 3.1, RFC 768, RFC 8200 8.1), and the partial checksums that a virtual machine leaves for its "network card".
//
// Checksums and sums are numbers in host order; store them with wire::store16. SCTP has a CRC instead (RFC 9260 6.8).
#pragma once

#include <cstdint>
#include <span>

#include "flows/packet/packet.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows {

// The folded ones' complement sum of `bytes` as big-endian words, an odd last byte padded with zero, plus `start`.
uint16_t checksum_sum(std::span<const uint8_t> bytes, uint32_t start = 0);
// What stands in a header: the complement of the sum.
uint16_t internet_checksum(std::span<const uint8_t> bytes);

// RFC 1624, equation 3: the checksum after a 16-bit word that it covers changed.
constexpr uint16_t update_checksum(uint16_t checksum, uint16_t before, uint16_t after) {
  uint32_t sum = (~uint32_t{checksum} & 0xffff) + (~uint32_t{before} & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}
// The same for runs of equal, even length that start on a word of what is covered (addresses).
uint16_t update_checksum(uint16_t checksum, std::span<const uint8_t> before, std::span<const uint8_t> after);

// A partial checksum (Offload::partial_checksum), which is a sum and no complement, after addresses that it covers
// changed.
constexpr uint16_t update_partial_checksum(uint16_t sum, uint16_t before, uint16_t after) {
  return static_cast<uint16_t>(~update_checksum(static_cast<uint16_t>(~sum), before, after));
}

// `length` is of the layer-4 header and its payload.
uint16_t pseudo_header_sum(const IpAddress& src, const IpAddress& dst, uint8_t protocol, uint32_t length);

// The header checksum of the IPv4 header at the front of `header`, which is at least as long as its IHL says.
bool verify_ipv4_header(std::span<const uint8_t> header);
void fix_ipv4_header(std::span<uint8_t> header);

// Computes the checksum of TCP, UDP, ICMP or ICMPv6 over the whole payload and stores it. False, and nothing changed,
// for other protocols, for fragments and for malformed packets. A UDP sum of zero is stored as 0xffff (RFC 768).
bool fix_l4_checksum(Packet& packet);
// False only when the checksum is there and wrong, or missing where it must not be (UDP over IPv6, RFC 8200 8.1). What
// cannot be checked (other protocols, fragments, a partial checksum) passes.
bool verify_l4_checksum(const Packet& packet);

// Finishes what Offload::partial_checksum promises, and clears it. Super-packets are left as they are: segment()
// computes a checksum for each piece.
void complete_partial_checksum(Packet& packet);
// Computes the CRC of a whole SCTP packet without an error whose field is zero, as a kernel leaves it for a network card
// (and a finished CRC is once in 2^32). No virtio header can ask for it, so there is no partial form of it. Leaves all
// else alone.
void complete_sctp_checksum(Packet& packet);
// The checksum field of a TCP or UDP packet holds exactly the folded pseudo-header sum: bytes that a kernel gave
// without saying so. One finished checksum of 65536 looks the same, and completing that one gives the same bytes back.
bool looks_partial(const Packet& packet);

// CRC32c (RFC 9260 appendix A) of `bytes`; pieces are chained by `before`, the CRC of what stands in front of them.
uint32_t crc32c(std::span<const uint8_t> bytes, uint32_t before = 0);
// The CRC32c of an SCTP packet (common header and chunks, at least 12 bytes) with its checksum field taken as zero. It
// stands in the field with the lowest byte first.
uint32_t sctp_checksum(std::span<const uint8_t> sctp);

}  // namespace viaduct::flows
