// Changing packets in place: what the actions of a flow do, and the cutting of super-packets.
#pragma once

#include <cstdint>
#include <span>

#include "flows/packet/function_ref.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

// Both keep the key in step with the bytes. The packet has a whole Ethernet header.
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

// Cuts a super-packet (Offload::gso) into frames of at most gso_size payload bytes as a network card does, with
// lengths, IPv4 identification, TCP sequence numbers and flags (FIN and PSH in the last, CWR in the first) and all
// checksums finished. The frames live in a buffer that is reused: `each` must not keep them. Returns how many there
// were; 0, and nothing emitted, when the packet is no well-formed super-packet of the kind that its Offload claims.
size_t segment(const Packet& packet, FunctionRef<void(std::span<uint8_t>)> each);

}  // namespace viaduct::flows
