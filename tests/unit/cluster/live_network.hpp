// Hosts with certificates that are valid now, in files, and a TCP relay between two of them that can be frozen.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <thread>

#include "actors/identity/descriptor.hpp"
#include "actors/identity/identity.hpp"
#include "actors/runtime/actor_config.hpp"
#include "api/certificates/authority.hpp"
#include "api/certificates/key_file.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors::cluster_test {

inline constexpr identity::Roles kAgentRole{true, false}, kClusterRole{false, true};

class LiveNetwork {
 public:
  LiveNetwork() : authority_(make("one")), other_(make("two")) {}

  // A host's files; `days`: how long from now, negative for one that has expired.
  identity::CredentialFiles files(const std::string& name, identity::Roles roles, int days = 10) {
    return files(name, roles, authority_, days);
  }
  // Signed by another authority; it trusts ours as well.
  identity::CredentialFiles foreign_files(const std::string& name, identity::Roles roles) {
    auto out = files(name, roles, other_, 10);
    out.ca = path("both.ca.pem");
    return out;
  }
  std::shared_ptr<const Identity> identity(const identity::CredentialFiles& files) {
    std::vector<identity::CredentialProblem> problems;
    auto loaded = Identity::load(files, {}, now(), problems);
    if (loaded == nullptr) loaded = Identity::load(files, {}, now() - std::chrono::hours(24 * 15), problems);
    EXPECT_NE(loaded, nullptr);
    return loaded;
  }
  static TransportFiles transport(const identity::CredentialFiles& files) {
    return {files.ca, files.certificate, files.key};
  }
  void write(const std::string& name, const std::string& text) {
    EXPECT_EQ(certificates::write_private(path(name), text, certificates::Existing::replace), "");
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

 private:
  static identity::TimePoint now() { return std::chrono::system_clock::now(); }
  certificates::Authority make(const std::string& name) {
    std::string error;
    auto issued = certificates::Authority::make(
        name, {now() - std::chrono::hours(24 * 100), now() + std::chrono::hours(24 * 100)}, error);
    EXPECT_TRUE(issued) << error;
    write(name + ".ca.pem", issued->certificate);
    bundle_ += issued->certificate;
    write("both.ca.pem", bundle_);
    auto loaded = certificates::Authority::load(issued->certificate, issued->key, error);
    EXPECT_TRUE(loaded) << error;
    return std::move(*loaded);
  }
  identity::CredentialFiles files(const std::string& name, identity::Roles roles, const certificates::Authority& by,
                                  int days) {
    std::string error;
    certificates::Validity validity{now() - std::chrono::hours(24 * 20), now() + std::chrono::hours(24 * days)};
    auto issued = by.issue({name, std::nullopt, roles, {}, validity}, error);
    EXPECT_TRUE(issued) << error;
    const std::string file = name + std::to_string(++made_);
    write(file + ".pem", issued->certificate);
    write(file + ".key", issued->key);
    return {path("one.ca.pem"), path(file + ".pem"), path(file + ".key"), ""};
  }

  topology::store::testing::TemporaryDirectory directory_;
  int made_ = 0;
  std::string bundle_;
  certificates::Authority authority_, other_;
};

using Socket = Descriptor;

inline sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}
// A TCP connection to a port of this host.
inline Socket connect_to(uint16_t port) {
  Socket out(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(port);
  EXPECT_EQ(connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return out;
}
inline Socket listen_somewhere(uint16_t& port, int backlog = 64) {
  Socket out(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  EXPECT_EQ(bind(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(out.get(), backlog), 0);
  socklen_t size = sizeof address;
  getsockname(out.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return out;
}

// Passes bytes on, both ways, until it is frozen: then connections stay open and nothing moves, as with a host that
// lost its power.
class Relay {
 public:
  explicit Relay(uint16_t to) : to_(to), listener_(listen_somewhere(port)), thread_([this](auto stop) { run(stop); }) {}
  void freeze(bool frozen) { frozen_ = frozen; }
  uint16_t port = 0;

 private:
  struct Pair {
    Socket one, other;
  };
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> wait;
      if (!frozen_) {
        wait.push_back({listener_.get(), POLLIN, 0});
        for (const Pair& pair : pairs_) {
          wait.push_back({pair.one.get(), POLLIN, 0});
          wait.push_back({pair.other.get(), POLLIN, 0});
        }
      }
      poll(wait.data(), wait.size(), 10);
      if (frozen_ || wait.empty()) continue;
      size_t at = 1;
      for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
        bool open = (wait[at].revents == 0 || pass(pair->one, pair->other)) &&
                    (wait[at + 1].revents == 0 || pass(pair->other, pair->one));
        pair = open ? std::next(pair) : pairs_.erase(pair);
      }
      if (wait[0].revents != 0) pairs_.push_back({Socket(accept(listener_.get(), nullptr, nullptr)), connect_to(to_)});
    }
  }
  static bool pass(const Socket& from, const Socket& to) {
    char bytes[65'536];
    ssize_t got = recv(from.get(), bytes, sizeof bytes, 0);
    return got > 0 && send(to.get(), bytes, static_cast<size_t>(got), MSG_NOSIGNAL) == got;
  }

  const uint16_t to_;
  std::atomic<bool> frozen_{false};
  Socket listener_;
  std::list<Pair> pairs_;
  std::jthread thread_;
};

}  // namespace viaduct::actors::cluster_test
