#include "flows/match/action.hpp"

#include <gtest/gtest.h>

namespace viaduct::flows {
namespace {

TEST(Action, Text) {
  ActionList actions{CheckMtu{1500}, SetEthernet{MacAddress::from_uint64(1), MacAddress::from_uint64(2)},
                     DecrementTtl{}, Output{{3}}};
  EXPECT_EQ(to_string(actions.view()),
            "check_mtu(1500),set_eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),dec_ttl,output(3)");
  TunnelOutput tunnel{{4}, {7, IpAddress::v4(0x0a000001), IpAddress::v4(0x0a000002)}, 0};
  EXPECT_EQ(to_string(Action(tunnel)), "tunnel(4,7/10.0.0.1->10.0.0.2)");
  tunnel.tos = 184;
  EXPECT_EQ(to_string(Action(tunnel)), "tunnel(4,7/10.0.0.1->10.0.0.2,tos=184)");
  ActionList nat{SetIp{IpAddress::v4(0x0a000001), IpAddress::v4(0x0a000002)}, SetPorts{1, 65535}};
  EXPECT_EQ(to_string(nat.view()), "set_ip(src=10.0.0.1,dst=10.0.0.2),set_ports(src=1,dst=65535)");
  EXPECT_EQ(to_string(std::span<const Action>{}), "drop");
}

}  // namespace
}  // namespace viaduct::flows
