// The password file: what is one, what is wrong with another, and how it is changed.
#include "api/rest/password_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/rest/support.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// mkpasswd -m yescrypt, -m bcrypt; and htpasswd's mark of bcrypt. The password is "hello".
const std::string kYescrypt = "$y$j9T$abcd$tDz3Bq/jTeulk.wz4sneBOKUPVmABXQyRuDiCH18SS/";
const std::string kBcrypt = "$2b$12$YjJFz8BAzJ96IJ1dyvE3FeZ448nNec6AjgeUxAeqOu3HjgMWzOiXq";
const std::string kHtpasswd = "$2y$" + kBcrypt.substr(4);

std::string problem_of(const std::string& text) {
  auto parsed = parse_passwords(text);
  if (parsed) return "none";
  EXPECT_THAT(parsed.failure().cure, HasSubstr("NAME:HASH:ROLE"));
  return parsed.failure().message;
}

TEST(PasswordFile, EveryHashThatItMayHold) {
  auto parsed = parse_passwords("# users\n\ncarol:" + kYescrypt + ":admin\ndave:" + kBcrypt +
                                ":reader\n\xc3\xa9ve@x:" + kHtpasswd + ":reader");
  ASSERT_TRUE(parsed) << parsed.failure().message;
  ASSERT_EQ(parsed->size(), 3U);
  EXPECT_EQ((*parsed)[0].user.name, "carol");
  EXPECT_EQ((*parsed)[0].user.role, Role::admin);
  EXPECT_EQ((*parsed)[2].user.role, Role::reader);
  for (const PasswordEntry& entry : *parsed) {
    EXPECT_TRUE(matches("hello", entry.hash)) << entry.hash;
    EXPECT_FALSE(matches("hellO", entry.hash)) << entry.hash;
    EXPECT_FALSE(matches("", entry.hash));
    EXPECT_FALSE(matches(std::string("hello\0x", 7), entry.hash)) << "a zero byte ends no password";
  }
  EXPECT_TRUE(parse_passwords("")->empty());
}

TEST(PasswordFile, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_EQ(problem_of("# x\ncarol"), "line 2: it does not have three parts");
  EXPECT_EQ(problem_of("carol:" + kYescrypt), "line 1: it does not have three parts");
  EXPECT_EQ(problem_of("carol:" + kYescrypt + ":admin:x"), "line 1: it does not have three parts");
  EXPECT_EQ(problem_of("carol:" + kYescrypt + ":king"), "line 1: 'king' is no role");
  EXPECT_EQ(problem_of("carol:" + kYescrypt + ":admin\r\n"), "line 1: 'admin\r' is no role");
  EXPECT_EQ(problem_of(":" + kYescrypt + ":admin"), "line 1: a name has 1 to 64 characters");
  EXPECT_THAT(problem_of("a b:" + kYescrypt + ":admin"), StartsWith("line 1: a name has no spaces"));
  EXPECT_EQ(problem_of("c:" + kBcrypt + ":admin\n\nc:" + kYescrypt + ":reader"), "line 3: the user 'c' is there twice");
  EXPECT_EQ(problem_of(std::string(kMaxPasswordFileBytes + 1, '\n')), "it is larger than 1 MiB");
}

TEST(PasswordFile, OnlyHashesThatAreGoodAndEndInTime) {
  auto of = [](const std::string& hash) { return problem_of("carol:" + hash + ":admin"); };
  for (const char* hash : {"", "hello", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", "$6$abc$def", "*", "!"})
    EXPECT_THAT(of(hash), HasSubstr("neither bcrypt ($2b$, $2y$) nor yescrypt ($y$)")) << hash;
  EXPECT_THAT(of(kBcrypt.substr(0, 59)), HasSubstr("the bcrypt hash is not whole"));
  EXPECT_THAT(of(kBcrypt + "a"), HasSubstr("the bcrypt hash is not whole"));
  EXPECT_THAT(of("$2b$16$" + kBcrypt.substr(7)), HasSubstr("no cost of 04 to 15"));
  EXPECT_THAT(of("$2b$1x$" + kBcrypt.substr(7)), HasSubstr("no cost of 04 to 15"));
  EXPECT_THAT(of(kYescrypt.substr(0, kYescrypt.size() - 1)), HasSubstr("the yescrypt hash is not whole"));
  EXPECT_THAT(of("$y$j9T$" + kYescrypt.substr(12)), HasSubstr("the yescrypt hash is not whole"));
  EXPECT_THAT(of("$y$jFT$" + kYescrypt.substr(7)), HasSubstr("no cost of 1 to 8"));
  EXPECT_THAT(of("$y$"), HasSubstr("the yescrypt hash is not whole"));
}

TEST(PasswordFile, AHashOfItsOwn) {
  auto one = hash_password("correct horse"), other = hash_password("correct horse");
  ASSERT_TRUE(one && other);
  EXPECT_NE(*one, *other) << "salted";
  EXPECT_TRUE(matches("correct horse", *one) && matches("correct horse", *other));
  EXPECT_EQ(problem_of("c:" + *one + ":admin"), "none");
  EXPECT_FALSE(matches("correct horse", "*0"));
  EXPECT_FALSE(matches(std::string(600, 'x'), *one));
  EXPECT_THAT(hash_password("1234567").failure().message, HasSubstr("shorter than 8"));
  EXPECT_THAT(hash_password(std::string(512, 'x')).failure().message, HasSubstr("longer than 511"));
  EXPECT_THAT(hash_password(std::string("12345678\0", 9)).failure().message, HasSubstr("zero byte"));
}

TEST(PasswordFile, OneLineIsSetAndTheOthersStay) {
  const std::string before = "# carol:x\ncarol:" + kBcrypt + ":admin\n\ndave:" + kBcrypt + ":reader";
  auto edited = set_password(before, {"carol", kYescrypt});
  ASSERT_TRUE(edited);
  EXPECT_EQ(edited->text, "# carol:x\ncarol:" + kYescrypt + ":admin\n\ndave:" + kBcrypt + ":reader\n");
  EXPECT_EQ(edited->role, "admin");
  EXPECT_FALSE(edited->is_new);
  edited = set_password(before, {"dave", kBcrypt, "admin"});
  EXPECT_THAT(edited->text, HasSubstr("\ndave:" + kBcrypt + ":admin\n"));
  edited = set_password(before, {"eve", kYescrypt});
  EXPECT_EQ(edited->text, before + "\neve:" + kYescrypt + ":reader\n");
  EXPECT_TRUE(edited->is_new);
  const std::string member = "rosa:" + kBcrypt + ":member:red\n";
  EXPECT_EQ(parse_passwords(member)->front().user.tenant, "red");
  EXPECT_EQ(set_password(member, {"rosa", kYescrypt})->text, "rosa:" + kYescrypt + ":member:red\n");
  EXPECT_EQ(set_password(member, {"dave", kBcrypt, "member:blue"})->role, "member:blue");
  EXPECT_EQ(set_password(member, {"dave", kBcrypt, "king"}).failure().message, "'king' is no role");
  EXPECT_EQ(set_password("nonsense", {"eve", kYescrypt}).failure().message, "line 1: it does not have three parts");
}

}  // namespace
}  // namespace viaduct::api::rest
