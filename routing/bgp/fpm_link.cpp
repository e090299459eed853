#include "routing/bgp/fpm_link.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace viaduct::routing::bgp {

namespace {
constexpr int kReadsAtOnce = 64;  // of 64 KiB: the owner has other things to do as well
}

Problem FpmLink::listen(const std::string& network_namespace) {
  close();
  return listen_in_namespace(network_namespace, listener_);
}

void FpmLink::disconnect() {
  if (connection_ >= 0) ::close(std::exchange(connection_, -1));
  decoder_.reset();
}

void FpmLink::close() {
  disconnect();
  if (listener_.fd >= 0) ::close(listener_.fd);
  listener_ = {};
}

void FpmLink::add_descriptors(std::vector<pollfd>& out) const {
  if (listener_.fd >= 0) out.push_back({listener_.fd, POLLIN, 0});
  if (connection_ >= 0) out.push_back({connection_, POLLIN, 0});
}

FpmLink::Event FpmLink::accept_new() {
  Event out = Event::nothing;
  for (int fd = -1; (fd = accept4(listener_.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
    if (connected()) out = Event::lost;
    disconnect();
    connection_ = fd;
  }
  return out;
}

FpmLink::Event FpmLink::read(std::vector<RouteNews>& out) {
  if (listener_.fd < 0) return Event::nothing;
  // The old connection to its end first: what it says counts less than what a new one says.
  Event event = Event::nothing;
  std::array<uint8_t, 65536> buffer;
  for (int i = 0; connected() && i < kReadsAtOnce; ++i) {
    const ssize_t got = recv(connection_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got > 0 && decoder_.feed({buffer.data(), static_cast<size_t>(got)}, out)) continue;
    disconnect();
    event = Event::lost;
  }
  if (event == Event::nothing) event = accept_new();
  return event;
}

}  // namespace viaduct::routing::bgp
