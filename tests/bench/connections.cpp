// How many new TCP connections a second get through: handshake, a byte there, a byte back, reset.
//
//   connections --from NETNS --to NETNS --address IP --count N [--window N]
//
// At most `window` are open at once. The client resets each when it is done, so that its ports are free again. Prints
// "<connections a second> <connections that failed>".
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint16_t kFirstPort = 9100;
constexpr int kPorts = 8;  // of the server: a client's port is good for one connection to each
constexpr int kBacklog = 1024;
constexpr std::chrono::seconds kPatience{3};  // without any progress: the open ones have failed

int tcp_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  check(fd >= 0, "socket");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

class Poll {
 public:
  Poll() { check(fd_ >= 0, "epoll"); }
  ~Poll() { close(fd_); }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  void add(int fd, uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    check(epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  }
  void change(int fd, uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    check(epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) == 0, "epoll_ctl");
  }
  // visit(fd, events)
  template <class F>
  int wait(int milliseconds, F&& visit) {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(fd_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < count; ++i)
      visit(events[static_cast<size_t>(i)].data.fd, events[static_cast<size_t>(i)].events);
    return count;
  }

 private:
  const int fd_ = epoll_create1(EPOLL_CLOEXEC);
};

// Answers a byte with a byte, until `done`.
class Server {
 public:
  explicit Server(const std::string& address) {
    for (int i = 0; i < kPorts; ++i) {
      const int fd = tcp_socket();
      const int one = 1;
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
      const sockaddr_in here = address_of(address, static_cast<uint16_t>(kFirstPort + i));
      check(bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 && listen(fd, kBacklog) == 0,
            "listen");
      listeners_[static_cast<size_t>(i)] = fd;
      poll_.add(fd, EPOLLIN);
    }
  }
  void run(const std::atomic<bool>& done) {
    while (!done) poll_.wait(20, [&](int fd, uint32_t) { is_listener(fd) ? accept_all(fd) : answer(fd); });
  }

 private:
  bool is_listener(int fd) const { return std::find(listeners_.begin(), listeners_.end(), fd) != listeners_.end(); }
  void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) poll_.add(fd, EPOLLIN);
  }
  static void answer(int fd) {
    char byte = 0;
    const bool good = read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1;
    if (!good) close(fd);
  }
  Poll poll_;
  std::array<int, kPorts> listeners_{};
};

class Client {
 public:
  Client(const std::string& address, int count, int window) : address_(address), count_(count), window_(window) {}

  void run() {
    const auto start = Clock::now();
    auto progress = start;
    while (finished_ + failed_ < count_) {
      while (open_ < window_ && started_ < count_) begin();
      const int before = finished_;
      poll_.wait(20, [&](int fd, uint32_t events) { go_on(fd, events); });
      const auto now = Clock::now();
      if (finished_ != before) progress = now;
      if (now - progress > kPatience) break;
    }
    const std::chrono::duration<double> spent = progress - start;
    std::printf("%.1f %d\n", finished_ / spent.count(), count_ - finished_);
  }

 private:
  void begin() {
    const int fd = tcp_socket();
    const linger reset{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    const sockaddr_in there = address_of(address_, static_cast<uint16_t>(kFirstPort + started_ % kPorts));
    ++started_;
    ++open_;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0 && errno != EINPROGRESS) {
      return end(fd, failed_);
    }
    poll_.add(fd, EPOLLOUT);
  }
  void go_on(int fd, uint32_t events) {
    char byte = 'x';
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) return end(fd, failed_);
    if ((events & EPOLLIN) != 0) return end(fd, read(fd, &byte, 1) == 1 ? finished_ : failed_);
    if (write(fd, &byte, 1) != 1) return end(fd, failed_);
    poll_.change(fd, EPOLLIN);
  }
  void end(int fd, int& as) {
    close(fd);
    ++as;
    --open_;
  }

  const std::string address_;
  const int count_, window_;
  Poll poll_;
  int started_ = 0, open_ = 0, finished_ = 0, failed_ = 0;
};

int run(int argc, char** argv) {
  const std::string address = argument(argc, argv, "--address");
  const int count = std::stoi(argument(argc, argv, "--count"));
  const int window = std::stoi(argument(argc, argv, "--window", "64"));
  std::atomic<bool> listening{false}, done{false};
  std::thread server = run_in_namespace(argument(argc, argv, "--to"), 1, [&] {
    Server here(address);
    listening = true;
    listening.notify_all();
    here.run(done);
  });
  listening.wait(false);
  run_in_namespace(argument(argc, argv, "--from"), 0, [&] { Client(address, count, window).run(); }).join();
  done = true;
  server.join();
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
