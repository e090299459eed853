// Hashes that cost little, and a clock that stands until it is moved.
#pragma once

#include <crypt.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "api/rest/password_file.hpp"

namespace viaduct::api::rest::testing {

// bcrypt of the lowest cost.
inline std::string cheap_hash(const std::string& password) {
  auto data = std::make_unique<crypt_data>();
  return crypt_r(password.c_str(), "$2b$04$abcdefghijklmnopqrstuu", data.get());
}

inline PasswordEntry entry(const std::string& name, const std::string& password, Role role = Role::reader) {
  return {{name, role}, cheap_hash(password)};
}

struct FakeClock {
  std::atomic<std::chrono::seconds> passed{std::chrono::seconds(1000)};
  std::chrono::steady_clock::time_point now() const { return std::chrono::steady_clock::time_point(passed.load()); }
  void advance(std::chrono::seconds by) { passed = passed.load() + by; }
};

}  // namespace viaduct::api::rest::testing
