// Bytes on the wire: sizes, offsets and big-endian access. Everything is read and written byte by byte, so nothing here
// depends on alignment or on the host's byte order. Offsets count from the first byte of the header they belong to.
// Callers check bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows::wire {

constexpr uint16_t load16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
constexpr uint32_t load32(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}
constexpr void store16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
constexpr void store32(uint8_t* at, uint32_t value) {
  store16(at, static_cast<uint16_t>(value >> 16));
  store16(at + 2, static_cast<uint16_t>(value));
}
inline MacAddress load_mac(const uint8_t* at) {
  MacAddress::Bytes bytes;
  std::memcpy(bytes.data(), at, bytes.size());
  return MacAddress(bytes);
}
inline void store_mac(uint8_t* at, const MacAddress& mac) { std::memcpy(at, mac.bytes().data(), mac.bytes().size()); }
inline IpAddress load_ipv4(const uint8_t* at) { return IpAddress::v4(load32(at)); }
inline IpAddress load_ipv6(const uint8_t* at) {
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), at, bytes.size());
  return IpAddress::v6(bytes);
}
// 4 or 16 bytes.
inline void store_ip(uint8_t* at, const IpAddress& ip) { std::memcpy(at, ip.bytes().data(), ip.bytes().size()); }

namespace eth {
inline constexpr size_t kDst = 0, kSrc = 6, kType = 12, kBytes = 14;
inline constexpr size_t kVlanBytes = 4;
inline constexpr size_t kMinFrame = 60;      // shorter ones are padded; without FCS
inline constexpr uint16_t kMinType = 0x600;  // smaller values are an 802.3 length
}  // namespace eth

namespace arp {  // RFC 826, IPv4 over Ethernet
inline constexpr size_t kHardware = 0, kProtocol = 2, kHardwareBytes = 4, kProtocolBytes = 5, kOperation = 6;
inline constexpr size_t kSenderMac = 8, kSenderIp = 14, kTargetMac = 18, kTargetIp = 24, kBytes = 28;
inline constexpr uint16_t kHardwareEthernet = 1;
}  // namespace arp

namespace ipv4 {  // RFC 791 3.1
inline constexpr size_t kTos = 1, kTotalLength = 2, kId = 4, kFragment = 6, kTtl = 8, kProtocol = 9, kChecksum = 10;
inline constexpr size_t kSrc = 12, kDst = 16, kBytes = 20, kMaxBytes = 60;
inline constexpr uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000, kOffsetMask = 0x1fff;
inline constexpr size_t kMinMtu = 68;           // RFC 791 3.2
inline constexpr uint8_t kOptionCopied = 0x80;  // goes into every fragment
inline constexpr uint8_t kOptionEnd = 0, kOptionNop = 1;
}  // namespace ipv4

namespace ipv6 {  // RFC 8200 3
inline constexpr size_t kPayloadLength = 4, kNextHeader = 6, kHopLimit = 7, kSrc = 8, kDst = 24, kBytes = 40;
inline constexpr size_t kMinMtu = 1280;
inline constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kNoNext = 59,
                         kDestination = 60;
inline constexpr int kMaxExtensions = 16;
inline constexpr uint8_t kJumboOption = 0xc2;  // RFC 2675 2
inline constexpr uint16_t kMoreFragments = 1, kOffsetMask = 0xfff8;
constexpr bool is_extension(uint8_t type) {
  return type == kHopByHop || type == kRouting || type == kFragment || type == kAuthentication || type == kDestination;
}
// From the first 8 bytes of an extension header.
constexpr size_t extension_bytes(uint8_t type, const uint8_t* header) {
  if (type == kFragment) return 8;
  return type == kAuthentication ? size_t{4} * (header[1] + 2U) : size_t{8} * (header[1] + 1U);
}
}  // namespace ipv6

namespace tcp {  // RFC 9293 3.1
inline constexpr size_t kSrc = 0, kDst = 2, kSequence = 4, kAck = 8, kDataOffset = 12, kFlags = 13, kWindow = 14;
inline constexpr size_t kChecksum = 16, kBytes = 20;
inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAckFlag = 0x10, kCwr = 0x80;
}  // namespace tcp

namespace udp {
inline constexpr size_t kSrc = 0, kDst = 2, kLength = 4, kChecksum = 6, kBytes = 8;
}  // namespace udp

namespace sctp {  // RFC 9260 3.1
inline constexpr size_t kSrc = 0, kDst = 2, kChecksum = 8, kBytes = 12;
}  // namespace sctp

namespace icmp {  // RFC 792, RFC 4443; ICMPv6 has the same first four bytes
inline constexpr size_t kType = 0, kCode = 1, kChecksum = 2, kRest = 4, kBytes = 8;
inline constexpr size_t kEchoId = 4;
inline constexpr uint8_t kEchoReply = 0, kUnreachable = 3, kSourceQuench = 4, kRedirect = 5, kEchoRequest = 8,
                         kTimeExceeded = 11, kParameterProblem = 12;
constexpr bool is_echo(uint16_t type) { return type == kEchoRequest || type == kEchoReply; }
}  // namespace icmp

namespace icmpv6 {
inline constexpr uint8_t kUnreachable = 1, kPacketTooBig = 2, kTimeExceeded = 3, kParameterProblem = 4,
                         kEchoRequest = 128, kEchoReply = 129, kRouterSolicitation = 133, kNeighbourSolicitation = 135,
                         kNeighbourAdvertisement = 136, kRedirect = 137;
constexpr bool is_echo(uint16_t type) { return type == kEchoRequest || type == kEchoReply; }
}  // namespace icmpv6

namespace nd {  // RFC 4861 4.3, 4.4, 4.6.1
inline constexpr size_t kFlags = 4, kTarget = 8, kBytes = 24;
inline constexpr uint8_t kRouterFlag = 0x80, kSolicitedFlag = 0x40, kOverrideFlag = 0x20;
inline constexpr uint8_t kSourceLinkLayer = 1, kTargetLinkLayer = 2;
inline constexpr uint8_t kHopLimit = 255;
}  // namespace nd

}  // namespace viaduct::flows::wire
