#include "api/cli/value.hpp"

#include <algorithm>
#include <charconv>

namespace viaduct::cli {
namespace {

Failure bad_value(const Field& field, std::string_view text, std::string expected) {
  return usage_error("--" + std::string(field.option) + ": '" + std::string(text) + "' is not " + expected);
}

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
  template <class T>
  Json operator()(const T& value) const {
    return value.to_string();
  }
};

Value prefix_of(schema::IpPrefix::Reader reader) {
  Value address = address_of(reader.getAddress());
  if (!std::holds_alternative<IpAddress>(address)) return {};
  const auto& ip = std::get<IpAddress>(address);
  return IpPrefix(ip, std::min<int>(reader.getLength(), ip.width_bits()));
}

void set_prefix(schema::IpPrefix::Builder builder, const IpPrefix& prefix) {
  set_address(builder.initAddress(), prefix.address());
  builder.setLength(static_cast<uint8_t>(prefix.length()));
}

Value read_prefixes(capnp::List<schema::IpPrefix>::Reader list) {
  std::vector<IpPrefix> prefixes;
  for (auto entry : list) {
    Value prefix = prefix_of(entry);
    if (std::holds_alternative<IpPrefix>(prefix)) prefixes.push_back(std::get<IpPrefix>(prefix));
  }
  return prefixes;
}

Value read_choice(capnp::DynamicEnum value) {
  KJ_IF_MAYBE (enumerant, value.getEnumerant()) {
    return std::string(enumerant->getProto().getName().cStr());
  }
  return "unknown-" + std::to_string(value.getRaw());  // of a newer daemon
}

capnp::Text::Reader text_of(const std::string& text) { return {text.c_str(), text.size()}; }

// An absent value is what the schema says when the field was never set.
void write_present(const Field& field, const Value& value, kj::StringPtr name, capnp::DynamicStruct::Builder object) {
  switch (field.type) {
    case FieldType::text:
    case FieldType::choice:
      return object.set(name, text_of(std::get<std::string>(value)));
    case FieldType::boolean:
      return object.set(name, std::get<bool>(value));
    case FieldType::number:
      return object.set(name, std::get<uint64_t>(value));
    case FieldType::mac:
      return object.set(name, std::get<MacAddress>(value).as_uint64());
    case FieldType::reference:
      return set_uuid(object.init(name).as<schema::Uuid>(), std::get<Uuid>(value));
    case FieldType::address:
      return set_address(object.init(name).as<schema::IpAddress>(), std::get<IpAddress>(value));
    case FieldType::prefix:
      return set_prefix(object.init(name).as<schema::IpPrefix>(), std::get<IpPrefix>(value));
    case FieldType::prefix_list: {
      const auto& prefixes = std::get<std::vector<IpPrefix>>(value);
      auto list = object.init(name, static_cast<unsigned>(prefixes.size())).as<capnp::List<schema::IpPrefix>>();
      for (unsigned i = 0; i < list.size(); ++i) set_prefix(list[i], prefixes[i]);
      return;
    }
  }
}

}  // namespace

Result<Value> parse_value(const Field& field, const std::vector<std::string>& texts) {
  if (field.type == FieldType::prefix_list) return parse_prefixes(field, texts);
  if (texts.size() != 1) return usage_error("--" + std::string(field.option) + " takes one value");
  const std::string& text = texts[0];
  switch (field.type) {
    case FieldType::boolean:
      return parse_boolean(field, text);
    case FieldType::number:
      return parse_number(field, text == "none" && field.minimum == 0 ? "0" : text);
    case FieldType::choice:
      return parse_choice(field, text);
    case FieldType::mac:
      return parse_address_like<MacAddress>(field, text, "a MAC address, as in 02:00:00:00:00:01");
    case FieldType::address:
      return parse_address_like<IpAddress>(field, text, "an IPv4 or IPv6 address");
    case FieldType::prefix:
      return parse_address_like<IpPrefix>(field, text, "a prefix, as in 10.0.0.0/8 or 2001:db8::/32");
    case FieldType::text:  // an object may be called "none"
      return Value(text == "none" && field.presence != Presence::positional ? std::string() : text);
    default:
      return Value(text);
  }
}

std::string to_text(const Field& field, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return std::string(field.absent);
  Json json = to_json(value);
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return json.dump();
  std::string all;
  for (const Json& entry : json) all += (all.empty() ? "" : ", ") + entry.get<std::string>();
  return all;
}

Json to_json(const Value& value) { return std::visit(JsonOf{}, value); }

Value read_value(const Field& field, capnp::DynamicStruct::Reader object) {
  auto value = object.get(kj::StringPtr(field.schema.data(), field.schema.size()));
  switch (field.type) {
    case FieldType::text:
      return std::string(value.as<capnp::Text>().cStr());
    case FieldType::boolean:
      return value.as<bool>();
    case FieldType::number:
      return value.as<uint64_t>();
    case FieldType::choice:
      return read_choice(value.as<capnp::DynamicEnum>());
    case FieldType::address:
      return address_of(value.as<schema::IpAddress>());
    case FieldType::prefix:
      return prefix_of(value.as<schema::IpPrefix>());
    case FieldType::prefix_list:
      return read_prefixes(value.as<capnp::List<schema::IpPrefix>>());
    case FieldType::mac: {
      MacAddress mac = MacAddress::from_uint64(value.as<uint64_t>());
      return mac.is_zero() ? Value{} : Value(mac);
    }
    case FieldType::reference: {
      Uuid id = uuid_of(value.as<schema::Uuid>());
      return id.is_nil() ? Value{} : Value(id);
    }
  }
  return {};
}

void write_value(const Field& field, const Value& value, capnp::DynamicStruct::Builder object) {
  kj::StringPtr name(field.schema.data(), field.schema.size());
  if (std::holds_alternative<std::monostate>(value)) return object.clear(name);
  write_present(field, value, name, object);
}

Uuid uuid_of(schema::Uuid::Reader reader) { return Uuid::from_words(reader.getHigh(), reader.getLow()); }

void set_uuid(schema::Uuid::Builder builder, const Uuid& id) {
  builder.setHigh(id.high());
  builder.setLow(id.low());
}

Value address_of(schema::IpAddress::Reader reader) {
  auto bytes = reader.getBytes();
  if (bytes.size() == 4) return IpAddress::from_network(IpFamily::v4, bytes.begin());
  if (bytes.size() == 16) return IpAddress::from_network(IpFamily::v6, bytes.begin());
  return {};
}

void set_address(schema::IpAddress::Builder builder, const IpAddress& address) {
  auto bytes = address.bytes();
  builder.setBytes(kj::arrayPtr(bytes.data(), bytes.size()));
}

}  // namespace viaduct::cli
