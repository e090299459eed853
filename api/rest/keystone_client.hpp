// What is asked of OpenStack's Keystone: its Identity API v3, as far as tokens and passwords go.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

#include "api/client/outcome.hpp"
#include "api/rest/fetch.hpp"

namespace viaduct::api::rest {

struct KeystoneOptions {
  std::string url;  // "https://host:5000/v3"
  // The service user that asks whether tokens are good: with the role service or admin in its project.
  std::string user, password, project;
  std::string domain = "Default";  // of all users and projects
  std::string ca_file = {};        // empty: the authorities that the host trusts
  std::chrono::milliseconds timeout{5'000};
  std::function<std::chrono::steady_clock::time_point()> now = [] { return std::chrono::steady_clock::now(); };
};

struct KeystoneToken {
  std::string id;
  std::string user;
  std::vector<std::string> roles;  // in the project that it is for; none when it is for none
  std::chrono::system_clock::time_point expires = {};
  std::string project = {};  // its id
};

struct KeystoneEvents {
  // "unreachable", "error" (an answer that makes no sense, or that it has a problem), "service_user" (who is refused), "busy" (too
  // many ask already), "pause" (a moment ago it did not answer).
  std::function<void(std::string_view reason, const std::string& text)> failed = {};
  std::function<void()> answered = {};  // what was asked, with an answer that makes sense
};

// Thread-safe; blocks. At most kAtOnce requests are out at a time, and for a moment behind one without an answer there are none, so
// that a Keystone that is away does not keep all threads. Failures: "unauthorized", "unavailable".
class KeystoneClient {
 public:
  static constexpr int kAtOnce = 8;
  static constexpr std::chrono::seconds kPause{2};

  explicit KeystoneClient(KeystoneOptions options, KeystoneEvents events = {});

  // Of somebody else's token.
  Result<KeystoneToken> validate(const std::string& token) const;
  // A new one. An empty project: the service user's.
  Result<KeystoneToken> authenticate(const std::string& user, const std::string& password,
                                     const std::string& project) const;
  // Of the service user, from now on.
  void set_password(std::string password);

 private:
  Result<Fetched> ask(Fetch wanted) const;
  Result<KeystoneToken> password_login(const std::string& user, const std::string& password,
                                       const std::string& project) const;
  // The service user's own; `stale`: the one that is known and no longer good.
  Result<std::string> service_token(const std::string& stale) const;
  Failure fail(std::string_view reason, const std::string& text) const;
  void answered() const;
  void pause() const;

  const KeystoneOptions options_;
  const KeystoneEvents events_;
  mutable std::counting_semaphore<kAtOnce> slots_{kAtOnce};
  mutable std::mutex service_mutex_;  // held while the service user logs in
  mutable std::string service_token_;
  std::string password_;
  mutable std::mutex pause_mutex_;
  mutable std::chrono::steady_clock::time_point pause_until_{};
};

}  // namespace viaduct::api::rest
