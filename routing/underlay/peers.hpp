// How this host reaches the others: which tunnel, between which two addresses, and how much fits into it.
//
// A pure function of the topology's tunnel zones and of what this host is: its addresses and the kinds of tunnels that its
// datapath has. Flows use the result as their paths to hosts, the prober for whom to probe.
//
// Choice of a zone. Two hosts may share several. A sender takes, of the zones that it can use towards the peer, the one
// with the lowest id. A zone can be used when this host's address in it is on one of its interfaces, the peer's is of the
// same family, and both datapaths have the zone's kind for that family. As long as neither host has a problem, both ends
// take the same zone; with one, each direction is still good by itself, for a host receives by any of its zones.
//
// MTU. A path's `mtu` is what fits behind the inner Ethernet header, as for any interface:
//
//     underlay MTU - outer IP (20 | 40) - encapsulation - inner Ethernet (14)
//       vxlan: UDP 8 + VXLAN 8 (RFC 7348 5)  ->  1450 | 1430 of 1500
//       gre:   4 + key 4       (RFC 2890 2)  ->  1458 | 1438 of 1500
//
// No room is left for an inner VLAN tag: the kernel's own vxlan and gretap devices leave none either, and 1450 is what
// operators expect. A tagged frame of full size is 4 bytes too long for the underlay: fragmented, or with DF dropped and
// counted by the kernel (Ip: FragFails). Who carries tagged guests raises the underlay's MTU by 4.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "routing/underlay/local_addresses.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/model/tunnel_zone.hpp"

namespace viaduct::routing::underlay {

// Bytes behind the inner Ethernet header that every path must carry: RFC 8200 5 wants 1280 for IPv6, RFC 791 68 at all.
inline constexpr uint16_t kMinInnerMtuV6 = 1280;
inline constexpr uint16_t kMinInnerMtu = 68;

// A kind of tunnel over a family of outer addresses: a kernel may have one without the other.
struct Carrier {
  topology::TunnelType kind = topology::TunnelType::vxlan;
  IpFamily family = IpFamily::v4;
  friend constexpr auto operator<=>(const Carrier&, const Carrier&) = default;
};

// What the tunnel adds to the inner packet, inner Ethernet header included.
constexpr uint16_t overhead_bytes(Carrier carrier) {
  const int outer_ip = carrier.family == IpFamily::v4 ? 20 : 40;
  const int encapsulation = carrier.kind == topology::TunnelType::vxlan ? 8 + 8 : 4 + 4;
  return static_cast<uint16_t>(outer_ip + encapsulation + 14);
}
// 0 when less than kMinInnerMtu fits.
uint16_t inner_mtu(Carrier carrier, uint32_t underlay_mtu);

struct PeerFacts {
  HostId self;
  std::vector<topology::TunnelZone> zones;
  std::vector<topology::TunnelZoneHost> members;  // of those zones, this host's included
  std::map<HostId, std::string> names;            // of hosts, for the texts of problems
  std::vector<LocalAddress> local;
  // What this datapath does not have, with what the kernel said.
  std::map<Carrier, std::string> unavailable;
  // What other hosts have said that theirs do not have; a host that said nothing has all.
  std::map<HostId, std::set<Carrier>> peer_unavailable;
  // What the kernel's routing says, where it was asked: (source, destination) -> bytes. Less than the interface's counts.
  std::map<std::pair<IpAddress, IpAddress>, uint32_t> route_mtu;
};

struct PeerPath {
  TunnelZoneId zone;
  topology::TunnelType kind = topology::TunnelType::vxlan;
  IpAddress src;  // of this host
  IpAddress dst;
  uint16_t mtu = 0;  // bytes behind the inner Ethernet header
  Carrier carrier() const { return {kind, dst.family()}; }
  friend bool operator==(const PeerPath&, const PeerPath&) = default;
};

// Something that keeps a zone from being used, for the operator: text names the objects and the cure.
struct Problem {
  TunnelZoneId zone;
  HostId host;  // whose fault: this host or the peer
  std::string text;
  friend bool operator==(const Problem&, const Problem&) = default;
};

struct Peers {
  std::map<HostId, PeerPath> paths;  // without hosts that cannot be reached: a problem says why
  // Addresses from which a host may send to this one: its own in every zone that both are in.
  std::map<HostId, std::set<IpAddress>> sources;
  std::vector<Problem> problems;  // by zone, then host
  friend bool operator==(const Peers&, const Peers&) = default;
};

Peers find_peers(const PeerFacts& facts);

}  // namespace viaduct::routing::underlay
