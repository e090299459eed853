// A TCP connection to the daemon's admin socket: one Frame out, one Frame in.
//
// The token travels in the clear, so only loopback addresses are accepted. Every call ends by its deadline: connecting,
// sending and receiving share it. After a failure the connection is closed and stays closed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/client/transport.hpp"

namespace viaduct::api {

inline constexpr uint16_t kDefaultAdminPort = 6677;
inline constexpr const char* kDefaultAddress = "127.0.0.1:6677";

// A loopback address: "127.0.0.1:6677", "[::1]:6677", "localhost", a port alone.
struct Endpoint {
  std::string host = "127.0.0.1";
  uint16_t port = kDefaultAdminPort;

  static Result<Endpoint> parse(std::string_view text);
  std::string to_string() const;
};

class Connection : public Transport {
 public:
  static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint, Deadline deadline);
  ~Connection() override;

  Result<schema::Frame> exchange(const schema::Frame& request, Deadline deadline) override;
  Result<Done> send(const schema::Frame& frame, Deadline deadline);
  Result<schema::Frame> receive(Deadline deadline);

 private:
  Connection(int fd, std::string peer) : fd_(fd), peer_(std::move(peer)) {}
  Failure fail(ExitCode exit, std::string code, std::string message, std::string cure);
  Failure timed_out(std::string_view doing);

  int fd_;
  const std::string peer_;  // for messages
  schema::FrameReader reader_;
};

}  // namespace viaduct::api
