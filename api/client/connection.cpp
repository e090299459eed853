#include "api/client/connection.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>

#include "topology/address/ip_address.hpp"

namespace viaduct::api {
namespace {

constexpr const char* kStartDaemon =
    "start it with: systemctl start viaductd (or run: sudo viaductd); "
    "if it listens elsewhere: --daemon HOST:PORT or VIADUCT_ADDRESS";
constexpr const char* kNotViaduct = "something else may listen there: check --daemon or VIADUCT_ADDRESS";

enum class Wait { ready, late, failed };

// Until the socket can do `events` or the deadline passes.
Wait wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{fd, events, 0};
    int limit = static_cast<int>(std::clamp<int64_t>(left.count() + 1, 0, 60'000));
    int ready = ::poll(&entry, 1, limit);
    if (ready > 0) return Wait::ready;
    if (ready < 0 && errno != EINTR) return Wait::failed;
    if (std::chrono::steady_clock::now() >= deadline) return Wait::late;
  }
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  auto ip = *IpAddress::parse(endpoint.host);
  if (ip.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::memcpy(&v4->sin_addr, ip.bytes().data(), 4);
    out.length = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::memcpy(&v6->sin6_addr, ip.bytes().data(), 16);
    out.length = sizeof *v6;
  }
  return out;
}

// 0 or an errno; ETIMEDOUT when the deadline passes.
int connect_by(int fd, const SocketAddress& address, Deadline deadline) {
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  Wait waited = wait_for(fd, POLLOUT, deadline);
  if (waited != Wait::ready) return waited == Wait::late ? ETIMEDOUT : errno;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Failure cannot_connect(const Endpoint& endpoint, int error) {
  std::string where = endpoint.to_string();
  if (error == ETIMEDOUT)
    return {ExitCode::timeout,
            "timeout",
            "no connection to the daemon at " + where + " in time",
            "it may be overloaded or stopped: check systemctl status viaductd; allow more with --timeout",
            {}};
  if (error == ECONNREFUSED)
    return {ExitCode::unreachable, "unreachable", "no daemon answers at " + where, kStartDaemon, {}};
  return {ExitCode::unreachable,
          "unreachable",
          "cannot connect to the daemon at " + where + ": " + std::strerror(error),
          kStartDaemon,
          {}};
}

Failure bad_endpoint(std::string_view text) {
  return usage_error("'" + std::string(text) + "' is not an address of a daemon",
                     "write HOST:PORT with a loopback host, as in 127.0.0.1:6677 or [::1]:6677");
}

// Splits "host:port", "[host]:port", "host" and "port".
std::pair<std::string_view, std::string_view> split_endpoint(std::string_view text) {
  bool digits = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (digits) return {{}, text};
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return {text, {}};
    std::string_view rest = text.substr(close + 1);
    return {text.substr(1, close - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  auto [host, port] = split_endpoint(text);
  Endpoint endpoint;
  if (host == "localhost") host = "127.0.0.1";
  if (!host.empty()) endpoint.host = std::string(host);
  if (!port.empty()) {
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0) return bad_endpoint(text);
  }
  auto ip = IpAddress::parse(endpoint.host);
  if (text.empty() || !ip) return bad_endpoint(text);
  if (!ip->is_loopback()) {
    return usage_error("'" + std::string(text) + "' is not a loopback address, and the token must not cross a network",
                       "run viaduct on the daemon's machine, or forward a port: ssh -L 6677:127.0.0.1:6677 HOST");
  }
  return endpoint;
}

std::string Endpoint::to_string() const {
  bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint, Deadline deadline) {
  SocketAddress address = socket_address(endpoint);
  int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_connect(endpoint, errno);
  if (int error = connect_by(fd, address, deadline)) {
    ::close(fd);
    return cannot_connect(endpoint, error);
  }
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::unique_ptr<Connection>(new Connection(fd, endpoint.to_string()));
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

Failure Connection::fail(ExitCode exit, std::string code, std::string message, std::string cure) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  return {exit, std::move(code), std::move(message), std::move(cure), {}};
}

Failure Connection::timed_out(std::string_view doing) {
  return fail(ExitCode::timeout, "timeout", "the daemon at " + peer_ + " did not " + std::string(doing) + " in time",
              "it may be busy: allow more with --timeout SECONDS, or look at viaduct status");
}

Result<schema::Frame> Connection::exchange(const schema::Frame& request, Deadline deadline) {
  auto sent = send(request, deadline);
  if (!sent) return sent.failure();
  return receive(deadline);
}

Result<Done> Connection::send(const schema::Frame& frame, Deadline deadline) {
  std::vector<uint8_t> bytes;
  if (auto error = schema::append_framed(frame, bytes)) {
    return usage_error("the request does not fit into a message (" + std::string(schema::to_string(*error)) + ")",
                       "split it into smaller ones");
  }
  std::span<const uint8_t> left(bytes);
  while (!left.empty()) {
    ssize_t sent = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      left = left.subspan(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (wait_for(fd_, POLLOUT, deadline) == Wait::late) return timed_out("take the request");
    } else {
      return fail(ExitCode::unreachable, "unreachable",
                  "the daemon at " + peer_ + " closed the connection: " + std::strerror(errno), kStartDaemon);
    }
  }
  return Done{};
}

Result<schema::Frame> Connection::receive(Deadline deadline) {
  uint8_t buffer[16384];
  for (;;) {
    ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) {
      std::span<const uint8_t> bytes(buffer, static_cast<size_t>(got));
      if (auto frame = reader_.take(bytes)) {
        if (bytes.empty()) return std::move(*frame);
        return fail(ExitCode::unreachable, "protocol", "the daemon at " + peer_ + " sent more than was asked for",
                    kNotViaduct);
      }
      if (auto error = reader_.error()) {
        return fail(ExitCode::unreachable, "protocol",
                    "what listens at " + peer_ + " does not speak Viaduct's admin protocol (" +
                        std::string(schema::to_string(*error)) + ")",
                    kNotViaduct);
      }
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (wait_for(fd_, POLLIN, deadline) == Wait::late) return timed_out("answer");
    } else {
      std::string why = got < 0 ? std::string(": ") + std::strerror(errno)
                                : std::string(reader_.idle() ? " without an answer" : " in the middle of its answer");
      return fail(ExitCode::unreachable, "unreachable", "the daemon at " + peer_ + " closed the connection" + why,
                  "it may be restarting, or another program listens there: see journalctl -u viaductd");
    }
  }
}

}  // namespace viaduct::api
