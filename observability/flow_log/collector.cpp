#include "observability/flow_log/collector.hpp"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <system_error>

namespace viaduct::observability::flow_log {
namespace {

constexpr size_t kUdpHeader = 8, kIpv4Header = 20, kIpv6Header = 40;

socklen_t fill(const CollectorAddress& from, sockaddr_storage& to) {
  if (from.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    std::memcpy(&v4.sin_addr, from.address.bytes().data(), 4);
    std::memcpy(&to, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(from.port);
  std::memcpy(&v6.sin6_addr, from.address.bytes().data(), 16);
  std::memcpy(&to, &v6, sizeof v6);
  return sizeof v6;
}

}  // namespace

void Collector::fail(const char* what, int problem) {
  error_ = std::string(what) + ": " + std::generic_category().message(problem);
}

void Collector::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

// Connected, so that the kernel tells what ICMP says of it: nobody listens, the path's MTU.
bool Collector::open() {
  sockaddr_storage address{};
  const socklen_t length = fill(to_, address);
  socket_ = ::socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) {
    fail("socket", errno);
    return false;
  }
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), length) == 0) return true;
  const int problem = errno;
  close();
  fail("connect", problem);
  return false;
}

size_t Collector::message_limit() {
  if (socket_ < 0 && !open()) return 0;
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool v4 = to_.address.is_v4();
  if (getsockopt(socket_, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &length) != 0) return 0;
  const size_t headers = kUdpHeader + (v4 ? kIpv4Header : kIpv6Header);
  return mtu > static_cast<int>(headers) ? static_cast<size_t>(mtu) - headers : 0;
}

// The kernel reports an earlier message's ICMP error once, in place of sending this one: one more attempt.
Collector::Result Collector::send(std::span<const uint8_t> message) {
  Result result;
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (socket_ < 0 && !open()) {
      ++result.errors;
      return result;
    }
    if (::send(socket_, message.data(), message.size(), 0) == static_cast<ssize_t>(message.size())) {
      result.sent = true;
      return result;
    }
    const int problem = errno;
    ++result.errors;
    fail("send", problem);
    if (problem == EAGAIN || problem == EWOULDBLOCK || problem == EMSGSIZE) return result;
    if (problem != ECONNREFUSED) close();  // routes and addresses may have changed
  }
  return result;
}

}  // namespace viaduct::observability::flow_log
