// Values in the schema's structs.
#include <algorithm>

#include "api/client/value.hpp"
#include "api/client/value_text.hpp"

namespace viaduct::api {
namespace {

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

// "reverseDnat" <-> "reverse-dnat"
std::string words_of(std::string_view enumerant) {
  std::string out;
  for (char c : enumerant) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper) out += '-';
    out += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}
std::string enumerant_of(std::string_view words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool starts = words[i] == '-' && i + 1 < words.size();
    out += starts ? static_cast<char>(words[++i] - 'a' + 'A') : words[i];
  }
  return out;
}

Value read_choice(capnp::DynamicEnum value) {
  KJ_IF_MAYBE (enumerant, value.getEnumerant()) {
    return words_of(enumerant->getProto().getName().cStr());
  }
  return "unknown-" + std::to_string(value.getRaw());  // of a newer daemon
}

Value read_references(capnp::List<schema::Uuid>::Reader list) {
  std::vector<Uuid> ids;
  for (auto id : list) ids.push_back(uuid_of(id));
  return ids;
}
Value read_targets(capnp::List<schema::NatTarget>::Reader list) {
  std::vector<std::string> targets;
  for (auto target : list) targets.push_back(read_target(target));
  return targets;
}
Value read_prefix_rules(capnp::List<schema::PrefixRule>::Reader list) {
  std::vector<std::string> rules;
  for (auto rule : list) rules.push_back(read_prefix_rule(rule));
  return rules;
}
template <class T>
typename capnp::List<T>::Builder init_list(size_t size, kj::StringPtr name, capnp::DynamicStruct::Builder object) {
  return object.init(name, static_cast<unsigned>(size)).as<capnp::List<T>>();
}

capnp::Text::Reader text_of(const std::string& text) { return {text.c_str(), text.size()}; }

// An absent value is what the schema says when the field was never set.
void write_present(const Field& field, const Value& value, kj::StringPtr name, capnp::DynamicStruct::Builder object) {
  switch (field.type) {
    case FieldType::text:
    case FieldType::secret:
      return object.set(name, text_of(std::get<std::string>(value)));
    case FieldType::choice:
      return object.set(name, text_of(enumerant_of(std::get<std::string>(value))));
    case FieldType::named_number:
      return object.set(name, number_of(field, std::get<std::string>(value)));
    case FieldType::range:
      return write_range(std::get<std::string>(value), object.as<schema::RangeMatch>());
    case FieldType::masked_mac:
      return write_masked_mac(std::get<std::string>(value), object.as<schema::MacMatch>());
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
      auto list = init_list<schema::IpPrefix>(prefixes.size(), name, object);
      for (unsigned i = 0; i < list.size(); ++i) set_prefix(list[i], prefixes[i]);
      return;
    }
    case FieldType::reference_list: {
      const auto& ids = std::get<std::vector<Uuid>>(value);
      auto list = init_list<schema::Uuid>(ids.size(), name, object);
      for (unsigned i = 0; i < list.size(); ++i) set_uuid(list[i], ids[i]);
      return;
    }
    case FieldType::targets: {
      const auto& targets = std::get<std::vector<std::string>>(value);
      auto list = init_list<schema::NatTarget>(targets.size(), name, object);
      for (unsigned i = 0; i < list.size(); ++i) write_target(targets[i], list[i]);
      return;
    }
    case FieldType::prefix_rules: {
      const auto& rules = std::get<std::vector<std::string>>(value);
      auto list = init_list<schema::PrefixRule>(rules.size(), name, object);
      for (unsigned i = 0; i < list.size(); ++i) write_prefix_rule(rules[i], list[i]);
      return;
    }
  }
}

Value read_present(const Field& field, kj::StringPtr name, capnp::DynamicStruct::Reader object);

// Where a path leads: "condition.ipSrc" to the struct that has the last field.
template <class Struct>
struct Place {
  Struct object;
  std::string name;
};
Place<capnp::DynamicStruct::Reader> place_of(const Field& field, capnp::DynamicStruct::Reader object) {
  const size_t dot = field.schema.find('.');
  if (dot == std::string_view::npos) return {object, std::string(field.schema)};
  const std::string outer(field.schema.substr(0, dot));
  return {object.get(outer).as<capnp::DynamicStruct>(), std::string(field.schema.substr(dot + 1))};
}
// Makes the struct on the way if it is not there.
Place<capnp::DynamicStruct::Builder> place_of(const Field& field, capnp::DynamicStruct::Builder object) {
  const size_t dot = field.schema.find('.');
  if (dot == std::string_view::npos) return {object, std::string(field.schema)};
  const std::string outer(field.schema.substr(0, dot));
  auto inner = object.has(outer) ? object.get(outer) : object.init(outer);
  return {inner.as<capnp::DynamicStruct>(), std::string(field.schema.substr(dot + 1))};
}

// In the struct of a match.
kj::StringPtr value_member(const Field& field) { return field.type == FieldType::reference_list ? "values" : "value"; }

Value read_match(const Field& field, capnp::DynamicStruct::Reader object, kj::StringPtr name) {
  if (!object.has(name)) return {};
  auto match = object.get(name).as<capnp::DynamicStruct>();
  if (match.get("inverted").as<bool>() != (field.sense == Sense::is_not)) return {};
  return read_present(field, value_member(field), match);
}

void write_match(const Field& field, const Value& value, capnp::DynamicStruct::Builder object, kj::StringPtr name) {
  const bool inverted = field.sense == Sense::is_not;
  if (!std::holds_alternative<std::monostate>(value)) {
    auto match = object.init(name).as<capnp::DynamicStruct>();
    match.set("inverted", inverted);
    return write_present(field, value, value_member(field), match);
  }
  if (!object.has(name)) return;
  auto match = object.get(name).as<capnp::DynamicStruct>();
  if (match.get("inverted").as<bool>() == inverted) object.clear(name);  // not the opposite's
}

Value read_present(const Field& field, kj::StringPtr name, capnp::DynamicStruct::Reader object) {
  if (field.type == FieldType::range) return read_range(object.as<schema::RangeMatch>());
  if (field.type == FieldType::masked_mac) return read_masked_mac(object.as<schema::MacMatch>());
  auto value = object.get(name);
  switch (field.type) {
    case FieldType::text:
    case FieldType::secret:
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
    case FieldType::named_number:
      return read_number(field, value.as<uint64_t>());
    case FieldType::reference_list:
      return read_references(value.as<capnp::List<schema::Uuid>>());
    case FieldType::targets:
      return read_targets(value.as<capnp::List<schema::NatTarget>>());
    case FieldType::prefix_rules:
      return read_prefix_rules(value.as<capnp::List<schema::PrefixRule>>());
    case FieldType::mac: {
      MacAddress mac = MacAddress::from_uint64(value.as<uint64_t>());
      return mac.is_zero() ? Value{} : Value(mac);
    }
    case FieldType::reference: {
      Uuid id = uuid_of(value.as<schema::Uuid>());
      return id.is_nil() ? Value{} : Value(id);
    }
    default:  // above
      break;
  }
  return {};
}

}  // namespace

Value read_value(const Field& field, capnp::DynamicStruct::Reader object) {
  const auto place = place_of(field, object);
  if (field.sense != Sense::plain) return read_match(field, place.object, place.name);
  return read_present(field, place.name, place.object);
}

void write_value(const Field& field, const Value& value, capnp::DynamicStruct::Builder object) {
  auto place = place_of(field, object);
  if (field.sense != Sense::plain) return write_match(field, value, place.object, place.name);
  if (std::holds_alternative<std::monostate>(value)) return place.object.clear(place.name);
  write_present(field, value, place.name, place.object);
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

}  // namespace viaduct::api
