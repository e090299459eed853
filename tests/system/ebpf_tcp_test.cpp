// Real TCP between two guests: super-packets, partial checksums, and the checksums that the receiver verifies.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <thread>

#include "ebpf_fixture.hpp"

namespace viaduct::flows {

namespace {

constexpr uint16_t kPort = 5001;
constexpr size_t kTransferBytes = 64 << 20;

// What the agent's packet worker does, for two ports that are connected: a flow for every connection.
class Patch {
 public:
  Patch(PacketChannel& channel, PortNumber a, PortNumber b, ActionList rewrites)
      : channel_(channel), a_(a), b_(b), rewrites_(std::move(rewrites)), thread_([this] { run(); }) {}
  ~Patch() {
    stop_ = true;
    channel_.wake();
    thread_.join();
  }
  size_t upcalls() const { return upcalls_; }

 private:
  void run() {
    while (!stop_) {
      std::array<Upcall, 64> batch;
      size_t count = channel_.poll(batch, std::chrono::seconds(1));
      for (Upcall& upcall : std::span(batch).first(count)) serve(upcall);
    }
  }
  void serve(Upcall& upcall) {
    ++upcalls_;
    Packet packet = parse(upcall.frame, upcall.in_port, upcall.offload);
    ActionList actions;
    if (packet.key.eth_type == ethertype::kIpv4) actions = rewrites_;
    actions.push_back(Output{upcall.in_port == a_ ? b_ : a_});
    FieldSet mask = FieldSet::ethernet();
    mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::l4_src, Field::l4_dst});
    FlowInstall flow{Flow::make(packet.key, mask, actions), packet.key};
    InstallResult result;
    channel_.install(std::span(&flow, 1), std::span(&result, 1));
    PacketOut out{upcall.frame, upcall.offload, upcall.in_port, actions.view()};
    channel_.execute(std::span(&out, 1));
  }

  PacketChannel& channel_;
  PortNumber a_, b_;
  ActionList rewrites_;
  std::atomic<bool> stop_ = false;
  std::atomic<size_t> upcalls_ = 0;
  std::thread thread_;
};

uint8_t pattern(size_t at) { return static_cast<uint8_t>(at * 31 + (at >> 12)); }

// Returns how many bytes came, or 0 when one was wrong.
size_t receive_all(int listener) {
  int connection = accept(listener, nullptr, nullptr);
  std::vector<uint8_t> buffer(1 << 16);
  size_t total = 0;
  for (ssize_t got; (got = recv(connection, buffer.data(), buffer.size(), 0)) > 0;) {
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[static_cast<size_t>(i)] != pattern(total + static_cast<size_t>(i))) return 0;
    }
    total += static_cast<size_t>(got);
  }
  close(connection);
  return total;
}

void send_all(int connection) {
  std::vector<uint8_t> buffer(1 << 16);
  for (size_t sent = 0; sent < kTransferBytes;) {
    for (size_t i = 0; i < buffer.size(); ++i) buffer[i] = pattern(sent + i);
    size_t length = std::min(buffer.size(), kTransferBytes - sent);
    ssize_t done = send(connection, buffer.data(), length, MSG_NOSIGNAL);
    if (done <= 0) return;
    sent += static_cast<size_t>(done);
  }
}

sockaddr_in address_of(const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  inet_pton(AF_INET, text, &address.sin_addr);
  return address;
}

class EbpfTcpTest : public EbpfTest, public testing::WithParamInterface<bool> {
 protected:
  // Bytes received, all of them right.
  size_t transfer(const std::string& from, const std::string& to) {
    size_t received = 0;
    int listener = -1;
    harness_->in_guest(to, [&] {
      listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address = address_of("10.0.0.2");
      ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      ASSERT_EQ(listen(listener, 1), 0);
    });
    int connection = -1;
    harness_->in_guest(from, [&] { connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); });
    std::thread server([&] { received = receive_all(listener); });
    sockaddr_in address = address_of("10.0.0.2");
    EXPECT_EQ(connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    send_all(connection);
    close(connection);
    server.join();
    close(listener);
    return received;
  }
};

}  // namespace

TEST_P(EbpfTcpTest, ABulkTransferStaysInTheKernel) {
  open();
  std::string a = harness_->add_interface();
  std::string b = harness_->add_interface();
  bool routed = GetParam();
  ActionList rewrites;
  if (routed) {
    rewrites.push_back(DecrementTtl{});
    rewrites.push_back(CheckMtu{1500});
  }
  Patch patch(*channel_, add_port(a), add_port(b), rewrites);
  ASSERT_TRUE(harness_->run_in_guest(a, "ip address add 10.0.0.1/24 dev eth0"));
  ASSERT_TRUE(harness_->run_in_guest(b, "ip address add 10.0.0.2/24 dev eth0"));
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(transfer(a, b), kTransferBytes);
  auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("mbit_per_second",
                 std::to_string(kTransferBytes * 8 / 1e6 / std::chrono::duration<double>(took).count()));
  EXPECT_LT(patch.upcalls(), 100U) << "the transfer went through user space";
  EXPECT_EQ(error_count("rewrite_failed"), 0U);
}

INSTANTIATE_TEST_SUITE_P(Ebpf, EbpfTcpTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "routed" : "bridged"; });

}  // namespace viaduct::flows
