#include "flows/match/action.hpp"

#include <gtest/gtest.h>

namespace viaduct::flows {
namespace {

TEST(Action, Text) {
  ActionList actions{CheckMtu{1500}, SetEthernet{MacAddress::from_uint64(1), MacAddress::from_uint64(2)},
                     DecrementTtl{}, Output{{3}}};
  EXPECT_EQ(to_string(actions.view()),
            "check_mtu(1500),set_eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),dec_ttl,output(3)");
  EXPECT_EQ(to_string(std::span<const Action>{}), "drop");
}

}  // namespace
}  // namespace viaduct::flows
