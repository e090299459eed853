#include "api/client/reply_json.hpp"

#include "schema/admin.capnp.h"

namespace viaduct::api {
namespace {

template <class T>
bool is(capnp::StructSchema schema) {
  return schema == capnp::Schema::from<T>();
}

Json enum_json(capnp::DynamicEnum value) {
  KJ_IF_MAYBE (enumerant, value.getEnumerant()) {
    std::string_view name = enumerant->getProto().getName().cStr();
    if (value.getSchema() == capnp::Schema::from<schema::Kind>()) {
      if (const KindInfo* kind = find_kind_by_schema(name)) return kind->name;
    }
    return snake_case(name);
  }
  return "unknown-" + std::to_string(value.getRaw());
}

Json struct_json(capnp::DynamicStruct::Reader value) {
  if (is<schema::Uuid>(value.getSchema())) {
    Uuid id = uuid_of(value.as<schema::Uuid>());
    return id.is_nil() ? Json(nullptr) : Json(id.to_string());
  }
  if (is<schema::IpAddress>(value.getSchema())) return to_json(address_of(value.as<schema::IpAddress>()));
  Json out = Json::object();
  for (auto field : value.getSchema().getNonUnionFields())
    out[snake_case(field.getProto().getName().cStr())] = reply_json(value.get(field));
  KJ_IF_MAYBE (field, value.which())
    out[snake_case(field->getProto().getName().cStr())] = reply_json(value.get(*field));
  return out;
}

Json list_json(capnp::DynamicList::Reader list) {
  Json out = Json::array();
  for (auto entry : list) out.push_back(reply_json(entry));
  return out;
}

Json hex_json(capnp::Data::Reader bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

Json reply_json(capnp::DynamicValue::Reader value) {
  using capnp::DynamicValue;
  switch (value.getType()) {
    case DynamicValue::BOOL:
      return value.as<bool>();
    case DynamicValue::INT:
      return value.as<int64_t>();
    case DynamicValue::UINT:
      return value.as<uint64_t>();
    case DynamicValue::FLOAT:
      return value.as<double>();
    case DynamicValue::TEXT:
      return value.as<capnp::Text>().cStr();
    case DynamicValue::DATA:
      return hex_json(value.as<capnp::Data>());
    case DynamicValue::ENUM:
      return enum_json(value.as<capnp::DynamicEnum>());
    case DynamicValue::LIST:
      return list_json(value.as<capnp::DynamicList>());
    case DynamicValue::STRUCT:
      return struct_json(value.as<capnp::DynamicStruct>());
    default:
      return nullptr;
  }
}

std::string snake_case(std::string_view camel_case) {
  std::string out;
  for (char c : camel_case) {
    bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.empty()) out += '_';
    out += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace viaduct::api
