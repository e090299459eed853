#include "api/rest/password_access.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <thread>

namespace viaduct::api::rest {
namespace {

constexpr size_t kTokenBytes = 32;
constexpr size_t kHalfDigits = kTokenBytes;  // 16 bytes in hexadecimal
constexpr std::chrono::seconds kPatience{2};

std::string random_hex() {
  std::array<unsigned char, kTokenBytes> raw{};
  if (getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) return {};
  std::string out;
  for (unsigned char byte : raw) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::vector<PasswordEntry> by_name(std::vector<PasswordEntry> users) {
  std::ranges::sort(users, {}, [](const PasswordEntry& each) { return each.user.name; });
  return users;
}

const PasswordEntry* find(const std::vector<PasswordEntry>& users, const std::string& name) {
  auto at = std::ranges::lower_bound(users, name, {}, [](const PasswordEntry& each) { return each.user.name; });
  return at != users.end() && at->user.name == name ? &*at : nullptr;
}

}  // namespace

PasswordAccess::PasswordAccess(std::vector<PasswordEntry> users, PasswordOptions options, AccessEvents events)
    : options_(std::move(options)),
      events_(std::move(events)),
      seed_(std::hash<std::string>{}(random_hex())),
      users_(by_name(std::move(users))),
      brake_(options_.brake),
      hashing_(std::max(1U, std::thread::hardware_concurrency() / 2)),
      tokens_(options_.most_tokens) {}

void PasswordAccess::replace(std::vector<PasswordEntry> users) {
  users = by_name(std::move(users));
  std::unique_lock lock(users_mutex_);
  users_ = std::move(users);
}

Failure PasswordAccess::refuse(const LoginAttempt& attempt, std::string_view reason, Failure failure) const {
  if (events_.login_failed) events_.login_failed(attempt, reason);
  return failure;
}

PasswordEntry PasswordAccess::entry_for(const std::string& user, bool& is_known) const {
  std::shared_lock lock(users_mutex_);
  const PasswordEntry* entry = find(users_, user);
  is_known = entry != nullptr;
  if (is_known || users_.empty()) return is_known ? *entry : PasswordEntry{};
  return users_[(std::hash<std::string>{}(user) ^ seed_) % users_.size()];
}

Result<Login> PasswordAccess::new_token(const PasswordEntry& of) const {
  const std::string token = random_hex();
  if (token.empty()) return Failure{ExitCode::refused, "unavailable", "the kernel gives no random bytes", {}, {}};
  {
    std::lock_guard lock(tokens_mutex_);
    tokens_.put(token.substr(0, kHalfDigits), {token.substr(kHalfDigits), of.user.name, of.hash},
                options_.now() + options_.token_lifetime);
  }
  return Login{token, std::chrono::system_clock::now() + options_.token_lifetime};
}

Result<Login> PasswordAccess::log_in(const LoginAttempt& attempt) const {
  if (attempt.user.empty()) return unauthorized("there is no user", "send the header Authorization: Basic");
  const auto pause = [&] { return brake_.pause(attempt.user, attempt.peer, options_.now()); };
  if (const auto wait = pause()) return refuse(attempt, "slowed_down", slow_down(*wait));
  if (!hashing_.try_acquire_for(kPatience))
    return refuse(attempt, "busy",
                  {ExitCode::refused, "unavailable", "too many others log in", "try again in a moment", {}});
  const std::shared_ptr<void> slot(nullptr, [this](void*) { hashing_.release(); });
  // Others may have failed while this one waited.
  if (const auto wait = pause()) return refuse(attempt, "slowed_down", slow_down(*wait));
  bool is_known = false;
  const PasswordEntry entry = entry_for(attempt.user, is_known);
  if (!matches(attempt.password, entry.hash) || !is_known) {
    brake_.failed(attempt.user, attempt.peer, options_.now());
    return refuse(attempt, is_known ? "wrong_password" : "unknown_user",
                  unauthorized("the user or the password is wrong"));
  }
  brake_.succeeded(attempt.user, attempt.peer);
  return new_token(entry);
}

Result<User> PasswordAccess::user_of(std::string_view token) const {
  const Failure unknown = unauthorized(token.empty() ? "there is no token" : "the token is unknown, or has expired",
                                       "log in, and send the header X-Auth-Token");
  if (token.size() != 2 * kHalfDigits) return unknown;
  Token known;
  {
    std::lock_guard lock(tokens_mutex_);
    const Token* found = tokens_.find(std::string(token.substr(0, kHalfDigits)), options_.now());
    if (found == nullptr || !same_secret(found->secret, token.substr(kHalfDigits))) return unknown;
    known = *found;
  }
  std::shared_lock lock(users_mutex_);
  const PasswordEntry* entry = find(users_, known.user);
  if (entry == nullptr || entry->hash != known.hash) return unknown;
  return entry->user;
}

}  // namespace viaduct::api::rest
