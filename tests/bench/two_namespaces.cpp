#include "two_namespaces.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace viaduct::bench {

namespace {
constexpr int kBufferBytes = 8 << 20;
}  // namespace

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

std::thread run_in_namespace(const std::string& name, unsigned cpu, std::function<void()> body) {
  return std::thread([name, cpu, body = std::move(body)] {
    const int space = open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    check(space >= 0 && setns(space, CLONE_NEWNET) == 0, name.c_str());
    close(space);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu % std::max(1U, std::thread::hardware_concurrency()), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    body();
  });
}

int udp_socket(std::chrono::milliseconds read_timeout) {
  const timeval timeout{read_timeout.count() / 1000, read_timeout.count() % 1000 * 1000};
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  return fd;
}

sockaddr_in address_of(const std::string& ip, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  check(inet_pton(AF_INET, ip.c_str(), &address.sin_addr) == 1, ip.c_str());
  return address;
}

std::string argument(int argc, char** argv, const std::string& name, const char* fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (name == argv[i]) return argv[i + 1];
  }
  if (fallback == nullptr) {
    std::fprintf(stderr, "%s: %s is missing\n", argv[0], name.c_str());
    std::exit(2);
  }
  return fallback;
}

}  // namespace viaduct::bench
