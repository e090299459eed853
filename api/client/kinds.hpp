// The one table of what an operator can name: kinds of objects and their fields.
//
// Everything that goes through objects goes through this table: the options of create and set, the filters and columns
// of list, what show prints, JSON, the keys of `viaduct apply`, completion. A new field of the schema becomes one line
// in a kinds*.cpp and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "schema/topology.capnp.h"

namespace viaduct::api {

using schema::Kind;

enum class FieldType : uint8_t {
  text,
  boolean,
  number,
  reference,
  mac,
  address,
  prefix,
  prefix_list,
  choice,
  reference_list,
  named_number,  // "tcp", 0x88cc; see Field::names
  range,         // "80", "1024-65535"
  masked_mac,    // "01:00:00:00:00:00/01:00:00:00:00:00"
  targets,       // of NAT: "203.0.113.1-203.0.113.9:1024-65535", "2001:db8:1::/48"
  prefix_rules,  // of BGP: "permit 10.0.0.0/8 le 24"
  secret,        // a text that is taken and compared, and never printed
};
constexpr bool is_list(FieldType type) {
  return type == FieldType::prefix_list || type == FieldType::reference_list || type == FieldType::targets ||
         type == FieldType::prefix_rules;
}

enum class Presence : uint8_t {
  optional,
  required,    // create refuses to go without
  positional,  // required, and the first argument of create: the object's name
};

// Where a field is seen by people; JSON has them all.
enum class Column : uint8_t {
  shown,
  hidden,
  gathered,  // into one column with others, each with its option's name: what a rule matches
};

// What a condition asks for has an opposite; both are fields of the table, and at most one of them is there.
enum class Sense : uint8_t { plain, is, is_not };

// What becomes of an object when what the field names is deleted.
enum class Bond : uint8_t { owned, loose };

struct NumberName {
  std::string_view name;
  uint64_t number;
};

struct Field {
  std::string_view name;    // JSON and YAML: "admin_up"
  std::string_view option;  // command line, and YAML too: "admin-up"
  std::string_view schema;  // schema/topology.capnp: "adminUp", "condition.ipSrc"
  FieldType type = FieldType::text;
  std::string_view help;
  Presence presence = Presence::optional;
  Column column = Column::shown;
  Kind target = Kind::HOST;                        // reference: what it refers to
  uint64_t minimum = 0, maximum = 0;               // number
  std::span<const std::string_view> choices = {};  // choice: the schema's enumerants; each but the first is also a flag
  std::string_view absent = "";                    // how a value that is not there is printed
  Sense sense = Sense::plain;
  Bond bond = Bond::owned;
  std::span<const Kind> also = {};         // reference: what else it may refer to
  std::span<const NumberName> names = {};  // named_number
};

struct KindInfo {
  Kind kind;
  std::string_view name;    // "static-mac"
  std::string_view plural;  // "static-macs": the key in YAML
  std::string_view schema;  // member of the union in Object
  std::string_view help;
  std::string_view examples;  // lines for the help of create
  std::span<const Field> fields;
  // Which fields make two objects "the same" for apply, besides the parent: others are changed in place.
  std::span<const std::string_view> key;
  // Fields that may hold the parent under which apply nests this kind.
  std::span<const std::string_view> parents;

  // Kinds of which `show` lists those that name the object.
  std::span<const Kind> shown_with = {};
  // apply: what a document leaves out is cleared. Half of an old rule must not stay in a new one.
  enum class Given : uint8_t { some, whole } given = Given::some;

  const Field* find(std::string_view name_or_option) const;
  const Field* opposite_of(const Field& field) const;  // null: it has none
  bool has_name() const { return find("name") != nullptr; }
};

std::span<const KindInfo> kinds();  // in the order of the schema
const KindInfo& info(Kind kind);
const KindInfo* find_kind(std::string_view name);              // "static-mac"
const KindInfo* find_kind_by_schema(std::string_view member);  // "staticMac"

}  // namespace viaduct::api
