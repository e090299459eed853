// What a host tells anew, in several writes, at a node of the cluster: an outbox and the state tables.
#include <random>

#include "actors/agent/state_outbox.hpp"
#include "actors/cluster/host_states.hpp"
#include "nsdb.hpp"

namespace viaduct::actors::cluster_test {
namespace {

using namespace topology::testing;
using topology::StateWrite;
using topology::StateWritten;
using Accident = AccidentStore::Accident;

constexpr std::chrono::seconds kLease{10};
const HostId kHost = id<HostId>(101);
const PortId kPort = id<PortId>(21);

topology::Port uplink() {
  auto port = router_port(21, 2, "10.9.0.1/24");
  port.host = kHost;
  port.interface = "if21";
  return port;
}
topology::LearnedRoutes part(uint16_t number, uint32_t first, size_t prefixes = 5'000) {
  topology::LearnedRoutes out{kPort, ip("10.9.0.254"), number};
  for (uint32_t i = 0; i < prefixes; ++i) {
    out.prefixes.push_back(IpPrefix::host(IpAddress::v4(first + (uint32_t{number} << 16) + i)));
  }
  return out;
}

class ToldStatesTest : public ::testing::Test {
 protected:
  static constexpr uint16_t kParts = 60;

  ToldStatesTest() {
    outbox->lease({});
    restart_node();
  }
  // Its memory is gone; what is in the database is read again.
  void restart_node() {
    view = std::make_unique<NsdbView>();
    EXPECT_EQ(view->load(*nsdb), std::nullopt);
    node = std::make_unique<HostStates>(line, "node", kLease);
    StatesChanged all{view->snapshot(), {}, true};
    view->states().for_each([&](const std::string&, const auto& entry) { all.changes.push_back({nullptr, entry}); });
    node->follow(all);
  }
  void follow() {
    for (const auto& batch : changes_of(line, view->revision() + 1)) {
      auto step = view->follow(batch, {});
      node->follow({step.snapshot, step.states, false});
    }
  }
  void join() {
    line.next = Accident::none;
    follow();
    const auto begun = node->begin({kHost, "h", "first"}, {});
    ASSERT_EQ(begun.refused, "");
    epoch = begun.epoch;
    outbox->written(nullptr);
    outbox->joined();
  }
  void learn(uint32_t first) {
    RoutesLearned news;
    for (uint16_t i = 0; i < kParts; ++i) news.said.emplace_back(part(i, first));
    outbox->routed(news);
  }
  // One write, as the agent's session passes it on, and its answer. False: there is none.
  bool step() {
    auto write = outbox->next(state, {});
    if (!write) return false;
    last = *write;
    auto passed = topology::decode_state_write(topology::encode_state_write(*write));
    EXPECT_TRUE(passed);
    auto written = node->write({kHost, epoch, std::make_shared<const StateWrite>(std::move(*passed))});
    EXPECT_FALSE(written.ended);
    outbox->written(&written);
    return true;
  }
  std::map<std::string, topology::HostFact> stored() {
    std::map<std::string, topology::HostFact> out;
    auto page = nsdb->range({"/state/learned_routes/", 1'000});
    EXPECT_TRUE(page);
    for (const auto& entry : page->entries) {
      out[entry.key] = topology::decode_state(store::as_bytes(entry.value))->fact;
    }
    return out;
  }

  MemoryNsdb nsdb;
  store::Revision topology = write(*nsdb, {router(2), uplink()});
  AccidentStore line{*nsdb};
  std::unique_ptr<NsdbView> view;
  std::unique_ptr<HostStates> node;
  AgentState state;
  std::optional<StateOutbox> outbox{std::in_place, kHost};
  uint64_t epoch = 0;
  StateWrite last;
};

TEST_F(ToldStatesTest, WhatWasSaidBeforeStaysUntilTheLastWrite) {
  learn(0x1400'0000);
  join();
  while (step()) {
  }
  ASSERT_EQ(stored().size(), kParts);
  // The agent's next life has learned half of it, and other things.
  outbox.emplace(kHost);
  outbox->lease({});
  RoutesLearned news;
  for (uint16_t i = kParts / 2; i < 2 * kParts; ++i) news.said.emplace_back(part(i, 0x1400'0000));
  outbox->routed(news);
  join();
  ASSERT_TRUE(step());
  EXPECT_TRUE(last.begins);
  EXPECT_GE(stored().size(), kParts);
  while (!last.ends) {
    const auto known = stored();
    for (uint16_t i = 0; i < kParts; ++i) {
      ASSERT_TRUE(known.contains(topology::state_key({kHost, {}, 0, part(i, 0, 0)}))) << i;
    }
    ASSERT_TRUE(step());
  }
  const auto known = stored();
  EXPECT_EQ(known.size(), 2 * kParts - kParts / 2);
  EXPECT_FALSE(known.contains(topology::state_key({kHost, {}, 0, part(0, 0, 0)})));
}

TEST_F(ToldStatesTest, ANodeThatForgetsInTheMiddleEndsNothingThatIsSo) {
  learn(0x1400'0000);
  join();
  ASSERT_TRUE(step());
  restart_node();
  while (step()) EXPECT_LE(stored().size(), kParts);
  EXPECT_TRUE(last.ends);
  EXPECT_EQ(stored().size(), kParts);
}

// An end that belongs to no beginning changes nothing at all, whatever it puts.
TEST_F(ToldStatesTest, AnEndWithoutABeginningIsNotWritten) {
  learn(0x1400'0000);
  join();
  while (step()) {
  }
  StateWrite stray;
  stray.ends = true;
  stray.puts.push_back({{kHost, {}, 0, part(100, 0)}, StateWrite::Mode::claim});
  const auto before = nsdb->revision();
  EXPECT_TRUE(node->write({kHost, epoch, std::make_shared<const StateWrite>(stray)}).again);
  EXPECT_EQ(nsdb->revision(), before);
  stray.ends = false;
  stray.begins = true;
  EXPECT_FALSE(node->write({kHost, epoch, std::make_shared<const StateWrite>(stray)}).again);
  join();
  stray.ends = true;
  stray.begins = false;
  EXPECT_TRUE(node->write({kHost, epoch, std::make_shared<const StateWrite>(stray)}).again) << "of an earlier session";
}

// Writes that are lost on the way there or back, joins and restarts of the node in the middle: in the end the database has
// what is so, and nothing else.
TEST_F(ToldStatesTest, WhateverHappensTheTablesAreRightInTheEnd) {
  std::mt19937 random(3);
  std::map<std::string, topology::HostFact> so;
  const auto change = [&](uint16_t number) {
    topology::HostFact fact = part(number, 0x1400'0000 + (random() % 3 << 24), random() % 4 == 0 ? 12'000 : 3);
    const std::string key = topology::state_key({kHost, {}, 0, fact});
    if (random() % 3 == 0) {
      so.erase(key);
      return outbox->routed({{}, {fact}});
    }
    so[key] = fact;
    outbox->routed({{fact}, {}});
  };
  join();
  int told = 0;
  for (int i = 0; i < 1'500; ++i) {
    if (random() % 3 != 0) change(static_cast<uint16_t>(random() % 120));
    if (random() % 30 == 0) line.next = static_cast<Accident>(1 + random() % 2);
    if (random() % 60 == 0) restart_node();
    if (random() % 60 == 0) join();
    if (random() % 2 == 0) follow();
    if (step()) told += last.ends ? 1 : 0;
  }
  EXPECT_GT(told, 5) << "in several writes";
  line.next = Accident::none;
  follow();
  while (step()) {
  }
  EXPECT_EQ(stored(), so);
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
