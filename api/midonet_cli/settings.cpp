#include "api/midonet_cli/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace viaduct::api::midonet_cli {
namespace {

struct Key {
  std::string_view name;  // in the file
  const char* variable;
  std::optional<std::string> Settings::*value;
};
constexpr std::array kKeys = std::to_array<Key>({
    {"api_url", "MIDO_API_URL", &Settings::url},
    {"username", "MIDO_USER", &Settings::user},
    {"password", "MIDO_PASSWORD", &Settings::password},
    {"project_id", "MIDO_PROJECT_ID", &Settings::project},
    {"tenant", "MIDO_TENANT", &Settings::tenant},
    {"disable_ssl_certificate_validation", "MIDO_DISABLE_SSL_CERTIFICATE_VALIDATION", &Settings::certificates},
});

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Failure wrong_line(size_t number, std::string message) {
  return usage_error("line " + std::to_string(number) + ": " + std::move(message), "lines are [cli], KEY = VALUE, # …");
}

}  // namespace

Result<Settings> parse_rc(std::string_view text) {
  Settings out;
  std::string section;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line.back() != ']') return wrong_line(number, "the section is not closed");
      section = trimmed(line.substr(1, line.size() - 2));
      continue;
    }
    const size_t equals = line.find_first_of("=:");
    if (equals == line.npos) return wrong_line(number, "there is no '='");
    if (section.empty()) return wrong_line(number, "there is no section above it");
    if (section != "cli") continue;
    const std::string key = lower(trimmed(line.substr(0, equals)));
    auto at = std::ranges::find(kKeys, key, &Key::name);
    if (at != kKeys.end()) out.*(at->value) = std::string(trimmed(line.substr(equals + 1)));
  }
  return out;
}

Settings of_environment(const Variable& variable) {
  Settings out;
  for (const Key& key : kKeys) out.*(key.value) = variable(key.variable);
  return out;
}

Settings merged(Settings first, const Settings& second) {
  for (const Key& key : kKeys) {
    if (!(first.*(key.value))) first.*(key.value) = second.*(key.value);
  }
  return first;
}

}  // namespace viaduct::api::midonet_cli
