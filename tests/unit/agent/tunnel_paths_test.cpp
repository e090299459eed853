#include "actors/agent/tunnel_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_addresses.hpp"
#include "flows/datapath/fake.hpp"
#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using flows::TunnelKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using topology::TunnelType;

// Zone 50 (vxlan) with 192.0.2.N, and zone 60 (gre) with 198.51.100.N, for hosts 1 (here) and 2.
class TunnelPathsTest : public testing::Test {
 protected:
  TunnelPathsTest() {
    addresses.set({{ip("192.0.2.1"), "eth0", 1500, true}, {ip("198.51.100.1"), "eth1", 1500, true}});
  }
  void join(TunnelType type) {
    const bool gre = type == TunnelType::gre;
    const uint64_t number = gre ? 60 : 50;
    const std::string prefix = gre ? "198.51.100." : "192.0.2.";
    auto zone = tunnel_zone(number);
    zone.type = type;
    underlay.zones.push_back(zone);
    underlay.members.push_back(tunnel_zone_host(number + 1, number, 1, prefix + "1"));
    underlay.members.push_back(tunnel_zone_host(number + 2, number, 2, prefix + "2"));
    underlay.names = {{kHere, "here"}, {kThere, "there"}};
  }
  TunnelPaths make(uint16_t mtu = 0) { return {{kHere, 6677, mtu}, *datapath, addresses}; }
  std::vector<TunnelKind> kinds() const {
    std::vector<TunnelKind> out;
    for (const auto& port : datapath->ports()) {
      if (port.tunnel) out.push_back(*port.tunnel);
    }
    return out;
  }
  static const routing::underlay::PeerPath& to_there(const TunnelPaths& paths) {
    static const routing::underlay::PeerPath none;
    auto found = paths.peers().paths.find(kThere);
    EXPECT_NE(found, paths.peers().paths.end());
    return found == paths.peers().paths.end() ? none : found->second;
  }

  std::shared_ptr<flows::FakeKernel> kernel = std::make_shared<flows::FakeKernel>();
  std::unique_ptr<flows::Datapath> datapath = flows::open_fake(kernel, {});
  FakeAddresses addresses;
  UnderlayTopology underlay;
};

TEST_F(TunnelPathsTest, WithoutAZoneThereAreNoTunnels) {
  auto paths = make();
  paths.refresh();
  EXPECT_THAT(kinds(), IsEmpty());
  EXPECT_THAT(paths.peers().paths, IsEmpty());
}

TEST_F(TunnelPathsTest, APortIsMadeWhenAZoneAsksForItsKind) {
  auto paths = make();
  join(TunnelType::vxlan);
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_THAT(kinds(), ElementsAre(TunnelKind::vxlan));
  auto path = paths.path_to(to_there(paths));
  EXPECT_TRUE(path.port);
  EXPECT_EQ(path.src, ip("192.0.2.1"));
  EXPECT_EQ(path.dst, ip("192.0.2.2"));
  EXPECT_EQ(path.kind, TunnelKind::vxlan);
  EXPECT_EQ(path.mtu, 1450);
  EXPECT_EQ(paths.name_of(kThere), "there");
  EXPECT_EQ(paths.name_of(kElsewhere), kElsewhere.to_string()) << "without a name";

  join(TunnelType::gre);
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_THAT(kinds(), testing::UnorderedElementsAre(TunnelKind::vxlan, TunnelKind::gre));
  EXPECT_EQ(paths.path_to(to_there(paths)).port, path.port) << "the same port as before";
}

TEST_F(TunnelPathsTest, AZoneOfOtherHostsMakesNoPort) {
  join(TunnelType::gre);
  std::erase_if(underlay.members, [](const auto& member) { return member.host == kHere; });
  auto paths = make();
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(TunnelPathsTest, SaysWhyThereIsNoGre) {
  kernel->refuse_tunnels(TunnelKind::gre, std::make_error_code(std::errc::not_supported));
  join(TunnelType::gre);
  auto paths = make();
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_THAT(paths.peers().paths, IsEmpty());
  ASSERT_THAT(paths.peers().problems, SizeIs(1));
  EXPECT_THAT(paths.peers().problems[0].text,
              HasSubstr("this kernel has no GRE tunnels (ip_gre, CONFIG_NET_IPGRE); use a zone of type vxlan"));
  EXPECT_THAT(paths.peers().problems[0].text, HasSubstr("'zone60'"));

  kernel->refuse_tunnels(TunnelKind::gre, {});
  paths.refresh();
  EXPECT_THAT(paths.peers().problems, IsEmpty()) << "the module was loaded";
  EXPECT_TRUE(paths.path_to(to_there(paths)).port);
}

TEST_F(TunnelPathsTest, SaysThatGreNeedsIpv4) {
  join(TunnelType::gre);
  addresses.set({{ip("2001:db8::1"), "eth1", 1500, true}});
  for (auto& member : underlay.members) member.address = ip(member.host == kHere ? "2001:db8::1" : "2001:db8::2");
  auto paths = make();
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_THAT(paths.peers().paths, IsEmpty());
  ASSERT_THAT(paths.peers().problems, SizeIs(1));
  EXPECT_THAT(
      paths.peers().problems[0].text,
      HasSubstr("(GRE tunnels go over IPv4 only): give the zone's hosts IPv4 addresses, or use a zone of type vxlan"));
}

TEST_F(TunnelPathsTest, SaysWhichPortIsInUse) {
  kernel->refuse_tunnels(TunnelKind::vxlan, std::make_error_code(std::errc::address_in_use));
  join(TunnelType::vxlan);
  auto paths = make();
  paths.set_topology(underlay);
  paths.refresh();
  ASSERT_THAT(paths.peers().problems, SizeIs(1));
  EXPECT_THAT(paths.peers().problems[0].text, HasSubstr("UDP port 6677 is in use"));
}

TEST_F(TunnelPathsTest, TheLeastMtuOfInterfaceAndRouteCounts) {
  addresses.set_route_mtu(ip("192.0.2.2"), 1400);
  join(TunnelType::vxlan);
  auto paths = make();
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_EQ(to_there(paths).mtu, 1350);
  addresses.set_route_mtu(ip("192.0.2.2"), 9000);
  paths.refresh();
  EXPECT_EQ(to_there(paths).mtu, 1450) << "the interface's";
}

TEST_F(TunnelPathsTest, TheOperatorsMtuCountsAndTheKernelIsNotAsked) {
  addresses.set_route_mtu(ip("192.0.2.2"), 1400);
  join(TunnelType::vxlan);
  auto paths = make(9000);
  paths.set_topology(underlay);
  paths.refresh();
  EXPECT_EQ(to_there(paths).mtu, 8950);
  EXPECT_EQ(addresses.asked(), 0);
}

TEST_F(TunnelPathsTest, AnAddressThatNoInterfaceHasIsAProblemUntilItComes) {
  addresses.set({});
  join(TunnelType::vxlan);
  auto paths = make();
  paths.set_topology(underlay);
  paths.refresh();
  ASSERT_THAT(paths.peers().problems, SizeIs(1));
  EXPECT_THAT(paths.peers().problems[0].text, HasSubstr("none of its interfaces has it"));
  addresses.set({{ip("192.0.2.1"), "eth0", 1500, true}});
  paths.refresh();
  EXPECT_THAT(paths.peers().problems, IsEmpty());
  EXPECT_TRUE(paths.path_to(to_there(paths)).port);
}

}  // namespace
}  // namespace viaduct::actors
