// Who may ask for what.
#include "api/rest/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::api::rest {
namespace {

using ::testing::HasSubstr;

TEST(RestAccess, TokensHaveRoles) {
  auto entries =
      parse_tokens("# monitoring\n\n  0123456789abcdef reader robot # may look\nfedcba9876543210 admin ops\n");
  ASSERT_TRUE(entries);
  const TokenAccess access(*entries);
  auto robot = access.user_of("0123456789abcdef");
  ASSERT_TRUE(robot);
  EXPECT_EQ(robot->name, "robot");
  EXPECT_EQ(robot->role, Role::reader);
  EXPECT_EQ(access.user_of("fedcba9876543210")->role, Role::admin);
  for (const char* wrong : {"", "0123456789abcdeX", "0123456789abcde", "0123456789abcdef0"}) {
    auto user = access.user_of(wrong);
    ASSERT_FALSE(user) << wrong;
    EXPECT_EQ(user.failure().code, "unauthorized");
  }
}

TEST(RestAccess, AWrongLineIsNamed) {
  for (const auto& [text, says] : {std::pair{"\n0123456789abcdef root x", "line 2: 'root' is no role"},
                                   std::pair{"0123456789abcdef admin", "line 1: it does not have three words"},
                                   std::pair{"0123456789abcdef admin a b", "line 1: it does not have three words"},
                                   std::pair{"short admin a", "line 1: the token is shorter"}}) {
    auto entries = parse_tokens(text);
    ASSERT_FALSE(entries) << text;
    EXPECT_THAT(entries.failure().message, HasSubstr(says));
    EXPECT_THAT(entries.failure().cure, HasSubstr("TOKEN ROLE NAME"));
  }
}

TEST(RestAccess, APasswordMayHoldColons) {
  auto credentials = parse_basic("Basic dXNlcjpwYTpzczo=");  // "user:pa:ss:"
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "user");
  EXPECT_EQ(credentials->password, "pa:ss:");
  for (const char* wrong : {"", "Basic", "Basic ", "Basic ???", "Bearer dXNlcjpw", "Basic dXNlcg=="}) {
    EXPECT_FALSE(parse_basic(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace viaduct::api::rest
