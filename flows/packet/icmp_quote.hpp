// The packet that an ICMP or ICMPv6 error quotes: which connection the error is about, and its translation.
//
// Errors: destination unreachable, source quench, time exceeded and parameter problem (RFC 792); destination
// unreachable, packet too big, time exceeded and parameter problem (RFC 4443). Not a redirect: it names a router of the
// sender's own network, and means nothing in another.
#pragma once

#include <cstdint>
#include <optional>

#include "flows/packet/packet.hpp"

namespace viaduct::flows {

// The quoted packet's own fields: `src` sent it, so that is whom the error is for.
struct IcmpQuote {
  IpAddress src, dst;  // of the error's family
  uint8_t proto = 0;   // behind IPv6 extension headers, as far as they are quoted
  // Ports of TCP, UDP and SCTP; the identifier of an echo request or reply, in both. Zero without has_ports: another
  // protocol or ICMP type, a later fragment, or cut in front of them.
  uint16_t l4_src = 0, l4_dst = 0;
  bool has_ports = false;
  friend bool operator==(const IcmpQuote&, const IcmpQuote&) = default;
};

// Nothing when `packet` is no such error, is a later fragment, or does not quote a whole IP header. What stands behind
// that may be cut anywhere; 64 bits of it (RFC 792) suffice for ports and identifiers.
std::optional<IcmpQuote> parse_icmp_quote(const Packet& packet);

// Makes the quote say `to`, and repairs incrementally: the quoted IPv4 header checksum, the quoted TCP, UDP or ICMP
// checksum when it is quoted and there (SCTP's cannot be), and the error's own. The error's own addresses are for
// set_ip(). Ports and identifier (to.l4_src) change only when both `to` and the quote have them. False, and nothing
// changed, when there is no quote, or one of another family or protocol.
bool rewrite_icmp_quote(Packet& packet, const IcmpQuote& to);

}  // namespace viaduct::flows
