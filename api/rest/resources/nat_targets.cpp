#include <algorithm>
#include <charconv>

#include "api/rest/document.hpp"
#include "api/rest/resources/rule_members.hpp"

namespace viaduct::api::rest {
namespace {

// "203.0.113.1-203.0.113.9:1024-65535", "[2001:db8::1]:80", "2001:db8:1::/48".
struct Target {
  std::string first, last;
  int64_t port_first = 0, port_last = 0;
};

Target parse_target(std::string_view text) {
  Target out;
  std::string_view ports;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    ports = text.substr(end + 1);
    text = text.substr(1, end - 1);
  } else if (const size_t colon = text.find(':'); colon != text.npos && text.find(':', colon + 1) == text.npos) {
    ports = text.substr(colon);
    text = text.substr(0, colon);
  }
  if (ports.starts_with(':')) {
    ports.remove_prefix(1);
    const size_t dash = std::min(ports.find('-'), ports.size());
    std::from_chars(ports.data(), ports.data() + dash, out.port_first);
    out.port_last = out.port_first;
    if (dash < ports.size()) std::from_chars(ports.data() + dash + 1, ports.data() + ports.size(), out.port_last);
  }
  const size_t dash = std::min(text.find('-'), text.size());
  out.first = text.substr(0, dash);
  out.last = dash < text.size() ? text.substr(dash + 1) : text;
  return out;
}

std::string to_text(const Target& target) {
  std::string addresses = target.first == target.last ? target.first : target.first + "-" + target.last;
  if (target.port_last == 0) return addresses;
  const bool v6 = addresses.find(':') != std::string::npos;
  std::string ports = std::to_string(target.port_first);
  if (target.port_last != target.port_first) ports += "-" + std::to_string(target.port_last);
  return (v6 ? "[" + addresses + "]" : addresses) + ":" + ports;
}

}  // namespace

void take_targets(Intake& intake, const Json& value) {
  if (!value.is_array() || value.empty()) return intake.wrong("natTargets", "must be an array with a target at least");
  std::vector<std::string> targets;
  const Field& field = *intake.record().info().find("targets");
  for (const Json& entry : value) {
    if (!entry.is_object()) return intake.wrong("natTargets", "must be an array of objects");
    auto part = [&](const char* name) -> const Json& {
      static const Json kNull;
      auto at = entry.find(name);
      return at == entry.end() ? kNull : *at;
    };
    auto first = intake.text("natTargets.addressFrom", part("addressFrom"));
    auto last = intake.text("natTargets.addressTo", part("addressTo"));
    auto port_first = intake.number("natTargets.portFrom", part("portFrom"), 0, 65'535);
    auto port_last = intake.number("natTargets.portTo", part("portTo"), 0, 65'535);
    if (!first || !last || !port_first || !port_last) return;
    // Without ports it is static: to the first address, in MidoNet too, whatever the last one is.
    if (last->empty() || (*port_first == 0 && *port_last == 0)) last = first;
    auto parsed = parse_value(field, {to_text({*first, *last, *port_first, *port_last})});
    if (!parsed) return intake.wrong("natTargets", "has a target that makes no sense: " + parsed.failure().message);
    targets.push_back(std::get<std::vector<std::string>>(*parsed).at(0));
  }
  intake.record().set("targets", targets);
}
void emit_targets(const Emission& emission, Json& value) {
  value = Json::array();
  const auto* targets = std::get_if<std::vector<std::string>>(&emission.record().get("targets"));
  if (targets == nullptr) return;
  for (const std::string& text : *targets) {
    const Target target = parse_target(text);
    value.push_back({{"addressFrom", target.first},
                     {"addressTo", target.last},
                     {"portFrom", target.port_first},
                     {"portTo", target.port_last}});
  }
}

// One address for another: what has no ports can be translated too.
bool is_one_to_one(Intake& intake) {
  const Json& targets = intake.given("natTargets");
  if (!targets.is_array() || targets.size() != 1) return false;
  const Json last = targets.at(0).value("addressTo", Json());
  if (!last.is_null() && last != "" && last != targets.at(0).value("addressFrom", Json())) return false;
  const auto* texts = std::get_if<std::vector<std::string>>(&intake.record().get("targets"));
  if (texts == nullptr || texts->size() != 1) return false;
  const Target target = parse_target(texts->at(0));
  return target.first == target.last && target.port_last == 0;
}

}  // namespace viaduct::api::rest
