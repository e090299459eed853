// With real interfaces: each test has a network namespace of its own, and a router in another.
//
//   this namespace                router's namespace
//   ul0 192.0.2.1/24     ======   ul1 192.0.2.2/24     out0 (MTU 1300) 198.51.100.1/24
//       2001:db8::1/64                2001:db8::2/64                    2001:db8:1::1/64
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "routing/underlay/local_addresses.hpp"
#include "routing/underlay/peers.hpp"

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

class NetworkNamespace {
 public:
  NetworkNamespace() {
    const int before = current();
    EXPECT_EQ(unshare(CLONE_NEWNET), 0);
    fd_ = current();
    EXPECT_EQ(setns(before, CLONE_NEWNET), 0);
    close(before);
  }
  ~NetworkNamespace() { close(fd_); }
  void enter() const { ASSERT_EQ(setns(fd_, CLONE_NEWNET), 0); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }  // of a child too

 private:
  static int current() { return open("/proc/thread-self/ns/net", O_RDONLY); }
  int fd_;
};

// In the namespace of the calling thread.
void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

class Rtnetlink : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to make network namespaces";
    before_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    ours_.emplace();
    router_.emplace();
    router_->enter();
    run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 && ip link set lo up && "
        "ip link add out0 mtu 1300 type veth peer name out1 && ip link set out0 up && ip link set out1 up && "
        "ip addr add 198.51.100.1/24 dev out0 && ip addr add 2001:db8:1::1/64 dev out0 nodad");
    ours_->enter();
    run("ip link set lo up && ip link add ul0 type veth peer name ul1 && ip link set ul1 netns " + router_->path());
    router_->enter();
    run("ip link set ul1 up && ip addr add 192.0.2.2/24 dev ul1 && ip addr add 2001:db8::2/64 dev ul1 nodad");
    ours_->enter();
    run("ip link set ul0 up && ip addr add 192.0.2.1/24 dev ul0 && ip addr add 2001:db8::1/64 dev ul0 nodad");
    std::error_code error;
    addresses_ = open_rtnetlink(error);
    ASSERT_FALSE(error) << error.message();
  }
  void TearDown() override {
    addresses_.reset();
    if (before_ >= 0) setns(before_, CLONE_NEWNET);
    if (before_ >= 0) close(before_);
  }

  std::vector<LocalAddress> addresses() {
    auto found = addresses_->addresses();
    EXPECT_TRUE(std::holds_alternative<std::vector<LocalAddress>>(found));
    return std::holds_alternative<std::vector<LocalAddress>>(found) ? std::get<0>(found) : std::vector<LocalAddress>();
  }
  UnderlayRoute route(const char* src, const char* dst) {
    auto found = addresses_->route(ip(src), ip(dst));
    EXPECT_TRUE(std::holds_alternative<UnderlayRoute>(found)) << std::get<std::error_code>(found).message();
    return std::holds_alternative<UnderlayRoute>(found) ? std::get<UnderlayRoute>(found) : UnderlayRoute();
  }
  std::error_code route_error(const char* src, const char* dst) {
    auto found = addresses_->route(ip(src), ip(dst));
    return std::holds_alternative<UnderlayRoute>(found) ? std::error_code() : std::get<std::error_code>(found);
  }

  int before_ = -1;
  std::optional<NetworkNamespace> ours_, router_;
  std::unique_ptr<LocalAddresses> addresses_;
};

// Waits for a hint after which `holds` does.
bool comes_true(LocalAddresses& addresses, const std::function<void()>& act, const std::function<bool()>& holds) {
  std::mutex mutex;
  std::condition_variable hinted;
  uint64_t hints = 0;
  addresses.on_change([&] {
    std::lock_guard lock(mutex);
    ++hints;
    hinted.notify_all();
  });
  act();
  bool ok = false;
  uint64_t seen = 0;
  for (const auto deadline = std::chrono::steady_clock::now() + 10s; !ok;) {
    std::unique_lock lock(mutex);
    if (!hinted.wait_until(lock, deadline, [&] { return hints != seen; })) break;
    seen = hints;
    lock.unlock();
    ok = holds();
  }
  addresses.on_change({});
  return ok;
}

TEST_F(Rtnetlink, AddressesWithTheirLinks) {
  run("ip link set ul0 mtu 9000");
  EXPECT_THAT(addresses(), Contains(LocalAddress{ip("192.0.2.1"), "ul0", 9000, true}));
  EXPECT_THAT(addresses(), Contains(LocalAddress{ip("2001:db8::1"), "ul0", 9000, true}));
  EXPECT_THAT(addresses(), Contains(LocalAddress{ip("127.0.0.1"), "lo", 65536, true}));
}

TEST_F(Rtnetlink, InterfacesWithAllThatIsKnown) {
  run("ip link set ul0 mtu 9000 address 02:00:00:00:00:aa && ip link add quiet0 type bridge");
  auto found = addresses_->interfaces();
  ASSERT_TRUE(std::holds_alternative<std::vector<LocalInterface>>(found));
  std::map<std::string, LocalInterface> by_name;
  for (const auto& each : std::get<0>(found)) by_name[each.name] = each;
  const LocalInterface& ul0 = by_name["ul0"];
  EXPECT_EQ(std::tie(ul0.mtu, ul0.kind, ul0.up, ul0.carrier), std::make_tuple(9000U, std::string("veth"), true, true));
  EXPECT_EQ(ul0.mac, MacAddress::parse("02:00:00:00:00:aa"));
  EXPECT_THAT(ul0.addresses, IsSupersetOf({ip("192.0.2.1"), ip("2001:db8::1")}));
  EXPECT_TRUE(std::ranges::is_sorted(ul0.addresses));
  EXPECT_EQ(by_name["lo"].kind, "loopback");
  EXPECT_EQ(by_name["lo"].mac, MacAddress());
  EXPECT_EQ(by_name["quiet0"], (LocalInterface{"quiet0", by_name["quiet0"].mac, 1500, "bridge", false, false, {}}));
}

TEST_F(Rtnetlink, ALinkThatIsDown) {
  router_->enter();
  run("ip link set ul1 down");  // takes the carrier from ul0
  ours_->enter();
  EXPECT_THAT(addresses(), Contains(LocalAddress{ip("192.0.2.1"), "ul0", 1500, false}));
}

TEST_F(Rtnetlink, WhatIpv6KnowsOfTheMtu) {
  run("sysctl -qw net.ipv6.conf.ul0.mtu=1400");
  EXPECT_THAT(addresses(), Contains(LocalAddress{ip("2001:db8::1"), "ul0", 1400, true}));
  EXPECT_THAT(addresses(), Contains(LocalAddress{ip("192.0.2.1"), "ul0", 1500, true}));
  EXPECT_EQ(route("2001:db8::1", "2001:db8::2").mtu, 1400u);
}

TEST_F(Rtnetlink, ATentativeAddressIsShownWhenItIsGood) {
  const LocalAddress wanted{ip("2001:db8::77"), "ul0", 1500, true};
  EXPECT_TRUE(comes_true(
      *addresses_,
      [&] {
        run("ip addr add 2001:db8::77/64 dev ul0");
        EXPECT_THAT(addresses(), Not(Contains(wanted))) << "its duplicates are still being looked for";
      },
      [&] { return std::ranges::count(addresses(), wanted) == 1; }));
}

TEST_F(Rtnetlink, ChangesAreHinted) {
  const auto has = [&](const char* address) {
    return std::ranges::any_of(addresses(), [&](const LocalAddress& one) { return one.address == ip(address); });
  };
  EXPECT_TRUE(comes_true(
      *addresses_, [] { run("ip addr add 192.0.2.9/24 dev ul0"); }, [&] { return has("192.0.2.9"); }));
  EXPECT_TRUE(comes_true(
      *addresses_, [] { run("ip addr del 192.0.2.9/24 dev ul0"); }, [&] { return !has("192.0.2.9"); }));
  EXPECT_TRUE(comes_true(
      *addresses_, [] { run("ip link set ul0 mtu 1450"); },
      [&] { return route("192.0.2.1", "192.0.2.2").mtu == 1450; }));
  EXPECT_TRUE(comes_true(
      *addresses_, [] { run("ip route add 203.0.113.0/24 via 192.0.2.2"); },
      [&] { return !route_error("192.0.2.1", "203.0.113.1"); }));
}

TEST_F(Rtnetlink, TheRoutesInterfaceAndMtu) {
  EXPECT_EQ(route("192.0.2.1", "192.0.2.2"), (UnderlayRoute{"ul0", 1500, false}));
  EXPECT_EQ(route("2001:db8::1", "2001:db8::2"), (UnderlayRoute{"ul0", 1500, false}));
  run("ip route add 198.51.100.0/24 via 192.0.2.2 mtu 1420");
  EXPECT_EQ(route("192.0.2.1", "198.51.100.2"), (UnderlayRoute{"ul0", 1420, false}));
  run("ip route replace 198.51.100.0/24 via 192.0.2.2 mtu lock 1410");
  EXPECT_EQ(route("192.0.2.1", "198.51.100.2"), (UnderlayRoute{"ul0", 1410, true}));
  run("ip -6 route add 2001:db8:1::/64 via 2001:db8::2 mtu 1380");
  EXPECT_EQ(route("2001:db8::1", "2001:db8:1::2"), (UnderlayRoute{"ul0", 1380, false}));
}

// What the kernel's own devices leave of 1500 bytes is what we compute. GRE only where this kernel has it.
TEST_F(Rtnetlink, OverheadIsWhatTheKernelTakes) {
  using topology::TunnelType;
  run("ip link add t0 type vxlan id 5 remote 192.0.2.2 local 192.0.2.1 dev ul0 dstport 6677 && ip addr add 10.0.0.1/24 "
      "dev t0");
  run("ip link add t1 type vxlan id 5 remote 2001:db8::2 local 2001:db8::1 dev ul0 dstport 6678 && "
      "ip addr add 10.0.1.1/24 dev t1");
  const auto mtu_of = [&](const char* address) {
    for (const LocalAddress& one : addresses()) {
      if (one.address == ip(address)) return one.mtu;
    }
    return 0U;
  };
  EXPECT_EQ(mtu_of("10.0.0.1"), inner_mtu({TunnelType::vxlan, IpFamily::v4}, 1500));
  EXPECT_EQ(mtu_of("10.0.1.1"), inner_mtu({TunnelType::vxlan, IpFamily::v6}, 1500));
  if (std::system("ip link add t2 type gretap key 5 local 192.0.2.1 remote 192.0.2.2 dev ul0 2>/dev/null") != 0) return;
  run("ip addr add 10.0.2.1/24 dev t2");
  EXPECT_EQ(mtu_of("10.0.2.1"), inner_mtu({TunnelType::gre, IpFamily::v4}, 1500));
}

TEST_F(Rtnetlink, WhereNoRouteLeads) {
  EXPECT_EQ(route_error("192.0.2.1", "203.0.113.1"), std::errc::network_unreachable);
  EXPECT_EQ(route_error("2001:db8::1", "2001:db8:ffff::1"), std::errc::network_unreachable);
  EXPECT_TRUE(route_error("192.0.2.200", "192.0.2.2")) << "not an address of this host";
  EXPECT_EQ(route_error("192.0.2.1", "2001:db8::2"), std::errc::invalid_argument);
  run("ip route add unreachable 203.0.113.0/24");
  EXPECT_EQ(route_error("192.0.2.1", "203.0.113.1"), std::errc::host_unreachable);
  EXPECT_EQ(route("192.0.2.1", "192.0.2.2").interface, "ul0") << "an error spoils no later question";
}

// Sends a packet of `bytes` that nobody may fragment; the router's answer is what the kernel remembers.
void send_unfragmented(const IpAddress& to, size_t bytes) {
  const int family = to.is_v4() ? AF_INET : AF_INET6;
  const int udp = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int probe = to.is_v4() ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;  // DF, whatever is known of the path
  if (to.is_v4()) {
    setsockopt(udp, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
  } else {
    setsockopt(udp, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof probe);
  }
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  v6.sin6_family = AF_INET6, v4.sin_family = AF_INET;
  v6.sin6_port = v4.sin_port = htons(9);
  std::ranges::copy(to.bytes(),
                    to.is_v4() ? reinterpret_cast<uint8_t*>(&v4.sin_addr) : reinterpret_cast<uint8_t*>(&v6.sin6_addr));
  const std::vector<uint8_t> payload(bytes - (to.is_v4() ? 28 : 48));
  const auto* address = to.is_v4() ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
  ASSERT_EQ(sendto(udp, payload.data(), payload.size(), 0, address, to.is_v4() ? sizeof v4 : sizeof v6),
            static_cast<ssize_t>(payload.size()));
  close(udp);
}

TEST_F(Rtnetlink, WhatThePathHasTaught) {
  run("ip route add default via 192.0.2.2 && ip -6 route add default via 2001:db8::2");
  for (const auto& [src, dst] : {std::pair("192.0.2.1", "198.51.100.2"), std::pair("2001:db8::1", "2001:db8:1::2")}) {
    EXPECT_EQ(route(src, dst).mtu, 1500u);
    // The first packets may be lost while neighbours are being found.
    uint32_t learned = 1500;
    for (const auto end = std::chrono::steady_clock::now() + 10s;
         learned == 1500 && std::chrono::steady_clock::now() < end;) {
      send_unfragmented(ip(dst), 1400);
      learned = route(src, dst).mtu;
    }
    EXPECT_EQ(learned, 1300u) << dst;
    EXPECT_EQ(route(src, dst).interface, "ul0");
  }
  EXPECT_EQ(route("192.0.2.1", "198.51.100.3").mtu, 1500u) << "another path";
}

}  // namespace
}  // namespace viaduct::routing::underlay
