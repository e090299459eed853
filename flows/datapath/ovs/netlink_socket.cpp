#include "flows/datapath/ovs/netlink_socket.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "flows/datapath/last_error.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kReceiveChunk = 1 << 17;  // the kernel fills at most 32 KiB of a dump at once; a flow is far smaller
constexpr int kSendBytes = 8 << 20;
constexpr uint32_t kKernel = 0;
constexpr timeval kDumpTimeout{10, 0};

void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

uint32_t memory_info(int fd, int which) {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof memory;
  return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0 ? memory[which] : 0;
}

NetlinkSocket fail(std::error_code& error) {
  error = last_error();
  return {};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

NetlinkSocket NetlinkSocket::open(uint32_t wanted, size_t receive_bytes, std::error_code& error) {
  NetlinkSocket out;
  out.fd_ = Fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
  if (!out.fd_) return fail(error);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_pid = wanted;
  if (bind(out.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return fail(error);
  socklen_t length = sizeof address;
  if (getsockname(out.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return fail(error);
  out.id_ = address.nl_pid;
  // The kernel doubles what it is told. Without the privilege the limit of ordinary users holds.
  int half = static_cast<int>(receive_bytes / 2);
  if (setsockopt(out.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof half) != 0) {
    set_option(out.fd(), SOL_SOCKET, SO_RCVBUF, half);
  }
  set_option(out.fd(), SOL_SOCKET, SO_SNDBUFFORCE, kSendBytes);
  // Refusals without a copy of the request; overruns are counted (lost()), not reported by a failing read, because
  // after a reported one the kernel drops everything until the buffer is empty.
  set_option(out.fd(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  set_option(out.fd(), SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
  setsockopt(out.fd(), SOL_SOCKET, SO_RCVTIMEO, &kDumpTimeout, sizeof kDumpTimeout);
  error.clear();
  return out;
}

NetlinkSocket NetlinkSocket::open_link_watch(std::error_code& error) {
  NetlinkSocket out;
  out.fd_ = Fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!out.fd_) return fail(error);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (bind(out.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return fail(error);
  error.clear();
  return out;
}

std::error_code NetlinkSocket::join(uint32_t group) {
  return setsockopt(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0 ? std::error_code{}
                                                                                          : last_error();
}

std::error_code NetlinkSocket::send(uint32_t id, const MessageBatch& batch, int flags) {
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  to.nl_pid = id;
  ssize_t sent;
  do {
    sent = sendto(fd(), batch.bytes().data(), batch.size(), flags, reinterpret_cast<sockaddr*>(&to), sizeof to);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? last_error() : std::error_code{};
}

std::error_code NetlinkSocket::send_to(uint32_t id, const MessageBatch& batch) { return send(id, batch, MSG_DONTWAIT); }

std::error_code NetlinkSocket::receive(int flags, Visitor visit, bool& more) {
  buffer_.resize(kReceiveChunk);
  ssize_t got;
  do {
    got = recv(fd(), buffer_.data(), buffer_.size(), flags);
  } while (got < 0 && errno == EINTR);
  more = got >= 0;
  if (got < 0) return last_error();
  Bytes rest(buffer_.data(), static_cast<size_t>(got));
  while (auto message = next_message(rest)) visit(*message);
  return {};
}

std::error_code NetlinkSocket::transact(const MessageBatch& batch, Visitor visit) {
  if (batch.messages() == 0) return {};
  if (std::error_code error = send(kKernel, batch, 0)) return error;
  for (bool more = true; more;) {
    std::error_code error = receive(MSG_DONTWAIT, visit, more);
    if (error && error != std::errc::resource_unavailable_try_again) return error;
  }
  return {};
}

std::error_code NetlinkSocket::dump(const MessageBatch& batch, Visitor visit) {
  if (std::error_code error = send(kKernel, batch, 0)) return error;
  int refused = 0;
  bool done = false;
  auto object = [&](const Message& message) {
    if (message.done || message.error != 0) {
      done = true;
      refused = message.error;
    } else {
      visit(message);
    }
  };
  for (bool more = true; !done && more;) {
    if (std::error_code error = receive(0, object, more)) return error;
  }
  return {refused, std::system_category()};
}

uint32_t NetlinkSocket::lost() const { return memory_info(fd(), SK_MEMINFO_DROPS); }

uint32_t NetlinkSocket::waiting_bytes() const { return memory_info(fd(), SK_MEMINFO_RMEM_ALLOC); }

}  // namespace viaduct::flows::ovs
