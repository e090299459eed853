#include "actors/daemons/config_text.hpp"

#include <cstdio>

namespace viaduct::actors {

namespace {

constexpr size_t kWidth = 100;

constexpr const char* kHead =
    "# Configuration of viaductd (TOML). Every key is optional; viaductd --check-config says whether the file is "
    "right.\n"
    "# On SIGHUP (systemctl reload viaductd) it is read again: what \"changes live\" is applied, the rest is named in "
    "the\n"
    "# log and needs a restart.\n";

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Words in lines of at most kWidth, each behind "# ".
std::string comment(const std::string& text) {
  std::string out, line = "#";
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(' ', at), text.size());
    std::string word = text.substr(at, end - at);
    if (line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = "#";
    }
    line += " " + word;
    at = end + 1;
  }
  return out + line + "\n";
}

std::string facts(const Setting& setting) {
  return "Allowed: " + allowed_phrase(setting) + ". Default " + to_toml(setting.get(Config{})) + ". " +
         (setting.change == Change::live ? "Changes live." : "Needs a restart.");
}

std::string roff(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '-' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string to_toml(const SettingValue& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* number = std::get_if<uint64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string out;
  for (const auto& each : std::get<std::vector<std::string>>(value)) out += (out.empty() ? "" : ", ") + quoted(each);
  return "[" + out + "]";
}

std::string annotated(const Config& config, Defaults defaults) {
  std::string out = kHead;
  std::string_view table;
  for (const Setting& setting : kSettings) {
    out += "\n";
    if (setting.table() != table) {
      table = setting.table();
      out += "[" + std::string(table) + "]\n";
    }
    out += comment(std::string(setting.help)) + comment(facts(setting));
    bool is_default = setting.get(config) == setting.get(Config{});
    if (is_default && defaults == Defaults::commented) out += "#";
    out += std::string(setting.leaf()) + " = " + to_toml(setting.get(config)) + "\n";
  }
  return out;
}

std::string manual_list() {
  std::string out;
  for (const Setting& setting : kSettings) {
    out += ".TP\n\\fB" + roff(setting.key) + "\\fR = " + roff(to_toml(setting.get(Config{}))) + "\n";
    out += roff(setting.help) + "\n";
    std::string rest = setting.change == Change::live ? "Changes live." : "Needs a restart.";
    out += "Allowed: " + roff(allowed_phrase(setting)) + ". " + rest + "\n";
  }
  return out;
}

}  // namespace viaduct::actors
