#include "actors/daemons/config.hpp"

#include <algorithm>
#include <charconv>

#include "observability/log.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::actors {

namespace {

constexpr size_t kMaxListEntries = 256;
constexpr size_t kMaxTextBytes = 4096;  // PATH_MAX

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool has_control(std::string_view text) { return std::ranges::any_of(text, is_control); }

bool is_host_label(std::string_view text) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text, fits);
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> check_text(const Setting& setting, const std::string& text) {
  if (text.size() > kMaxTextBytes) return "a text of " + std::to_string(text.size()) + " bytes is not one";
  if (has_control(text)) return "'" + text + "' holds a control character";
  if (setting.allowed.fits == nullptr || setting.allowed.fits(text)) return std::nullopt;
  return "'" + text + "' is not " + allowed_phrase(setting);
}

std::optional<std::string> check_number(const Setting& setting, uint64_t number) {
  const Allowed& allowed = setting.allowed;
  if (number >= allowed.least && number <= allowed.most) return std::nullopt;
  if (number == 0 && allowed.zero_too) return std::nullopt;
  return std::to_string(number) + " is out of range: " + allowed_phrase(setting);
}

std::optional<std::string> check_list(const Setting& setting, const std::vector<std::string>& list) {
  if (list.size() > kMaxListEntries) return "more than " + std::to_string(kMaxListEntries) + " entries";
  for (auto at = list.begin(); at != list.end(); ++at) {
    if (auto wrong = check_text(setting, *at)) return wrong;
    if (std::find(list.begin(), at, *at) != at) return "'" + *at + "' stands there twice";
  }
  return std::nullopt;
}

// "https://[::1]:5000/v3" -> "::1"; empty: no URL of HTTP, or one with a user or a query.
std::string host_of_url(std::string_view text) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme) || text.find_first_of("@?# ") != text.npos) continue;
    text.remove_prefix(scheme.size());
    const std::string_view authority = text.substr(0, text.find('/'));
    auto address = parse_host_port(authority, 1);
    const bool bare_v6 = address && address->host == authority && authority.find(':') != authority.npos;
    return address && !bare_v6 ? address->host : std::string();
  }
  return {};
}

}  // namespace

namespace config_predicates {

bool role(std::string_view text) { return text == "cluster" || text == "agent"; }
bool path(std::string_view text) { return !text.empty(); }
bool absolute_path(std::string_view text) { return text.starts_with('/') && !text.ends_with('/'); }
bool host_name(std::string_view text) { return !text.empty() && text.size() <= 255; }
bool datapath_kind(std::string_view text) {
  return text == "auto" || text == "ovs" || text == "ebpf" || text == "fake";
}
bool datapath_name(std::string_view text) {
  return !text.empty() && text.size() <= 15 && text.find_first_of("/ ") == text.npos;
}
bool loopback(std::string_view text) {
  auto address = IpAddress::parse(text);
  return address && address->is_loopback();
}
bool log_levels(std::string_view text) { return !text.empty() && !observability::log::check_levels(text); }
bool listen_address(std::string_view text) {
  auto address = parse_host_port(text, kDefaultClusterPort);
  return address && IpAddress::parse(address->host);
}
bool address(std::string_view text) { return IpAddress::parse(text).has_value(); }
bool authentication(std::string_view text) {
  return text == "token" || text == "password" || text == "keystone" || text == "none";
}
bool keystone_url(std::string_view text) {
  const std::string host = host_of_url(text);
  if (host.empty() || !text.substr(0, text.find_last_not_of('/') + 1).ends_with("/v3")) return false;
  auto address = IpAddress::parse(host);
  return text.starts_with("https://") || host == "localhost" || (address && address->is_loopback());
}
bool host_port(std::string_view text) { return parse_host_port(text, 1).has_value(); }
bool word(std::string_view text) { return !text.empty() && text.size() <= 255; }
bool etcd_prefix(std::string_view text) {
  return text.size() >= 2 && text.size() <= 255 && text.front() == '/' && text.back() == '/';
}

}  // namespace config_predicates

bool Config::has_role(std::string_view role) const { return std::ranges::find(roles, role) != roles.end(); }

const Setting* find_setting(std::string_view key) {
  auto at = std::ranges::find(kSettings, key, &Setting::key);
  return at == kSettings.end() ? nullptr : &*at;
}

std::string to_string(Unit unit) {
  switch (unit) {
    case Unit::none:
      return "";
    case Unit::seconds:
      return "seconds";
    case Unit::milliseconds:
      return "milliseconds";
    case Unit::bytes:
      return "bytes";
  }
  return "";
}

std::string allowed_phrase(const Setting& setting) {
  const Allowed& allowed = setting.allowed;
  if (!allowed.phrase.empty()) return std::string(allowed.phrase);
  std::string phrase = allowed.zero_too ? "0, or " : "";
  phrase += std::to_string(allowed.least) + " to " + std::to_string(allowed.most);
  return allowed.unit == Unit::none ? phrase : phrase + " " + to_string(allowed.unit);
}

std::optional<std::string> check_value(const Setting& setting, const SettingValue& value) {
  if (value == setting.get(Config{})) return std::nullopt;  // "not set" among them
  if (const auto* number = std::get_if<uint64_t>(&value)) return check_number(setting, *number);
  if (const auto* text = std::get_if<std::string>(&value)) return check_text(setting, *text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return check_list(setting, *list);
  return std::nullopt;
}

std::optional<SettingValue> parse_value(const Setting& setting, std::string_view text) {
  SettingValue sample = setting.get(Config{});
  if (std::holds_alternative<uint64_t>(sample)) {
    auto number = parse_number(text);
    return number ? std::optional<SettingValue>(*number) : std::nullopt;
  }
  if (std::holds_alternative<bool>(sample)) {
    if (text != "true" && text != "false") return std::nullopt;
    return text == "true";
  }
  if (std::holds_alternative<std::string>(sample)) return std::string(text);
  std::vector<std::string> list;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    list.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return list;
}

std::optional<HostPort> parse_host_port(std::string_view text, uint16_t default_port) {
  HostPort out{std::string(text), default_port};
  if (auto bare = IpAddress::parse(text)) return out;  // an IPv6 address has colons of its own
  std::string_view port;
  if (text.starts_with('[')) {
    size_t close = text.find(']');
    if (close == text.npos) return std::nullopt;
    out.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    auto address = IpAddress::parse(out.host);
    if (!address || !address->is_v6()) return std::nullopt;
  } else {
    size_t colon = std::min(text.find(':'), text.size());
    out.host = text.substr(0, colon);
    port = text.substr(colon);
    if (!is_host_label(out.host)) return std::nullopt;
  }
  if (port.empty()) return out;
  auto number = port[0] == ':' ? parse_number(port.substr(1)) : std::nullopt;
  if (!number || *number == 0 || *number > 65'535) return std::nullopt;
  out.port = static_cast<uint16_t>(*number);
  return out;
}

std::string to_string(const HostPort& address) {
  bool colons = address.host.find(':') != std::string::npos;
  return (colons ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace viaduct::actors
