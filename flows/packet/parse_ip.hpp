// The IP half of the parser; used by parse.cpp alone. Each function fills key, l4_offset and l3_length of a packet
// whose l3_offset is set, or its error.
#pragma once

#include "flows/packet/packet.hpp"

namespace viaduct::flows {

void parse_ipv4(Packet& packet);
void parse_ipv6(Packet& packet);

}  // namespace viaduct::flows
