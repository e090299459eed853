#include "api/rest/keystone_access.hpp"

#include <strings.h>

#include <algorithm>

namespace viaduct::api::rest {
namespace {

constexpr size_t kMaxTokenBytes = 8'192;

// Tokens of all formats that Keystone has are printable; nothing else goes into a header of ours.
bool may_be_token(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

bool has(const std::vector<std::string>& roles, const std::string& wanted) {
  return std::ranges::any_of(roles,
                             [&](const std::string& each) { return strcasecmp(each.c_str(), wanted.c_str()) == 0; });
}

}  // namespace

KeystoneAccess::KeystoneAccess(KeystoneAccessOptions options, AccessEvents events, KeystoneEvents keystone_events)
    : options_(std::move(options)),
      events_(std::move(events)),
      client_(options_.keystone, std::move(keystone_events)),
      brake_(options_.brake),
      known_(options_.most_known),
      refused_(options_.most_refused) {}

Result<User> KeystoneAccess::judge(const KeystoneToken& token) const {
  if (has(token.roles, options_.admin_role)) return User{token.user, Role::admin};
  if (has(token.roles, options_.reader_role)) return User{token.user, Role::reader};
  // A project's id is all that is needed to see and change what is its: one that cannot be a tenant is nobody's.
  if (has(token.roles, options_.member_role)) {
    if (auto member = user_with_role(token.user, "member:" + token.project)) return *member;
  }
  return Failure{ExitCode::refused,
                 "forbidden",
                 token.user + " has no role that this API knows, in the project of the token",
                 "give the user the role " + options_.admin_role + ", " + options_.reader_role + " or " +
                     options_.member_role + " in Keystone",
                 {}};
}

void KeystoneAccess::remember(const KeystoneToken& token, const Result<User>& user) const {
  const auto left = token.expires - std::chrono::system_clock::now();
  const auto believed = std::min<std::chrono::system_clock::duration>(left, options_.known_for);
  if (believed <= believed.zero()) return;
  std::lock_guard lock(mutex_);
  known_.put(token.id, user, options_.keystone.now() + believed);
}

Result<User> KeystoneAccess::user_of(std::string_view text) const {
  if (text.empty()) return unauthorized("there is no token", "log in, and send the header X-Auth-Token");
  if (!may_be_token(text)) return unauthorized("the token is none of Keystone's");
  const std::string token(text);
  {
    std::lock_guard lock(mutex_);
    if (const auto* user = known_.find(token, options_.keystone.now())) return *user;
    if (const auto* failure = refused_.find(token, options_.keystone.now())) return *failure;
  }
  auto valid = client_.validate(token);
  if (valid) {
    auto user = judge(*valid);
    remember(*valid, user);
    return user;
  }
  if (valid.failure().code == "unauthorized") {
    std::lock_guard lock(mutex_);
    refused_.put(token, valid.failure(), options_.keystone.now() + options_.refused_for);
  }
  return valid.failure();
}

Failure KeystoneAccess::refuse(const LoginAttempt& attempt, std::string_view reason, Failure failure) const {
  if (events_.login_failed) events_.login_failed(attempt, reason);
  return failure;
}

Result<Login> KeystoneAccess::log_in(const LoginAttempt& attempt) const {
  if (attempt.user.empty()) return unauthorized("there is no user", "send the header Authorization: Basic");
  if (const auto wait = brake_.pause(attempt.user, attempt.peer, options_.keystone.now()))
    return refuse(attempt, "slowed_down", slow_down(*wait));
  auto token = client_.authenticate(attempt.user, attempt.password, attempt.project);
  if (!token) {
    const bool wrong = token.failure().code == "unauthorized";
    if (wrong) brake_.failed(attempt.user, attempt.peer, options_.keystone.now());
    return refuse(attempt, wrong ? "wrong_password" : "unavailable", token.failure());
  }
  brake_.succeeded(attempt.user, attempt.peer);
  auto user = judge(*token);
  remember(*token, user);
  if (!user) return refuse(attempt, "no_role", user.failure());
  return Login{token->id, token->expires};
}

}  // namespace viaduct::api::rest
