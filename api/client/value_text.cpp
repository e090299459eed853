#include "api/client/value_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "api/client/value.hpp"

namespace viaduct::api {
namespace {

constexpr uint64_t kAllBits = 0xffff'ffff'ffff;

std::optional<uint64_t> parse_unsigned(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// --- numbers with names ----------------------------------------------------------------------------

std::optional<uint64_t> parse_named(const Field& field, std::string_view text) {
  auto known = std::ranges::find_if(field.names, [&](const NumberName& entry) { return entry.name == text; });
  if (known != field.names.end()) return known->number;
  auto number = parse_unsigned(text);
  return number && *number <= field.maximum ? number : std::nullopt;
}

Result<std::string> number_form(const Field& field, std::string_view text) {
  if (auto number = parse_named(field, text)) return read_number(field, *number);
  std::string names;
  for (const NumberName& entry : field.names) names += std::string(entry.name) + ", ";
  return bad_value(field, text, "one of: " + names + "or a number up to " + std::to_string(field.maximum));
}

// --- ranges ----------------------------------------------------------------------------------------

struct Range {
  uint16_t first = 0, last = 0;
};
std::optional<Range> parse_range(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = parse_unsigned(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_unsigned(text.substr(dash + 1));
  if (!first || !last || *first > 65535 || *last > 65535) return std::nullopt;
  return Range{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}
std::string text_of(Range range) {
  std::string text = std::to_string(range.first);
  return range.first == range.last ? text : text + "-" + std::to_string(range.last);
}

// --- masked MAC addresses --------------------------------------------------------------------------

struct MaskedMac {
  MacAddress address;
  uint64_t mask = kAllBits;
};
std::optional<MaskedMac> parse_masked_mac(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = MacAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return MaskedMac{*address};
  const auto mask = MacAddress::parse(text.substr(slash + 1));
  if (!mask) return std::nullopt;
  return MaskedMac{*address, mask->as_uint64()};
}
std::string text_of(const MaskedMac& mac) {
  std::string text = mac.address.to_string();
  return mac.mask == kAllBits ? text : text + "/" + MacAddress::from_uint64(mac.mask).to_string();
}

// --- targets ---------------------------------------------------------------------------------------

struct Target {
  IpAddress first, last;
  Range ports;  // 0 to 0: none
  int length = 0;
};

// "[2001:db8::1]:80" and "10.0.0.1:80": what stands before the last colon of IPv4, within the brackets of IPv6.
struct TargetParts {
  std::string_view addresses, ports;
};
std::optional<TargetParts> split(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !text.substr(end).starts_with("]:")) return std::nullopt;
    return TargetParts{text.substr(1, end - 1), text.substr(end + 2)};
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return TargetParts{text, {}};
  return TargetParts{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<Target> parse_addresses(std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    const auto prefix = IpPrefix::parse(text);
    if (!prefix || prefix->length() == 0) return std::nullopt;
    return Target{prefix->address(), prefix->address(), {}, prefix->length()};
  }
  const size_t dash = text.find('-');
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : IpAddress::parse(text.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  return Target{*first, *last, {}, 0};
}

std::optional<Target> parse_target(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  auto target = parse_addresses(parts->addresses);
  if (!target || parts->ports.data() == nullptr) return target;
  const auto ports = parse_range(parts->ports);
  if (!ports || ports->first == 0) return std::nullopt;
  target->ports = *ports;
  return target;
}

std::string text_of(const Target& target) {
  std::string text = target.first.to_string();
  if (target.length != 0) {
    text += "/" + std::to_string(target.length);
  } else if (target.last != target.first) {
    text += "-" + target.last.to_string();
  }
  if (target.ports.last == 0) return text;
  return (target.first.is_v6() ? "[" + text + "]:" : text + ":") + text_of(target.ports);
}

// --- rules of BGP filters --------------------------------------------------------------------------

struct PrefixRule {
  bool permit = false;
  IpPrefix prefix;
  uint8_t min_length = 0, max_length = 0;
};

std::vector<std::string_view> split_words(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  std::vector<std::string_view> words;
  for (size_t at = text.find_first_not_of(kSpaces); at != std::string_view::npos;
       at = text.find_first_not_of(kSpaces, at)) {
    const size_t end = std::min(text.find_first_of(kSpaces, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

// "permit 10.0.0.0/8": that prefix alone. "le 24": and those within it, up to that length; "ge 16": from that length, to
// that of "le" if it stands there, or to any.
std::optional<PrefixRule> parse_prefix_rule(std::string_view text) {
  const auto words = split_words(text);
  if (words.size() < 2 || words.size() % 2 != 0 || (words[0] != "permit" && words[0] != "deny")) return std::nullopt;
  const auto prefix = IpPrefix::parse(words[1]);
  if (!prefix) return std::nullopt;
  std::optional<uint64_t> least, most;
  for (size_t i = 2; i < words.size(); i += 2) {
    auto& bound = words[i] == "ge" ? least : most;
    if ((words[i] != "ge" && words[i] != "le") || bound) return std::nullopt;
    bound = parse_unsigned(words[i + 1]);
    if (!bound || *bound > static_cast<uint64_t>(prefix->address().width_bits())) return std::nullopt;
  }
  const auto own = static_cast<uint8_t>(prefix->length()), width = static_cast<uint8_t>(prefix->address().width_bits());
  const uint8_t greatest = most ? static_cast<uint8_t>(*most) : least ? width : own;
  return PrefixRule{words[0] == "permit", *prefix, least ? static_cast<uint8_t>(*least) : own, greatest};
}
std::string text_of(const PrefixRule& rule) {
  const int own = rule.prefix.length(), width = rule.prefix.address().width_bits();
  const bool exact = rule.min_length == own && rule.max_length == own;
  std::string text = (rule.permit ? "permit " : "deny ") + rule.prefix.to_string();
  if (rule.min_length != own) text += " ge " + std::to_string(rule.min_length);
  if (!exact && (rule.min_length == own || rule.max_length != width)) text += " le " + std::to_string(rule.max_length);
  return text;
}

template <class T>
Result<std::string> form_of(const Field& field, std::string_view text, const std::optional<T>& parsed,
                            const char* expected) {
  if (!parsed) return bad_value(field, text, expected);
  return text_of(*parsed);
}

IpAddress address_or_any(const Value& value) {
  return std::holds_alternative<IpAddress>(value) ? std::get<IpAddress>(value) : IpAddress{};
}

}  // namespace

Result<std::string> one_form(const Field& field, std::string_view text) {
  switch (field.type) {
    case FieldType::named_number:
      return number_form(field, text);
    case FieldType::range:
      return form_of(field, text, parse_range(text), "a number or a range, as in 80 or 1024-65535");
    case FieldType::masked_mac:
      return form_of(field, text, parse_masked_mac(text),
                     "a MAC address or MAC/MASK, as in 01:00:00:00:00:00/01:00:00:00:00:00");
    case FieldType::targets:
      return form_of(field, text, parse_target(text),
                     "a target, as in 10.0.0.1, 10.0.0.1-10.0.0.9:1024-65535, [2001:db8::1]:80 or 2001:db8:1::/48");
    case FieldType::prefix_rules:
      return form_of(field, text, parse_prefix_rule(text),
                     "a rule, as in permit 10.0.0.0/8, permit 10.0.0.0/8 ge 16 le 24 or deny 0.0.0.0/0 le 32");
    default:
      return std::string(text);
  }
}

std::string read_number(const Field& field, uint64_t number) {
  auto known = std::ranges::find_if(field.names, [&](const NumberName& entry) { return entry.number == number; });
  if (known != field.names.end()) return std::string(known->name);
  if (field.maximum <= 255) return std::to_string(number);
  char text[16];
  std::snprintf(text, sizeof text, "0x%04x", static_cast<unsigned>(number));
  return text;
}
uint64_t number_of(const Field& field, const std::string& text) { return parse_named(field, text).value_or(0); }

std::string read_range(schema::RangeMatch::Reader range) { return text_of(Range{range.getFirst(), range.getLast()}); }
void write_range(const std::string& text, schema::RangeMatch::Builder range) {
  const Range value = parse_range(text).value_or(Range{});
  range.setFirst(value.first);
  range.setLast(value.last);
}

std::string read_masked_mac(schema::MacMatch::Reader mac) {
  return text_of(MaskedMac{MacAddress::from_uint64(mac.getAddress() & kAllBits), mac.getMask() & kAllBits});
}
void write_masked_mac(const std::string& text, schema::MacMatch::Builder mac) {
  const MaskedMac value = parse_masked_mac(text).value_or(MaskedMac{});
  mac.setAddress(value.address.as_uint64());
  mac.setMask(value.mask);
}

std::string read_target(schema::NatTarget::Reader target) {
  const IpAddress first = address_or_any(address_of(target.getFirst()));
  const Value last = address_of(target.getLast());
  return text_of(Target{first,
                        std::holds_alternative<IpAddress>(last) ? std::get<IpAddress>(last) : first,
                        {target.getPortFirst(), target.getPortLast()},
                        target.getPrefixLength()});
}
void write_target(const std::string& text, schema::NatTarget::Builder target) {
  const Target value = parse_target(text).value_or(Target{});
  set_address(target.initFirst(), value.first);
  set_address(target.initLast(), value.last);
  target.setPortFirst(value.ports.first);
  target.setPortLast(value.ports.last);
  target.setPrefixLength(static_cast<uint8_t>(value.length));
}

std::string read_prefix_rule(schema::PrefixRule::Reader rule) {
  const IpAddress address = address_or_any(address_of(rule.getPrefix().getAddress()));
  const int length = std::min<int>(rule.getPrefix().getLength(), address.width_bits());
  return text_of(PrefixRule{rule.getPermit(), {address, length}, rule.getMinLength(), rule.getMaxLength()});
}
void write_prefix_rule(const std::string& text, schema::PrefixRule::Builder rule) {
  const PrefixRule value = parse_prefix_rule(text).value_or(PrefixRule{});
  set_address(rule.initPrefix().initAddress(), value.prefix.address());
  rule.getPrefix().setLength(static_cast<uint8_t>(value.prefix.length()));
  rule.setMinLength(value.min_length);
  rule.setMaxLength(value.max_length);
  rule.setPermit(value.permit);
}

}  // namespace viaduct::api
