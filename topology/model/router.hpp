// A virtual router. Its ports' addresses give it connected and local routes without being asked; Route objects add to
// them.
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"

namespace viaduct::topology {

struct Router {
  RouterId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  bool admin_up = true;
  // In the order in which packets meet them; none: all pass.
  ChainId local_redirect{};  // before inbound_filter
  ChainId inbound_filter{};  // before routing
  ChainId forward_filter{};  // after routing, before outbound_filter
  ChainId outbound_filter{};
  LoadBalancerId load_balancer{};  // of no other router
  uint32_t as_number = 0;          // of four octets (RFC 6793); 0: it speaks no BGP
  bool advertise_nat = false;      // outside addresses of its VIPs and NAT rules are announced too
  friend bool operator==(const Router&, const Router&) = default;
};

}  // namespace viaduct::topology
