#include "api/cli/bundle/http_get.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "api/client/connection.hpp"

namespace viaduct::api::cli {
namespace {

using HttpClock = std::chrono::steady_clock;

constexpr std::string_view kScheme = "http://";
constexpr size_t kMostReplyBytes = size_t{16} << 20;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Failure cannot(const std::string& url, const std::string& why) {
  return {ExitCode::unreachable, "unreachable", "cannot read " + url + ": " + why, "is metrics.port the daemon's?", {}};
}

bool wait_ready(int fd, short events, HttpClock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - HttpClock::now()).count();
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

// What is wrong, or nothing.
std::string connect_to(const Endpoint& endpoint, int& fd, HttpClock::time_point deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found))
    return ::gai_strerror(error);
  fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int connected = fd < 0 ? -1 : ::connect(fd, found->ai_addr, found->ai_addrlen);
  int error = connected == 0 ? 0 : errno;
  ::freeaddrinfo(found);
  if (error == EINPROGRESS) {
    if (!wait_ready(fd, POLLOUT, deadline)) return "nobody answers";
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  }
  return error == 0 ? std::string() : std::strerror(error);
}

std::string exchange(int fd, std::string_view request, std::string& reply, HttpClock::time_point deadline) {
  while (!request.empty()) {
    if (!wait_ready(fd, POLLOUT, deadline)) return "it took too long";
    const ssize_t sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return std::strerror(errno);
    if (sent > 0) request.remove_prefix(static_cast<size_t>(sent));
  }
  char buffer[16'384];
  while (reply.size() < kMostReplyBytes) {
    if (!wait_ready(fd, POLLIN, deadline)) return "it took too long";
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got == 0) return {};
    if (got < 0 && errno != EAGAIN && errno != EINTR) return std::strerror(errno);
    if (got > 0) reply.append(buffer, static_cast<size_t>(got));
  }
  return "it is longer than 16 MiB";
}

}  // namespace

Result<std::string> http_get(const std::string& url, std::chrono::milliseconds timeout) {
  const auto deadline = HttpClock::now() + timeout;
  if (!url.starts_with(kScheme)) return cannot(url, "it is no http:// address");
  const size_t slash = std::min(url.find('/', kScheme.size()), url.size());
  const std::string where = url.substr(kScheme.size(), slash - kScheme.size());
  const std::string path = slash == url.size() ? "/" : url.substr(slash);
  auto endpoint = Endpoint::parse(where);
  if (!endpoint) return cannot(url, endpoint.failure().message);
  int fd = -1;
  std::string wrong = connect_to(*endpoint, fd, deadline);
  const Socket socket(fd);
  if (!wrong.empty()) return cannot(url, wrong);
  std::string reply;
  wrong = exchange(fd, "GET " + path + " HTTP/1.0\r\nHost: " + where + "\r\n\r\n", reply, deadline);
  if (!wrong.empty()) return cannot(url, wrong);
  const std::string status = reply.substr(0, std::min(reply.find("\r\n"), reply.size()));
  const size_t body = reply.find("\r\n\r\n");
  if (!status.starts_with("HTTP/1.") || body == std::string::npos) return cannot(url, "that is no HTTP");
  if (status.find(" 200") == std::string::npos) return cannot(url, "it answers " + status);
  return reply.substr(body + 4);
}

}  // namespace viaduct::api::cli
