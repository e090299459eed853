// What tests of tunnels say: the ways between hosts, and packets on them.
#pragma once

#include <ostream>
#include <vector>

#include "conformance.hpp"

namespace viaduct::flows {

// One way to encapsulate.
struct Underlay {
  TunnelKind kind;
  IpFamily family;

  IpAddress host(uint8_t n) const { return frames::Host::outer(n).address(family); }
  // From here to host `n`, and from there to here.
  Tunnel to(uint8_t n, uint32_t key) const { return {key, host(1), host(n)}; }
  Tunnel from(uint8_t n, uint32_t key) const { return {key, host(n), host(1)}; }
  Tunneled packet(uint8_t from_host, uint32_t key, const frames::Bytes& frame) const {
    return {.kind = kind, .frame = frame, .tunnel = from(from_host, key)};
  }
};

inline std::ostream& operator<<(std::ostream& out, const Underlay& one) {
  return out << (one.kind == TunnelKind::vxlan ? "vxlan" : "gre") << " over "
             << (one.family == IpFamily::v4 ? "IPv4" : "IPv6");
}

// All that this kernel can do. GRE is for IPv4 (TunnelPortSpec).
inline std::vector<Underlay> underlays(const Datapath& datapath) {
  std::vector<Underlay> out;
  Capabilities can = datapath.capabilities();
  if (can.vxlan) out.insert(out.end(), {{TunnelKind::vxlan, IpFamily::v4}, {TunnelKind::vxlan, IpFamily::v6}});
  if (can.gre) out.push_back({TunnelKind::gre, IpFamily::v4});
  return out;
}

inline FieldSet tunnel_and_ethernet() {
  FieldSet mask = FieldSet::ethernet();
  mask.add(Field::tunnel);
  return mask;
}

class TunnelConformance : public DatapathConformance {
 protected:
  // Opens the datapath on a host with a link to others.
  void open_host() {
    harness_->add_underlay();
    open();
    ways_ = underlays(*datapath_);
  }
  PortNumber tunnel_port(TunnelKind kind) {
    std::error_code error;
    PortNumber port = datapath_->add_tunnel_port({.kind = kind}, error).number;
    EXPECT_FALSE(error) << error.message();
    EXPECT_TRUE(port);
    return port;
  }
  std::string tunnel_interface_of(PortNumber number) {
    for (const DatapathPort& port : datapath_->ports()) {
      if (port.number == number) return port.interface;
    }
    return {};
  }
  std::optional<Tunneled> next_tunneled() { return harness_->receive_tunneled(kSoon); }

  std::vector<Underlay> ways_;
};

}  // namespace viaduct::flows
