#include "flows/table/linked_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace viaduct::flows {
namespace {

using Links = LinkedIndex<std::map<int, uint32_t>>;

TEST(LinkedIndex, KeysLiveAsLongAsTheyHaveFlows) {
  Links index;
  uint32_t first = kNoLink, second = kNoLink;
  index.add(1, 10, first);
  index.add(2, 10, first);
  index.add(2, 20, second);
  index.remove(first);
  ASSERT_EQ(index.map().size(), 1U);
  EXPECT_EQ(index.flow_at(index.map().at(2)), 20U);
  index.remove(second);
  EXPECT_TRUE(index.map().empty());
  EXPECT_EQ(index.links(), 0U);
}

TEST(LinkedIndex, AKeyGivenTwiceIsOneLink) {
  Links index;
  uint32_t chain = kNoLink;
  index.add(1, 10, chain);
  index.add(1, 10, chain);
  EXPECT_EQ(index.links(), 1U);
  std::vector<int> keys;
  index.for_each_key(chain, [&](int key) { keys.push_back(key); });
  EXPECT_EQ(keys, std::vector<int>{1});
}

TEST(LinkedIndex, RemovesFromTheMiddleOfAKey) {
  Links index;
  std::vector<uint32_t> chains(3, kNoLink);
  for (uint32_t flow = 0; flow < 3; ++flow) index.add(1, flow, chains[flow]);
  index.remove(chains[1]);
  EXPECT_EQ(index.flow_at(index.map().at(1)), 2U);
  index.remove(chains[2]);
  EXPECT_EQ(index.flow_at(index.map().at(1)), 0U);
}

}  // namespace
}  // namespace viaduct::flows
