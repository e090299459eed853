// A client of an FRR daemon's vty socket: a command ends with a zero byte; an answer ends with three and a status.
//
// Calls block up to their deadline. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

namespace viaduct::routing::bgp {

// As FRR numbers them (lib/command.h); others appear as numbers.
enum class VtyStatus : uint8_t {
  success = 0,
  warning = 1,
  unknown_command = 2,
  ambiguous = 3,
  incomplete = 4,
  failed = 13
};

struct VtyAnswer {
  VtyStatus status = VtyStatus::success;
  std::string output;
};

class VtyClient {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kMaxAnswerBytes = 16 << 20;

  VtyClient() = default;
  ~VtyClient() { close(); }
  VtyClient(VtyClient&& other) noexcept;
  VtyClient& operator=(VtyClient&& other) noexcept;

  // `path` of a unix socket; the answer to the connection is immediate.
  std::error_code open(const std::string& path);
  bool is_open() const { return fd_ >= 0; }
  void close();
  // connection_reset: the daemon is gone; timed_out; message_size: a longer answer than anybody needs. After any of these the
  // client is closed. invalid_argument: `text` has control characters, and nothing was sent.
  std::variant<VtyAnswer, std::error_code> command(std::string_view text, Clock::time_point deadline);

 private:
  std::error_code send_all(std::string_view bytes, Clock::time_point deadline);
  std::error_code wait(short events, Clock::time_point deadline) const;

  int fd_ = -1;
};

}  // namespace viaduct::routing::bgp
