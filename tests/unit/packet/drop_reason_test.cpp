#include "flows/packet/drop_reason.hpp"

#include <gtest/gtest.h>

#include <set>

namespace viaduct::flows {
namespace {

TEST(DropReason, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kDropReasons; ++i) {
    std::string_view name = to_string(static_cast<DropReason>(i));
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(to_string(DropReason::hairpin), "hairpin");
  EXPECT_EQ(to_string(DropReason::park_overflow), "park_overflow");
  EXPECT_EQ(to_string(DropReason::count_), "unknown");
}

}  // namespace
}  // namespace viaduct::flows
