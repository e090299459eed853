#include "flows/table/flow_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/table/flow_literals.hpp"

namespace viaduct::flows {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const Time kStart = Time{} + 1h;

std::vector<FlowId> invalidate(Index& index, std::initializer_list<uint64_t> tags) {
  std::vector<Tag> list;
  for (uint64_t tag : tags) list.push_back({tag});
  return index.invalidate(list);
}

TEST(FlowIndex, InvalidatesExactlyTheFlowsOfATag) {
  Index index(100);
  index.add(record(1, 1, {10, 11}), kStart);
  index.add(record(2, 1, {11, 12}), kStart);
  index.add(record(3, 2, {12, 12}), kStart);
  EXPECT_THAT(invalidate(index, {99}), IsEmpty());
  EXPECT_THAT(invalidate(index, {10, 11}), UnorderedElementsAre(flow_id(1), flow_id(2)));
  EXPECT_THAT(invalidate(index, {11}), IsEmpty());
  EXPECT_THAT(invalidate(index, {12}), ElementsAre(flow_id(3)));
  EXPECT_EQ(index.size(), 0U);
}

TEST(FlowIndex, InvalidatesTheDestinationsUnderAPrefix) {
  Index index(100);
  index.add(routed(1, 1, "10.0.0.1"), kStart);
  index.add(routed(2, 1, "10.0.1.1"), kStart);
  index.add(routed(3, 2, "10.0.0.1"), kStart);
  index.add(routed(4, 1, "2001:db8::1"), kStart);
  index.add(routed(5, 1, "10.0.0.1"), kStart);
  EXPECT_THAT(index.invalidate(router_id(1), *IpPrefix::parse("10.0.0.0/24")),
              UnorderedElementsAre(flow_id(1), flow_id(5)));
  EXPECT_THAT(index.invalidate(router_id(1), IpPrefix::any(IpFamily::v6)), ElementsAre(flow_id(4)));
  EXPECT_THAT(index.invalidate(router_id(1), IpPrefix::any(IpFamily::v4)), ElementsAre(flow_id(2)));
  EXPECT_THAT(index.invalidate(router_id(2), *IpPrefix::parse("10.0.0.1/32")), ElementsAre(flow_id(3)));
}

TEST(FlowIndex, UpdateTellsWhatIsNew) {
  Index index(100);
  index.add(record(1, 1), kStart);
  auto use = index.update(flow_id(1), 10, 1000, kStart + 1s);
  EXPECT_EQ(*use.attachment, "flow 1");
  EXPECT_EQ(use.packets, 10U);
  EXPECT_EQ(use.bytes, 1000U);
  EXPECT_TRUE(use.used());
  EXPECT_FALSE(index.update(flow_id(1), 10, 1000, kStart + 2s).used());
  EXPECT_EQ(index.find(flow_id(1))->last_used, kStart + 1s);
  EXPECT_EQ(index.update(flow_id(1), 3, 300, kStart + 3s).packets, 3U);  // installed anew
  EXPECT_EQ(index.update(flow_id(9), 1, 1, kStart).attachment, nullptr);
}

TEST(FlowIndex, ExpiresTheIdleOnly) {
  Index index(100);
  index.add(record(1, 1), kStart);
  index.add(record(2, 1), kStart + 1s);
  index.update(flow_id(1), 1, 1, kStart + 5s);
  EXPECT_THAT(index.expire(kStart + 10s, 10s), IsEmpty());
  EXPECT_THAT(index.expire(kStart + 11s, 10s), ElementsAre(flow_id(2)));
  EXPECT_THAT(index.expire(kStart + 15s, 10s), ElementsAre(flow_id(1)));
}

TEST(FlowIndex, IdleTimeoutShrinksUnderPressure) {
  Index index(100);
  for (uint64_t i = 0; i < 80; ++i) index.add(record(i, 1), kStart);
  EXPECT_EQ(index.effective_timeout(10s), 10s);
  for (uint64_t i = 80; i < 100; ++i) index.add(record(i, 1), kStart);
  EXPECT_NEAR(std::chrono::duration<double>(index.effective_timeout(10s)).count(), 1.0, 0.001);
  // Only until the pressure is gone.
  const auto gone = index.expire(kStart + 5s, 10s);
  EXPECT_GE(gone.size(), 8U);
  EXPECT_LE(gone.size(), 20U);
}

TEST(FlowIndex, FullTableTakesFromThePortWithTheMost) {
  Index index(5);
  for (uint64_t i = 1; i <= 4; ++i) index.add(record(i, 1), kStart + std::chrono::seconds(i));
  index.add(record(5, 2), kStart);
  index.update(flow_id(1), 1, 1, kStart + 10s);
  EXPECT_THAT(index.add(record(6, 2), kStart + 11s), ElementsAre(flow_id(2)));
  EXPECT_THAT(index.add(record(7, 1), kStart + 12s), ElementsAre(flow_id(3)));  // the scanner pays itself
  EXPECT_EQ(index.count({1}), 3U);
  EXPECT_EQ(index.count({2}), 2U);
  EXPECT_THAT(index.add(record(8, 2), kStart + 12s), ElementsAre(flow_id(5)));  // with it 2 would have as many
}

TEST(FlowIndex, AScanCannotPushOutOthers) {
  Index index(100);
  for (uint64_t i = 0; i < 10; ++i) index.add(record(i, 1), kStart);
  for (uint64_t i = 100; i < 1000; ++i) index.add(record(i, 2), kStart + 1s);
  EXPECT_EQ(index.count({1}), 10U);
  EXPECT_EQ(index.size(), 100U);
}

TEST(FlowIndex, SameIdReplaces) {
  Index index(2);
  index.add(record(1, 1, {10}), kStart);
  index.add(record(2, 1), kStart);
  index.update(flow_id(1), 5, 50, kStart);
  Record again = record(1, 1, {11});
  again.attachment = "again";
  EXPECT_THAT(index.add(again, kStart + 1s), IsEmpty());
  EXPECT_THAT(invalidate(index, {10}), IsEmpty());
  EXPECT_THAT(index.tags_of(flow_id(1)), ElementsAre(Tag{11}));
  EXPECT_EQ(index.update(flow_id(1), 7, 70, kStart).packets, 2U);
  EXPECT_EQ(index.find(flow_id(1))->attachment, "again");
  EXPECT_EQ(index.size(), 2U);
}

TEST(FlowIndex, RemovesAPortsFlows) {
  Index index(100);
  index.add(record(1, 1, {10}), kStart);
  index.add(record(2, 2, {10}), kStart);
  index.add(record(3, 1, {10}), kStart);
  EXPECT_THAT(index.flows_of({1}), ElementsAre(flow_id(1), flow_id(3)));
  EXPECT_THAT(index.remove_port({1}), ElementsAre(flow_id(1), flow_id(3)));
  EXPECT_THAT(index.remove_port({1}), IsEmpty());
  EXPECT_THAT(invalidate(index, {10}), ElementsAre(flow_id(2)));
}

TEST(FlowIndex, IsLeanInMemory) {
  FlowIndex<uint64_t> index(100000);
  constexpr uint64_t kFlows = 65536;
  for (uint64_t i = 0; i < kFlows; ++i) {
    FlowRecord<uint64_t> flow;
    flow.id = flow_id(i);
    flow.in_port = {static_cast<uint32_t>(i % 100)};
    for (uint64_t tag = 0; tag < 6; ++tag) flow.tags.push_back({tag * 1000 + i % 997});
    flow.routed.push_back({router_id(1), IpAddress::v4(static_cast<uint32_t>(i % 1024))});
    index.add(flow, kStart);
  }
  EXPECT_LT(index.memory_bytes() / kFlows, 400U);
}

}  // namespace
}  // namespace viaduct::flows
