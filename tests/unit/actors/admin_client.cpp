#include "admin_client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace viaduct::actors {

AdminClient::AdminClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval patience{30, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
}

AdminClient::~AdminClient() { close(fd_); }

bool AdminClient::send(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return true;
}

bool AdminClient::send(const schema::Frame& frame) {
  std::vector<uint8_t> bytes;
  EXPECT_FALSE(schema::append_framed(frame, bytes));
  return send(bytes);
}

std::optional<schema::Frame> AdminClient::receive() {
  while (true) {
    std::span<const uint8_t> bytes(received_);
    auto frame = reader_.take(bytes);
    received_.erase(received_.begin(), received_.end() - static_cast<ptrdiff_t>(bytes.size()));
    if (frame) return frame;
    received_.resize(65536);
    ssize_t size = recv(fd_, received_.data(), received_.size(), 0);
    EXPECT_TRUE(size >= 0 || errno == ECONNRESET) << "no answer in time";
    received_.resize(size > 0 ? static_cast<size_t>(size) : 0);
    if (size <= 0) return std::nullopt;
  }
}

bool AdminClient::closed() {
  uint8_t byte;
  ssize_t size = recv(fd_, &byte, 1, 0);
  return size == 0 || (size < 0 && errno == ECONNRESET);
}

std::string AdminClient::receive_all() {
  std::string text;
  char buffer[65536];
  for (ssize_t size; (size = recv(fd_, buffer, sizeof buffer, 0)) > 0;) text.append(buffer, static_cast<size_t>(size));
  return text;
}

}  // namespace viaduct::actors
