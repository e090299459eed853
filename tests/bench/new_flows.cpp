// How many new flows a second get through: every packet needs an upcall, a decision and a flow of its own.
//
//   new_flows --from NETNS --to NETNS --kind ports|destinations|sources --count N [--first N] [--window N]
//             [--destination MAC] [--source MAC]
//
// Raw frames from eth0 of one namespace, counted on eth0 of the other. At most `window` packets are on their way, so
// that nothing is lost for want of credit and the rate is that of the slow path. What differs from packet to packet:
//   ports         the UDP source port; the destination is 10.9.0.1
//   destinations  the destination's MAC, 02:11 and a number
//   sources       the source's MAC, 02:11 and a number
// Prints "<flows a second> <packets that did not arrive>".
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "two_namespaces.hpp"

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Mac = std::array<uint8_t, 6>;

constexpr size_t kFrameBytes = 60;
constexpr uint16_t kMarkPort = 9002;  // UDP's destination port in every frame
constexpr size_t kMarkAt = 36;
constexpr size_t kBatch = 32;      // frames a system call
constexpr int kPatienceMs = 3000;  // without any arrival: what is on its way is lost
constexpr uint16_t kFirstPort = 1024;

enum class Kind { ports, destinations, sources };

struct Shared {
  std::atomic<uint64_t> received{0};
  std::atomic<bool> bound{false};
  std::atomic<bool> done{false};
  int arrived = eventfd(0, EFD_NONBLOCK);
};

int packet_socket(int protocol) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  check(fd >= 0, "packet socket");
  const int bytes = 16 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  const timeval timeout{0, 20'000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  const int one = 1;
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(static_cast<uint16_t>(protocol));
  here.sll_ifindex = static_cast<int>(if_nametoindex("eth0"));
  check(here.sll_ifindex > 0 && bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0, "eth0");
  return fd;
}

void sink(Shared& shared) {
  constexpr int kIpv4 = 0x0800;
  const int fd = packet_socket(kIpv4);
  shared.bound = true;
  std::array<std::array<uint8_t, kFrameBytes>, kBatch> frames;
  std::array<iovec, kBatch> parts;
  std::array<mmsghdr, kBatch> messages{};
  for (size_t i = 0; i < kBatch; ++i) {
    parts[i] = {frames[i].data(), frames[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  while (!shared.done) {
    const int count = recvmmsg(fd, messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    uint64_t ours = 0;
    for (int i = 0; i < count; ++i) {
      const auto& frame = frames[static_cast<size_t>(i)];
      ours += (frame[kMarkAt] << 8 | frame[kMarkAt + 1]) == kMarkPort;
    }
    if (ours == 0) continue;
    shared.received.fetch_add(ours, std::memory_order_relaxed);
    eventfd_write(shared.arrived, 1);
  }
  close(fd);
}

Mac mac_of(const std::string& text) {
  Mac mac{};
  check(std::sscanf(text.c_str(), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                    &mac[5]) == 6,
        text.c_str());
  return mac;
}
Mac numbered_mac(uint32_t number) {
  return {0x02,
          0x11,
          static_cast<uint8_t>(number >> 24),
          static_cast<uint8_t>(number >> 16),
          static_cast<uint8_t>(number >> 8),
          static_cast<uint8_t>(number)};
}

// One frame, changed for each packet.
class Frame {
 public:
  Frame(Kind kind, const Mac& source, const Mac& destination) : kind_(kind) {
    put(0, destination);
    put(6, source);
    const uint8_t rest[] = {0x08,
                            0x00,  // IPv4
                            0x45,
                            0,
                            0,
                            46,
                            0,
                            0,
                            0,
                            0,
                            64,
                            17,
                            0,
                            0,  // 46 bytes, UDP
                            10,
                            0,
                            1,
                            1,
                            10,
                            9,
                            0,
                            1,  // from v1, to what is behind the router
                            0,
                            0,
                            kMarkPort >> 8,
                            kMarkPort & 255,
                            0,
                            26,
                            0,
                            0};
    std::memcpy(bytes_.data() + 12, rest, sizeof rest);
    const uint16_t sum = header_checksum();
    bytes_[24] = static_cast<uint8_t>(sum >> 8);
    bytes_[25] = static_cast<uint8_t>(sum);
  }
  const std::array<uint8_t, kFrameBytes>& number(uint32_t number) {
    if (kind_ == Kind::destinations) put(0, numbered_mac(number));
    if (kind_ == Kind::sources) put(6, numbered_mac(number));
    const uint16_t port = static_cast<uint16_t>(kFirstPort + (kind_ == Kind::ports ? number % 60'000 : 0));
    bytes_[34] = static_cast<uint8_t>(port >> 8);
    bytes_[35] = static_cast<uint8_t>(port);
    return bytes_;
  }

 private:
  void put(size_t at, const Mac& mac) { std::memcpy(bytes_.data() + at, mac.data(), mac.size()); }
  uint16_t header_checksum() const {
    uint32_t sum = 0;
    for (size_t at = 14; at < 34; at += 2) sum += static_cast<uint32_t>(bytes_[at] << 8 | bytes_[at + 1]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
  }
  const Kind kind_;
  std::array<uint8_t, kFrameBytes> bytes_{};
};

struct Run {
  uint32_t first = 0, count = 0, window = 0;
};

// Sends frames in batches: what the generator costs is not what is measured.
class Sender {
 public:
  explicit Sender(const Frame& frame) : frame_(frame), fd_(packet_socket(0)) {
    for (size_t i = 0; i < kBatch; ++i) {
      parts_[i] = {frames_[i].data(), frames_[i].size()};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  ~Sender() { close(fd_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // At most kBatch. Returns how many.
  size_t send(uint32_t first, size_t count) {
    for (size_t i = 0; i < count; ++i) frames_[i] = frame_.number(first + static_cast<uint32_t>(i));
    const int sent = sendmmsg(fd_, messages_.data(), static_cast<unsigned>(count), 0);
    check(sent > 0, "send");
    return static_cast<size_t>(sent);
  }

 private:
  Frame frame_;
  int fd_;
  std::array<std::array<uint8_t, kFrameBytes>, kBatch> frames_;
  std::array<iovec, kBatch> parts_;
  std::array<mmsghdr, kBatch> messages_{};
};

void send_all(const Run& run, const Frame& frame, Shared& shared) {
  Sender sender(frame);
  const auto start = Clock::now();
  auto last = start;
  int64_t given_up = 0;
  // Less than none when something arrives after all.
  const auto outstanding = [&](uint64_t sent) { return static_cast<int64_t>(sent - shared.received) - given_up; };
  for (uint64_t sent = 0; sent < run.count || outstanding(sent) > 0;) {
    while (sent < run.count && outstanding(sent) + static_cast<int64_t>(kBatch) <= static_cast<int64_t>(run.window)) {
      sent += sender.send(run.first + static_cast<uint32_t>(sent), std::min<uint64_t>(kBatch, run.count - sent));
    }
    pollfd arrival{shared.arrived, POLLIN, 0};
    if (poll(&arrival, 1, kPatienceMs) == 0) given_up += outstanding(sent);
    eventfd_t ignored = 0;
    if (eventfd_read(shared.arrived, &ignored) == 0) last = Clock::now();
  }
  const double seconds = std::chrono::duration<double>(last - start).count();
  std::printf("%.1f %ld\n", seconds > 0 ? static_cast<double>(shared.received) / seconds : 0,
              static_cast<long>(given_up));
}

Kind kind_of(const std::string& name) {
  if (name == "destinations") return Kind::destinations;
  return name == "sources" ? Kind::sources : Kind::ports;
}

int run(int argc, char** argv) {
  const auto number = [&](const char* name, const char* fallback) {
    return static_cast<uint32_t>(std::stoul(argument(argc, argv, name, fallback)));
  };
  const Frame frame(kind_of(argument(argc, argv, "--kind")),
                    mac_of(argument(argc, argv, "--source", "02:00:00:00:00:01")),
                    mac_of(argument(argc, argv, "--destination", "02:00:00:00:01:fe")));
  const Run plan{number("--first", "0"), number("--count", "2000"), number("--window", "128")};
  Shared shared;
  std::thread receiver = run_in_namespace(argument(argc, argv, "--to"), 1, [&] { sink(shared); });
  std::thread sender = run_in_namespace(argument(argc, argv, "--from"), 0, [&] {
    while (!shared.bound) std::this_thread::yield();
    send_all(plan, frame, shared);
    shared.done = true;
  });
  sender.join();
  receiver.join();
  close(shared.arrived);
  return 0;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) { return viaduct::bench::run(argc, argv); }
