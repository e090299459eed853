// The interfaces of this host, by name.
#pragma once

#include <string>

#include "flows/datapath/ovs/netlink_socket.hpp"

namespace viaduct::flows::ovs {

struct Link {
  int index = 0;  // 0: there is none of that name
  uint32_t mtu = 0;
  bool up = false;  // administratively and with a carrier
};

class Links {
 public:
  explicit Links(std::error_code& error);
  Link find(const std::string& name) const;
  std::error_code set_up(const std::string& name) const;

 private:
  Fd socket_;
};

enum class HostIpv6 : uint8_t { on, off };
// Whether the host itself speaks IPv6 on the interface (router solicitations, duplicate address detection): on a port
// that would be noise from a guest. Nothing happens when the kernel has no IPv6. Returns what it was.
HostIpv6 set_host_ipv6(const std::string& interface, HostIpv6 wanted);

}  // namespace viaduct::flows::ovs
