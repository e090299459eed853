// What connection tracking reads from a packet besides its FlowKey.
#pragma once

#include <cstdint>
#include <optional>

#include "flows/packet/packet.hpp"

namespace viaduct::flows {

// RFC 9293 3.1; 0 when it is not TCP, or not the part with the header.
uint8_t tcp_flags(const Packet& packet);
// Of a fragment: equal for all fragments of one packet (RFC 791, 16 bits; RFC 8200 4.5, 32 bits).
std::optional<uint32_t> fragment_identification(const Packet& packet);

}  // namespace viaduct::flows
