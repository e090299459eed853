#include "flows/datapath/tunnel_interface.hpp"

#include <gtest/gtest.h>

namespace viaduct::flows {
namespace {

TEST(TunnelInterface, IsNamedAfterItsDatapath) {
  EXPECT_EQ(tunnel_interface("viaduct", TunnelKind::vxlan), "viaduct-vxlan");
  EXPECT_EQ(tunnel_interface("viaduct", TunnelKind::gre), "viaduct-gre");
  EXPECT_EQ(tunnel_interface("ninechars", TunnelKind::vxlan), "ninechars-vxlan");
}

// Literal: an interface of an earlier version must be found again.
TEST(TunnelInterface, LongNamesAreCutAndStayApart) {
  EXPECT_EQ(tunnel_interface("ten-charsA", TunnelKind::vxlan), "ten-c1e03-vxlan");
  EXPECT_EQ(tunnel_interface("ten-charsB", TunnelKind::vxlan), "ten-c1db6-vxlan");
  EXPECT_EQ(tunnel_interface("a-datapath-of-another-name", TunnelKind::gre).size(), 15U);
}

}  // namespace
}  // namespace viaduct::flows
