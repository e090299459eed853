// The one table of what an operator can name: kinds of objects and their fields.
//
// Everything that goes through objects goes through this table: the options of create and set, the filters and columns
// of list, what show prints, JSON, the keys of `viaduct apply`, completion. A new field of the schema becomes one line
// in kinds.cpp and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "schema/topology.capnp.h"

namespace viaduct::cli {

using schema::Kind;

enum class FieldType : uint8_t { text, boolean, number, reference, mac, address, prefix, prefix_list, choice };

enum class Presence : uint8_t {
  optional,
  required,    // create refuses to go without
  positional,  // required, and the first argument of create: the object's name
};

// Where a field is seen by people; JSON has them all.
enum class Column : uint8_t { shown, hidden };

struct Field {
  std::string_view name;    // JSON and YAML: "admin_up"
  std::string_view option;  // command line, and YAML too: "admin-up"
  std::string_view schema;  // schema/topology.capnp: "adminUp"
  FieldType type = FieldType::text;
  std::string_view help;
  Presence presence = Presence::optional;
  Column column = Column::shown;
  Kind target = Kind::HOST;                        // reference: what it refers to
  uint64_t minimum = 0, maximum = 0;               // number
  std::span<const std::string_view> choices = {};  // choice: the schema's enumerants; each but the first is also a flag
  std::string_view absent = "";                    // how a value that is not there is printed
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

  const Field* find(std::string_view name_or_option) const;
  bool has_name() const { return find("name") != nullptr; }
};

std::span<const KindInfo> kinds();
const KindInfo& info(Kind kind);
const KindInfo* find_kind(std::string_view name);              // "static-mac"
const KindInfo* find_kind_by_schema(std::string_view member);  // "staticMac"

}  // namespace viaduct::cli
