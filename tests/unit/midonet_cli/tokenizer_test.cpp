#include "api/midonet_cli/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::api::midonet_cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> words(std::string_view line) {
  auto split = split_words(line);
  EXPECT_TRUE(split) << line;
  return split ? *split : std::vector<std::string>();
}

TEST(Tokenizer, WordsAndQuotesAreAShells) {
  EXPECT_THAT(words("  bridge\tbridge0   show \r\n"), ElementsAre("bridge", "bridge0", "show"));
  EXPECT_THAT(words("name 'two words' \"and 'one' more\""), ElementsAre("name", "two words", "and 'one' more"));
  EXPECT_THAT(words(R"(a\ b "say \"hi\"" 'back\slash' "other\n" x'y'"z")"),
              ElementsAre("a b", "say \"hi\"", "back\\slash", "other\\n", "xyz"));
  EXPECT_THAT(words("name ''"), ElementsAre("name", ""));
  EXPECT_THAT(words(" \t "), IsEmpty());
  EXPECT_THAT(words("name größe"), ElementsAre("name", "größe"));
}

TEST(Tokenizer, AnOpenQuoteSaysWhere) {
  EXPECT_THAT(split_words("name 'foo").failure().message, HasSubstr("quote at column 6"));
  EXPECT_THAT(split_words("name \"foo\\\"").failure().message, HasSubstr("quote at column 6"));
  EXPECT_THAT(split_words("name foo\\").failure().message, HasSubstr("backslash"));
}

TEST(Tokenizer, WhatIsQuotedIsReadBack) {
  for (const std::string text : {"plain", "", "two words", "a\"b", "a\\b", "it's", " x\ty "}) {
    EXPECT_THAT(words(quote_word(text)), ElementsAre(text));
  }
}

}  // namespace
}  // namespace viaduct::api::midonet_cli
