// Real TCP between two guests: super-packets, partial checksums, and the checksums that the receiver verifies.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>

#include "ebpf_fixture.hpp"
#include "tunnel_words.hpp"

namespace viaduct::flows {

namespace {

constexpr uint16_t kPort = 5001;
constexpr size_t kTransferBytes = 64 << 20;

// What the agent's packet worker does, for two ports that are connected, one of which may be a tunnel's: a flow for
// every connection.
class Patch {
 public:
  // What becomes of a packet from `a`, or of one to it, in front of the output.
  using Rewrites = std::function<ActionList(const Packet&, bool from_a)>;

  Patch(PacketChannel& channel, PortNumber a, PortNumber b, ActionList rewrites)
      : Patch(channel, a, Output{a}, Output{b}, of_ipv4(std::move(rewrites))) {}
  Patch(PacketChannel& channel, PortNumber a, Action to_a, Action to_b, Rewrites rewrites)
      : channel_(channel),
        a_(a),
        to_a_(std::move(to_a)),
        to_b_(std::move(to_b)),
        rewrites_(std::move(rewrites)),
        thread_([this] { run(); }) {}
  ~Patch() {
    stop_ = true;
    channel_.wake();
    thread_.join();
  }
  size_t upcalls() const { return upcalls_; }
  size_t super_packets() const { return super_packets_; }  // of upcalls
  // From now on user space carries every packet.
  void stop_installing() { flows_ = false; }

 private:
  static Rewrites of_ipv4(ActionList list) {
    return [list = std::move(list)](const Packet& packet, bool) {
      return packet.key.eth_type == ethertype::kIpv4 ? list : ActionList{};
    };
  }
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
    packet.key.tunnel = upcall.tunnel;
    if (packet.offload.gso != Offload::Gso::none) ++super_packets_;
    ActionList actions = rewrites_(packet, upcall.in_port == a_);
    actions.push_back(upcall.in_port == a_ ? to_b_ : to_a_);
    FieldSet mask = FieldSet::ethernet();
    mask.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::l4_src, Field::l4_dst, Field::tunnel});
    FlowInstall flow{Flow::make(packet.key, mask, actions), packet.key};
    InstallResult result;
    if (flows_) channel_.install(std::span(&flow, 1), std::span(&result, 1));
    PacketOut out{upcall.frame, upcall.offload, upcall.in_port, actions.view()};
    channel_.execute(std::span(&out, 1));
  }

  PacketChannel& channel_;
  const PortNumber a_;
  const Action to_a_, to_b_;
  Rewrites rewrites_;
  std::atomic<bool> stop_ = false;
  std::atomic<size_t> upcalls_ = 0, super_packets_ = 0;
  std::atomic<bool> flows_ = true;
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

void send_all(int connection, size_t total) {
  std::vector<uint8_t> buffer(1 << 16);
  for (size_t sent = 0; sent < total;) {
    for (size_t i = 0; i < buffer.size(); ++i) buffer[i] = pattern(sent + i);
    size_t length = std::min(buffer.size(), total - sent);
    ssize_t done = send(connection, buffer.data(), length, MSG_NOSIGNAL);
    if (done <= 0) return;
    sent += static_cast<size_t>(done);
  }
}

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

SocketAddress address_of(const char* text, uint16_t port) {
  SocketAddress address{};
  address.v6 = {};
  if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
  } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
  }
  return address;
}

class EbpfTcpTest : public EbpfTest, public testing::WithParamInterface<bool> {
 protected:
  // Bytes received at 10.0.0.2, all of them right.
  size_t transfer(const std::string& from, const std::string& to, size_t bytes = kTransferBytes) {
    return transfer(from, to, address_of("10.0.0.2", kPort), address_of("10.0.0.2", kPort), bytes);
  }
  // `server_address` is where the server is, `called` where the client thinks so.
  size_t transfer(const std::string& from, const std::string& to, const SocketAddress& server_address,
                  const SocketAddress& called, size_t bytes) {
    size_t received = 0;
    int listener = -1;
    int family = called.any.sa_family;
    harness_->in_guest(to, [&] {
      listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ASSERT_EQ(bind(listener, &server_address.any, sizeof server_address), 0);
      ASSERT_EQ(listen(listener, 1), 0);
    });
    int connection = -1;
    harness_->in_guest(from, [&] { connection = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); });
    std::thread server([&] { received = receive_all(listener); });
    EXPECT_EQ(connect(connection, &called.any, sizeof called), 0);
    send_all(connection, bytes);
    close(connection);
    server.join();
    close(listener);
    return received;
  }
};

class EbpfTranslatedTcpTest : public EbpfTcpTest {
 protected:
  const std::string kMacA = "02:00:00:00:00:01", kMacB = "02:00:00:00:00:02";
};

// A guest here, and one on another host whose only tunnel is a plain VXLAN device of the kernel: not of this project.
class EbpfTunnelTcpTest : public EbpfTcpTest {
 protected:
  static constexpr uint32_t kKey = 77;
  static constexpr const char* kInnerMtu = "1400";

  void open_hosts(IpFamily family) {
    harness_->add_underlay();
    open();
    guest_ = harness_->add_interface();
    std::error_code error;
    PortNumber tunnel = datapath_->add_tunnel_port({}, error).number;
    ASSERT_FALSE(error) << error.message();
    PortNumber guest = add_port(guest_);
    const frames::Host us = frames::Host::outer(1), peer = frames::Host::outer(2);
    make_peer(us.address(family).to_string(), peer, family);
    ASSERT_TRUE(harness_->run_in_guest(guest_, std::string("ip link set eth0 mtu ") + kInnerMtu));
    ASSERT_TRUE(harness_->run_in_guest(guest_, "ip address add 10.0.0.1/24 dev eth0"));
    TunnelOutput to_peer{tunnel, {kKey, us.address(family), peer.address(family)}};
    patch_ = std::make_unique<Patch>(*channel_, guest, Output{guest}, to_peer,
                                     [](const Packet&, bool) { return ActionList{}; });
  }
  void TearDown() override {
    patch_.reset();
    EbpfTest::TearDown();
  }

  static constexpr const char* kPeer = VethHarness::kUnderlay;
  std::string guest_;
  std::unique_ptr<Patch> patch_;

 private:
  void make_peer(const std::string& us, const frames::Host& peer, IpFamily family) {
    auto run = [this](const std::string& command) { ASSERT_TRUE(harness_->run_in_guest(kPeer, command)) << command; };
    const bool v6 = family == IpFamily::v6;
    run("echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6");
    run("ip link set eth0 address " + peer.mac.to_string());
    run("ip address add " + peer.address(family).to_string() + (v6 ? "/64 nodad" : "/24") + " dev eth0");
    run("ip link add vx type vxlan id " + std::to_string(kKey) + " remote " + us + " local " +
        peer.address(family).to_string() + " dstport " + std::to_string(TunnelPortSpec::kVxlanPort) +
        (v6 ? " udp6zerocsumrx udp6zerocsumtx" : ""));
    run(std::string("ip link set vx mtu ") + kInnerMtu + " up");
    run("ip address add 10.0.0.2/24 dev vx");
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

// The client calls an address that nobody has, and the server sees a client that does not exist: both are neighbours by
// decree. The parameter: over IPv6.
TEST_P(EbpfTranslatedTcpTest, ABulkTransferThroughATranslationStaysInTheKernel) {
  const bool v6 = GetParam();
  const char* client = v6 ? "fd00::1" : "10.0.0.1";
  const char* server = v6 ? "fd00::2" : "10.0.0.2";
  const char* service = v6 ? "fd00::9" : "10.0.0.9";
  const char* seen_client = v6 ? "fd00::8" : "10.0.0.8";
  constexpr uint16_t kService = 80, kSeenPort = 33333;
  open();
  std::string a = harness_->add_interface();
  std::string b = harness_->add_interface();
  auto ip_of = [](const char* text) { return IpAddress::parse(text).value(); };
  std::atomic<uint16_t> client_port = 0;
  auto rewrites = [&, v6](const Packet& packet, bool from_a) {
    if (packet.key.eth_type != (v6 ? ethertype::kIpv6 : ethertype::kIpv4)) return ActionList{};
    if (packet.key.ip_proto != ip_proto::kTcp) return ActionList{};
    if (from_a) client_port = packet.key.l4_src;
    if (from_a) return ActionList{SetIp{ip_of(seen_client), ip_of(server)}, SetPorts{kSeenPort, kPort}, DecrementTtl{}};
    return ActionList{SetIp{ip_of(service), ip_of(client)}, SetPorts{kService, client_port}, DecrementTtl{}};
  };
  PortNumber port_a = add_port(a), port_b = add_port(b);
  Patch patch(*channel_, port_a, Output{port_a}, Output{port_b}, rewrites);
  auto prepare = [&](const std::string& guest, std::string own, std::string other) {
    std::string flags = v6 ? "/64 nodad" : "/24";
    ASSERT_TRUE(harness_->run_in_guest(guest, "echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6"));
    ASSERT_TRUE(harness_->run_in_guest(guest, "ip link set eth0 address " + (guest == a ? kMacA : kMacB)));
    ASSERT_TRUE(harness_->run_in_guest(guest, "ip address add " + own + flags + " dev eth0"));
    ASSERT_TRUE(harness_->run_in_guest(guest, "ip neighbour replace " + other + " lladdr " +
                                                  (guest == a ? kMacB : kMacA) + " nud permanent dev eth0"));
  };
  prepare(a, client, service);
  prepare(b, server, seen_client);
  EXPECT_EQ(transfer(a, b, address_of(server, kPort), address_of(service, kService), kTransferBytes), kTransferBytes);
  EXPECT_LT(patch.upcalls(), 100U) << "the transfer went through user space";
  EXPECT_EQ(error_count("rewrite_failed"), 0U);
}

// The parameter: over IPv6.
TEST_P(EbpfTunnelTcpTest, ABulkTransferToAnotherHostStaysInTheKernel) {
  open_hosts(GetParam() ? IpFamily::v6 : IpFamily::v4);
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(transfer(guest_, kPeer), kTransferBytes);
  auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("mbit_per_second",
                 std::to_string(kTransferBytes * 8 / 1e6 / std::chrono::duration<double>(took).count()));
  EXPECT_LT(patch_->upcalls(), 100U) << "the transfer went through user space";
  EXPECT_EQ(error_count("output_failed"), 0U);
}

// Each super-packet goes up whole and into the tunnel whole, and the kernel cuts it behind the encapsulation.
TEST_P(EbpfTunnelTcpTest, UserSpaceCarriesSuperPacketsToAnotherHost) {
  constexpr size_t kBytes = 4 << 20;
  open_hosts(GetParam() ? IpFamily::v6 : IpFamily::v4);
  patch_->stop_installing();
  EXPECT_EQ(transfer(guest_, kPeer, kBytes), kBytes);
  EXPECT_GT(patch_->super_packets(), 0U);
  EXPECT_LT(patch_->upcalls(), kBytes / 1400) << "the packets were not super-packets";
}

INSTANTIATE_TEST_SUITE_P(Ebpf, EbpfTranslatedTcpTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "ipv6" : "ipv4"; });

INSTANTIATE_TEST_SUITE_P(Ebpf, EbpfTunnelTcpTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "ipv6" : "ipv4"; });

INSTANTIATE_TEST_SUITE_P(Ebpf, EbpfTcpTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "routed" : "bridged"; });

}  // namespace viaduct::flows
