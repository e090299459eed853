// How many UDP packets a second get from one namespace to another with at most 0.1 % of them lost.
//
//   packet_blaster --from NETNS --to NETNS --address IP [--flows N] [--milliseconds N]
//
// Each trial sends at one rate for that long and counts what arrives; the rate is searched by halving between nothing
// and what the sender can do at all. A rate that failed once is tried once more: another process may have had the CPU. Flows differ in their source port and take turns in short runs. Prints
// "<packets a second> <packets a second that were offered at most>".
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <vector>

#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr uint16_t kPort = 9000;
constexpr size_t kRun = 16;           // packets of one flow in one system call
constexpr size_t kPayloadBytes = 18;  // a frame of 60 bytes
constexpr size_t kReceiveBatch = 64;
constexpr double kMostLost = 0.001;
constexpr int kTrials = 8;

struct Shared {
  std::atomic<uint64_t> received{0};
  std::atomic<bool> bound{false};
  std::atomic<bool> done{false};
};

void sink(const std::string& ip, Shared& shared) {
  const int fd = udp_socket();
  const sockaddr_in here = address_of(ip, kPort);
  check(bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "bind");
  shared.bound = true;
  std::array<std::array<char, 64>, kReceiveBatch> buffers;
  std::array<iovec, kReceiveBatch> parts;
  std::array<mmsghdr, kReceiveBatch> messages{};
  for (size_t i = 0; i < kReceiveBatch; ++i) {
    parts[i] = {buffers[i].data(), buffers[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  while (!shared.done) {
    const int count = recvmmsg(fd, messages.data(), kReceiveBatch, MSG_WAITFORONE, nullptr);
    if (count > 0) shared.received.fetch_add(static_cast<uint64_t>(count), std::memory_order_relaxed);
  }
  close(fd);
}

class Source {
 public:
  Source(const std::string& ip, size_t flows, Shared& shared) : shared_(shared) {
    const sockaddr_in there = address_of(ip, kPort);
    for (size_t i = 0; i < flows; ++i) {
      sockets_.push_back(udp_socket());
      check(connect(sockets_.back(), reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0, "connect");
    }
    for (mmsghdr& message : messages_) {
      message.msg_hdr.msg_iov = &part_;
      message.msg_hdr.msg_iovlen = 1;
    }
  }
  ~Source() {
    for (int fd : sockets_) close(fd);
  }

  struct Trial {
    double offered = 0;  // packets a second
    double arrived = 0;
    bool passed() const { return arrived >= offered * (1 - kMostLost); }
  };
  // Rate 0: as fast as it goes.
  Trial send(double rate, milliseconds duration) {
    const uint64_t before = shared_.received;
    const auto start = Clock::now();
    const auto end = start + duration;
    uint64_t sent = 0;
    auto now = start;
    while ((now = Clock::now()) < end) {
      const double elapsed = std::chrono::duration<double>(now - start).count();
      if (rate > 0 && static_cast<double>(sent) > rate * elapsed) continue;
      const int count = sendmmsg(sockets_[next_++ % sockets_.size()], messages_.data(), kRun, 0);
      if (count > 0) sent += static_cast<uint64_t>(count);
    }
    const double seconds = std::chrono::duration<double>(now - start).count();
    settle();
    return {static_cast<double>(sent) / seconds, static_cast<double>(shared_.received - before) / seconds};
  }

 private:
  // Until nothing arrives any more.
  void settle() {
    for (uint64_t seen = ~uint64_t{0}; seen != shared_.received;) {
      seen = shared_.received;
      const timespec pause{0, 15'000'000};
      nanosleep(&pause, nullptr);
    }
  }
  Shared& shared_;
  std::vector<int> sockets_;
  size_t next_ = 0;
  std::array<char, kPayloadBytes> payload_{};
  iovec part_{payload_.data(), payload_.size()};
  std::array<mmsghdr, kRun> messages_{};
};

void search(Source& source, size_t flows, milliseconds duration) {
  // Every flow's first packets, at a gentle rate.
  source.send(std::min(20'000.0, static_cast<double>(flows * kRun) * 4), milliseconds(flows > 1 ? 1000 : 100));
  Source::Trial best = source.send(0, duration);
  double low = 0, high = best.offered;
  const double most = best.offered;
  if (!best.passed()) {
    best = {};
    for (int i = 0; i < kTrials; ++i) {
      const double rate = (low + high) / 2;
      Source::Trial trial = source.send(rate, duration);
      if (!trial.passed()) trial = source.send(rate, duration);
      (trial.passed() ? low : high) = rate;
      if (trial.passed() && trial.arrived > best.arrived) best = trial;
    }
  }
  std::printf("%.0f %.0f\n", best.arrived, most);
}

int run(int argc, char** argv) {
  const std::string ip = argument(argc, argv, "--address");
  const size_t flows = std::stoul(argument(argc, argv, "--flows", "1"));
  const milliseconds duration(std::stoul(argument(argc, argv, "--milliseconds", "250")));
  const rlimit files{8192, 8192};
  setrlimit(RLIMIT_NOFILE, &files);
  Shared shared;
  std::thread receiver = run_in_namespace(argument(argc, argv, "--to"), 1, [&] { sink(ip, shared); });
  std::thread sender = run_in_namespace(argument(argc, argv, "--from"), 0, [&] {
    while (!shared.bound) std::this_thread::yield();
    Source source(ip, flows, shared);
    search(source, flows, duration);
    shared.done = true;
  });
  sender.join();
  receiver.join();
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
