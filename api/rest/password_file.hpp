// The password file of the REST API: lines NAME:HASH:ROLE, with hashes as crypt(5) describes them. Read by viaductd, written by
// `viaduct rest passwd`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/client/outcome.hpp"
#include "api/rest/access.hpp"

namespace viaduct::api::rest {

struct PasswordEntry {
  User user;
  std::string hash;  // bcrypt ($2b$, $2y$) or yescrypt ($y$)
};

inline constexpr size_t kMaxPasswordFileBytes = size_t{1} << 20;
inline constexpr size_t kMaxPasswordBytes = 511;  // libcrypt's bound

// '#' at the beginning of a line makes it a comment. The failure names the line, and what to do.
Result<std::vector<PasswordEntry>> parse_passwords(std::string_view text);

// Blocking: takes as long as the hash is meant to take, tens to hundreds of milliseconds. Any thread.
bool matches(const std::string& password, const std::string& hash);
// With yescrypt and a fresh salt. Failure: a password that cannot be one.
Result<std::string> hash_password(const std::string& password);
// Why no user can be called so; empty: one can.
std::string wrong_name(std::string_view name);

// The text with this user's line in place of the one that was there, or behind the others; every other line stays. Without a
// role a known user keeps theirs, and a new one is a reader. The failure: the text is no password file, or the role none.
struct NewPassword {
  std::string name;
  std::string hash;
  std::string role = {};  // "admin", "reader", "member:TENANT"; empty: not said
};
struct Edited {
  std::string text;
  std::string role;
  bool is_new = false;
};
Result<Edited> set_password(std::string_view text, const NewPassword& wanted);

}  // namespace viaduct::api::rest
