// What this host's kernel says about the network beneath: its own addresses, and how large a packet may be on the way to
// another host.
//
// Threads: any, in the network namespace where it was opened. Calls block for a round trip to the kernel (tens of microseconds; milliseconds with thousands of
// addresses).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::routing::underlay {

// One address of one interface. Tentative IPv6 addresses (duplicate detection still running, or failed) are not shown.
struct LocalAddress {
  IpAddress address;
  std::string interface;
  uint32_t mtu = 0;  // bytes of an IP packet: the link's; for IPv6 the least of it and what routers advertised
  bool up = false;   // administratively and with a carrier
  friend bool operator==(const LocalAddress&, const LocalAddress&) = default;
};

// Any interface, whether or not it has addresses.
struct LocalInterface {
  std::string name;
  MacAddress mac;         // zeros: it has none
  uint32_t mtu = 0;       // of the link
  std::string kind = {};  // IFLA_INFO_KIND; "loopback"; empty: a device of the machine
  bool up = false;        // administratively
  bool carrier = false;
  std::vector<IpAddress> addresses = {};  // tentative ones too; sorted
  friend bool operator==(const LocalInterface&, const LocalInterface&) = default;
};

// How the kernel would send a packet now.
struct UnderlayRoute {
  std::string interface;
  // Bytes of an IP packet: of the route (`ip route … mtu`), of the path as learned from ICMP "too big" (RFC 1191,
  // RFC 8201), else of the interface.
  uint32_t mtu = 0;
  bool mtu_locked = false;  // `ip route … mtu lock`: what ICMP says is not believed
  friend bool operator==(const UnderlayRoute&, const UnderlayRoute&) = default;
};

class LocalAddresses {
 public:
  virtual ~LocalAddresses() = default;

  virtual std::variant<std::vector<LocalAddress>, std::error_code> addresses() = 0;
  virtual std::variant<std::vector<LocalInterface>, std::error_code> interfaces() = 0;
  // Errors: network_unreachable, host_unreachable (no route), invalid_argument (addresses of two families), others from
  // the kernel. That `src` is not an address of this host some kernels call invalid_argument, others
  // network_unreachable, and for IPv6 it is no error.
  virtual std::variant<UnderlayRoute, std::error_code> route(const IpAddress& src, const IpAddress& dst) = 0;
  // Called, from a thread of its own, when an interface, an address or a route changed: a hint to ask again. Hints come in
  // bursts, the caller waits until it is quiet. What ICMP teaches about a path is no such change: ask now and then (the
  // kernel forgets it after ten minutes). At most one function; empty to stop: when this returns, the one before is not
  // running any more, so it is not called from within.
  virtual void on_change(std::function<void()> hint) = 0;
};

// Of the network namespace that the calling thread is in. Null with `error` set.
std::unique_ptr<LocalAddresses> open_rtnetlink(std::error_code& error);

}  // namespace viaduct::routing::underlay
