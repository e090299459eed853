#include "api/rest/login_brake.hpp"

#include <algorithm>
#include <functional>

namespace viaduct::api::rest {
namespace {

using std::chrono::seconds;

// An address has no space. A name of any length is as long as its hash.
std::string key_of(const std::string& user, const std::string& address) {
  return address + " " + std::to_string(std::hash<std::string>{}(user)) + " " + user.substr(0, 64);
}

}  // namespace

std::optional<seconds> LoginBrake::pause(const std::string& user, const std::string& address, Time now) {
  std::lock_guard lock(mutex_);
  Time until = now;
  for (const std::string& key : {key_of(user, address), address}) {
    if (const Guesses* guesses = guesses_.find(key, now)) until = std::max(until, guesses->not_before);
  }
  if (until <= now) return std::nullopt;
  return std::chrono::ceil<seconds>(until - now);
}

void LoginBrake::count(const std::string& key, unsigned free, Time now) {
  Guesses guesses;
  if (const Guesses* known = guesses_.find(key, now)) guesses = *known;
  ++guesses.failures;
  if (guesses.failures >= free) {
    const unsigned doubled = std::min(guesses.failures - free, 20U);
    guesses.not_before = now + std::min(seconds(1U << doubled), options_.longest_pause);
  }
  guesses_.put(key, guesses, now + options_.memory);
}

void LoginBrake::failed(const std::string& user, const std::string& address, Time now) {
  std::lock_guard lock(mutex_);
  count(key_of(user, address), options_.free_of_user, now);
  count(address, options_.free_of_address, now);
}

void LoginBrake::succeeded(const std::string& user, const std::string& address) {
  std::lock_guard lock(mutex_);
  guesses_.erase(key_of(user, address));
}

}  // namespace viaduct::api::rest
