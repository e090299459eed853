// Round-trip times of UDP between two namespaces: one packet at a time, sent back by the other side.
//
//   rtt --from NETNS --to NETNS --address IP [--count N]
//
// Prints "<p50> <p99>" in microseconds. Ends with 1 when more than one packet in a hundred got no answer.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <vector>

#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint16_t kPort = 9001;
constexpr size_t kWarmUp = 50;
constexpr std::chrono::milliseconds kPatience{1000};  // a busy machine is slow, but loses nothing

void echo(const std::string& ip, std::atomic<bool>& bound, const std::atomic<bool>& done) {
  const int fd = udp_socket();
  const sockaddr_in here = address_of(ip, kPort);
  check(bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "bind");
  bound = true;
  uint64_t number = 0;
  while (!done) {
    sockaddr_in from{};
    socklen_t length = sizeof from;
    if (recvfrom(fd, &number, sizeof number, 0, reinterpret_cast<sockaddr*>(&from), &length) < 0) continue;
    sendto(fd, &number, sizeof number, 0, reinterpret_cast<const sockaddr*>(&from), length);
  }
  close(fd);
}

// The answer to `number`, not a late one to an earlier packet.
bool receive(int fd, uint64_t number) {
  uint64_t answer = 0;
  while (recv(fd, &answer, sizeof answer, 0) == sizeof answer) {
    if (answer == number) return true;
  }
  return false;
}

std::vector<double> ping(const std::string& ip, size_t count) {
  const int fd = udp_socket(kPatience);
  const sockaddr_in there = address_of(ip, kPort);
  check(connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0, "connect");
  std::vector<double> microseconds;
  for (uint64_t number = 0; number < count + kWarmUp; ++number) {
    const auto start = Clock::now();
    if (send(fd, &number, sizeof number, 0) < 0 || !receive(fd, number)) continue;
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    if (number >= kWarmUp) microseconds.push_back(time.count());
  }
  close(fd);
  return microseconds;
}

int run(int argc, char** argv) {
  const std::string ip = argument(argc, argv, "--address");
  const size_t count = std::stoul(argument(argc, argv, "--count", "5000"));
  std::atomic<bool> bound = false, done = false;
  std::vector<double> times;
  std::thread far = run_in_namespace(argument(argc, argv, "--to"), 1, [&] { echo(ip, bound, done); });
  std::thread near = run_in_namespace(argument(argc, argv, "--from"), 0, [&] {
    while (!bound) std::this_thread::yield();
    times = ping(ip, count);
    done = true;
  });
  near.join();
  far.join();
  if (times.size() * 100 < count * 99) {
    std::fprintf(stderr, "only %zu of %zu packets were answered\n", times.size(), count);
    return 1;
  }
  std::sort(times.begin(), times.end());
  std::printf("%.1f %.1f\n", times[times.size() / 2], times[times.size() * 99 / 100]);
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
