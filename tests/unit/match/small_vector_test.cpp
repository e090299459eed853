#include "flows/match/small_vector.hpp"

#include <gtest/gtest.h>

namespace viaduct::flows {
namespace {

TEST(SmallVector, GrowsAndShrinksAcrossItsInlineRoom) {
  SmallVector<int, 4> vector;
  for (int i = 0; i < 10; ++i) {
    vector.push_back(i);
    ASSERT_EQ(vector.size(), static_cast<size_t>(i + 1));
    for (int j = 0; j <= i; ++j) ASSERT_EQ(vector[static_cast<size_t>(j)], j);
  }
  SmallVector<int, 4> copy = vector;
  for (int i = 9; i >= 0; --i) {
    ASSERT_EQ(vector.back(), i);
    vector.pop_back();
  }
  EXPECT_TRUE(vector.empty());
  EXPECT_EQ(copy.size(), 10U);
  EXPECT_EQ(copy, (SmallVector<int, 4>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  copy.clear();
  copy.push_back(5);
  EXPECT_EQ(copy, (SmallVector<int, 4>{5}));
}

}  // namespace
}  // namespace viaduct::flows
