#include "observability/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace viaduct::observability {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// A journal with a clock of its own, that stands still.
class JournalTest : public ::testing::Test {
 protected:
  JournalTest() { make({}); }
  void make(JournalOptions options) {
    options.now = [this] { return now_; };
    journal_ = std::make_unique<Journal>("node-1", registry_, options);
  }
  void record(EventKind kind, std::string_view port = "p1") {
    journal_->record(log::Level::info, kind, "it happened", {{"port", port}});
  }
  std::vector<std::string> kinds(const EventFilter& filter) {
    std::vector<std::string> out;
    for (const Event& event : journal_->read(filter).events) out.push_back(event.kind);
    return out;
  }
  static Event told(uint64_t origin, std::string kind = "port.active") {
    Event event;
    event.origin = origin;
    event.kind = std::move(kind);
    event.host = "somebody else";
    return event;
  }

  std::chrono::system_clock::time_point now_{1'790'000'000s};
  Registry registry_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, KeepsWhatIsRecorded) {
  journal_->record(log::Level::warning, EventKind::tunnel_down, "tunnel",
                   {{"peer", "node-2"}, {"loss", 0.5}, {"count", 3}});
  const auto page = journal_->read({});
  ASSERT_THAT(page.events, SizeIs(1));
  const Event& event = page.events[0];
  EXPECT_EQ(event.kind, "tunnel.down");
  EXPECT_EQ(event.level, "warning");
  EXPECT_EQ(event.host, "node-1");
  EXPECT_EQ(event.at, now_);
  EXPECT_EQ(event.id, 1'790'000'000'000'000u);
  EXPECT_EQ(event.origin, event.id);
  const std::vector<std::pair<std::string, std::string>> fields = {{"peer", "node-2"}, {"loss", "0.5"}, {"count", "3"}};
  EXPECT_EQ(event.fields, fields);
  EXPECT_EQ(page.next, event.id);
  EXPECT_FALSE(page.more);
}

TEST_F(JournalTest, IdsAscendThoughTheClockDoesNot) {
  record(EventKind::port_active);
  now_ -= 1h;
  record(EventKind::topology_changed);
  now_ += 2h;
  record(EventKind::port_inactive);
  EXPECT_THAT(kinds({}), ElementsAre("port.active", "topology.changed", "port.inactive"));
}

TEST_F(JournalTest, ChangesPushNothingElseOut) {
  make({.most_changes = 3, .most_others = 2});
  record(EventKind::port_active);
  for (int i = 0; i < 10; ++i) record(EventKind::topology_changed);
  EXPECT_THAT(kinds({}), ElementsAre("port.active", "topology.changed", "topology.changed", "topology.changed"));
  for (int i = 0; i < 10; ++i) record(EventKind::bgp_up);
  EXPECT_THAT(kinds({.kinds = {"bgp"}}), SizeIs(2));
}

TEST_F(JournalTest, FindsByKindTimeAndValue) {
  record(EventKind::port_active, "p1");
  record(EventKind::port_inactive, "p2");
  now_ += 10s;
  record(EventKind::pool_taken, "p1");
  EXPECT_THAT(kinds({.kinds = {"port"}}), ElementsAre("port.active", "port.inactive"));
  EXPECT_THAT(kinds({.kinds = {"port.active", "pool"}}), ElementsAre("port.active", "pool.taken"));
  EXPECT_THAT(kinds({.kinds = {"po"}}), IsEmpty()) << "no part of a word";
  EXPECT_THAT(kinds({.since = now_}), ElementsAre("pool.taken"));
  EXPECT_THAT(kinds({.values = {"p1"}}), ElementsAre("port.active", "pool.taken"));
  EXPECT_THAT(kinds({.values = {"p1", "node-1"}}), SizeIs(2)) << "the host counts";
  EXPECT_THAT(kinds({.values = {"p1", "p2"}}), IsEmpty()) << "all of them";
}

TEST_F(JournalTest, PagesForwardFromANumberAndBackFromTheEnd) {
  for (int i = 0; i < 5; ++i) record(EventKind::port_active, std::to_string(i));
  auto page = journal_->read({.limit = 2});
  ASSERT_THAT(page.events, SizeIs(2));
  EXPECT_EQ(page.events[1].fields[0].second, "4") << "the newest";
  EXPECT_TRUE(page.more);
  const uint64_t first = journal_->read({}).events[0].id;
  page = journal_->read({.after = first, .limit = 3});
  ASSERT_THAT(page.events, SizeIs(3));
  EXPECT_EQ(page.events[0].fields[0].second, "1");
  EXPECT_TRUE(page.more);
  page = journal_->read({.after = page.next, .limit = 3});
  ASSERT_THAT(page.events, SizeIs(1));
  EXPECT_FALSE(page.more);
  const uint64_t end = page.next;
  page = journal_->read({.after = end});
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_EQ(page.next, end);
  page = journal_->read({.limit = 0});
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_TRUE(page.more);
}

TEST_F(JournalTest, WhatAnotherHostTellsIsItsOwnAndTakenOnce) {
  journal_->take("node-2", {told(5), told(6)});
  journal_->take("node-2", {told(5), told(6), told(7)});
  journal_->take("node-3", {told(5)});
  const auto page = journal_->read({});
  ASSERT_THAT(page.events, SizeIs(4));
  EXPECT_EQ(page.events[0].host, "node-2") << "not who it says";
  EXPECT_EQ(page.events[2].origin, 7u);
  EXPECT_EQ(page.events[3].host, "node-3");
  EXPECT_GT(page.events[3].id, page.events[2].id);
  Journal::Position all;
  EXPECT_THAT(journal_->beyond(all, 100), IsEmpty()) << "it is not told on";
}

TEST_F(JournalTest, ChangesAreToldBehindTheOthersAndAllTheSameTakenOnce) {
  record(EventKind::topology_applied);
  record(EventKind::port_active);
  Journal::Position position;
  Journal node("node-9", registry_);
  const auto events = journal_->beyond(position, 10);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].kind, "port.active");
  EXPECT_EQ(events[1].kind, "topology.applied");
  node.take("node-1", events);
  node.take("node-1", events);
  EXPECT_THAT(node.read({}).events, SizeIs(2));
  EXPECT_THAT(journal_->beyond(position, 10), IsEmpty());
  record(EventKind::port_inactive);
  EXPECT_THAT(journal_->beyond(position, 10), SizeIs(1));
}

TEST_F(JournalTest, ANewNodeIsToldTheNewest) {
  for (int i = 0; i < 5; ++i) record(EventKind::port_active, std::to_string(i));
  auto position = journal_->before_newest(2);
  const auto events = journal_->beyond(position, 10);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].fields[0].second, "3");
  position = journal_->before_newest(5);
  EXPECT_THAT(journal_->beyond(position, 10), SizeIs(5));
}

TEST_F(JournalTest, WhatIsTooLongIsCut) {
  const std::string huge(5'000, 'x');
  record(EventKind::port_active, huge);
  Event event = told(1);
  event.kind = event.message = huge;
  event.fields.assign(100, {huge, huge});
  journal_->take("node-2", {event});
  for (const Event& each : journal_->read({}).events) {
    EXPECT_LE(each.message.size(), Journal::kMaxText);
    EXPECT_LE(each.kind.size(), Journal::kMaxText);
    EXPECT_LE(each.fields.size(), Journal::kMaxFields);
    for (const auto& [key, value] : each.fields) {
      EXPECT_LE(key.size(), Journal::kMaxText);
      EXPECT_LE(value.size(), Journal::kMaxText);
    }
  }
}

// Of a host that tells as much as it may.
TEST_F(JournalTest, IsBoundedByBytesAndSoIsAPage) {
  make({.most_bytes = 12 << 20});
  const std::string huge(Journal::kMaxText, 'x');
  for (uint64_t n = 1; n <= 1'000; ++n) {
    Event event = told(n);
    event.fields.assign(Journal::kMaxFields, {huge, huge});
    journal_->take("node-2", {event});
  }
  const uint64_t forgotten = registry_.counter("viaduct_events_forgotten_total", "", {{"ring", "others"}}).value();
  EXPECT_GT(forgotten, 700u);
  const auto newest = journal_->read({.limit = 10'000});
  EXPECT_TRUE(newest.more);
  EXPECT_LT(newest.events.size() * Journal::kMaxFields * 2 * Journal::kMaxText, Journal::kPageBytes);
  EXPECT_EQ(newest.events.back().origin, 1'000u);
  size_t seen = 0;
  EventFilter filter{.after = 1, .limit = 10'000};
  for (;;) {  // page by page, all that is there
    const auto page = journal_->read(filter);
    ASSERT_FALSE(page.events.empty());
    EXPECT_EQ(page.events.front().origin, forgotten + seen + 1);
    seen += page.events.size();
    if (!page.more) break;
    filter.after = page.next;
  }
  EXPECT_EQ(seen + forgotten, 1'000u);
}

TEST_F(JournalTest, CountsWhatIsPassedOverAndWhatNobodyWasTold) {
  const auto repeated = [&] { return registry_.counter("viaduct_events_repeated_total", "").value(); };
  const auto untold = [&] { return registry_.counter("viaduct_events_untold_total", "").value(); };
  journal_->take("node-2", {told(5), told(5), told(4)});
  EXPECT_EQ(repeated(), 2u);
  make({.most_others = 2});
  for (int i = 0; i < 5; ++i) record(EventKind::port_active);
  EXPECT_EQ(untold(), 0u) << "it tells nobody";
  journal_->told(journal_->before_newest(1));
  record(EventKind::port_active);
  EXPECT_EQ(untold(), 0u) << "that one was not to be told";
  record(EventKind::port_active);
  EXPECT_EQ(untold(), 1u);
  Journal::Position position;
  journal_->beyond(position, 10);
  journal_->told(position);
  record(EventKind::port_active);
  record(EventKind::port_active);
  EXPECT_EQ(untold(), 1u);
}

TEST_F(JournalTest, CountsByKind) {
  record(EventKind::port_active);
  record(EventKind::port_active);
  journal_->take("node-2", {told(1)});
  EXPECT_EQ(registry_.counter("viaduct_events_total", "", {{"kind", "port.active"}}).value(), 2u);
  EXPECT_EQ(registry_.counter("viaduct_events_received_total", "").value(), 1u);
}

TEST_F(JournalTest, MayBeUsedByMany) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        record(EventKind::port_active);
        journal_->read({.limit = 10});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<uint64_t> ids;
  for (const Event& event : journal_->read({.limit = 10'000}).events) ids.insert(event.id);
  EXPECT_THAT(ids, SizeIs(2'000));
}

TEST(EventLog, AnEventIsALineAndGoesToWhoKeepsThem) {
  std::vector<std::string> lines, kept;
  log::set_sink([&](std::string_view line) { lines.emplace_back(line); });
  log::set_event_sink(
      [&](log::Level, EventKind kind, std::string_view, log::Fields) { kept.emplace_back(to_string(kind)); });
  log::event(log::Component::datapath, log::Level::info, EventKind::port_active, "port active", {{"port", "a b"}});
  log::event(log::Component::mirror, log::Level::debug, EventKind::topology_applied, "applied");
  log::set_event_sink({});
  log::event(log::Component::datapath, log::Level::info, EventKind::port_inactive, "port inactive");
  log::set_sink({});
  EXPECT_THAT(lines, ElementsAre("level=info component=datapath msg=\"port active\" port=\"a b\" event=port.active",
                                 "level=info component=datapath msg=\"port inactive\" event=port.inactive"));
  EXPECT_THAT(kept, ElementsAre("port.active", "topology.applied")) << "whatever the level";
}

TEST(EventKinds, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    EXPECT_TRUE(names.insert(to_string(kind)).second) << to_string(kind);
    EXPECT_FALSE(description_of(kind).empty());
    EXPECT_EQ(is_change(kind), to_string(kind).starts_with("topology."));
  }
}

}  // namespace
}  // namespace viaduct::observability
