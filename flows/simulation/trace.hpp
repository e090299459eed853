// The simulation's explanation of itself: one list of steps, read by tests and printed by `viaduct trace`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "topology/address/id.hpp"

namespace viaduct::flows::simulation {

enum class Stage : uint8_t {
  tunnel_in,
  port_in,
  port_out,
  peer,
  bridge_learn,
  bridge_unicast,
  bridge_flood,
  arp_suppressed,
  arp,
  neighbour_discovery,
  router_in,
  route,
  ttl,
  mtu,
  next_hop,
  local_delivery,
  icmp_error,
  chain,
  rule,
  connection,
  nat,
  load_balancer,
  output,
  drop,
  park,
  emit,
};
std::string_view to_string(Stage stage);

enum class DeviceKind : uint8_t { none, port, bridge, router, chain, load_balancer };

struct TraceStep {
  uint16_t depth = 0;  // 0: the packet asked for; 1: one that it caused; …
  DeviceKind device_kind = DeviceKind::none;
  Uuid device;
  Stage stage = Stage::drop;
  std::string detail;  // "10.0.2.0/24 via r1-green, weight 100"
};

std::string to_string(const TraceStep& step);  // "  route: 10.0.2.0/24 …", indented by depth

struct Trace {
  uint16_t depth = 0;
  std::vector<TraceStep> steps;
  void step(DeviceKind kind, Uuid device, Stage stage, std::string detail) {
    steps.push_back({depth, kind, device, stage, std::move(detail)});
  }
};

}  // namespace viaduct::flows::simulation
