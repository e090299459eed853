// The outer header of a packet in a tunnel between two hosts, as far as flows see it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "topology/address/ip_address.hpp"

namespace viaduct::flows {

enum class TunnelKind : uint8_t {
  vxlan,  // RFC 7348: the key is the VNI
  gre,    // RFC 2890 key, transparent Ethernet bridging (RFC 1701 protocol 0x6558)
};

// As it stands in the packet: `src` is who sent it. Both addresses are of one family.
struct Tunnel {
  static constexpr uint32_t kMaxKey = 0xff'ffff;  // what a VNI holds

  uint32_t key = 0;  // which port or bridge of the receiving host it is for; 0: not tunnelled
  IpAddress src;
  IpAddress dst;

  bool present() const { return key != 0; }
  std::string to_string() const { return std::to_string(key) + "/" + src.to_string() + "->" + dst.to_string(); }
  friend constexpr auto operator<=>(const Tunnel&, const Tunnel&) = default;
};

}  // namespace viaduct::flows
