#include "flows/datapath/ovs/links.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace viaduct::flows::ovs {

namespace {

ifreq request_for(const std::string& name) {
  ifreq out{};
  std::strncpy(out.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return out;
}

}  // namespace

Links::Links(std::error_code& error) : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  if (!socket_) error = {errno, std::system_category()};
}

Link Links::find(const std::string& name) const {
  Link out;
  ifreq request = request_for(name);
  if (name.size() >= IFNAMSIZ || ioctl(socket_.get(), SIOCGIFINDEX, &request) != 0) return out;
  out.index = request.ifr_ifindex;
  request = request_for(name);
  if (ioctl(socket_.get(), SIOCGIFMTU, &request) == 0) out.mtu = static_cast<uint32_t>(request.ifr_mtu);
  request = request_for(name);
  if (ioctl(socket_.get(), SIOCGIFFLAGS, &request) == 0) {
    constexpr int kUp = IFF_UP | IFF_RUNNING;
    out.up = (request.ifr_flags & kUp) == kUp;
  }
  return out;
}

std::error_code Links::set_up(const std::string& name) const {
  ifreq request = request_for(name);
  if (ioctl(socket_.get(), SIOCGIFFLAGS, &request) != 0) return {errno, std::system_category()};
  if ((request.ifr_flags & IFF_UP) != 0) return {};
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (ioctl(socket_.get(), SIOCSIFFLAGS, &request) != 0) return {errno, std::system_category()};
  return {};
}

HostIpv6 set_host_ipv6(const std::string& interface, HostIpv6 wanted) {
  std::string path = "/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6";
  int disabled = 1;
  std::ifstream(path) >> disabled;
  HostIpv6 before = disabled != 0 ? HostIpv6::off : HostIpv6::on;
  if (before != wanted) std::ofstream(path) << (wanted == HostIpv6::off ? 1 : 0);
  return before;
}

}  // namespace viaduct::flows::ovs
