#include "routing/underlay/loss_window.hpp"

#include <gtest/gtest.h>

namespace viaduct::routing::underlay {
namespace {

TEST(LossWindow, KnowsNothingAtFirst) {
  LossWindow window(100);
  EXPECT_EQ(window.ratio(), std::nullopt);
  window.update(4, 3);
  EXPECT_DOUBLE_EQ(*window.ratio(), 0.25);
}

TEST(LossWindow, ForgetsWhatIsOld) {
  LossWindow window(100);
  for (uint64_t i = 1; i <= 100; ++i) window.update(i, 0);
  EXPECT_DOUBLE_EQ(*window.ratio(), 1);
  for (uint64_t i = 1; i < 50; ++i) window.update(100 + i, i);
  EXPECT_GT(*window.ratio(), 0.4);
  for (uint64_t i = 50; i <= 150; ++i) window.update(100 + i, i);
  EXPECT_DOUBLE_EQ(*window.ratio(), 0);
}

TEST(LossWindow, MoreThanExpectedIsNoNegativeLoss) {
  LossWindow window(10);
  window.update(10, 5);
  window.update(11, 11);  // those that were overtaken came late
  EXPECT_GE(*window.ratio(), 0);
  window.update(30, 30);
  EXPECT_DOUBLE_EQ(*window.ratio(), 0);
}

TEST(LossWindow, NumbersThatGoBackChangeNothing) {
  LossWindow window(10);
  window.update(8, 4);
  window.update(2, 1);
  EXPECT_DOUBLE_EQ(*window.ratio(), 0.5);
}

}  // namespace
}  // namespace viaduct::routing::underlay
