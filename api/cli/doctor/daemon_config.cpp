#include "api/cli/doctor/daemon_config.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace viaduct::api::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

struct Line {
  std::string_view key, value;
};
std::optional<Line> split(std::string_view line) {
  const size_t equals = line.find('=');
  if (line.starts_with('#') || equals == std::string_view::npos) return std::nullopt;
  return Line{trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1))};
}

// "text" or 'text', with a comment behind it or not.
std::optional<std::string> quoted_text(std::string_view value) {
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) return std::nullopt;
  const char quote = value.front();
  std::string text;
  for (size_t i = 1; i < value.size(); ++i) {
    if (value[i] == quote) return text;
    if (value[i] == '\\' && quote == '"' && ++i == value.size()) break;
    text += value[i];
  }
  return std::nullopt;
}

// By the last part of the key. A file's name is no secret.
bool may_be_secret(std::string_view key) {
  constexpr std::array<std::string_view, 4> kSecrets = {"password", "secret", "token", "passphrase"};
  std::string lower(key);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  if (lower.ends_with("_file") || lower.ends_with("_file\"")) return false;
  return std::ranges::any_of(kSecrets, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// Also of what is commented out, and of a table within a line.
bool hides(std::string_view line) {
  line = trimmed(line.substr(std::min(line.find_first_not_of("# \t"), line.size())));
  const auto parts = split(line);
  return parts && (may_be_secret(parts->key) || (parts->value.starts_with('{') && may_be_secret(parts->value)));
}

// The quotes of a text that goes on in the next line, or nothing.
std::string_view open_quotes(std::string_view line) {
  for (std::string_view quotes : {"\"\"\"", "'''"}) {
    const size_t first = line.find(quotes);
    if (first != std::string_view::npos && line.find(quotes, first + 3) == std::string_view::npos) return quotes;
  }
  return {};
}

}  // namespace

ConfigTexts config_texts(std::string_view toml) {
  ConfigTexts out;
  std::string table;
  for_each_line(toml, [&](std::string_view whole) {
    const std::string_view line = trimmed(whole);
    if (line.starts_with('[') && !line.starts_with("[[")) {
      table = trimmed(line.substr(1, line.find(']') - 1));
      return;
    }
    const auto parts = split(line);
    const auto text = parts ? quoted_text(parts->value) : std::nullopt;
    if (text) out[(table.empty() ? "" : table + ".") + std::string(parts->key)] = *text;
  });
  return out;
}

std::string without_secrets(std::string_view toml) {
  std::string out;
  std::string_view within;  // the quotes of a hidden text of several lines
  for_each_line(toml, [&](std::string_view line) {
    if (!within.empty()) {
      if (line.find(within) != std::string_view::npos) within = {};
      return;
    }
    if (hides(line)) {
      out += std::string(trimmed(line.substr(0, line.find('=')))) + " = \"(not told)\"\n";
      within = open_quotes(line);
    } else {
      out += std::string(line) + '\n';
    }
  });
  return out;
}

}  // namespace viaduct::api::cli
