#include "observability/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace viaduct::observability::log {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Log : public ::testing::Test {
 protected:
  void SetUp() override {
    set_level(Level::info);
    set_sink([this](std::string_view line) { lines_.emplace_back(line); });
  }
  void TearDown() override {
    set_sink({});
    set_level(Level::info);
  }
  std::vector<std::string> lines_;
};

TEST_F(Log, WritesOneLineOfKeysAndValues) {
  const std::string path = "/var/lib/viaduct";
  info(Component::store, "opened", {{"path", path}, {"revision", 17u}, {"clean", true}, {"took", 250ms}, {"n", -3}});
  EXPECT_THAT(lines_, ElementsAre("level=info component=store msg=\"opened\" path=/var/lib/viaduct revision=17 "
                                  "clean=true took=0.25 n=-3"));
}

TEST_F(Log, HostileValuesStayInTheirPlace) {
  warning(Component::admin, "refused\nlevel=error msg=forged", {{"name", "x\" level=error\nts=0 \\ \x1b[31m\x80"}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(lines_[0], HasSubstr(R"(msg="refused\nlevel=error msg=forged")"));
  EXPECT_THAT(lines_[0], HasSubstr(R"(name="x\" level=error\nts=0 \\ \x1b[31m\x80")"));
  EXPECT_THAT(lines_[0], Not(HasSubstr("\n")));
  EXPECT_THAT(lines_[0], Not(HasSubstr("\x1b")));
}

TEST_F(Log, EmptyAndLongValuesAreReadable) {
  info(Component::cli, "m", {{"empty", ""}, {"long", std::string(5000, 'a')}});
  EXPECT_THAT(lines_[0], HasSubstr(" empty=\"\" "));
  EXPECT_THAT(lines_[0], HasSubstr("aaa...\""));
  EXPECT_LT(lines_[0].size(), kMaxValueBytes + 100);
}

TEST_F(Log, KeysCannotBreakTheLineEither) {
  info(Component::cli, "m", {{"a b\n=", 1}});
  EXPECT_THAT(lines_[0], HasSubstr(" a_b__=1"));
}

TEST_F(Log, LevelsArePerComponent) {
  set_level(Component::datapath, Level::debug);
  debug(Component::datapath, "seen");
  debug(Component::store, "not seen");
  set_level(Component::datapath, Level::off);
  error(Component::datapath, "not seen");
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("msg=\"seen\"")));
  EXPECT_FALSE(enabled(Component::store, Level::debug));
  EXPECT_TRUE(enabled(Component::store, Level::info));
}

TEST_F(Log, LevelsAreReadFromText) {
  EXPECT_EQ(set_levels("warning,datapath=trace,store=error"), std::nullopt);
  EXPECT_EQ(level(Component::datapath), Level::trace);
  EXPECT_EQ(level(Component::store), Level::error);
  EXPECT_EQ(level(Component::admin), Level::warning);
  EXPECT_THAT(*set_levels("info,store=loud"), HasSubstr("'store=loud' names no level"));
  EXPECT_THAT(*set_levels("info,stor=info"), HasSubstr("'stor' is not a component"));
  EXPECT_EQ(level(Component::admin), Level::warning) << "a wrong specification changes nothing";
  for (size_t i = 0; i < kComponents; ++i) {
    const auto component = static_cast<Component>(i);
    EXPECT_EQ(parse_component(to_string(component)), component);
    EXPECT_FALSE(to_string(component).empty());
  }
}

TEST_F(Log, RepetitionsAreCountedInsteadOfPrinted) {
  RateLimit limit(1s);
  const RateLimit::TimePoint start{};
  for (int i = 0; i < 100; ++i) limited(limit, start + i * 1ms, Component::worker, Level::warning, "busy");
  limited(limit, start + 1s, Component::worker, Level::warning, "busy", {{"port", 4}});
  EXPECT_THAT(lines_, ElementsAre("level=warning component=worker msg=\"busy\"",
                                  "level=warning component=worker msg=\"busy\" port=4 suppressed=99"));
}

TEST_F(Log, RecordsOfManyThreadsDoNotMix) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) {
        set_level(Component::worker, i % 2 == 0 ? Level::info : Level::debug);
        info(Component::worker, "tick", {{"thread", t}, {"i", i}});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lines_.size(), 800u);
  for (const auto& line : lines_) EXPECT_THAT(line, HasSubstr("level=info component=worker msg=\"tick\" thread="));
}

TEST(LogOnStderr, StartsWithTheTimeAndEndsWithOneNewline) {
  ::testing::internal::CaptureStderr();
  info(Component::daemon, "hello", {{"text", "{} %v"}});
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, ::testing::MatchesRegex("ts=2[0-9-]+T[0-9:.]+Z level=info component=daemon msg=\"hello\" "
                                            "text=\"\\{\\} %v\"\n"));
}

}  // namespace
}  // namespace viaduct::observability::log
