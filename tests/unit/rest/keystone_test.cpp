// Users of Keystone, against a server that answers as Keystone does, and as it should not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>

#include "api/rest/keystone_access.hpp"
#include "tests/unit/rest/http_peer.hpp"
#include "tests/unit/rest/support.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;
using std::chrono::seconds;
using testing::HttpPeer;

std::string time_text(seconds from_now) {
  const std::time_t when = std::time(nullptr) + from_now.count();
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
  return text;
}

std::string token_body(const std::string& user, const std::vector<std::string>& roles, seconds lives) {
  Json token = {{"methods", Json::array({"password"})},
                {"user", {{"id", "0a1b"}, {"name", user}, {"domain", {{"name", "Default"}}}}},
                {"expires_at", time_text(lives)}};
  for (const std::string& role : roles) token["roles"].push_back({{"id", "x"}, {"name", role}});
  if (user == "mia") token["project"] = {{"id", "project-of-mia"}, {"name", "p"}};
  return Json{{"token", token}}.dump();
}

// Passwords are "secret-of-NAME"; a token "of-NAME" is of NAME, whose roles are in `roles`.
struct Keystone : ::testing::Test {
  std::string serve(const HttpPeer::Said& said) {
    std::lock_guard lock(mutex);
    if (!next.empty()) {
      const std::string reply = next;
      next.clear();
      return reply;
    }
    if (said.is("POST")) return log_in(said);
    if (said.header("X-Auth-Token") != service) return HttpPeer::answer(401, "{}");
    const std::string token = said.header("X-Subject-Token");
    if (!token.starts_with("of-") || !roles.contains(token.substr(3))) return HttpPeer::answer(404, "{}");
    return HttpPeer::answer(200, token_body(token.substr(3), roles[token.substr(3)], lives));
  }
  std::string log_in(const HttpPeer::Said& said) {
    const Json body = Json::parse(said.body, nullptr, false)["auth"];
    logins.push_back(body.dump());
    const Json& user = body["identity"]["password"]["user"];
    const std::string name = user["name"];
    if (user["password"] != "secret-of-" + name) return HttpPeer::answer(401, "{}");
    if (name == "viaduct") {
      service = "service-" + std::to_string(++services);
      return HttpPeer::answer(201, token_body(name, {"service"}, lives), "X-Subject-Token: " + service + "\r\n");
    }
    return HttpPeer::answer(201, token_body(name, roles[name], lives), "X-Subject-Token: of-" + name + "\r\n");
  }

  std::unique_ptr<KeystoneAccess> access(const std::string& url, const std::string& password = "secret-of-viaduct") {
    KeystoneAccessOptions options;
    options.keystone.url = url + "/v3";
    options.keystone.user = "viaduct";
    options.keystone.password = password;
    options.keystone.project = "service";
    options.keystone.timeout = std::chrono::milliseconds(400);
    options.keystone.now = [this] { return clock.now(); };
    options.most_known = 3;
    return std::make_unique<KeystoneAccess>(
        std::move(options),
        AccessEvents{[this](const LoginAttempt&, std::string_view why) { refused.emplace_back(why); }},
        KeystoneEvents{[this](std::string_view why, const std::string& text) {
                         failed.emplace_back(why);
                         texts.push_back(text);
                       },
                       [this] { ++answered; }});
  }
  static std::string code_of(const Result<User>& user) {
    return user ? std::string(to_string(user->role)) : user.failure().code;
  }

  std::mutex mutex;
  std::string next, service;
  int services = 0;
  seconds lives{3600};
  std::map<std::string, std::vector<std::string>> roles = {{"carol", {"member", "Admin"}},
                                                           {"dave", {"READER", "member"}},
                                                           {"eve", {"member"}},
                                                           {"mia", {"Member"}},
                                                           {"unscoped", {}}};
  std::vector<std::string> logins, refused, failed, texts;
  int answered = 0;
  testing::FakeClock clock;
  HttpPeer peer{[this](const HttpPeer::Said& said) { return serve(said); }};
};

TEST_F(Keystone, RolesBecomeOurs) {
  auto users = access(peer.url());
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  EXPECT_EQ(users->user_of("of-carol")->name, "carol");
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  EXPECT_EQ(code_of(users->user_of("of-eve")), "forbidden") << "a member of no project";
  EXPECT_THAT(users->user_of("of-eve").failure().message, HasSubstr("eve has no role"));
  EXPECT_EQ(code_of(users->user_of("of-unscoped")), "forbidden");
  EXPECT_EQ(code_of(users->user_of("of-nobody")), "unauthorized");
  EXPECT_EQ(services, 1) << "one token of the service user for all";
  EXPECT_THAT(failed, IsEmpty());
  EXPECT_GT(answered, 0);
}

TEST_F(Keystone, AMembersTenantIsTheProjectOfTheToken) {
  auto users = access(peer.url());
  const auto mia = users->user_of("of-mia");
  EXPECT_EQ(code_of(mia), "member");
  EXPECT_EQ(mia->tenant, "project-of-mia");
}

TEST_F(Keystone, WhatIsNoTokenIsNotAskedFor) {
  auto users = access(peer.url());
  for (const std::string& token : {std::string(), std::string("a b"), std::string("a\r\nX-Auth-Token: x"),
                                   std::string("\xc3\xa9"), std::string(9000, 'x')})
    EXPECT_EQ(code_of(users->user_of(token)), "unauthorized");
  EXPECT_EQ(peer.requests(), 0);
}

TEST_F(Keystone, AnswersAreBelievedForAWhile) {
  auto users = access(peer.url());
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  EXPECT_EQ(code_of(users->user_of("of-nobody")), "unauthorized");
  const int asked = peer.requests();
  roles["dave"] = {"admin"};
  roles["nobody"] = {"reader"};
  clock.advance(seconds(4));
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  EXPECT_EQ(code_of(users->user_of("of-nobody")), "unauthorized");
  EXPECT_EQ(peer.requests(), asked);
  clock.advance(seconds(1));
  EXPECT_EQ(code_of(users->user_of("of-nobody")), "reader") << "that there is none is believed for 5 s";
  clock.advance(seconds(54));
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  clock.advance(seconds(1));
  EXPECT_EQ(code_of(users->user_of("of-dave")), "admin") << "60 s";
}

TEST_F(Keystone, NeverBeyondTheTokensEnd) {
  auto users = access(peer.url());
  lives = seconds(10);
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  roles.erase("dave");
  clock.advance(seconds(8));
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  clock.advance(seconds(2));
  EXPECT_EQ(code_of(users->user_of("of-dave")), "unauthorized");
}

TEST_F(Keystone, AsManyAnswersAsItMayRemember) {
  auto users = access(peer.url());
  for (const char* name : {"a", "b", "c", "d"}) {
    roles[name] = {"reader"};
    EXPECT_EQ(code_of(users->user_of(std::string("of-") + name)), "reader");
  }
  const int asked = peer.requests();
  EXPECT_EQ(code_of(users->user_of("of-d")), "reader");
  EXPECT_EQ(peer.requests(), asked);
  EXPECT_EQ(code_of(users->user_of("of-a")), "reader");
  EXPECT_EQ(peer.requests(), asked + 1) << "the oldest went";
}

TEST_F(Keystone, TheServiceUsersTokenIsRenewed) {
  auto users = access(peer.url());
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader");
  {
    std::lock_guard lock(mutex);
    service = "none that was given";
  }
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  EXPECT_EQ(services, 2);
}

TEST_F(Keystone, ALoginIsOneOfKeystone) {
  auto users = access(peer.url());
  auto login = users->log_in({"carol", "secret-of-carol", "blue", "10.0.0.1"});
  ASSERT_TRUE(login) << login.failure().message;
  EXPECT_EQ(login->token, "of-carol");
  const auto left = *login->expires - std::chrono::system_clock::now();
  EXPECT_LT(left, seconds(3601));
  EXPECT_GT(left, seconds(3590));
  const Json sent = Json::parse(logins.at(0));
  EXPECT_EQ(sent["identity"]["methods"], Json::array({"password"}));
  EXPECT_EQ(sent["identity"]["password"]["user"]["domain"]["name"], "Default");
  EXPECT_EQ(sent["scope"]["project"], Json({{"name", "blue"}, {"domain", {{"name", "Default"}}}}));
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  EXPECT_EQ(peer.requests(), 1) << "what the login said is known";
  EXPECT_TRUE(users->log_in({"dave", "secret-of-dave", "", "10.0.0.1"}));
  EXPECT_EQ(Json::parse(logins.at(1))["scope"]["project"]["name"], "service") << "none was named";
}

TEST_F(Keystone, WhoMayNotLogIn) {
  auto users = access(peer.url());
  EXPECT_EQ(users->log_in({"eve", "secret-of-eve", "", "10.0.0.1"}).failure().code, "forbidden");
  EXPECT_EQ(users->log_in({"", "x", "", "10.0.0.1"}).failure().code, "unauthorized");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(users->log_in({"carol", "guess\xff\"", "", "10.0.0.1"}).failure().code, "unauthorized");
  const int asked = peer.requests();
  EXPECT_EQ(users->log_in({"carol", "secret-of-carol", "", "10.0.0.1"}).failure().code, "slow_down");
  EXPECT_EQ(peer.requests(), asked);
  EXPECT_THAT(refused, ElementsAre("no_role", "wrong_password", "wrong_password", "wrong_password", "slowed_down"));
}

TEST_F(Keystone, WhenItIsAwayNobodyWaits) {
  std::string url;
  {
    HttpPeer gone([](const HttpPeer::Said&) { return std::string(); });
    url = gone.url();
  }
  auto users = access(url);
  auto user = users->user_of("of-carol");
  EXPECT_EQ(code_of(user), "unavailable");
  EXPECT_THAT(user.failure().message, HasSubstr("Keystone"));
  EXPECT_EQ(code_of(users->user_of("of-carol")), "unavailable");
  EXPECT_EQ(users->log_in({"carol", "secret-of-carol", "", ""}).failure().code, "unavailable");
  EXPECT_THAT(failed, ElementsAre("unreachable", "pause", "pause"));
  clock.advance(seconds(2));
  EXPECT_EQ(code_of(users->user_of("of-carol")), "unavailable");
  EXPECT_EQ(failed.back(), "unreachable") << "asked again";
}

TEST_F(Keystone, WhatIsKnownStaysKnownMeanwhile) {
  auto users = access(peer.url());
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  next = HttpPeer::answer(503, "later");
  EXPECT_EQ(code_of(users->user_of("of-dave")), "unavailable");
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  EXPECT_EQ(code_of(users->user_of("of-dave")), "reader") << "a failure is not remembered";
  EXPECT_THAT(texts, ElementsAre(AllOf(HasSubstr("503"), HasSubstr("later"))));
}

TEST_F(Keystone, AnswersThatMakeNoSense) {
  auto users = access(peer.url());
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  const std::string good = token_body("dave", {"admin"}, seconds(60));
  Json without_end = Json::parse(good), without_user = Json::parse(good);
  without_end["token"].erase("expires_at");
  without_user["token"]["user"].erase("name");
  for (const std::string& body : {std::string(), std::string("{"), std::string("[]"), std::string(R"({"token":[]})"),
                                  without_end.dump(), without_user.dump()}) {
    next = HttpPeer::answer(200, body);
    EXPECT_EQ(code_of(users->user_of("of-dave")), "unavailable") << body;
  }
  next = HttpPeer::answer(302, "", "Location: http://127.0.0.1:1/\r\n");
  EXPECT_EQ(code_of(users->user_of("of-dave")), "unavailable") << "no redirection is followed";
  next = HttpPeer::answer(200, R"({"token":{"user":{"name":"dave"},"expires_at":")" + time_text(seconds(60)) +
                                   R"(","roles":[1,{"name":7},{"id":"admin"}]}})");
  EXPECT_EQ(code_of(users->user_of("of-dave")), "forbidden") << "roles without names are none";
  EXPECT_THAT(failed, ::testing::Each("error"));
}

TEST_F(Keystone, AnAnswerOfAnySizeIsNotTaken) {
  auto users = access(peer.url());
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  next = HttpPeer::answer(200, std::string(size_t{2} << 20, ' '));
  EXPECT_EQ(code_of(users->user_of("of-dave")), "unavailable");
  EXPECT_THAT(failed, ElementsAre("unreachable"));
}

TEST_F(Keystone, AServiceUserWhoIsRefused) {
  auto users = access(peer.url(), "wrong");
  EXPECT_EQ(code_of(users->user_of("of-carol")), "unavailable");
  EXPECT_EQ(code_of(users->user_of("of-carol")), "unavailable");
  EXPECT_THAT(failed, ElementsAre("service_user", "pause")) << "guesses lock a user out of Keystone";
  EXPECT_THAT(texts, Contains(HasSubstr("rest.keystone_user")));
  users->set_service_password("secret-of-viaduct");
  clock.advance(seconds(2));
  EXPECT_EQ(code_of(users->user_of("of-carol")), "admin");
  next = HttpPeer::answer(403, "{}");
  EXPECT_EQ(code_of(users->user_of("of-dave")), "unavailable");
  EXPECT_THAT(texts.back(), HasSubstr("give rest.keystone_user the role"));
}

TEST_F(Keystone, ATimeoutIsOne) {
  std::atomic<bool> ended{false};
  HttpPeer slow([&](const HttpPeer::Said&) {
    while (!ended) std::this_thread::yield();
    return std::string();
  });
  auto users = access(slow.url());
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of(users->user_of("of-carol")), "unavailable");
  const auto taken = std::chrono::steady_clock::now() - began;
  ended = true;
  EXPECT_GE(taken, std::chrono::milliseconds(350));
  EXPECT_LT(taken, seconds(5));
}

}  // namespace
}  // namespace viaduct::api::rest
