// Layer-4 load balancing at a router (devices.md 1.9): a VIP stands for the members of a pool. A router names its load
// balancer, pools theirs, VIPs and members their pool.
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::topology {

struct LoadBalancer {
  LoadBalancerId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  bool admin_up = true;
  friend bool operator==(const LoadBalancer&, const LoadBalancer&) = default;
};

enum class PoolProtocol : uint8_t { tcp, udp, sctp };

struct Pool {
  PoolId id;
  uint64_t revision = 0;
  std::string name;
  LoadBalancerId load_balancer;    // none: it balances nothing
  HealthMonitorId health_monitor;  // none: members count as healthy
  PoolProtocol protocol = PoolProtocol::tcp;
  bool sticky = false;  // a client's connections go to one member, by its address
  bool admin_up = true;
  friend bool operator==(const Pool&, const Pool&) = default;
};

struct PoolMember {
  PoolMemberId id;
  uint64_t revision = 0;
  PoolId pool;
  IpAddress address;
  uint16_t port = 0;
  uint32_t weight = 1;  // share of new connections; 0: none, those that it has go on (draining)
  bool admin_up = true;
  friend bool operator==(const PoolMember&, const PoolMember&) = default;
};

// Unique in the load balancer by address, port and the pool's protocol.
struct Vip {
  VipId id;
  uint64_t revision = 0;
  std::string name;
  PoolId pool;
  IpAddress address;
  uint16_t port = 0;
  bool sticky = false;  // as the pool's
  bool admin_up = true;
  friend bool operator==(const Vip&, const Vip&) = default;
};

enum class HealthCheck : uint8_t { tcp, udp, icmp, http };

struct HealthMonitor {
  HealthMonitorId id;
  uint64_t revision = 0;
  std::string name;
  HealthCheck type = HealthCheck::tcp;
  uint32_t delay = 5;        // seconds between checks
  uint32_t timeout = 5;      // seconds until one has failed; at most delay
  uint32_t max_retries = 3;  // failures in a row until a member is down, successes until it is up
  std::string http_path = "/";
  uint16_t http_status = 200;
  bool admin_up = true;
  friend bool operator==(const HealthMonitor&, const HealthMonitor&) = default;
};

}  // namespace viaduct::topology
