// One rule of a chain: which packets, and what becomes of them (devices.md 1.5, 1.6).
//
// Rules of a chain are tried in the order of their positions until one decides: accept, drop or reject end the packet's
// way through the chain and its callers, return ends this chain only; continue, and a NAT rule that cannot be applied,
// let the next rule decide. A chain that decides nothing accepts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::topology {

// A field that is matched, or whose opposite is; a field without a value matches every packet, inverted or not.
template <class T>
struct Match {
  std::optional<T> value;
  bool inverted = false;
  friend bool operator==(const Match&, const Match&) = default;
};

struct MacMatch {
  MacAddress address;
  MacAddress mask = MacAddress::from_uint64(0xffff'ffff'ffff);  // of the bits that count
  friend bool operator==(const MacMatch&, const MacMatch&) = default;
};

// Both ends belong to it.
struct PortRange {
  uint16_t first = 0, last = 0;
  bool contains(uint16_t port) const { return first <= port && port <= last; }
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// Which parts of fragmented packets; never inverted.
enum class FragmentPolicy : uint8_t {
  any,
  header,        // whole packets and first fragments: what has a layer-4 header
  nonheader,     // later fragments
  unfragmented,  // whole packets
};

// All of what is given has to match.
struct Condition {
  bool inverted = false;  // of the whole, but of the fragment policy
  FragmentPolicy fragments = FragmentPolicy::any;
  bool forward_flow = false;            // not known to be a return packet of a tracked connection
  bool return_flow = false;             // known to be one, or made by a device
  bool destination_rewritten = false;   // by a DNAT rule or a load balancer, since it entered the device
  bool untagged = false;                // no VLAN tag
  std::optional<uint16_t> vlan;         // id of the outermost tag
  Match<PortGroupId> port_group;        // of the exterior port where it entered the virtual network
  Match<PortGroupId> in_port_group;     // of the port where it entered this device
  Match<PortGroupId> out_port_group;    // of the port by which it leaves this device, where that is known
  Match<std::vector<PortId>> in_ports;  // any of them; a given list is not empty
  Match<std::vector<PortId>> out_ports;
  Match<uint16_t> eth_type;
  Match<MacMatch> eth_src, eth_dst;
  Match<uint8_t> ip_tos;
  Match<uint8_t> ip_proto;
  Match<IpPrefix> ip_src, ip_dst;
  Match<IpGroupId> ip_src_group, ip_dst_group;
  // Ports, of TCP, UDP and SCTP where ip_proto names none; with ICMP named: type in l4_src, code in l4_dst. What has none
  // meets neither a range nor its opposite.
  Match<PortRange> l4_src, l4_dst;
  Match<Uuid> traversed_device;                  // it has passed this port, bridge, router or chain
  Match<IpPrefix> icmp_data_src, icmp_data_dst;  // of the packet that an ICMP error quotes
  friend bool operator==(const Condition&, const Condition&) = default;
};

enum class RuleAction : uint8_t { accept, drop, reject, return_, continue_, jump };

enum class NatKind : uint8_t {
  none,
  dnat,
  snat,
  reverse_dnat,  // of what this device's DNAT has done: back to what the client knows
  reverse_snat,
};

// What an address or port is translated to.
//
//   ports given           dynamic: any address and port of the range, remembered for the connection
//   no ports (0 to 0)     static: the first address, stateless, ports kept; ICMP errors too
//   prefix                static: the bits of the prefix are replaced, those behind it kept (whole networks; RFC 6296)
struct NatTarget {
  IpAddress first, last;
  uint16_t port_first = 0, port_last = 0;
  uint8_t prefix_length = 0;  // not 0: `first` is a network of this length
  bool is_static() const { return port_last == 0; }
  friend bool operator==(const NatTarget&, const NatTarget&) = default;
};

struct Rule {
  RuleId id;
  uint64_t revision = 0;
  ChainId chain;
  uint32_t position = 0;  // unique in the chain, least first; 0 in a request: behind the last one
  Condition condition;
  RuleAction action = RuleAction::accept;  // of NAT rules: accept, return or continue, once it has been applied
  ChainId jump;                            // action jump
  NatKind nat = NatKind::none;
  std::vector<NatTarget> targets;  // dnat and snat, in order: the next one when the one before is exhausted
  std::string meter = {};          // what whoever made it counts its flows under; kept for them
  friend bool operator==(const Rule&, const Rule&) = default;
};

}  // namespace viaduct::topology
