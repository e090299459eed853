#include "api/rest/password_file.hpp"

#include <crypt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>

namespace viaduct::api::rest {
namespace {

constexpr const char* kCure =
    "write NAME:HASH:ROLE, with a role of admin, reader, member:TENANT; viaduct rest passwd NAME writes such a line";
constexpr const char* kYescrypt = "$y$";
constexpr std::string_view kHashDigits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool consists_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == text.npos;
}

// What costs minutes would keep a thread from everybody else: costs 4 to 15.
std::string wrong_bcrypt(std::string_view rest) {
  if (rest.size() != 56 || rest[2] != '$' || !consists_of(rest.substr(3), kHashDigits))
    return "the bcrypt hash is not whole";
  const std::string cost(rest.substr(0, 2));
  if (!consists_of(cost, "0123456789") || cost < "04" || cost > "15") return "the bcrypt hash has no cost of 04 to 15";
  return {};
}

// The parameters that libcrypt's own costs of 1 to 8 have (up to 128 MiB).
std::string wrong_yescrypt(std::string_view rest) {
  constexpr std::array<std::string_view, 8> kKnown = {"j75", "j85", "j7T", "j8T", "j9T", "jAT", "jBT", "jCT"};
  const size_t salt = rest.find('$');
  const size_t hash = salt == rest.npos ? rest.npos : rest.find('$', salt + 1);
  if (hash == rest.npos || hash == salt + 1 || rest.size() - hash - 1 != 43 ||
      !consists_of(rest.substr(hash + 1), kHashDigits) ||
      !consists_of(rest.substr(salt + 1, hash - salt - 1), kHashDigits))
    return "the yescrypt hash is not whole";
  if (std::ranges::find(kKnown, rest.substr(0, salt)) == kKnown.end()) return "the yescrypt hash has no cost of 1 to 8";
  return {};
}

std::string wrong_hash(std::string_view hash) {
  for (std::string_view method : {"$2b$", "$2y$"})
    if (hash.starts_with(method)) return wrong_bcrypt(hash.substr(method.size()));
  if (hash.starts_with(kYescrypt)) return wrong_yescrypt(hash.substr(3));
  return "the hash is neither bcrypt ($2b$, $2y$) nor yescrypt ($y$)";
}

struct Line {
  std::string_view name, hash, role;
  bool has_three = false;
};

Line split(std::string_view text) {
  Line line;
  const size_t first = text.find(':');
  const size_t second = first == text.npos ? text.npos : text.find(':', first + 1);
  if (second == text.npos) return line;
  line = {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1), true};
  const bool member = line.role.starts_with("member:");  // and a tenant behind
  line.has_three = line.role.find(':', member ? std::strlen("member:") : 0) == text.npos;
  return line;
}

bool is_comment(std::string_view text) { return text.empty() || text.front() == '#'; }

// Each line without its end, numbered from 1, until `take` returns false.
template <class Take>
void each_line(std::string_view text, Take take) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    if (!take(number, text.substr(0, end))) return;
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

}  // namespace

std::string wrong_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return "a name has 1 to 64 characters";
  const bool plain = std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c != ':' && c != 0x7f; });
  if (!plain || name.front() == '#') return "a name has no spaces and no colons, and no # at its beginning";
  return {};
}

Result<std::vector<PasswordEntry>> parse_passwords(std::string_view text) {
  if (text.size() > kMaxPasswordFileBytes) return usage_error("it is larger than 1 MiB", kCure);
  std::vector<PasswordEntry> entries;
  std::set<std::string_view> names;
  std::string problem;
  each_line(text, [&](size_t number, std::string_view whole) {
    if (is_comment(whole)) return true;
    const Line line = split(whole);
    const auto user = user_with_role(std::string(line.name), line.role);
    if (!line.has_three) {
      problem = "it does not have three parts";
    } else if (problem = wrong_name(line.name); problem.empty()) {
      problem = wrong_hash(line.hash);
      if (problem.empty() && !user) problem = "'" + std::string(line.role) + "' is no role";
      if (problem.empty() && !names.insert(line.name).second)
        problem = "the user '" + std::string(line.name) + "' is there twice";
    }
    if (!problem.empty()) {
      problem = "line " + std::to_string(number) + ": " + problem;
      return false;
    }
    entries.push_back({*user, std::string(line.hash)});
    return true;
  });
  if (!problem.empty()) return usage_error(problem, kCure);
  return entries;
}

bool matches(const std::string& password, const std::string& hash) {
  auto data = std::make_unique<crypt_data>();
  const bool possible = password.size() <= kMaxPasswordBytes && password.find('\0') == std::string::npos;
  // What cannot be a password takes as long as one.
  const char* made = crypt_r(possible ? password.c_str() : "", hash.c_str(), data.get());
  const bool same = made != nullptr && same_secret(made, hash);
  explicit_bzero(data.get(), sizeof *data);
  return possible && same;
}

Result<std::string> hash_password(const std::string& password) {
  if (password.size() < 8) return usage_error("the password is shorter than 8 characters", "choose a longer one");
  if (password.size() > kMaxPasswordBytes) return usage_error("the password is longer than 511 bytes", {});
  if (password.find('\0') != std::string::npos) return usage_error("the password holds a zero byte", {});
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  auto data = std::make_unique<crypt_data>();
  const bool salted = crypt_gensalt_rn(kYescrypt, 0, nullptr, 0, setting.data(), setting.size()) != nullptr;
  const char* made = salted ? crypt_r(password.c_str(), setting.data(), data.get()) : nullptr;
  const std::string hash = made == nullptr ? "" : made;
  explicit_bzero(data.get(), sizeof *data);
  if (hash.starts_with(kYescrypt)) return hash;
  return Failure{ExitCode::refused, "no_hash", "libcrypt makes no yescrypt hash", "is its version 4.4 or later?", {}};
}

Result<Edited> set_password(std::string_view text, const NewPassword& wanted) {
  auto entries = parse_passwords(text);
  if (!entries) return entries.failure();
  auto known = std::ranges::find(*entries, wanted.name, [](const PasswordEntry& each) { return each.user.name; });
  Edited edited{{}, std::string(to_string(Role::reader)), known == entries->end()};
  if (!edited.is_new) edited.role = role_of(known->user);
  if (!wanted.role.empty()) edited.role = wanted.role;
  if (!user_with_role(wanted.name, edited.role)) return usage_error("'" + edited.role + "' is no role", kCure);
  const std::string fresh = wanted.name + ":" + wanted.hash + ":" + edited.role + "\n";
  each_line(text, [&](size_t, std::string_view whole) {
    const bool replaced = !is_comment(whole) && split(whole).name == wanted.name;
    edited.text += replaced ? fresh : std::string(whole) + "\n";
    return true;
  });
  if (edited.is_new) edited.text += fresh;
  return edited;
}

}  // namespace viaduct::api::rest
