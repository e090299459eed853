#include "api/midonet_cli/nat_target.hpp"

#include <algorithm>
#include <charconv>

#include "api/midonet_cli/field.hpp"

namespace viaduct::api::midonet_cli {
namespace {

std::optional<int64_t> parse_port(std::string_view text) {
  int64_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 0 || port > 65'535) return std::nullopt;
  return port;
}

// Of "addresses:ports", "[addresses]:ports" or "addresses": both parts. A plain IPv6 address has no ports.
bool split_ports(std::string_view text, std::string_view& addresses, std::string_view& ports) {
  addresses = text;
  ports = {};
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return false;
    addresses = text.substr(1, end - 1);
    ports = text.substr(end + 1);
    if (ports.empty()) return true;
    if (!ports.starts_with(':')) return false;
    ports.remove_prefix(1);
    return !ports.empty();
  }
  const size_t colon = text.find(':');
  if (colon == text.npos || text.find(':', colon + 1) != text.npos) return true;
  addresses = text.substr(0, colon);
  ports = text.substr(colon + 1);
  return !ports.empty();
}

std::optional<Json> parse_target(std::string_view text) {
  std::string_view addresses, ports;
  if (!split_ports(text, addresses, ports)) return std::nullopt;
  const size_t dash = std::min(addresses.find('-'), addresses.size());
  const std::string first(addresses.substr(0, dash));
  const std::string last(dash < addresses.size() ? addresses.substr(dash + 1) : addresses);
  // 2001:db8::/48 translates the prefix; whether it may is for the API to say.
  if (!IpAddress::parse(first) && !IpPrefix::parse(first)) return std::nullopt;
  if (!IpAddress::parse(last) && !IpPrefix::parse(last)) return std::nullopt;
  PortRange range;
  if (!ports.empty()) {
    auto parsed = parse_range(ports);
    if (!parsed) return std::nullopt;
    range = *parsed;
  }
  return Json{{"addressFrom", first}, {"addressTo", last}, {"portFrom", range.first}, {"portTo", range.last}};
}

int64_t port_at(const Json& target, const char* name) {
  auto at = target.find(name);
  return at != target.end() && at->is_number() ? at->get<int64_t>() : 0;
}
std::string address_at(const Json& target, const char* name) {
  auto at = target.find(name);
  return at != target.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::optional<PortRange> parse_range(std::string_view text) {
  const size_t dash = std::min(text.find('-'), text.size());
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash < text.size() ? parse_port(text.substr(dash + 1)) : first;
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

std::optional<Json> parse_targets(std::string_view text) {
  Json out = Json::array();
  for (const std::string& each : split_list(text)) {
    auto target = parse_target(each);
    if (!target) return std::nullopt;
    out.push_back(std::move(*target));
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::string targets_text(const Json& targets) {
  std::string out;
  for (const Json& target : targets) {
    if (!target.is_object()) continue;
    const std::string first = address_at(target, "addressFrom"), last = address_at(target, "addressTo");
    std::string text = last.empty() || last == first ? first : first + "-" + last;
    const int64_t low = port_at(target, "portFrom"), high = port_at(target, "portTo");
    if (low != 0 || high != 0) {
      if (text.find(':') != text.npos) text = "[" + text + "]";
      text += ":" + std::to_string(low);
      if (high != low) text += "-" + std::to_string(high);
    }
    out += (out.empty() ? "" : ",") + text;
  }
  return out;
}

}  // namespace viaduct::api::midonet_cli
