// A network namespace of a speaker's own, named in /run/netns as ip-netns(8) does it, and the veth pair that leads out of it:
//
//   caller's namespace                namespace `name`
//   <outer>  ======================  uplink   MAC, addresses, MTU of the router's port;   lo
//
// In the namespace nothing configures itself: no router advertisements, no temporary addresses, no duplicate detection.
// Making is idempotent. Functions block for round trips to the kernel; they need root, and no thread but their own ends up in
// another namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::routing::bgp {

inline constexpr const char* kUplink = "uplink";

struct UplinkRoute {
  IpPrefix destination;
  IpAddress gateway;  // on the link
  friend bool operator==(const UplinkRoute&, const UplinkRoute&) = default;
};
struct Uplink {
  std::string outer;  // name of the end outside; at most 15 bytes
  MacAddress mac;     // of the inner end
  std::vector<IpPrefix> addresses;
  uint32_t mtu = 1500;
  std::vector<UplinkRoute> routes = {};  // to peers beyond the link
  friend bool operator==(const Uplink&, const Uplink&) = default;
};

// Errors say what was tried with which object.
using Problem = std::optional<std::string>;

Problem make_namespace(const std::string& name);
// In an existing namespace. An outer end that belongs to another pair is replaced.
Problem make_uplink(const std::string& name, const Uplink& uplink);
// Of an uplink that is there: adds these (in place of what led to the same destination) and removes those, if they are
// there. It does not look at the namespace's other routes, which may be many.
Problem change_uplink_routes(const std::string& name, const std::vector<UplinkRoute>& added,
                             const std::vector<UplinkRoute>& removed);
// Processes in it are killed, `outer` (may be empty) and the name are removed; what is not there is no error.
Problem remove_namespace(const std::string& name, const std::string& outer);

// Names that begin with `prefix`: of namespaces, and of interfaces of the caller's namespace.
struct Leftovers {
  std::vector<std::string> namespaces, links;
};
Leftovers leftovers(std::string_view prefix);
Problem remove_link(const std::string& name);  // in the caller's namespace

// Runs `body` on a thread of its own inside the namespace, and waits for it.
Problem run_in_namespace(const std::string& name, const std::function<void()>& body);
// A listening TCP socket on 127.0.0.1 in there, non-blocking; the kernel chooses the port.
struct Listener {
  int fd = -1;  // the caller's
  uint16_t port = 0;
};
Problem listen_in_namespace(const std::string& name, Listener& out);
// Process ids whose network namespace it is.
std::vector<int> processes_in(const std::string& name);

}  // namespace viaduct::routing::bgp
