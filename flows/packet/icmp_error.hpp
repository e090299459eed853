// ICMP and ICMPv6 error messages: how they look (RFC 792, RFC 1191 4, RFC 1812 4.3, RFC 4443 2.4 and 3), and when a
// packet may be answered with one at all. Rate limits are the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flows/packet/packet.hpp"

namespace viaduct::flows {

enum class IcmpErrorKind : uint8_t {
  packet_too_big,  // IPv4: fragmentation needed and DF set
  other,
};

// False for what must not cause an error (RFC 1122 3.2.2, RFC 1812 4.3.2.7, RFC 4443 2.4 e): an ICMP error or
// redirect, or an unknown ICMP type that may be one; a group or broadcast destination, of layer 2 or 3 (but IPv6 path
// MTU discovery works for groups, so packet_too_big is allowed there); a later fragment; a source that is no single
// host; a malformed packet. Directed broadcasts are for the caller to know.
bool may_answer_with_error(const Packet& packet, IcmpErrorKind kind = IcmpErrorKind::other);

// Who sends the error, and to which next hop. `ip` is of the offending packet's family.
struct IcmpErrorSender {
  IpAddress ip;
  MacAddress mac;
  MacAddress next_hop;
};

enum class Unreachable : uint8_t { network, host, port, prohibited };

// Each quotes the offending packet as it is in `packet.bytes`, as much as fits in 576 bytes (IPv4, RFC 1812 4.3.2.3)
// or 1280 (IPv6, RFC 4443 2.4 c), and goes to its source. Nothing when `packet` is no well-formed IP packet of the
// sender's family. They do not ask may_answer_with_error().
std::optional<std::vector<uint8_t>> make_unreachable(const Packet& packet, const IcmpErrorSender& sender,
                                                     Unreachable what);
std::optional<std::vector<uint8_t>> make_time_exceeded(const Packet& packet, const IcmpErrorSender& sender);
// `mtu` is of the next hop. IPv4: unreachable, fragmentation needed (RFC 1191).
std::optional<std::vector<uint8_t>> make_packet_too_big(const Packet& packet, const IcmpErrorSender& sender,
                                                        uint16_t mtu);
// Any other: `rest` is what stands between the checksum and the quote.
std::optional<std::vector<uint8_t>> make_icmp_error(const Packet& packet, const IcmpErrorSender& sender, uint8_t type,
                                                    uint8_t code, uint32_t rest);

}  // namespace viaduct::flows
