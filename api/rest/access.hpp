// Who may ask for what: the providers of users, and what roles allow.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/client/outcome.hpp"

namespace viaduct::api::rest {

enum class Role : uint8_t {
  none,
  reader,  // sees everything, changes nothing
  member,  // sees and changes what is of one tenant (confinement.cpp)
  admin,
};
std::optional<Role> parse_role(std::string_view text);  // not of members, who have a tenant
std::string_view to_string(Role role);                  // "admin"
// In time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

struct User {
  std::string name;
  Role role = Role::none;
  bool counted = true;      // by rate_limit.hpp; not who owns this host
  std::string tenant = {};  // of a member
};
// From "admin", "reader" or "member:TENANT"; a tenant is printable, and has no space or colon.
std::optional<User> user_with_role(std::string name, std::string_view role);
std::string role_of(const User& user);  // back again

struct Login {
  std::string token;
  std::optional<std::chrono::system_clock::time_point> expires;
};

struct LoginAttempt {
  std::string user;
  std::string password;
  std::string project;  // X-Auth-Project; empty: not said
  std::string peer;     // address that it comes from
};

// What the others are told of logins; called by any thread. Never holds a password.
struct AccessEvents {
  // "unknown_user", "wrong_password", "slowed_down", "busy", "no_role", "unavailable".
  std::function<void(const LoginAttempt&, std::string_view reason)> login_failed = {};
};

// Thread-safe. Failures: "unauthorized" (nobody who is known), "forbidden" (known, and may not), "slow_down" (too many failed
// logins), "unavailable".
class Access {
 public:
  Access() = default;
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  virtual ~Access() = default;

  virtual Result<User> user_of(std::string_view token) const = 0;
  virtual Result<Login> log_in(const LoginAttempt& attempt) const = 0;
};

// Everybody is an admin: for a loopback address only.
class OpenAccess final : public Access {
 public:
  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const LoginAttempt& attempt) const override;
};

// Tokens that are known beforehand. There is no login.
class TokenAccess final : public Access {
 public:
  struct Entry {
    std::string token;
    User user;
  };
  explicit TokenAccess(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  void replace(std::vector<Entry> entries);
  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const LoginAttempt& attempt) const override;

 private:
  mutable std::shared_mutex mutex_;
  std::vector<Entry> entries_;
};

// Tokens that are known beforehand, and besides them those that somebody else gives and knows.
class LayeredAccess final : public Access {
 public:
  LayeredAccess(std::shared_ptr<const Access> known, std::shared_ptr<const Access> more)
      : known_(std::move(known)), more_(std::move(more)) {}

  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const LoginAttempt& attempt) const override { return more_->log_in(attempt); }

 private:
  const std::shared_ptr<const Access> known_, more_;
};

// Lines "TOKEN ROLE NAME", with a role as user_with_role() takes it; '#' begins a comment. The failure names the line.
Result<std::vector<TokenAccess::Entry>> parse_tokens(std::string_view text);

// "Basic dXNlcjpwYXNz" (RFC 7617): the user ends at the first colon, so that a password may hold some.
struct Credentials {
  std::string user, password;
};
std::optional<Credentials> parse_basic(std::string_view authorization);

// Failures of this folder's providers.
Failure unauthorized(std::string message, std::string cure = {});
Failure slow_down(std::chrono::seconds wait);

}  // namespace viaduct::api::rest
