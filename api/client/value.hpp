// The value of one field, between the operator's text, the schema's bytes and JSON.
#pragma once

#include <capnp/dynamic.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/client/kinds.hpp"
#include "api/client/outcome.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::api {

using Json = nlohmann::ordered_json;

// monostate: none. A choice is the text of its enumerant, in words ("reverse-dnat"). Named numbers, ranges, masked MAC
// addresses, targets and rules of filters are texts in one form (value_text.hpp).
using Value = std::variant<std::monostate, bool, uint64_t, std::string, Uuid, MacAddress, IpAddress, IpPrefix,
                           std::vector<IpPrefix>, std::vector<Uuid>, std::vector<std::string>>;

// `texts` has one entry except for lists. "none" is the absent value of every type that has one. References are not
// parsed here: they need the topology (directory.hpp).
Result<Value> parse_value(const Field& field, const std::vector<std::string>& texts);

// As the operator would type it; references as UUID, an absent value as field.absent. Of a secret only that it is set.
std::string to_text(const Field& field, const Value& value);
Json to_json(const Field& field, const Value& value);
Json to_json(const Value& value);  // of no field: secrets, too

// A field that is one of two opposites is none when the object has the other one.
Value read_value(const Field& field, capnp::DynamicStruct::Reader object);
void write_value(const Field& field, const Value& value, capnp::DynamicStruct::Builder object);

Failure bad_value(const Field& field, std::string_view text, std::string expected);

Uuid uuid_of(schema::Uuid::Reader reader);
void set_uuid(schema::Uuid::Builder builder, const Uuid& id);
// monostate when the bytes are neither 4 nor 16.
Value address_of(schema::IpAddress::Reader reader);
void set_address(schema::IpAddress::Builder builder, const IpAddress& address);

}  // namespace viaduct::api
