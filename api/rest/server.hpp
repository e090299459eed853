// The HTTP server under the REST gateway: libmicrohttpd's event loops read requests and write answers, worker threads make
// them. A slow client occupies a connection and no worker.
//
// Everything that a stranger can make it keep is bounded: connections, in all and from one address, the header and the body
// of a request, the time in which both have to arrive, requests that wait for a worker. What is beyond is refused, and
// counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/rest/http.hpp"

namespace viaduct::api::rest {

struct ServerOptions {
  std::string address = "127.0.0.1";  // IPv4, or IPv6 without brackets
  uint16_t port = 8181;               // 0: any free one
  // PEM; both or none. With them only TLS is spoken.
  std::string certificate = {};
  std::string key = {};
  unsigned max_connections = 1'024;
  unsigned max_connections_of_address = 256;
  size_t max_header_bytes = size_t{32} << 10;
  size_t max_body_bytes = size_t{4} << 20;
  std::chrono::seconds idle_timeout{15};     // of a connection on which nothing moves
  std::chrono::seconds arrival_timeout{30};  // from a connection's last answer to its next whole request
  unsigned workers = 16;
  size_t max_waiting = 512;  // requests, for a worker
};

// Called by any thread.
struct ServerEvents {
  // An answer has been made. `taken`: from the whole request on.
  std::function<void(const Request&, const Response&, std::chrono::nanoseconds taken)> answered = {};
  // "too_big", "too_slow", "busy", "bad_request".
  std::function<void(std::string_view reason)> refused = {};
};

class Server {
 public:
  using Handler = std::function<Response(const Request&)>;

  struct Started {
    std::unique_ptr<Server> server;  // null: it does not listen
    std::string error;               // then: why, and what to do
  };
  static Started start(Handler handler, ServerEvents events, const ServerOptions& options);
  // Answers what has arrived, ends streams, and closes all connections.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace viaduct::api::rest
