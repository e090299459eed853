// What is common to all who know users: secrets compared, tokens replaced, layers, what is forgotten.
#include "api/rest/access.hpp"

#include <gtest/gtest.h>

#include "api/rest/bounded_map.hpp"

namespace viaduct::api::rest {
namespace {

using std::chrono::seconds;

TEST(Secrets, AreTheSameOrNot) {
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abc", "abd"));
  EXPECT_FALSE(same_secret("abc", "abcd"));
}

TEST(Tokens, AreReplacedAsAWhole) {
  TokenAccess access({{"token-one-0123456789", {"one", Role::admin}}});
  EXPECT_EQ(access.user_of("token-one-0123456789")->name, "one");
  access.replace({{"token-two-0123456789", {"two", Role::reader}}});
  EXPECT_EQ(access.user_of("token-one-0123456789").failure().code, "unauthorized");
  EXPECT_EQ(access.user_of("token-two-0123456789")->role, Role::reader);
  EXPECT_EQ(access.user_of("").failure().message, "there is no token");
  EXPECT_EQ(access.log_in({"one", "x", "", ""}).failure().code, "unauthorized");
}

// Knows every token that begins with "more", and counts who asks.
struct More : Access {
  mutable int asked = 0;
  Result<User> user_of(std::string_view token) const override {
    ++asked;
    if (token.starts_with("more")) return User{"somebody", Role::reader};
    return unauthorized("unknown to more");
  }
  Result<Login> log_in(const LoginAttempt&) const override { return Login{"more-1", std::nullopt}; }
};

TEST(Layers, AreAskedOneAfterTheOther) {
  auto known = std::make_shared<TokenAccess>(std::vector<TokenAccess::Entry>{{"known", {"robot", Role::admin}}});
  auto more = std::make_shared<More>();
  LayeredAccess access(known, more);
  EXPECT_EQ(access.user_of("known")->name, "robot");
  EXPECT_EQ(access.user_of("").failure().message, "there is no token");
  EXPECT_EQ(more->asked, 0);
  EXPECT_EQ(access.user_of("more-1")->name, "somebody");
  EXPECT_EQ(access.user_of("other").failure().message, "unknown to more");
  EXPECT_EQ(access.log_in({})->token, "more-1");
}

TEST(BoundedMap, ForgetsTheOldestAndWhatHasEnded) {
  using Map = BoundedMap<int>;
  const Map::Time now{};
  Map map(3);
  for (int i = 0; i < 3; ++i) map.put(std::to_string(i), i, now + seconds(10 + i));
  map.put("0", 100, now + seconds(10));  // the youngest again
  map.put("3", 3, now + seconds(20));
  EXPECT_EQ(map.size(), 3U);
  EXPECT_EQ(map.find("1", now), nullptr);
  ASSERT_NE(map.find("0", now), nullptr);
  EXPECT_EQ(*map.find("0", now), 100);
  EXPECT_EQ(map.find("0", now + seconds(10)), nullptr);
  EXPECT_EQ(map.size(), 2U);
  map.erase_if([](int value) { return value == 2; });
  EXPECT_EQ(map.find("2", now), nullptr);
  map.clear();
  map.put("x", 1, now + seconds(1));
  EXPECT_EQ(map.size(), 1U);
}

}  // namespace
}  // namespace viaduct::api::rest
