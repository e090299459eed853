// Slows down who guesses passwords: behind some failed logins each further one has to wait, twice as long every time.
//
// Counted for a user from one address (so that nobody locks a user out from elsewhere), and for an address as a whole, with more
// patience, as many users may come from it through a proxy. Nothing sleeps: who comes too early is refused.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "api/rest/bounded_map.hpp"

namespace viaduct::api::rest {

struct BrakeOptions {
  unsigned free_of_user = 3;  // failures without a pause
  unsigned free_of_address = 100;
  std::chrono::seconds longest_pause{60};
  std::chrono::seconds memory{900};  // without a failure for so long all is forgotten
  size_t most = 10'000;              // users and addresses that are remembered
};

// Thread-safe.
class LoginBrake {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit LoginBrake(BrakeOptions options = {}) : options_(options), guesses_(options.most) {}

  // How long this user still has to wait at this address, rounded up; nothing: not at all.
  std::optional<std::chrono::seconds> pause(const std::string& user, const std::string& address, Time now);
  void failed(const std::string& user, const std::string& address, Time now);
  // Forgets the failures of this user at this address; not the address's.
  void succeeded(const std::string& user, const std::string& address);

 private:
  struct Guesses {
    unsigned failures = 0;
    Time not_before = {};
  };
  void count(const std::string& key, unsigned free, Time now);

  const BrakeOptions options_;
  std::mutex mutex_;
  BoundedMap<Guesses> guesses_;
};

}  // namespace viaduct::api::rest
