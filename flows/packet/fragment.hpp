// IPv4 fragmentation (RFC 791 3.2), for packets that a virtual router must send over a smaller MTU.
#pragma once

#include <cstdint>
#include <span>

#include "flows/packet/function_ref.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

enum class FragmentResult : uint8_t {
  fragmented,     // into one frame or more
  not_ipv4,       // or malformed
  dont_fragment,  // the DF flag is set: the sender is to be told (ICMP fragmentation needed)
  super_packet,   // segment() it first
  mtu_too_small,  // below 68 (RFC 791 3.2)
};

// Emits `packet` as frames of at most `mtu` bytes behind the Ethernet header, in order; VLAN tags are kept. A packet
// that fits comes out as one frame, without its Ethernet padding. Fragments are fragmented further. Options with the
// copy bit go into every fragment, the others into the first only. A partial layer-4 checksum is finished before the
// cut. The frames live in a buffer that is reused, or are the packet's own bytes: `each` must not keep them.
FragmentResult fragment_ipv4(const Packet& packet, size_t mtu, FunctionRef<void(std::span<uint8_t>)> each);

}  // namespace viaduct::flows
