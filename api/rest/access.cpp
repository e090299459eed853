#include "api/rest/access.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <sstream>

namespace viaduct::api::rest {
namespace {

int digit_of_base64(char c) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t at = kDigits.find(c);
  return at == kDigits.npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  unsigned bits = 0, count = 0;
  for (char c : text) {
    const int digit = digit_of_base64(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  return out;
}

}  // namespace

Failure unauthorized(std::string message, std::string cure) {
  return {ExitCode::refused, "unauthorized", std::move(message), std::move(cure), {}};
}
Failure slow_down(std::chrono::seconds wait) {
  const auto seconds = static_cast<unsigned>(wait.count());
  return {ExitCode::refused,
          "slow_down",
          "too many logins have failed",
          "try again in " + std::to_string(seconds) + " s",
          {},
          seconds};
}

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

std::optional<Role> parse_role(std::string_view text) {
  if (text == "admin") return Role::admin;
  if (text == "reader") return Role::reader;
  return std::nullopt;
}

std::optional<User> user_with_role(std::string name, std::string_view role) {
  if (const auto plain = parse_role(role)) return User{std::move(name), *plain};
  constexpr std::string_view kMember = "member:";
  if (!role.starts_with(kMember)) return std::nullopt;
  const std::string_view tenant = role.substr(kMember.size());
  const bool whole = std::ranges::all_of(tenant, [](unsigned char c) { return c > ' ' && c != ':' && c != 0x7f; });
  if (tenant.empty() || tenant.size() > 255 || !whole) return std::nullopt;
  return User{std::move(name), Role::member, true, std::string(tenant)};
}

std::string role_of(const User& user) {
  return std::string(to_string(user.role)) + (user.role == Role::member ? ":" + user.tenant : "");
}

Result<User> OpenAccess::user_of(std::string_view) const { return User{"anybody", Role::admin, false}; }
Result<Login> OpenAccess::log_in(const LoginAttempt&) const { return Login{"00000000", std::nullopt}; }

std::string_view to_string(Role role) {
  switch (role) {
    case Role::none:
      return "none";
    case Role::reader:
      return "reader";
    case Role::member:
      return "member";
    case Role::admin:
      return "admin";
  }
  return "none";
}

void TokenAccess::replace(std::vector<Entry> entries) {
  std::unique_lock lock(mutex_);
  entries_ = std::move(entries);
}

Result<User> TokenAccess::user_of(std::string_view token) const {
  std::shared_lock lock(mutex_);
  const Entry* known = nullptr;
  for (const Entry& entry : entries_) {
    if (same_secret(entry.token, token)) known = &entry;
  }
  if (known != nullptr) return known->user;
  return unauthorized(token.empty() ? "there is no token" : "the token is none that is known",
                      "send the header X-Auth-Token");
}
Result<Login> TokenAccess::log_in(const LoginAttempt&) const {
  return unauthorized("there is no login, only tokens that are known beforehand", "send the header X-Auth-Token");
}

Result<User> LayeredAccess::user_of(std::string_view token) const {
  auto user = known_->user_of(token);
  return user || token.empty() ? user : more_->user_of(token);
}

Result<std::vector<TokenAccess::Entry>> parse_tokens(std::string_view text) {
  std::vector<TokenAccess::Entry> entries;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    line = line.substr(0, line.find('#'));
    std::istringstream words(line);
    std::string token, role, name, more;
    words >> token >> role >> name >> more;
    if (token.empty()) continue;
    const auto known = user_with_role(name, role);
    auto wrong = [&](const std::string& what) {
      return Failure{ExitCode::usage,
                     "usage",
                     "line " + std::to_string(number) + ": " + what,
                     "write TOKEN ROLE NAME, with a role of admin, reader or member:TENANT",
                     {}};
    };
    if (!known) return wrong("'" + role + "' is no role");
    if (name.empty() || !more.empty()) return wrong("it does not have three words");
    if (token.size() < 16) return wrong("the token is shorter than 16 characters");
    entries.push_back({token, *known});
  }
  return entries;
}

std::optional<Credentials> parse_basic(std::string_view authorization) {
  if (authorization.size() < 6 || strncasecmp(authorization.data(), "basic ", 6) != 0) return std::nullopt;
  auto decoded = decode_base64(authorization.substr(6));
  if (!decoded) return std::nullopt;
  const size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

}  // namespace viaduct::api::rest
