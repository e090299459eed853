// Tunnel zones beyond their single rules: what several changes together may do, and what goes with a host.
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

// zone70 (vxlan): host1 with 192.0.2.1
Snapshot zone_of_one() { return snapshot_of(host(1), tunnel_zone(70), tunnel_zone_host(71, 70, 1, "192.0.2.1")); }

TunnelZone gre_zone(uint64_t number) {
  TunnelZone zone = tunnel_zone(number);
  zone.type = TunnelType::gre;
  return zone;
}

TEST(TunnelZones, OneChangesItsTypeWhenItsHostsAreGone) {
  const Snapshot start = zone_of_one();
  const TunnelZone gre = gre_zone(70);
  const TunnelZoneHost member = tunnel_zone_host(71, 70, 1, "192.0.2.1");
  EXPECT_FALSE(build(start, {Update{gre}}, 2).ok());
  EXPECT_TRUE(build(start, {Update{gre}, Erase{ref_of(member)}}, 2).ok());
  EXPECT_TRUE(
      build(start, {Update{gre}, Erase{ref_of(member)}, Create{tunnel_zone_host(73, 70, 1, "fd00::1")}}, 2).ok())
      << "a zone that is filled anew has no packets on their way";
}

TEST(TunnelZones, AllAddressesOfOneMayChangeTheirFamilyTogether) {
  const Snapshot start =
      build(zone_of_one(), {Create{host(2)}, Create{tunnel_zone_host(72, 70, 2, "192.0.2.2")}}, 1).next;
  const Update first{tunnel_zone_host(71, 70, 1, "fd00::1")}, second{tunnel_zone_host(72, 70, 2, "fd00::2")};
  EXPECT_FALSE(build(start, {first}, 2).ok());
  EXPECT_TRUE(build(start, {first, second}, 2).ok());
  // And two hosts may swap theirs.
  EXPECT_TRUE(
      build(start, {Update{tunnel_zone_host(71, 70, 1, "192.0.2.2")}, Update{tunnel_zone_host(72, 70, 2, "192.0.2.1")}},
            2)
          .ok());
}

TEST(TunnelZones, AHostThatIsGoneTakesItsMembershipsAlong) {
  const Snapshot start = zone_of_one();
  const auto result = build(start, {Erase{ref_of(host(1))}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(result.next.count(Kind::tunnel_zone_host), 0u);
  EXPECT_EQ(result.next.count(Kind::tunnel_zone), 1u);
}

}  // namespace
}  // namespace viaduct::topology
