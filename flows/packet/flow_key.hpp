// The header fields of one packet that a flow can match, extracted once by the parser.
//
// All integers are in host order; addresses are in network order inside their types. A field that the packet does not
// have is zero. ARP borrows the IP fields as Open vSwitch does: ip_src/ip_dst are the sender's and target's protocol
// addresses, ip_proto is the operation. ICMP and ICMPv6 borrow the ports: l4_src is the type, l4_dst the code. A later
// fragment has no layer-4 fields.
#pragma once

#include <compare>
#include <cstdint>

#include "flows/packet/port_number.hpp"
#include "flows/packet/tunnel.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows {

namespace ethertype {
inline constexpr uint16_t kIpv4 = 0x0800;
inline constexpr uint16_t kArp = 0x0806;
inline constexpr uint16_t kVlan = 0x8100;  // IEEE 802.1Q
inline constexpr uint16_t kQinQ = 0x88a8;  // IEEE 802.1ad
inline constexpr uint16_t kIpv6 = 0x86dd;
inline constexpr uint16_t kLlc = 0x05ff;  // an 802.3 frame: a length stands where the type would (BPDUs)
}  // namespace ethertype

namespace ip_proto {
inline constexpr uint8_t kIcmp = 1;
inline constexpr uint8_t kTcp = 6;
inline constexpr uint8_t kUdp = 17;
inline constexpr uint8_t kIcmpv6 = 58;
inline constexpr uint8_t kSctp = 132;
}  // namespace ip_proto

enum class Fragment : uint8_t {
  none,
  // Offset 0, more fragments: has layer-4 fields. In IPv6 also an atomic fragment (RFC 6946): any fragment header with
  // offset 0, as Open vSwitch sees it.
  first,
  later,
};

struct FlowKey {
  // vlan_tci bit that says "a tag is present" (the DEI bit of the wire is not matched; Open vSwitch does the same).
  static constexpr uint16_t kVlanPresent = 0x1000;

  PortNumber in_port;
  Tunnel tunnel;          // of a packet that came in by a tunnel port
  uint16_t eth_type = 0;  // of the payload behind all VLAN tags that were parsed (at most two)
  uint16_t vlan_tci = 0;  // outermost tag: priority and id, with kVlanPresent; 0 when untagged
  uint16_t inner_vlan_tci = 0;
  MacAddress eth_src;
  MacAddress eth_dst;
  IpAddress ip_src;
  IpAddress ip_dst;
  uint8_t ip_proto = 0;  // behind IPv6 extension headers; ARP: operation
  uint8_t ip_tos = 0;    // DSCP and ECN
  uint8_t ip_ttl = 0;    // hop limit
  Fragment fragment = Fragment::none;
  uint16_t l4_src = 0;
  uint16_t l4_dst = 0;

  bool is_tagged() const { return (vlan_tci & kVlanPresent) != 0; }
  uint16_t vlan_id() const { return vlan_tci & 0x0fff; }
  bool is_ip() const { return eth_type == ethertype::kIpv4 || eth_type == ethertype::kIpv6; }

  friend constexpr auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

}  // namespace viaduct::flows
