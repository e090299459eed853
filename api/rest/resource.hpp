// The one table of what REST serves: for each resource its path, media type, verbs, members, links and collections.
//
// A member says how a part of a JSON document and a field of the table of kinds (api/client/kinds.hpp) become each other.
// Documents are read and written by the table (document.hpp), requests are routed by it (gateway.hpp), the Application
// document and the OpenAPI description are made from it. Names, defaults and constraints are MidoNet 5's.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/client/record.hpp"

namespace viaduct::api::rest {

class Emission;  // document.hpp
class Intake;

// What a member's JSON is, and what becomes of it.
enum class Shape : uint8_t {
  id,
  text,             // null when empty
  boolean,          // null or absent in a body: false, unless `fallback`
  number,           // null or absent: 0, unless `fallback`
  optional_number,  // null or absent: as the schema has it
  named_number,     // of a condition: null when it asks for none
  reference,
  references,
  choice,  // `words`
  address,
  mac,
  cidrs,
  // Parts of one field, which several members make together.
  prefix_address,
  prefix_length,
  masked_mac,
  mac_mask,
  range,     // {"start": 1, "end": 2}
  inverted,  // of any of the above: the field's opposite has the value
  // What this version does not have: emitted as is, and refused (501) when a body asks for something else.
  always_null,
  always_empty,
  always_false,
  special,  // by `emit` and `take`
};

enum class Direction : uint8_t {
  io,      // read from POST and PUT
  create,  // read from POST; PUT keeps what is stored
  out,     // ignored in bodies
  in,      // read, and emitted as null
};

struct Word {
  std::string_view wire;   // "BlackHole"
  std::string_view field;  // "blackhole"
};

struct Member {
  std::string_view name;
  std::string_view field = {};
  Shape shape = Shape::text;
  Direction direction = Direction::io;
  bool required = false;
  int64_t least = 0, most = 0;     // numbers; both 0: as the field
  std::string_view fallback = {};  // when a body does not have it, as JSON
  std::span<const Word> words = {};
  uint8_t variants = 0;  // bits of Resource::variant; 0: all
  void (*emit)(const Emission&, Json& value) = nullptr;
  void (*take)(Intake&, const Json& value) = nullptr;  // `value` is null when the body has none
};

// A URI in a document: "ports": "{uri}/ports", "inboundFilter": "{B}chains/{id}" or null.
struct Link {
  std::string_view name;
  std::string_view path = {};    // of the resource that `field` names; empty: below the object itself
  std::string_view field = {};   // a reference
  std::string_view suffix = {};  // "/ports"
  uint8_t variants = 0;
  std::string (*make)(const Emission&) = nullptr;  // instead; empty: null
};

enum Verb : uint8_t { kList = 1, kGet = 2, kCreate = 4, kUpdate = 8, kRemove = 16 };

struct Resource {
  std::string_view path;  // "bridges"
  Kind kind;
  std::string_view media;  // "Bridge": application/vnd.org.midonet.Bridge-v4+json
  std::span<const uint8_t> versions;
  uint8_t verbs;
  std::span<const Member> members;
  std::span<const Link> links;
  // Of documents with several forms: the bit of the form, by what is stored and by the body. 0: the body is none of them.
  uint8_t (*variant)(const Record&) = nullptr;
  uint8_t (*variant_of)(Intake&) = nullptr;
  // After the members: what concerns several of them.
  void (*finish)(Intake&) = nullptr;
  bool missing_is_404 = false;  // DELETE of what is not there
  bool declared = false;        // a body of another type: 415, as JAX-RS says, instead of MidoNet's 406
  // Names in the Application document; empty: none.
  std::string_view root_collection = {}, root_template = {};
};

// A collection below an object: GET and POST "{parent}/{id}/{name}".
struct Collection {
  std::string_view parent;  // path of the resource above
  std::string_view name;
  const Resource* of;
  std::string_view field;  // of the children, that names the one above
  uint8_t verbs = kList | kCreate;
  // Where a child that is no resource of its own lies below the one above: "hosts/5a0c…"; null: it is one.
  std::string (*place)(const Record&) = nullptr;
  // The form of these places, and of what else the collection can be asked for, for the description: "hosts/{hostId}".
  std::array<std::string_view, 3> places = {};
};

std::span<const Resource* const> resources();
std::span<const Collection> collections();
const Resource* find_resource(std::string_view path);
const Collection* find_collection(std::string_view parent, std::string_view name);

// The member that holds a field; empty: none, or several.
std::string_view member_of(const Resource& resource, std::string_view field);

}  // namespace viaduct::api::rest
