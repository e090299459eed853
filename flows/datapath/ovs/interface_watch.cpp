#include "flows/datapath/ovs/interface_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace viaduct::flows::ovs {

namespace {

// What the messages say does not matter. Nor does an overrun: it is a change as well.
void drain(int fd) {
  std::array<uint8_t, 1 << 15> buffer;
  while (recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS) {
    errno = 0;
  }
}

}  // namespace

InterfaceWatch::InterfaceWatch(uint32_t vport_group, std::error_code& error)
    : vports_(NetlinkSocket::open(0, 1 << 18, error)), stop_(eventfd(0, EFD_CLOEXEC)) {
  if (!error) links_ = NetlinkSocket::open_link_watch(error);
  if (!error) error = vports_.join(vport_group);
  if (!error && !stop_) error = {errno, std::system_category()};
  if (!error) thread_ = std::thread([this] { run(); });
}

InterfaceWatch::~InterfaceWatch() {
  if (!thread_.joinable()) return;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void InterfaceWatch::on_change(std::function<void()> hint) {
  std::lock_guard lock(mutex_);
  hint_ = std::move(hint);
}

void InterfaceWatch::run() {
  std::array<pollfd, 3> watched{{{vports_.fd(), POLLIN, 0}, {links_.fd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[2].revents != 0) return;
    for (const pollfd& one : std::span(watched).first(2)) {
      if (one.revents != 0) drain(one.fd);
    }
    std::lock_guard lock(mutex_);
    if (hint_) hint_();
  }
}

}  // namespace viaduct::flows::ovs
