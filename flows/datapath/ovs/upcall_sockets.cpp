#include "flows/datapath/ovs/upcall_sockets.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace viaduct::flows::ovs {

namespace {

constexpr unsigned kAttempts = 4;
constexpr size_t kMaxEvents = 64;
// The kernel gives numbers above 2^31 and process ids, libnl process ids with a counter in the upper bits.
constexpr uint32_t kIdBase = 0x4000'0000, kIdMask = 0x3fff'ffff;

}  // namespace

uint32_t upcall_id(std::string_view datapath, PortNumber port, unsigned worker, unsigned attempt) {
  uint64_t hash = 0xcbf2'9ce4'8422'2325ULL;  // FNV-1a
  auto mix = [&](uint64_t byte) { hash = (hash ^ byte) * 0x100'0000'01b3ULL; };
  for (char c : datapath) mix(static_cast<uint8_t>(c));
  for (uint32_t word : {port.value, uint32_t{worker}, uint32_t{attempt}}) {
    for (int shift = 0; shift < 32; shift += 8) mix(word >> shift & 0xff);
  }
  return kIdBase | (static_cast<uint32_t>(hash ^ hash >> 32) & kIdMask);
}

UpcallQueue::UpcallQueue(std::error_code& error)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event wake{};
  wake.events = EPOLLIN;
  if (!epoll_ || !event_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &wake) != 0) {
    error = {errno, std::system_category()};
  }
}

void UpcallQueue::add(PortNumber port, NetlinkSocket socket) {
  std::lock_guard lock(mutex_);
  auto& at = sockets_[port];
  at = std::make_unique<Socket>();
  at->netlink = std::move(socket);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = port.value;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, at->netlink.fd(), &event);
}

void UpcallQueue::remove(PortNumber port) {
  std::lock_guard lock(mutex_);
  sockets_.erase(port);  // closing takes it out of the epoll set
}

uint32_t UpcallQueue::id(PortNumber port) const {
  std::lock_guard lock(mutex_);
  auto at = sockets_.find(port);
  return at != sockets_.end() ? at->second->netlink.id() : 0;
}

UpcallCounts UpcallQueue::counts(PortNumber port, size_t small_upcall_bytes) const {
  std::lock_guard lock(mutex_);
  auto at = sockets_.find(port);
  if (at == sockets_.end()) return {};
  const Socket& socket = *at->second;
  uint64_t waiting = (socket.netlink.waiting_bytes() + small_upcall_bytes - 1) / small_upcall_bytes;
  socket.reported = std::max(socket.reported, socket.read + waiting);
  return {socket.reported, socket.netlink.lost()};
}

void UpcallQueue::wake() {
  uint64_t one = 1;
  // Fails only when the counter is full, and then the queue is awake.
  [[maybe_unused]] ssize_t written = write(event_.get(), &one, sizeof one);
}

size_t UpcallQueue::wait(std::span<PortNumber> ready, std::chrono::milliseconds timeout) {
  std::array<epoll_event, kMaxEvents> events;
  auto room = static_cast<int>(std::min(ready.size(), kMaxEvents));
  int got = epoll_wait(epoll_.get(), events.data(), room, static_cast<int>(timeout.count()));
  size_t ports = 0;
  for (int i = 0; i < got; ++i) {
    if (events[i].data.u32 != 0) {
      ready[ports++] = {events[i].data.u32};
      continue;
    }
    uint64_t times;
    [[maybe_unused]] ssize_t drained = read(event_.get(), &times, sizeof times);
  }
  return ports;
}

size_t UpcallQueue::receive(PortNumber port, std::span<mmsghdr> slots) {
  std::lock_guard lock(mutex_);
  auto at = sockets_.find(port);
  if (at == sockets_.end()) return 0;
  int got =
      recvmmsg(at->second->netlink.fd(), slots.data(), static_cast<unsigned>(slots.size()), MSG_DONTWAIT, nullptr);
  if (got <= 0) return 0;
  at->second->read += static_cast<uint64_t>(got);
  return static_cast<size_t>(got);
}

UpcallSockets::UpcallSockets(std::string datapath, unsigned workers, CreditSize credit, std::error_code& error)
    : datapath_(std::move(datapath)), credit_(credit) {
  for (unsigned i = 0; i < workers && !error; ++i) queues_.push_back(std::make_unique<UpcallQueue>(error));
}

NetlinkSocket UpcallSockets::open(PortNumber port, unsigned worker, std::error_code& error) const {
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    NetlinkSocket out = NetlinkSocket::open(upcall_id(datapath_, port, worker, attempt), credit_.buffer_bytes, error);
    if (error != std::errc::address_in_use) return out;
  }
  return NetlinkSocket::open(0, credit_.buffer_bytes, error);
}

std::error_code UpcallSockets::add(PortNumber port) {
  std::error_code error;
  for (unsigned worker = 0; worker < workers(); ++worker) {
    if (queues_[worker]->id(port) != 0) continue;
    NetlinkSocket socket = open(port, worker, error);
    if (error) {
      remove(port);
      return error;
    }
    queues_[worker]->add(port, std::move(socket));
  }
  return {};
}

void UpcallSockets::remove(PortNumber port) {
  for (auto& queue : queues_) queue->remove(port);
}

std::vector<uint32_t> UpcallSockets::ids(PortNumber port) const {
  std::vector<uint32_t> out;
  for (const auto& queue : queues_) {
    uint32_t id = queue->id(port);
    if (id == 0) return {};
    out.push_back(id);
  }
  return out;
}

UpcallCounts UpcallSockets::counts(PortNumber port) const {
  UpcallCounts out;
  for (const auto& queue : queues_) {
    UpcallCounts one = queue->counts(port, credit_.small_upcall_bytes);
    out.upcalls += one.upcalls;
    out.lost += one.lost;
  }
  return out;
}

}  // namespace viaduct::flows::ovs
