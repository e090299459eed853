// Logins with passwords, and the tokens that they give.
#include "api/rest/password_access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/unit/rest/support.hpp"

namespace viaduct::api::rest {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::entry;
using ::testing::HasSubstr;
using ::testing::Not;

struct Passwords : ::testing::Test {
  PasswordOptions options() {
    PasswordOptions made;
    made.now = [this] { return clock.now(); };
    return made;
  }
  std::unique_ptr<PasswordAccess> access(PasswordOptions with) {
    return std::make_unique<PasswordAccess>(
        std::vector<PasswordEntry>{entry("carol", "pass:word", Role::admin), entry("dave", "hunter22")},
        std::move(with), AccessEvents{[this](const LoginAttempt& attempt, std::string_view reason) {
          failures.push_back(attempt.user + " " + std::string(reason));
        }});
  }
  std::string token_of(const PasswordAccess& access, const std::string& user, const std::string& password) {
    auto login = access.log_in({user, password, "", "10.0.0.1"});
    EXPECT_TRUE(login) << login.failure().message;
    return login ? login->token : std::string();
  }
  std::string code_of(const Result<User>& user) { return user ? "known" : user.failure().code; }

  testing::FakeClock clock;
  std::vector<std::string> failures;
};

TEST_F(Passwords, ALoginGivesATokenOfItsOwn) {
  auto users = access(options());
  const auto before = std::chrono::system_clock::now();
  auto login = users->log_in({"carol", "pass:word", "", "10.0.0.1"});
  ASSERT_TRUE(login);
  ASSERT_TRUE(login->expires);
  EXPECT_GE(*login->expires, before + seconds(86'400));
  EXPECT_LT(*login->expires, before + seconds(86'460));
  EXPECT_EQ(users->user_of(login->token)->name, "carol");
  EXPECT_EQ(users->user_of(login->token)->role, Role::admin);
  EXPECT_EQ(users->user_of(token_of(*users, "dave", "hunter22"))->role, Role::reader);
  std::set<std::string> tokens;
  for (int i = 0; i < 20; ++i) tokens.insert(token_of(*users, "dave", "hunter22"));
  EXPECT_EQ(tokens.size(), 20U);
  for (const std::string& token : tokens) EXPECT_GE(token.size(), 32U) << "128 bits";
}

TEST_F(Passwords, WhoIsWrong) {
  auto users = access(options());
  auto wrong = users->log_in({"carol", "pass", "", "10.0.0.1"});
  auto unknown = users->log_in({"eve", "pass:word", "", "10.0.0.1"});
  EXPECT_EQ(wrong.failure().code, "unauthorized");
  EXPECT_EQ(wrong.failure().message, unknown.failure().message) << "a stranger does not learn who exists";
  EXPECT_EQ(users->log_in({"", "", "", "10.0.0.1"}).failure().code, "unauthorized");
  EXPECT_THAT(failures, ElementsAre("carol wrong_password", "eve unknown_user"));
  const std::string token = token_of(*users, "carol", "pass:word");
  std::string other = token;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& each : {std::string(), std::string("x"), other, token + "0", token.substr(1)})
    EXPECT_EQ(code_of(users->user_of(each)), "unauthorized") << each;
  EXPECT_EQ(code_of(users->user_of(token)), "known");
}

// A stranger who guesses names is answered by the same work as one who guesses passwords.
TEST_F(Passwords, AnUnknownUserCostsAsMuchAsAKnownOne) {
  auto data = std::make_unique<crypt_data>();
  const std::string costly = crypt_r("x", "$2b$10$abcdefghijklmnopqrstuu", data.get());
  PasswordOptions with = options();
  with.brake.free_of_user = 1000;
  PasswordAccess users({{{"carol", Role::admin}, costly}}, with);
  auto taken = [&](const std::string& user) {
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < 3; ++i) {
      const auto began = std::chrono::steady_clock::now();
      EXPECT_FALSE(users.log_in({user, "wrong", "", "10.0.0.1"}));
      least = std::min<std::chrono::nanoseconds>(least, std::chrono::steady_clock::now() - began);
    }
    return least;
  };
  const auto known = taken("carol"), unknown = taken("eve");
  EXPECT_GT(unknown, known / 2);
  EXPECT_LT(unknown, known * 2);
}

TEST_F(Passwords, ATokenEnds) {
  PasswordOptions with = options();
  with.token_lifetime = seconds(60);
  auto users = access(with);
  const std::string token = token_of(*users, "dave", "hunter22");
  clock.advance(seconds(59));
  EXPECT_EQ(code_of(users->user_of(token)), "known");
  clock.advance(seconds(1));
  EXPECT_EQ(code_of(users->user_of(token)), "unauthorized");
}

TEST_F(Passwords, TheOldestTokensGo) {
  PasswordOptions with = options();
  with.most_tokens = 3;
  auto users = access(with);
  std::vector<std::string> tokens;
  for (int i = 0; i < 5; ++i) tokens.push_back(token_of(*users, "dave", "hunter22"));
  std::vector<std::string> seen;
  for (const std::string& token : tokens) seen.push_back(code_of(users->user_of(token)));
  EXPECT_THAT(seen, ElementsAre("unauthorized", "unauthorized", "known", "known", "known"));
}

TEST_F(Passwords, AnotherFileIsInForceAtOnce) {
  auto users = access(options());
  const std::string carol = token_of(*users, "carol", "pass:word"), dave = token_of(*users, "dave", "hunter22");
  users->replace({entry("dave", "hunter22", Role::admin), entry("eve", "password")});
  EXPECT_EQ(code_of(users->user_of(carol)), "unauthorized") << "she is gone";
  EXPECT_EQ(users->user_of(dave)->role, Role::admin) << "another role, the same password";
  EXPECT_FALSE(users->log_in({"carol", "pass:word", "", "10.0.0.1"}));
  token_of(*users, "eve", "password");
  users->replace({entry("dave", "another1")});
  EXPECT_EQ(code_of(users->user_of(dave)), "unauthorized") << "the password that it was given for is no more";
  users->replace({});
  EXPECT_FALSE(users->log_in({"dave", "another1", "", "10.0.0.1"}));
}

TEST_F(Passwords, GuessingIsSlowedDown) {
  auto users = access(options());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(users->log_in({"carol", "guess", "", "10.0.0.1"}).failure().code, "unauthorized");
  auto slowed = users->log_in({"carol", "pass:word", "", "10.0.0.1"});
  ASSERT_FALSE(slowed) << "the right one has to wait, too";
  EXPECT_EQ(slowed.failure().code, "slow_down");
  EXPECT_EQ(slowed.failure().retry_after_s, 1U);
  EXPECT_THAT(slowed.failure().cure, HasSubstr("try again in 1 s"));
  EXPECT_EQ(failures.back(), "carol slowed_down");
  EXPECT_TRUE(users->log_in({"carol", "pass:word", "", "10.0.0.2"})) << "from elsewhere she comes in";
  EXPECT_TRUE(users->log_in({"dave", "hunter22", "", "10.0.0.1"}));
  clock.advance(seconds(1));
  EXPECT_TRUE(users->log_in({"carol", "pass:word", "", "10.0.0.1"}));
}

TEST_F(Passwords, ManyAtOnce) {
  PasswordOptions with = options();
  with.most_tokens = 16;
  auto users = access(with);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        auto login = users->log_in({"dave", "hunter22", "", "10.0.0.1"});
        if (login) (void)users->user_of(login->token);
        users->replace({entry("dave", "hunter22")});
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(code_of(users->user_of(token_of(*users, "dave", "hunter22"))), "known");
}

}  // namespace
}  // namespace viaduct::api::rest
