// An HTTP server of a test: loopback, one request a connection, answered by a function.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace viaduct::api::rest::testing {

class HttpPeer {
 public:
  struct Said {
    std::string head;  // request line and headers, as they came
    std::string body;
    bool is(const std::string& method) const { return head.starts_with(method + " "); }
    // Of a header, by its exact name.
    std::string header(const std::string& name) const {
      const size_t at = head.find("\r\n" + name + ": ");
      if (at == head.npos) return {};
      const size_t from = at + name.size() + 4;
      return head.substr(from, head.find("\r\n", from) - from);
    }
  };
  // The whole answer: status line, headers, body. Empty: the connection is closed without one.
  using Handler = std::function<std::string(const Said&)>;

  explicit HttpPeer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~HttpPeer() {
    ended_ = true;
    thread_.join();
    ::close(listener_);
  }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int requests() const { return requests_; }

  static std::string answer(int status, const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n" + headers + "\r\n" + body;
  }

 private:
  void accept_all() {
    while (!ended_) {
      pollfd wait{listener_, POLLIN, 0};
      if (::poll(&wait, 1, 20) <= 0) continue;
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) continue;
      serve(fd);
      ::close(fd);
    }
  }

  void serve(int fd) {
    std::string text;
    char buffer[4096];
    size_t whole = std::string::npos;
    while (text.size() < whole) {
      const ssize_t got = ::read(fd, buffer, sizeof buffer);
      if (got <= 0) return;
      text.append(buffer, static_cast<size_t>(got));
      const size_t end = text.find("\r\n\r\n");
      if (end == text.npos) continue;
      const std::string length = Said{text.substr(0, end + 2), {}}.header("Content-Length");
      whole = end + 4 + (length.empty() ? 0 : std::stoul(length));
    }
    const size_t end = text.find("\r\n\r\n");
    ++requests_;
    const std::string reply = handler_({text.substr(0, end + 2), text.substr(end + 4)});
    for (size_t at = 0; at < reply.size();) {
      const ssize_t sent = ::send(fd, reply.data() + at, reply.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += static_cast<size_t>(sent);
    }
  }

  const Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> ended_{false};
  std::atomic<int> requests_{0};
  std::thread thread_;
};

}  // namespace viaduct::api::rest::testing
