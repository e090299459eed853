// What a flow does to its packets, in order, in words that every datapath can execute.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "flows/match/small_vector.hpp"
#include "flows/packet/port_number.hpp"
#include "flows/packet/tunnel.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows {

struct SetEthernet {
  MacAddress src, dst;
  friend bool operator==(const SetEthernet&, const SetEthernet&) = default;
};
// Both addresses of an IP packet of their family. The checksums that cover them, IPv4's own and those of TCP, UDP and
// ICMPv6, are repaired incrementally (RFC 1624): a UDP datagram without one stays so, later fragments have none. (With an
// IPv6 routing header that has segments left the destination is not what they cover: such a packet comes out wrong.)
struct SetIp {
  IpAddress src, dst;
  friend bool operator==(const SetIp&, const SetIp&) = default;
};
// Both ports of a TCP, UDP or SCTP packet (not of a later fragment), checksums likewise; SCTP's is not incremental
// (CRC32c, RFC 9260): a datapath that cannot make it refuses the flow as unsupported.
struct SetPorts {
  uint16_t src = 0, dst = 0;
  friend bool operator==(const SetPorts&, const SetPorts&) = default;
};
// One less TTL or hop limit, IPv4 checksum repaired. A packet whose TTL is 1 or 0 before it is not forwarded: the
// datapath hands it to user space as UpcallReason::ttl_expired.
struct DecrementTtl {
  friend bool operator==(const DecrementTtl&, const DecrementTtl&) = default;
};
// A packet (or a segment of a super-packet) with more than `mtu` bytes behind the Ethernet header is handed to user
// space as UpcallReason::too_big. In execute() it does nothing: the simulation has already decided.
struct CheckMtu {
  uint16_t mtu = 0;
  friend bool operator==(const CheckMtu&, const CheckMtu&) = default;
};
// The packet as it now is, to one port. Later actions work on the packet as it is here.
struct Output {
  PortNumber port;
  friend bool operator==(const Output&, const Output&) = default;
};

// The packet as it now is, to another host, by a tunnel port of the datapath. The outer header has a TTL of 64, this
// type of service, and (IPv4) the don't-fragment bit: what does not fit is for CheckMtu to find out before.
struct TunnelOutput {
  PortNumber port;
  Tunnel tunnel;    // src: this host's address
  uint8_t tos = 0;  // DSCP; its ECN bits are the datapath's (RFC 6040)
  friend auto operator<=>(const TunnelOutput&, const TunnelOutput&) = default;
};

using Action = std::variant<SetEthernet, SetIp, SetPorts, DecrementTtl, CheckMtu, Output, TunnelOutput>;
// An empty list drops the packet.
using ActionList = SmallVector<Action, 8>;

std::string to_string(const Action& action);
std::string to_string(std::span<const Action> actions);  // "set_eth(…),dec_ttl,output(3)"; "drop" when empty

}  // namespace viaduct::flows
