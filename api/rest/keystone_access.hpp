// Users of OpenStack's Keystone: their tokens are looked at there, their roles become ours.
#pragma once

#include <mutex>

#include "api/rest/access.hpp"
#include "api/rest/bounded_map.hpp"
#include "api/rest/keystone_client.hpp"
#include "api/rest/login_brake.hpp"

namespace viaduct::api::rest {

struct KeystoneAccessOptions {
  KeystoneOptions keystone;
  std::string admin_role = "admin";  // the roles of Keystone that are ours; without regard to case, as there
  std::string reader_role = "reader";
  std::string member_role = "member";   // of the tenant that is the token's project
  std::chrono::seconds known_for{60};   // so long an answer is believed, and never beyond the token's end
  std::chrono::seconds refused_for{5};  // that a token is none
  size_t most_known = 10'000;
  size_t most_refused = 1'000;
  BrakeOptions brake = {};
};

// Thread-safe. A token that Keystone takes back is good here until the answer is no longer believed.
class KeystoneAccess final : public Access {
 public:
  explicit KeystoneAccess(KeystoneAccessOptions options, AccessEvents events = {}, KeystoneEvents keystone_events = {});

  void set_service_password(std::string password) { client_.set_password(std::move(password)); }
  Result<User> user_of(std::string_view token) const override;
  Result<Login> log_in(const LoginAttempt& attempt) const override;

 private:
  Result<User> judge(const KeystoneToken& token) const;
  void remember(const KeystoneToken& token, const Result<User>& user) const;
  Failure refuse(const LoginAttempt& attempt, std::string_view reason, Failure failure) const;

  const KeystoneAccessOptions options_;
  const AccessEvents events_;
  KeystoneClient client_;
  mutable LoginBrake brake_;
  mutable std::mutex mutex_;
  mutable BoundedMap<Result<User>> known_;  // a user, or "forbidden"
  mutable BoundedMap<Failure> refused_;
};

}  // namespace viaduct::api::rest
