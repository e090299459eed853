// In steady state a bridged or routed packet is decided without touching the heap.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "flows/packet/build.hpp"
#include "flows/packet/packet_builder.hpp"
#include "simulation_driver.hpp"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace viaduct::flows::simulation {
namespace {

using scenario::ip;
using scenario::mac;

class Allocations : public testing::Test {
 protected:
  explicit Allocations(int hosts = 1) : driver(network(hosts), hosts) {
    driver.send("p1", make_gratuitous_arp(mac("02:00:00:00:00:01"), ip("10.0.1.1")));
    driver.send("p2", make_gratuitous_arp(mac("02:00:00:00:00:02"), ip("10.0.1.2")));
    driver.send("p3", make_gratuitous_arp(mac("02:00:00:00:00:03"), ip("10.0.2.3")));
  }
  static scenario::ScenarioNetwork network(int hosts) {
    scenario::ScenarioNetwork net;
    net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
    net.bridge("blue").guest_port("blue", "p3").router("r1");
    net.link("green", "r1-green", "02:00:00:00:01:fe", {"10.0.1.254/24"});
    net.link("blue", "r1-blue", "02:00:00:00:02:fe", {"10.0.2.254/24"});
    if (hosts > 1) net.spread(hosts).change_hosts().mtu = 1450;
    return net;
  }
  // Heap allocations of a hundred simulations, after one that warms up the verdict.
  size_t count(const char* to_mac, const char* to_ip) {
    auto frame = PacketBuilder{}.eth("02:00:00:00:00:01", to_mac).ip("10.0.1.1", to_ip).udp(1, 2).payload(64).build();
    return count(parse(frame, PortNumber{1}), 0);
  }
  size_t count(const Packet& packet, int host) {
    const scenario::SimulatedHost& at = driver.host(host);
    const StateView state = at.state();
    Verdict verdict;
    simulate({at.network, state, packet, driver.now()}, verdict);
    EXPECT_EQ(verdict.outcome, Outcome::forward);
    const size_t before = allocations;
    for (int i = 0; i < 100; ++i) simulate({at.network, state, packet, driver.now()}, verdict);
    return allocations - before;
  }
  scenario::SimulationDriver driver;
};

TEST_F(Allocations, bridged_unicast_makes_none) { EXPECT_EQ(count("02:00:00:00:00:02", "10.0.1.2"), 0U); }

TEST_F(Allocations, bridge_router_bridge_makes_none) { EXPECT_EQ(count("02:00:00:00:01:fe", "10.0.2.3"), 0U); }

// p1, p2 and p3 are on three hosts.
class RemoteAllocations : public Allocations {
 protected:
  RemoteAllocations() : Allocations(3) {}
  const scenario::ScenarioNetwork net = network(3);
};

TEST_F(RemoteAllocations, bridged_unicast_to_another_host_makes_none) {
  EXPECT_EQ(count("02:00:00:00:00:02", "10.0.1.2"), 0U);
}

TEST_F(RemoteAllocations, routed_unicast_to_another_host_makes_none) {
  EXPECT_EQ(count("02:00:00:00:01:fe", "10.0.2.3"), 0U);
}

TEST_F(RemoteAllocations, a_flood_to_three_hosts_makes_none) { EXPECT_EQ(count("02:00:00:00:00:77", "10.0.1.7"), 0U); }

TEST_F(RemoteAllocations, what_came_by_a_tunnel_makes_none) {
  auto frame = make_gratuitous_arp(mac("02:00:00:00:00:01"), ip("10.0.1.1"));
  Packet packet = parse(frame, scenario::ScenarioHosts::kTunnelPort);
  const auto& hosts = net.hosts();
  packet.key.tunnel = {hosts.key_of(net.port("p2")), hosts.address(0), hosts.address(1)};
  EXPECT_EQ(count(packet, 1), 0U);
}

}  // namespace
}  // namespace viaduct::flows::simulation
