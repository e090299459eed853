#include "api/client/value.hpp"

#include <algorithm>
#include <charconv>

#include "api/client/value_text.hpp"

namespace viaduct::api {
namespace {

Result<Value> parse_boolean(const Field& field, std::string_view text) {
  for (std::string_view yes : {"true", "yes", "on", "up"})
    if (text == yes) return Value(true);
  for (std::string_view no : {"false", "no", "off", "down"})
    if (text == no) return Value(false);
  return bad_value(field, text, "true or false");
}

Result<Value> parse_number(const Field& field, std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < field.minimum || number > field.maximum) {
    return bad_value(field, text,
                     "a number from " + std::to_string(field.minimum) + " to " + std::to_string(field.maximum));
  }
  return Value(number);
}

Result<Value> parse_choice(const Field& field, std::string_view text) {
  if (std::ranges::find(field.choices, text) != field.choices.end()) return Value(std::string(text));
  std::string all;
  for (std::string_view choice : field.choices) all += (all.empty() ? "" : ", ") + std::string(choice);
  return bad_value(field, text, "one of: " + all);
}

Result<Value> parse_prefixes(const Field& field, const std::vector<std::string>& texts) {
  std::vector<IpPrefix> prefixes;
  if (texts.size() == 1 && texts[0] == "none") return Value(prefixes);
  for (const std::string& text : texts) {
    auto prefix = IpPrefix::parse(text);
    if (!prefix || text.find('/') == std::string::npos)
      return bad_value(field, text, "an address with its prefix length, as in 10.0.1.1/24 or fd00:1::1/64");
    prefixes.push_back(*prefix);
  }
  return Value(prefixes);
}

// Of texts in one form.
Result<Value> parse_list(const Field& field, const std::vector<std::string>& texts) {
  std::vector<std::string> entries;
  if (texts.size() == 1 && texts[0] == "none") return Value(entries);
  for (const std::string& text : texts) {
    auto entry = one_form(field, text);
    if (!entry) return entry.failure();
    entries.push_back(*entry);
  }
  return Value(entries);
}

Result<Value> parse_text(const Field& field, const std::string& text) {
  if (text == "none") return Value{};
  auto form = one_form(field, text);
  if (!form) return form.failure();
  return Value(*form);
}

template <class T>
Result<Value> parse_address_like(const Field& field, std::string_view text, const char* expected) {
  if (text == "none") return Value{};
  auto parsed = T::parse(text);
  if (!parsed) return bad_value(field, text, expected);
  return Value(*parsed);
}

struct JsonOf {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool value) const { return value; }
  Json operator()(uint64_t value) const { return value; }
  Json operator()(const std::string& value) const { return value; }
  Json operator()(const std::vector<IpPrefix>& prefixes) const {
    Json array = Json::array();
    for (const IpPrefix& prefix : prefixes) array.push_back(prefix.to_string());
    return array;
  }
  Json operator()(const std::vector<std::string>& texts) const { return texts; }
  Json operator()(const std::vector<Uuid>& ids) const {
    Json array = Json::array();
    for (const Uuid& id : ids) array.push_back(id.to_string());
    return array;
  }
  template <class T>
  Json operator()(const T& value) const {
    return value.to_string();
  }
};

}  // namespace

Failure bad_value(const Field& field, std::string_view text, std::string expected) {
  return usage_error("--" + std::string(field.option) + ": '" + std::string(text) + "' is not " + expected);
}

Result<Value> parse_value(const Field& field, const std::vector<std::string>& texts) {
  if (field.type == FieldType::prefix_list) return parse_prefixes(field, texts);
  if (field.type == FieldType::targets || field.type == FieldType::prefix_rules) return parse_list(field, texts);
  if (texts.size() != 1) return usage_error("--" + std::string(field.option) + " takes one value");
  const std::string& text = texts[0];
  switch (field.type) {
    case FieldType::boolean:
      return parse_boolean(field, text);
    case FieldType::number:
      if (text == "none" && field.sense != Sense::plain) return Value{};
      return parse_number(field, text == "none" && field.minimum == 0 ? "0" : text);
    case FieldType::named_number:
    case FieldType::range:
    case FieldType::masked_mac:
      return parse_text(field, text);
    case FieldType::choice:
      return parse_choice(field, text);
    case FieldType::mac:
      return parse_address_like<MacAddress>(field, text, "a MAC address, as in 02:00:00:00:00:01");
    case FieldType::address:
      return parse_address_like<IpAddress>(field, text, "an IPv4 or IPv6 address");
    case FieldType::prefix:
      return parse_address_like<IpPrefix>(field, text, "a prefix, as in 10.0.0.0/8 or 2001:db8::/32");
    case FieldType::secret:
      return Value(text == "none" ? std::string() : text);
    case FieldType::text:  // an object may be called "none"
      return Value(text == "none" && field.presence != Presence::positional ? std::string() : text);
    default:
      return Value(text);
  }
}

std::string to_text(const Field& field, const Value& value) {
  Json json = to_json(field, value);
  if (json.is_null()) return std::string(field.absent);
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return json.dump();
  std::string all;
  for (const Json& entry : json) all += (all.empty() ? "" : ", ") + entry.get<std::string>();
  return all;
}

Json to_json(const Value& value) { return std::visit(JsonOf{}, value); }

Json to_json(const Field& field, const Value& value) {
  if (field.type != FieldType::secret) return to_json(value);
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr || text->empty() ? Json(nullptr) : Json("set");
}

}  // namespace viaduct::api
