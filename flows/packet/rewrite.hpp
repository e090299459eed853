// Changing packets in place: what the actions of a flow do, and the cutting of super-packets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "flows/packet/function_ref.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

// All of these keep the key in step with the bytes. The packet has a whole Ethernet header.
void set_ethernet(Packet& packet, const MacAddress& src, const MacAddress& dst);

enum class TtlResult : uint8_t {
  decremented,
  expired,  // was 1 or 0: nothing changed
  not_ip,   // not IP, or malformed: nothing changed
};
// One less TTL or hop limit; the IPv4 checksum is repaired incrementally (RFC 1624), so a wrong one stays wrong.
TtlResult decrement_ttl(Packet& packet);

// A smaller gso_size is refused, because one packet must not become tens of thousands (Linux: TCP_MIN_GSO_SIZE).
inline constexpr uint16_t kMinGsoSize = 8;

// Addresses and ports. Checksums are repaired incrementally, so a wrong one stays wrong. A partial checksum stays one:
// it holds the pseudo-header only, so it changes with the addresses and not with the ports. A UDP checksum of zero
// ("none") stays zero, in IPv6 as well (RFC 6935); one that becomes zero is stored as 0xffff.
//
// Both return false, and change nothing, for packets that they are not for.

// Any IP packet of the addresses' family without an error. Checksums with a pseudo-header: TCP, UDP and ICMPv6; those of
// UDP-Lite and DCCP are left alone, as Open vSwitch does. A later fragment has none.
// With an IPv6 routing header that has segments left, layer 4 counts its last segment as the destination (RFC 8200 8.1)
// and not the header's, which is what changes here: such a packet comes out with a wrong checksum.
bool set_ip(Packet& packet, const IpAddress& src, const IpAddress& dst);
// TCP, UDP and SCTP, with their header: no later fragment. The CRC of SCTP is computed over the whole packet, which a
// first fragment is not: false for it.
bool set_ports(Packet& packet, uint16_t src, uint16_t dst);

// The identifier of an ICMP or ICMPv6 echo request or reply; nothing, or false, for all else.
std::optional<uint16_t> icmp_id(const Packet& packet);
bool set_icmp_id(Packet& packet, uint16_t id);

// Cuts a super-packet (Offload::gso) into frames of at most gso_size payload bytes as a network card does, with
// lengths, IPv4 identification, TCP sequence numbers and flags (FIN and PSH in the last, CWR in the first) and all
// checksums finished. The frames live in a buffer that is reused: `each` must not keep them. Returns how many there
// were; 0, and nothing emitted, when the packet is no well-formed super-packet of the kind that its Offload claims.
size_t segment(const Packet& packet, FunctionRef<void(std::span<uint8_t>)> each);

}  // namespace viaduct::flows
