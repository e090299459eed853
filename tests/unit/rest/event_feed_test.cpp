// Who watches, and what they are told.
#include "api/rest/event_feed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "api/rest/tenancy.hpp"
#include "tests/support/memory_daemon.hpp"
#include "tests/unit/rest/support.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr const char* kBase = "http://api.example/midonet-api/";
constexpr auto kDeadline = 10s;

topology::Bridge bridge(const std::string& name, const std::string& tenant = {}) {
  topology::Bridge out;
  out.id = BridgeId(Uuid::random());
  out.name = name;
  out.tenant = tenant;
  return out;
}

class RestEvents : public ::testing::Test {
 protected:
  RestEvents() { begin(); }

  EventOptions options() {
    EventOptions out = options_;
    out.now = [this] { return clock.now(); };
    return out;
  }
  void begin() {
    feed.emplace([this](std::chrono::milliseconds) { return Result<std::unique_ptr<Client>>(daemon.connect()); },
                 options(),
                 EventProbe{[this](size_t now) { watching = now; },
                            [this](std::string_view reason) {
                              std::lock_guard lock(mutex);
                              resets.emplace_back(reason);
                            },
                            [this] { ++refused; }});
    tell(nullptr);
  }
  void tell(std::shared_ptr<const topology::Delta> delta) {
    feed->changed(std::make_shared<const topology::Snapshot>(daemon.snapshot()), std::move(delta));
  }
  template <class... Objects>
  void commit(const Objects&... objects) {
    const topology::Snapshot before = daemon.snapshot();
    const bool committed = (daemon.commit(objects) && ...);
    EXPECT_TRUE(committed);
    tell(std::make_shared<const topology::Delta>(topology::Delta::between(before, daemon.snapshot())));
  }
  std::shared_ptr<BodyStream> watch(WatchFilter filter = {}, std::optional<uint64_t> from = {}) {
    auto stream = feed->watch(std::move(filter), kBase, from);
    EXPECT_TRUE(stream);
    return stream ? *stream : nullptr;
  }
  // Waits until there is something.
  static std::string next(BodyStream& stream) {
    auto woken = std::make_shared<std::promise<void>>();
    auto future = woken->get_future();
    stream.await([woken] { woken->set_value(); });
    if (future.wait_for(kDeadline) != std::future_status::ready) return "nothing";
    char text[100];
    std::string out;
    while (const size_t size = stream.read(text, sizeof text)) out.append(text, size);
    return out;
  }
  static Json data(const std::string& text) {
    const size_t at = text.find("data: ");
    return at == text.npos ? Json(nullptr) : Json::parse(text.substr(at + 6, text.find('\n', at) - at - 6));
  }

  viaduct::support::MemoryDaemon daemon;
  testing::FakeClock clock;
  EventOptions options_;
  std::atomic<size_t> watching{0};
  std::atomic<int> refused{0};
  std::mutex mutex;
  std::vector<std::string> resets;
  std::optional<EventFeed> feed;
};

TEST_F(RestEvents, ACreatedObjectComesWithItsDocument) {
  auto stream = watch();
  EXPECT_THAT(next(*stream), HasSubstr("retry: "));
  topology::Bridge made = bridge("green \\u0001 http://x/");
  commit(made);
  const std::string text = next(*stream);
  EXPECT_THAT(text, ::testing::StartsWith("event: created\n"));
  EXPECT_THAT(text, HasSubstr("\nid: 1\n\n"));
  const Json event = data(text);
  EXPECT_EQ(event.at("resource"), "bridges");
  EXPECT_EQ(event.at("revision"), 1);
  EXPECT_EQ(event.at("id"), made.id.to_string());
  EXPECT_EQ(event.at("uri"), kBase + ("bridges/" + made.id.to_string()));
  EXPECT_EQ(event.at("document").at("name"), made.name);
  EXPECT_EQ(event.at("document").at("ports"), event.at("uri").get<std::string>() + "/ports");
}

TEST_F(RestEvents, OneCommitHasOneId) {
  auto stream = watch();
  next(*stream);
  commit(bridge("a"), bridge("b"));
  const std::string text = next(*stream);
  EXPECT_EQ(text.find("id: "), text.rfind("id: "));
  EXPECT_GT(text.find("id: "), text.rfind("event: "));
}

TEST_F(RestEvents, WhatIsDeletedComesWithoutADocument) {
  topology::Bridge made = bridge("a");
  auto stream = watch();
  next(*stream);
  commit(made);
  EXPECT_THAT(next(*stream), ::testing::StartsWith("event: created\n"));
  const topology::Snapshot before = daemon.snapshot();
  auto gone = std::make_shared<topology::Delta>();
  gone->to_revision = before.revision() + 1;
  gone->changes[topology::ref_of(made)] = {before.find(topology::ref_of(made)), nullptr};
  feed->changed(std::make_shared<const topology::Snapshot>(gone->apply_to(before)), gone);
  const std::string text = next(*stream);
  EXPECT_THAT(text, ::testing::StartsWith("event: deleted\n"));
  EXPECT_EQ(data(text).at("document"), nullptr);
  EXPECT_EQ(data(text).at("id"), made.id.to_string());
}

TEST_F(RestEvents, AFilterLeavesOutTheRest) {
  auto routers = watch({{"routers"}, {}});
  auto mine = watch({{}, "mine"});
  next(*routers);
  next(*mine);
  commit(bridge("theirs", "theirs"));
  commit(bridge("mine", "mine"));
  EXPECT_EQ(data(next(*mine)).at("document").at("name"), "mine");
  clock.advance(16s);  // the heartbeat says how far it is all the same
  EXPECT_EQ(next(*routers), ":\nid: 2\n\n");
}

TEST_F(RestEvents, PortsAreTheirBridgesTenants) {
  topology::Bridge made = bridge("b", "mine");
  auto mine = watch({{"ports"}, "mine"});
  next(*mine);
  commit(made);
  topology::Port port;
  port.id = PortId(Uuid::random());
  port.bridge = made.id;
  commit(port);
  EXPECT_EQ(data(next(*mine)).at("id"), port.id.to_string());
}

TEST_F(RestEvents, AWatcherResumes) {
  auto first = watch();
  next(*first);
  commit(bridge("a"));
  commit(bridge("b"));
  next(*first);
  first->close();
  EXPECT_EQ(watching, 0U);
  commit(bridge("c"));
  auto again = watch({}, 1);
  std::string text;
  while (text.find("\"c\"") == text.npos && text.find("nothing") == text.npos) text += next(*again);
  EXPECT_THAT(text, HasSubstr("\"b\""));
  EXPECT_THAT(text, Not(HasSubstr("\"a\"")));
}

TEST_F(RestEvents, WhatIsNotKnownAnyMoreIsAReset) {
  auto keeps = watch();
  next(*keeps);
  commit(bridge("a"));
  next(*keeps);
  EXPECT_THAT(next(*watch({}, 17)), HasSubstr("event: reset\n"));  // of a time to come
  keeps->close();
  clock.advance(61s);  // nobody watches, and nothing is kept
  commit(bridge("b"));
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (feed->revision() < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  auto late = watch({}, 1);
  const std::string text = next(*late);
  EXPECT_THAT(text, HasSubstr("event: reset\nid: "));
  EXPECT_THAT(resets, ::testing::ElementsAre("unknown", "unknown"));
}

TEST_F(RestEvents, TooManyCommitsAtOnceAreAReset) {
  options_.most_pending = 0;
  begin();
  auto stream = watch();
  next(*stream);
  commit(bridge("a"));
  EXPECT_THAT(next(*stream), HasSubstr("event: reset\nid: 1\n"));
}

TEST_F(RestEvents, ASlowWatcherIsReset) {
  options_.most_events = 3;
  begin();
  auto slow = watch(), fast = watch();
  next(*slow);
  next(*fast);
  for (int i = 0; i < 5; ++i) {
    commit(bridge("b" + std::to_string(i)));
    EXPECT_THAT(next(*fast), HasSubstr("event: created"));
  }
  const std::string text = next(*slow);
  EXPECT_THAT(text, HasSubstr("event: reset\nid: 5\n"));
  EXPECT_THAT(text, Not(HasSubstr("created")));
  EXPECT_THAT(resets, ::testing::ElementsAre("slow"));
  commit(bridge("after"));
  EXPECT_THAT(next(*slow), HasSubstr("after"));
}

TEST_F(RestEvents, BytesAreBounded) {
  options_.most_bytes = 100;
  begin();
  auto slow = watch();
  next(*slow);
  commit(bridge("larger than that with all its links"));
  EXPECT_THAT(next(*slow), HasSubstr("event: reset"));
}

TEST_F(RestEvents, WatchersAreBounded) {
  options_.most_watchers = 2;
  begin();
  auto one = watch(), two = watch();
  auto third = feed->watch({}, kBase, {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.failure().code, "unavailable");
  EXPECT_EQ(refused, 1);
  one->close();
  EXPECT_TRUE(feed->watch({}, kBase, {}));
}

TEST_F(RestEvents, HeartbeatsAndTheEndOfAStream) {
  auto stream = watch();
  next(*stream);
  clock.advance(15s);
  EXPECT_EQ(next(*stream).substr(0, 2), ":\n");
  EXPECT_FALSE(stream->ended());
  clock.advance(900s);
  EXPECT_EQ(next(*stream), "");
  EXPECT_TRUE(stream->ended());
}

TEST_F(RestEvents, FinishingWakesAll) {
  auto stream = watch();
  next(*stream);
  std::promise<void> woken;
  stream->await([&] { woken.set_value(); });
  feed->finish();
  EXPECT_EQ(woken.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_TRUE(stream->ended());
  EXPECT_FALSE(feed->watch({}, kBase, {}));
  stream->close();
}

TEST_F(RestEvents, ADaemonThatDoesNotAnswerLeavesTheDocumentOut) {
  feed.emplace(
      [](std::chrono::milliseconds) -> Result<std::unique_ptr<Client>> {
        return Failure{ExitCode::unreachable, "unavailable", "no", {}, {}};
      },
      options());
  tell(nullptr);
  auto stream = watch();
  next(*stream);
  commit(bridge("a"));
  EXPECT_EQ(data(next(*stream)).at("document"), nullptr);
  stream->close();
}

TEST(RestEventFilter, ResourcesAreThoseThatThereAre) {
  auto filter = [](const char* wanted) { return watch_filter({.query = {{"resource", wanted}, {"tenant_id", "t"}}}); };
  ASSERT_TRUE(filter("bridges,,port_groups/ports"));
  EXPECT_THAT(filter("bridges,,port_groups/ports")->resources, ::testing::ElementsAre("bridges", "port_groups/ports"));
  EXPECT_EQ(filter("bridges")->tenant, "t");
  EXPECT_FALSE(filter("bridges,nonsense"));
  for (const KindInfo& each : kinds()) EXPECT_NE(resource_name(each.kind), "") << each.name;
}

TEST(RestTenancy, EveryKindIsInTheTable) {
  for (const KindInfo& kind : kinds()) {
    const auto rules = owner_rules();
    auto rule = std::ranges::find(rules, kind.kind, &OwnerRule::kind);
    ASSERT_NE(rule, rules.end()) << kind.name;
    EXPECT_EQ(rule->by == OwnerRule::By::tenant, kind.find("tenant") != nullptr) << kind.name;
    for (std::string_view field : rule->fields) {
      if (!field.empty()) {
        EXPECT_EQ(kind.find(field)->type, FieldType::reference) << kind.name;
      }
    }
    EXPECT_EQ(rule->by == OwnerRule::By::above, !rule->fields[0].empty()) << kind.name;
  }
}

}  // namespace
}  // namespace viaduct::api::rest
