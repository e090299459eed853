// Thousands of TCP connections at once, each asked something again and again: who loses one, and for how long any is silent.
//
//   many_connections serve PORT                            answers each byte with itself, until it is ended
//   many_connections to ADDRESS PORT COUNT PERIOD_MS       one question a period on each connection
//
// The second takes orders by lines on its standard input and answers each with one line of JSON:
//   state   how many connections there are, how many were lost, how many have no answer yet
//   mark    forgets what was measured
//   stop    as state, and ends
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr size_t kConnectingAtOnce = 100;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

class Poll {
 public:
  Poll() : poll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (poll_ < 0) die("epoll_create1");
  }
  void watch(int socket, uint32_t events, uint64_t number) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = number;
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, socket, &event) != 0 && epoll_ctl(poll_, EPOLL_CTL_MOD, socket, &event) != 0) {
      die("epoll_ctl");
    }
  }
  template <class F>
  void wait(int timeout_ms, F&& visit) {
    const int count = epoll_wait(poll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
    for (int i = 0; i < count; ++i)
      visit(events_[static_cast<size_t>(i)].data.u64, events_[static_cast<size_t>(i)].events);
  }

 private:
  int poll_;
  std::array<epoll_event, 512> events_;
};

int serve(uint16_t port) {
  const int listening = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1, off = 0;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listening, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  if (bind(listening, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) die("bind");
  if (listen(listening, 4'096) != 0) die("listen");
  std::puts("listening");
  std::fflush(stdout);
  Poll poll;
  poll.watch(listening, EPOLLIN, static_cast<uint64_t>(listening));
  for (;;) {
    poll.wait(-1, [&](uint64_t number, uint32_t) {
      const int fd = static_cast<int>(number);
      if (fd == listening) {
        int accepted;
        while ((accepted = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK)) >= 0) {
          poll.watch(accepted, EPOLLIN, static_cast<uint64_t>(accepted));
        }
        return;
      }
      char bytes[256];
      const ssize_t got = read(fd, bytes, sizeof bytes);
      if (got > 0 && write(fd, bytes, static_cast<size_t>(got)) == got) return;
      if (got < 0 && errno == EAGAIN) return;
      close(fd);
    });
  }
}

struct Connection {
  int socket = -1;
  enum class State { none, connecting, open, lost } state = State::none;
  bool asked = false;
  Clock::time_point since;  // of the question
};

class Client {
 public:
  Client(const sockaddr_storage& to, socklen_t length, size_t count, std::chrono::milliseconds period)
      : to_(to), length_(length), connections_(count), period_(period) {}

  int run() {
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    next_round_ = Clock::now();
    while (!stopped_) {
      connect_more();
      ask_those_due();
      poll_.wait(1, [&](uint64_t number, uint32_t events) { happened(number, events); });
      obey();
    }
    return 0;
  }

 private:
  void connect_more() {
    for (; connecting_ < kConnectingAtOnce && begun_ < connections_.size(); ++begun_) begin(begun_);
  }
  void begin(size_t number) {
    Connection& one = connections_[number];
    one.socket = socket(to_.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (one.socket < 0) die("socket");
    const int on = 1;
    setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(one.socket, reinterpret_cast<const sockaddr*>(&to_), length_) != 0 && errno != EINPROGRESS)
      die("connect");
    one.state = Connection::State::connecting;
    ++connecting_;
    poll_.watch(one.socket, EPOLLIN | EPOLLOUT, number);
  }
  void lose(Connection& one) {
    if (one.state == Connection::State::connecting) --connecting_;
    one.state = Connection::State::lost;
    ++lost_;
    close(one.socket);
  }
  // Spread over the period: connection n is asked n/count of it after its beginning.
  void ask_those_due() {
    const auto now = Clock::now();
    while (next_round_ <= now) {
      ask(connections_[next_], now);
      next_ = (next_ + 1) % connections_.size();
      next_round_ += std::chrono::duration_cast<Clock::duration>(period_) / static_cast<long>(connections_.size());
    }
  }
  void ask(Connection& one, Clock::time_point now) {
    if (one.state != Connection::State::open || one.asked) return;
    if (write(one.socket, "?", 1) != 1) return lose(one);
    one.asked = true;
    one.since = now;
  }
  void happened(uint64_t number, uint32_t events) {
    Connection& one = connections_[number];
    if (one.state == Connection::State::lost) return;
    if (one.state == Connection::State::connecting) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(one.socket, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) return lose(one);
      one.state = Connection::State::open;
      --connecting_;
      ++open_;
      return poll_.watch(one.socket, EPOLLIN, number);
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    char byte;
    const ssize_t got = read(one.socket, &byte, 1);
    if (got < 0 && errno == EAGAIN) return;
    if (got != 1) return lose(one);
    one.asked = false;
    note(Clock::now() - one.since);
    ++answers_;
  }
  void note(Milliseconds time) {
    longest_ = std::max(longest_, time);
    if (time > std::chrono::seconds(1)) ++late_;
    if (time > std::chrono::milliseconds(100)) ++noticed_;
  }
  void obey() {
    char bytes[256];
    const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got == 0) stopped_ = true;
    if (got <= 0) return;
    orders_.append(bytes, static_cast<size_t>(got));
    for (size_t end; (end = orders_.find('\n')) != std::string::npos; orders_.erase(0, end + 1)) {
      const std::string order = orders_.substr(0, end);
      if (order == "mark") forget();
      if (order == "stop") stopped_ = true;
      tell();
    }
  }
  void forget() {
    longest_ = Milliseconds{};
    late_ = noticed_ = answers_ = 0;
  }
  void tell() const {
    const auto now = Clock::now();
    Milliseconds oldest{};
    size_t waiting = 0;
    for (const Connection& one : connections_) {
      if (one.state != Connection::State::open || !one.asked) continue;
      oldest = std::max<Milliseconds>(oldest, now - one.since);
      if (now - one.since > std::chrono::seconds(1)) ++waiting;
    }
    std::printf(
        "{\"open\": %zu, \"lost\": %zu, \"stuck\": %zu, \"longest_ms\": %.1f, \"late\": %zu, \"noticed\": %zu, "
        "\"answers\": "
        "%zu}\n",
        open_ - lost_, lost_, waiting, std::max(longest_, oldest).count(), late_, noticed_, answers_);
    std::fflush(stdout);
  }

  const sockaddr_storage to_;
  const socklen_t length_;
  std::vector<Connection> connections_;
  const std::chrono::milliseconds period_;
  Poll poll_;
  Clock::time_point next_round_;
  size_t next_ = 0, begun_ = 0, connecting_ = 0, open_ = 0, lost_ = 0;
  Milliseconds longest_{};
  size_t late_ = 0;     // answers after more than a second
  size_t noticed_ = 0;  // and after more than a tenth
  size_t answers_ = 0;
  std::string orders_;
  bool stopped_ = false;
};

int ask(char** words) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(words[0], words[1], &hints, &found) != 0) die("getaddrinfo");
  sockaddr_storage to{};
  std::memcpy(&to, found->ai_addr, found->ai_addrlen);
  Client client(to, found->ai_addrlen, std::stoul(words[2]), std::chrono::milliseconds(std::stoul(words[3])));
  return client.run();
}

}  // namespace

int main(int argc, char** argv) {
  const rlimit files{65'536, 65'536};
  setrlimit(RLIMIT_NOFILE, &files);
  if (argc == 3 && std::string(argv[1]) == "serve") return serve(static_cast<uint16_t>(std::stoul(argv[2])));
  if (argc == 6 && std::string(argv[1]) == "to") return ask(argv + 2);
  std::fputs("many_connections serve PORT | to ADDRESS PORT COUNT PERIOD_MS\n", stderr);
  return 2;
}
