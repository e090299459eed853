// Files that no operator writes: they cost bounded time and memory, and yield a problem, never a crash.
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "support.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::string repeated(std::string_view piece, size_t times) {
  std::string out;
  out.reserve(piece.size() * times);
  for (size_t i = 0; i < times; ++i) out += piece;
  return out;
}

struct HostileFile : ::testing::Test {
  std::vector<std::string> problems_of_file() {
    ConfigSource source;
    read_config_file(path, Absence::problem, source);
    return lines(source);
  }
  topology::store::testing::TemporaryDirectory directory;
  std::string path = (directory.path() / "f.toml").string();
};

TEST_F(HostileFile, TenMegabytesAreRefusedByTheirSize) {
  std::ofstream(path) << repeated("# nothing but a comment\n", 10 * 1024 * 1024 / 24);
  EXPECT_THAT(problems_of_file(), ElementsAre(HasSubstr("it is larger than 1048576 bytes")));
}

TEST_F(HostileFile, WhatIsNoFileIsRefusedWithoutWaiting) {
  EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(problems_of_file(), ElementsAre(HasSubstr("it is not a file")));
  path = directory.path().string();
  EXPECT_THAT(problems_of_file(), ElementsAre(HasSubstr("it is not a file")));
  path = "/dev/zero";
  EXPECT_THAT(problems_of_file(), ElementsAre(HasSubstr("it is not a file")));
}

TEST(HostileText, DeepNestingOfEveryKind) {
  for (std::string text :
       {"a = " + repeated("[", 100'000), "a = " + repeated("[", 500) + repeated("]", 500), repeated("a={", 50'000),
        "a = " + repeated("{a=", 50'000), "[" + repeated("a.", 400'000) + "a]", repeated("a.", 400'000) + "a = 1",
        repeated("[", 200'000), std::string("[[["), std::string("[[[a]]]")}) {
    EXPECT_THAT(problems_of(text), Not(SizeIs(0))) << text.substr(0, 20);
  }
}

TEST(HostileText, TheDeepestThatIsParsed) {
  EXPECT_THAT(problems_of(repeated("a.", 4096) + "a = 1"), ElementsAre(HasSubstr("there is no such table")));
  EXPECT_THAT(problems_of(repeated("a.", 4097) + "a = 1"), ElementsAre(HasSubstr("more than 4096 dots")));
}

TEST(HostileText, DuplicateKeysAndTables) {
  EXPECT_THAT(problems_of("[admin]\nport = 1\nport = 2"), ElementsAre(HasSubstr("f.toml:3:")));
  EXPECT_THAT(problems_of("[admin]\nport = 1\n[admin]\nport = 2"), ElementsAre(HasSubstr("f.toml:3:")));
  EXPECT_THAT(problems_of("admin.port = 1\n[admin]\nport = 2"), ElementsAre(HasSubstr("f.toml:2:")));
}

TEST(HostileText, NumbersBeyondAllRanges) {
  for (const char* number : {"9223372036854775808", "-9223372036854775809", "1e400", "nan", "0x8000000000000000"})
    EXPECT_THAT(problems_of("[admin]\nport = " + std::string(number)), SizeIs(1)) << number;
  for (const char* number : {"9223372036854775807", "-9223372036854775808", "65536", "-1"})
    EXPECT_THAT(problems_of("[admin]\nport = " + std::string(number)), ElementsAre(HasSubstr("allowed: 0 to 65535")));
}

TEST(HostileText, OneLineAProblemWhateverTheFileHolds) {
  for (std::string text : {std::string("\"a\\nb\" = 1"), std::string("[log]\nlevels = \"\\u001b[31m\\n\""),
                           std::string("\"\\u0000\" = 1"), repeated("k", 5000) + " = 1"}) {
    auto said = problems_of(text);
    EXPECT_THAT(said, SizeIs(1));
    for (unsigned char c : said.at(0)) EXPECT_TRUE(c >= 0x20 && c != 0x7f);
    EXPECT_LT(said.at(0).size(), 400U);
  }
}

TEST(HostileText, ManyUnknownKeysAreCounted) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "k" + std::to_string(i) + "=1\n";
  auto source = read(text);
  EXPECT_EQ(source.problems.size(), kMaxConfigProblems);
  EXPECT_EQ(source.unlisted, 60'000 - kMaxConfigProblems);
}

TEST(HostileText, AListWithoutEnd) {
  EXPECT_THAT(problems_of("roles = [" + repeated("\"agent\",", 100'000) + "]"),
              ElementsAre(HasSubstr("more than 256 entries")));
}

TEST(HostileText, BinaryGarbageOfManySeeds) {
  std::mt19937 random(7);
  const std::string valid =
      "roles = [\"agent\"]\n[datapath]\nworkers = 2\nkind = \"fake\"\n[agent]\ncluster=[\"a:1\"]\n";
  const std::string_view kSigns = "[]{}.,=\"'#\n\r\t \\u0a1-+_:eTZ";
  for (int round = 0; round < 6000; ++round) {
    std::string text;
    if (round % 3 == 0) {
      for (size_t i = random() % 60; i > 0; --i) text += kSigns[random() % kSigns.size()];
    } else if (round % 3 == 1) {
      for (size_t i = random() % 200; i > 0; --i) text += static_cast<char>(random());
    } else {
      text = valid;
      for (size_t i = 1 + random() % 4; i > 0; --i) text[random() % text.size()] = static_cast<char>(random());
    }
    auto source = read(text);
    for (const auto& problem : lines(source)) EXPECT_THAT(problem, HasSubstr("f.toml"));
    EXPECT_TRUE(!source.is_valid() || !source.config.roles.empty());
  }
}

}  // namespace
}  // namespace viaduct::actors::testing
