// Where below its owner a collection, or one of its records, is asked for: "bridges/{id}/vlans/10/mac_table/02-…-07_5a0c…".
#include <algorithm>
#include <charconv>

#include "api/rest/call.hpp"

namespace viaduct::api::rest {
namespace {

constexpr uint64_t kMaxVlan = 4094;  // IEEE 802.1Q

// In a URI '-' stands for ':'; two digits in each group.
std::optional<MacAddress> mac_of_key(std::string text) {
  std::ranges::replace(text, '-', ':');
  return MacAddress::parse(text);
}
std::string key_of(const MacAddress& mac) {
  std::string text = mac.to_string();
  std::ranges::replace(text, ':', '-');
  return text;
}

Failure malformed(std::string_view key, std::string_view form) {
  return {ExitCode::refused,
          "malformed",
          "'" + std::string(key) + "' is no key of this table",
          "write it as " + std::string(form),
          {}};
}

// As the records' own URIs have it, whatever the case of its digits.
Result<std::string> mac_port_key(const std::string& key) {
  const size_t middle = std::min(key.find('_'), key.size());
  const auto mac = mac_of_key(key.substr(0, middle));
  const auto port = middle == key.size() ? std::nullopt : Uuid::parse(key.substr(middle + 1));
  if (!mac || !port) return malformed(key, "02-00-00-00-00-01_{port id}");
  return key_of(*mac) + "_" + port->to_string();
}
Result<std::string> ip_mac_key(const std::string& key) {
  const size_t middle = std::min(key.rfind('_'), key.size());
  const auto address = IpAddress::parse(key.substr(0, middle));
  const auto mac = middle == key.size() ? std::nullopt : mac_of_key(key.substr(middle + 1));
  if (!mac || !address) return malformed(key, "10.0.0.7_02-00-00-00-00-01");
  return address->to_string() + "_" + key_of(*mac);
}

}  // namespace

Result<Below> below_of(const Call& call, const Collection& collection, const Uuid& parent) {
  Below below{&collection, parent, std::nullopt, call.path_from(2)};
  std::vector<std::string> rest(call.path.begin() + 2, call.path.end());
  const Kind kind = collection.of->kind;
  if (kind != Kind::STATIC_MAC && kind != Kind::STATIC_NEIGHBOUR) {
    below.whole = rest.size() == 1;
    return below;
  }
  if (kind == Kind::STATIC_MAC && rest.size() > 2 && rest[0] == "vlans") {
    uint64_t vlan = 0;
    const auto [end, error] = std::from_chars(rest[1].data(), rest[1].data() + rest[1].size(), vlan);
    const bool number = error == std::errc{} && end == rest[1].data() + rest[1].size();
    if (!number || vlan > kMaxVlan) return no_such_path(call.whole_path());
    below.vlan = vlan;
    rest.erase(rest.begin(), rest.begin() + 2);
  }
  if (rest.empty() || rest[0] != collection.name || rest.size() > 2) return no_such_path(call.whole_path());
  below.whole = rest.size() == 1;
  if (below.whole) return below;
  auto key = kind == Kind::STATIC_MAC ? mac_port_key(rest[1]) : ip_mac_key(rest[1]);
  if (!key) return key.failure();
  const std::string vlan = below.vlan.value_or(0) == 0 ? "" : "vlans/" + std::to_string(*below.vlan) + "/";
  below.place = vlan + std::string(collection.name) + "/" + *key;
  return below;
}

}  // namespace viaduct::api::rest
