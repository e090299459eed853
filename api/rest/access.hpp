// Who may ask for what: the providers of users, and what roles allow.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client/outcome.hpp"

namespace viaduct::api::rest {

enum class Role : uint8_t {
  none,
  reader,  // sees everything, changes nothing
  admin,
};
std::optional<Role> parse_role(std::string_view text);

struct User {
  std::string name;
  Role role = Role::none;
};

struct Login {
  std::string token;
  std::optional<std::chrono::system_clock::time_point> expires;
};

// Thread-safe. Failures: "unauthorized" (nobody who is known), "forbidden" (known, and may not), "unavailable".
class Access {
 public:
  Access() = default;
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  virtual ~Access() = default;

  virtual Result<User> user_of(std::string_view token) const = 0;
  virtual Result<Login> log_in(const std::string& user, const std::string& password,
                               const std::string& project) const = 0;
};

// Everybody is an admin: for a loopback address only.
class OpenAccess final : public Access {
 public:
  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const std::string& user, const std::string& password, const std::string& project) const override;
};

// Tokens that are known beforehand. There is no login.
class TokenAccess final : public Access {
 public:
  struct Entry {
    std::string token;
    User user;
  };
  explicit TokenAccess(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const std::string& user, const std::string& password, const std::string& project) const override;

 private:
  const std::vector<Entry> entries_;
};

// Lines "TOKEN ROLE NAME"; '#' begins a comment. The failure names the line.
Result<std::vector<TokenAccess::Entry>> parse_tokens(std::string_view text);

// "Basic dXNlcjpwYXNz" (RFC 7617): the user ends at the first colon, so that a password may hold some.
struct Credentials {
  std::string user, password;
};
std::optional<Credentials> parse_basic(std::string_view authorization);

}  // namespace viaduct::api::rest
