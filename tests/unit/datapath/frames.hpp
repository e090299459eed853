// Frames for datapath tests, byte by byte and with right checksums.
#pragma once

#include <cstdint>
#include <vector>

#include "flows/packet/packet.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows::frames {

using Bytes = std::vector<uint8_t>;

struct Host {
  MacAddress mac;
  IpAddress v4, v6;
  // 02:00:00:00:00:NN, 10.0.0.NN, fd00::NN
  static Host number(uint8_t n);
  // A host that others reach by tunnels: 02:00:00:00:01:NN, 192.0.2.NN, 2001:db8::NN
  static Host outer(uint8_t n);
  const IpAddress& address(IpFamily family) const { return family == IpFamily::v4 ? v4 : v6; }
};

struct Udp {
  Host from, to;
  uint16_t src_port = 1000, dst_port = 2000;
  uint8_t ttl = 64;
  size_t payload = 26;
};

Bytes udp4(const Udp& udp);
Bytes udp6(const Udp& udp);
// A datagram's first or second part: fragment offset 0 with more to come, or the rest without a UDP header.
Bytes fragment4(const Udp& udp, Fragment which);
Bytes arp_request(const Host& from, const Host& to);
// Puts a tag behind the addresses; twice for two tags.
Bytes tagged(const Bytes& frame, uint16_t tci, uint16_t protocol = ethertype::kVlan);
// A TCP super-packet with a partial checksum, as a guest with TSO sends it.
Bytes tcp_super4(const Host& from, const Host& to, size_t payload);
// udp6 behind a hop-by-hop and a destination-options header.
Bytes udp6_with_extensions(const Udp& udp);

// What one host sends to another by a tunnel port: an outer packet around `inner`. VXLAN's ports are those of `outer`.
Bytes vxlan(const Udp& outer, IpFamily family, uint32_t key, const Bytes& inner);
Bytes gre(const Udp& outer, uint32_t key, const Bytes& inner);

Packet parsed(Bytes& frame, PortNumber port = {}, Offload offload = {});

}  // namespace viaduct::flows::frames
