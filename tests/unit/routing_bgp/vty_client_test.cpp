#include "routing/bgp/vty_client.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>

namespace viaduct::routing::bgp {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// A daemon that reads one command and answers as `answer` says, in the pieces that it writes.
class FakeDaemon {
 public:
  explicit FakeDaemon(std::function<void(int)> answer) : path_("/tmp/vtb-vty-" + std::to_string(getpid())) {
    unlink(path_.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const int fd = accept(listener_, nullptr, nullptr);
      char byte = 1;
      while (byte != 0 && read(fd, &byte, 1) == 1) {
        if (byte != 0) heard_ += byte;
      }
      answer(fd);
      close(fd);
    });
  }
  ~FakeDaemon() {
    join();
    close(listener_);
    unlink(path_.c_str());
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  const std::string& path() const { return path_; }
  const std::string& heard() const { return heard_; }  // after join

 private:
  const std::string path_;
  int listener_ = -1;
  std::string heard_;
  std::thread thread_;
};

void say(int fd, const std::string& bytes) {
  EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}
auto soon() { return VtyClient::Clock::now() + 60s; }

TEST(Vty, AnAnswerMayComeInPieces) {
  FakeDaemon daemon([](int fd) {
    for (const char one : "{\n}\0\0\0\1"s) say(fd, std::string(1, one));
  });
  VtyClient client;
  ASSERT_FALSE(client.open(daemon.path()));
  const auto answer = client.command("show x json", soon());
  ASSERT_TRUE(std::holds_alternative<VtyAnswer>(answer));
  EXPECT_EQ(std::get<VtyAnswer>(answer).output, "{\n}");
  EXPECT_EQ(std::get<VtyAnswer>(answer).status, VtyStatus::warning);
  daemon.join();
  EXPECT_EQ(daemon.heard(), "show x json");
}

TEST(Vty, AnEndIsTheDaemonsDeath) {
  FakeDaemon daemon([](int fd) { say(fd, "half"); });
  VtyClient client;
  ASSERT_FALSE(client.open(daemon.path()));
  EXPECT_EQ(std::get<std::error_code>(client.command("x", soon())), std::errc::connection_reset);
  EXPECT_FALSE(client.is_open());
  EXPECT_EQ(std::get<std::error_code>(client.command("x", soon())), std::errc::not_connected);
}

TEST(Vty, SilenceHasALimit) {
  VtyClient client;
  FakeDaemon daemon([](int fd) {
    char byte = 0;
    EXPECT_EQ(read(fd, &byte, 1), 0);  // until the client has had enough
  });
  ASSERT_FALSE(client.open(daemon.path()));
  EXPECT_EQ(std::get<std::error_code>(client.command("x", VtyClient::Clock::now() + 20ms)), std::errc::timed_out);
  EXPECT_FALSE(client.is_open());
}

TEST(Vty, ControlCharactersAreNotSent) {
  VtyClient client;
  FakeDaemon daemon([](int fd) { say(fd, "\0\0\0\0"s); });
  ASSERT_FALSE(client.open(daemon.path()));
  for (const std::string& bad : {"a\nb"s, "a\0b"s, "a\x7f"s}) {
    EXPECT_EQ(std::get<std::error_code>(client.command(bad, soon())), std::errc::invalid_argument);
  }
  EXPECT_TRUE(std::holds_alternative<VtyAnswer>(client.command("good", soon())));
  daemon.join();
  EXPECT_EQ(daemon.heard(), "good");
}

TEST(Vty, NobodyListens) {
  VtyClient client;
  EXPECT_EQ(client.open("/tmp/vtb-nobody-listens"), std::errc::no_such_file_or_directory);
  EXPECT_EQ(client.open("/" + std::string(200, 'x')), std::errc::filename_too_long);
}

}  // namespace
}  // namespace viaduct::routing::bgp
