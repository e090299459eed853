// Users of a password file: a login gives a token, which is good for a while.
#pragma once

#include <semaphore>
#include <shared_mutex>

#include "api/rest/bounded_map.hpp"
#include "api/rest/login_brake.hpp"
#include "api/rest/password_file.hpp"

namespace viaduct::api::rest {

struct PasswordOptions {
  std::chrono::seconds token_lifetime{86'400};
  size_t most_tokens = 10'000;  // beyond that the oldest go
  BrakeOptions brake = {};
  std::function<std::chrono::steady_clock::time_point()> now = [] { return std::chrono::steady_clock::now(); };
};

// Thread-safe. Tokens live in memory: they end with the process, with their time, when their user has another password or is
// gone, and when too many younger ones were given. A user's role is always that of the file. A login takes as long for users who do
// not exist as for others.
class PasswordAccess final : public Access {
 public:
  explicit PasswordAccess(std::vector<PasswordEntry> users, PasswordOptions options = {}, AccessEvents events = {});

  void replace(std::vector<PasswordEntry> users);
  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const LoginAttempt& attempt) const override;

 private:
  struct Token {
    std::string secret;
    std::string user;
    std::string hash;  // the password that it was given for
  };
  Failure refuse(const LoginAttempt& attempt, std::string_view reason, Failure failure) const;
  // Of this user, or of some other; in the latter case `is_known` is false.
  PasswordEntry entry_for(const std::string& user, bool& is_known) const;
  Result<Login> new_token(const PasswordEntry& of) const;

  const PasswordOptions options_;
  const AccessEvents events_;
  const size_t seed_;
  mutable std::shared_mutex users_mutex_;
  std::vector<PasswordEntry> users_;  // by name
  mutable LoginBrake brake_;
  mutable std::counting_semaphore<> hashing_;  // a hash costs a CPU and much memory
  mutable std::mutex tokens_mutex_;
  mutable BoundedMap<Token> tokens_;  // by the first half of a token; the second is the secret
};

}  // namespace viaduct::api::rest
