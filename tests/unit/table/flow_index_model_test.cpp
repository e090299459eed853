// Random operations on a FlowIndex and on a naive model of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/table/flow_literals.hpp"

namespace viaduct::flows {
namespace {

constexpr size_t kMaxFlows = 60;

struct ModelFlow {
  Record record;
  uint64_t packets = 0;
  int64_t order = 0;  // of the last use
  Time last_used;
};

// Everything by searching through all flows.
class Model {
 public:
  template <class Condition>
  std::set<FlowId> drop_where(Condition condition) {
    std::set<FlowId> out;
    std::erase_if(flows, [&](const auto& item) {
      if (!condition(item.second)) return false;
      out.insert(item.first);
      return true;
    });
    return out;
  }
  size_t count(PortNumber port) const {
    return static_cast<size_t>(
        std::ranges::count_if(flows, [&](const auto& item) { return item.second.record.in_port == port; }));
  }
  FlowId victim(PortNumber newcomer) const {
    PortNumber fullest{};
    for (const auto& [id, flow] : flows) {
      const PortNumber port = flow.record.in_port;
      if (std::pair(count(port), port) > std::pair(count(fullest), fullest)) fullest = port;
    }
    if (count(newcomer) != 0 && count(newcomer) + 1 >= count(fullest)) fullest = newcomer;
    const ModelFlow* oldest = nullptr;
    for (const auto& [id, flow] : flows) {
      if (flow.record.in_port == fullest && (oldest == nullptr || flow.order < oldest->order)) oldest = &flow;
    }
    return oldest->record.id;
  }

  std::map<FlowId, ModelFlow> flows;
  int64_t uses = 0;
};

class FlowIndexModel : public ::testing::TestWithParam<uint64_t> {
 protected:
  std::set<FlowId> set_of(const std::vector<FlowId>& ids) {
    std::set<FlowId> out(ids.begin(), ids.end());
    EXPECT_EQ(out.size(), ids.size()) << "a flow was named twice";
    return out;
  }
  IpAddress address() { return IpAddress::v4(static_cast<uint32_t>(random() % 16) << 28 | random() % 4); }
  Record random_record() {
    const uint64_t number = random() % 200;
    // A megaflow matches its port, so one id is always on one port.
    Record out = record(number, static_cast<uint32_t>(1 + number % 5));
    for (uint64_t i = random() % 20; i > 0; --i) out.tags.push_back({random() % 60});
    for (uint64_t i = random() % 4; i > 0; --i) out.routed.push_back({router_id(random() % 2), address()});
    return out;
  }

  void add() {
    const Record flow = random_record();
    std::set<FlowId> expected;
    if (!model.flows.contains(flow.id) && model.flows.size() == kMaxFlows) expected.insert(model.victim(flow.in_port));
    EXPECT_EQ(set_of(index.add(flow, now)), expected);
    for (FlowId id : expected) model.flows.erase(id);
    const uint64_t packets = model.flows.contains(flow.id) ? model.flows[flow.id].packets : 0;
    model.flows[flow.id] = {flow, packets, ++model.uses, now};
  }
  void update() {
    const FlowId id = flow_id(random() % 200);
    const auto known = model.flows.find(id);
    const uint64_t more = random() % 3;
    const auto use = index.update(id, (known == model.flows.end() ? 0 : known->second.packets) + more, 0, now);
    ASSERT_EQ(use.attachment != nullptr, known != model.flows.end());
    if (known == model.flows.end()) return;
    EXPECT_EQ(use.packets, more);
    if (more == 0) return;
    known->second.packets += more;
    known->second.order = ++model.uses;
    known->second.last_used = now;
  }
  void invalidate_tags() {
    const std::vector<Tag> tags = {{random() % 60}, {random() % 200}};
    EXPECT_EQ(set_of(index.invalidate(tags)), model.drop_where([&](const ModelFlow& flow) {
      return std::ranges::any_of(flow.record.tags, [&](Tag tag) { return std::ranges::find(tags, tag) != tags.end(); });
    }));
  }
  void invalidate_prefix() {
    const RouterId router = router_id(random() % 2);
    const IpPrefix prefix(address(), static_cast<int>(2 + random() % 31));
    EXPECT_EQ(set_of(index.invalidate(router, prefix)), model.drop_where([&](const ModelFlow& flow) {
      return std::ranges::any_of(flow.record.routed, [&](const FlowDestination& to) {
        return to.router == router && prefix.contains(to.address);
      });
    }));
  }
  void expire() {
    std::set<FlowId> expected;
    std::vector<const ModelFlow*> by_age;
    for (const auto& [id, flow] : model.flows) by_age.push_back(&flow);
    std::ranges::sort(by_age, {}, &ModelFlow::order);
    size_t size = by_age.size();
    for (const ModelFlow* flow : by_age) {
      const double pressure = size <= 48 ? 0 : static_cast<double>(size - 48) / 12;
      if (now - flow->last_used < std::chrono::seconds(40) * (1.0 - 0.9 * pressure)) break;
      expected.insert(flow->record.id);
      --size;
    }
    EXPECT_EQ(set_of(index.expire(now, std::chrono::seconds(40))), expected);
    for (FlowId id : expected) model.flows.erase(id);
  }
  void remove_port() {
    const PortNumber port{static_cast<uint32_t>(1 + random() % 5)};
    EXPECT_EQ(index.count(port), model.count(port));
    EXPECT_EQ(set_of(index.remove_port(port)),
              model.drop_where([&](const ModelFlow& flow) { return flow.record.in_port == port; }));
  }
  void remove() {
    const FlowId id = flow_id(random() % 200);
    EXPECT_EQ(index.remove(id), model.flows.erase(id) == 1);
  }
  void compare() {
    ASSERT_EQ(index.size(), model.flows.size());
    size_t visited = 0;
    index.for_each([&](const Index::View& view) {
      ++visited;
      const auto known = model.flows.find(view.id);
      ASSERT_NE(known, model.flows.end());
      EXPECT_EQ(view.packets, known->second.packets);
      EXPECT_EQ(view.last_used, known->second.last_used);
      EXPECT_EQ(view.attachment, known->second.record.attachment);
    });
    EXPECT_EQ(visited, index.size());
  }

  std::mt19937_64 random{GetParam()};
  Index index{kMaxFlows};
  Model model;
  Time now = Time{} + std::chrono::hours(1);
};

TEST_P(FlowIndexModel, AgreesAfterEveryOperation) {
  for (int step = 0; step < 6000 && !HasFailure(); ++step) {
    now += std::chrono::milliseconds(random() % 500);
    const uint64_t choice = random() % 200;
    if (choice < 120) {
      add();
    } else if (choice < 175) {
      update();
    } else if (choice < 182) {
      remove();
    } else if (choice < 187) {
      invalidate_tags();
    } else if (choice < 190) {
      invalidate_prefix();
    } else if (choice < 199) {
      expire();
    } else {
      remove_port();
    }
    compare();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlowIndexModel, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace viaduct::flows
