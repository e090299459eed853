// Values that are texts in one form: numbers with names, ranges, masked MAC addresses, targets of NAT, rules of filters.
#pragma once

#include <capnp/dynamic.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/client/kinds.hpp"
#include "api/client/outcome.hpp"

namespace viaduct::api {

// Brings what an operator typed into the one form: "TCP 6" -> "tcp", "80-80" -> "80". The failure names the option.
Result<std::string> one_form(const Field& field, std::string_view text);

// Between a text in this form and the schema. For a named number `object` holds it in the field `name`; for a range or a
// masked MAC address it is their struct. Reading what the schema has always gives such a text.
std::string read_number(const Field& field, uint64_t number);
uint64_t number_of(const Field& field, const std::string& text);
std::string read_range(schema::RangeMatch::Reader range);
void write_range(const std::string& text, schema::RangeMatch::Builder range);
std::string read_masked_mac(schema::MacMatch::Reader mac);
void write_masked_mac(const std::string& text, schema::MacMatch::Builder mac);
std::string read_target(schema::NatTarget::Reader target);
void write_target(const std::string& text, schema::NatTarget::Builder target);
std::string read_prefix_rule(schema::PrefixRule::Reader rule);
void write_prefix_rule(const std::string& text, schema::PrefixRule::Builder rule);

}  // namespace viaduct::api
