#include "routing/bgp/vty_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace viaduct::routing::bgp {

namespace {

constexpr size_t kTrailerBytes = 4;  // three zero bytes and the status

std::error_code last_error() { return {errno, std::system_category()}; }

bool complete(const std::string& answer) {
  return answer.size() >= kTrailerBytes && answer.compare(answer.size() - kTrailerBytes, 3, "\0\0\0", 3) == 0;
}

}  // namespace

VtyClient::VtyClient(VtyClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

VtyClient& VtyClient::operator=(VtyClient&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void VtyClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::error_code VtyClient::open(const std::string& path) {
  close();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::make_error_code(std::errc::filename_too_long);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return last_error();
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  const std::error_code error = last_error();
  close();
  return error;
}

std::error_code VtyClient::wait(short events, Clock::time_point deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd watched{fd_, events, 0};
    const int ready = poll(&watched, 1, static_cast<int>(std::clamp<long>(left, 0, 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return last_error();
    if (ready == 0 && left <= 0) return std::make_error_code(std::errc::timed_out);
  }
}

std::error_code VtyClient::send_all(std::string_view bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto error = wait(POLLOUT, deadline)) return error;
    } else if (errno != EINTR) {
      return errno == EPIPE ? std::make_error_code(std::errc::connection_reset) : last_error();
    }
  }
  return {};
}

std::variant<VtyAnswer, std::error_code> VtyClient::command(std::string_view text, Clock::time_point deadline) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (std::any_of(text.begin(), text.end(), is_control)) return std::make_error_code(std::errc::invalid_argument);
  if (fd_ < 0) return std::make_error_code(std::errc::not_connected);
  const auto fail = [this](std::error_code error) {
    close();
    return error;
  };
  if (auto error = send_all(std::string(text) + '\0', deadline)) return fail(error);
  std::string answer;
  std::array<char, 65536> buffer;
  while (!complete(answer)) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got == 0) return fail(std::make_error_code(std::errc::connection_reset));
    if (got > 0) {
      answer.append(buffer.data(), static_cast<size_t>(got));
      if (answer.size() > kMaxAnswerBytes) return fail(std::make_error_code(std::errc::message_size));
    } else if (errno == EAGAIN) {
      if (auto error = wait(POLLIN, deadline)) return fail(error);
    } else if (errno != EINTR) {
      return fail(last_error());
    }
  }
  VtyAnswer out{static_cast<VtyStatus>(answer.back()), {}};
  answer.resize(answer.size() - kTrailerBytes);
  out.output = std::move(answer);
  return out;
}

}  // namespace viaduct::routing::bgp
