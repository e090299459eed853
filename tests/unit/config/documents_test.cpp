// The documents that the table of settings writes: the annotated file, the manual page's list, the example in the tree.
#include <fstream>
#include <iterator>
#include <set>

#include "actors/daemons/config_text.hpp"
#include "support.hpp"

namespace viaduct::actors::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string file(const char* name) {
  std::ifstream in(std::string(DAEMON_SOURCE_DIR) + "/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

void expect_same(const Config& one, const Config& other) {
  for (const Setting& setting : kSettings) EXPECT_EQ(setting.get(one), setting.get(other)) << setting.key;
}

TEST(ConfigText, WhatIsPrintedIsReadBackTheSame) {
  Config config;
  config.roles = {"agent"};
  config.host.name = "a \"quoted\" \\ name";
  config.agent.cluster = {"db1:6678", "[fd00::1]:1"};
  config.tls = {"/c", "/h", "/k", "/r"};
  config.underlay.copy_dscp = true;
  config.underlay.probe_interval = std::chrono::milliseconds(50);
  for (Defaults defaults : {Defaults::plain, Defaults::commented}) {
    auto source = read(annotated(config, defaults));
    EXPECT_THAT(lines(source), IsEmpty());
    expect_same(source.config, config);
  }
}

TEST(ConfigText, ACommentedFileSetsNothing) {
  auto source = read(annotated(Config{}, Defaults::commented));
  EXPECT_THAT(lines(source), IsEmpty());
  EXPECT_TRUE(source.where.empty());
}

// To renew both: build/release/actors/viaductd --print-config shows the texts; this test prints what is missing.
TEST(ConfigDocuments, TheExampleFileIsTheTable) {
  EXPECT_EQ(file("viaductd.toml"), annotated(Config{}, Defaults::commented));
}

TEST(ConfigDocuments, TheManualListsEveryKey) {
  EXPECT_NE(file("viaductd.8").find(manual_list()), std::string::npos) << "viaductd.8 must hold:\n" << manual_list();
}

TEST(ConfigDocuments, TheManualHasEveryOption) {
  std::string page = file("viaductd.8");
  for (const char* option : {"\\-\\-config FILE", "\\-\\-check\\-config", "\\-\\-print\\-config", "\\-\\-cleanup"})
    EXPECT_THAT(page, HasSubstr("\\fB" + std::string(option)));
  for (const Setting& setting : kSettings) {
    if (setting.option.empty()) continue;
    std::string name;
    for (char c : setting.option) name += c == '-' ? std::string("\\-") : std::string(1, c);
    EXPECT_THAT(page, HasSubstr("\\fB" + name + " ")) << setting.option;
  }
}

TEST(ConfigTable, EachKeyAndEachOptionIsThereOnceAndItsDefaultIsAllowed) {
  std::set<std::string_view> keys, options;
  for (const Setting& setting : kSettings) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    bool fresh = setting.option.empty() || options.insert(setting.option).second;
    EXPECT_TRUE(fresh) << setting.option;
    EXPECT_FALSE(setting.help.empty()) << setting.key;
    EXPECT_FALSE(allowed_phrase(setting).empty()) << setting.key;
    SettingValue value = setting.get(Config{});
    if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !text->empty()) {
      EXPECT_TRUE(setting.allowed.fits == nullptr || setting.allowed.fits(*text)) << setting.key;
    }
    if (const auto* number = std::get_if<uint64_t>(&value)) {
      bool in_range = *number >= setting.allowed.least && *number <= setting.allowed.most;
      EXPECT_TRUE(in_range || (*number == 0 && setting.allowed.zero_too)) << setting.key;
    }
  }
}

}  // namespace
}  // namespace viaduct::actors::testing
