// The table of what MidoNet's command line works on: for each object its fields and the collections below it, and where the
// REST API has them. Parsing, help and completion walk it; every request is made from it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/midonet_cli/field.hpp"

namespace viaduct::api::midonet_cli {

struct Object;

enum CollectionVerb : uint8_t { kList = 1, kCreate = 2, kSingle = 4 };

struct Collection {
  std::string_view name;  // "bgp-network"
  const Object* of = nullptr;
  std::string_view path = {};           // "bgp_networks": behind the URI of the object above, or of the API
  std::string_view one = {};            // where one of them is, by its id: "bgp_networks"; empty: they have no id
  std::string_view parent = {};         // member that names the object above, by its id or a URI that ends with it
  uint8_t verbs = kList | kCreate;      // kSingle: no collection, but one object
  std::string_view type = {};           // the member "type" of a new one
  std::string_view tenant_query = {};   // parameter that filters a list by tenant
  std::string_view embedded = {};       // they are elements of this member of the object above
  int64_t version = 0;                  // of addresses of a group: only those of IPv4, or of IPv6
  std::string_view not_available = {};  // why there are none
};

struct Object {
  std::string_view name;   // in lists, and of aliases: "tzone" of tzone0
  std::string_view title;  // in sentences: "tunnel zone"
  std::span<const Field> fields = {};
  std::span<const Collection> collections = {};
  std::string_view tenant = {};  // member of the tenant
  // Of objects that are told apart by their documents: which this is.
  const Object* (*resolve)(const Json& document) = nullptr;
  // After fields were given: what concerns several of them. `before`: as it was; null of a new one.
  Result<Done> (*finish)(const Json& before, Json& document) = nullptr;
};

const Object& root();

// By its name, or another that is understood; null: there is none.
const Field* find_field(const Object& object, std::string_view name);
const Collection* find_collection(const Object& object, std::string_view name);
// Whose objects have aliases of this name: "tzone12"; null: there is none.
const Collection* find_by_alias(const Object& object, std::string_view alias);
const Object& resolved(const Object& object, const Json& document);
bool has_ids(const Collection& collection);

// "port, dhcp" and the like, for failures; "none" when there are none.
std::string names_of_collections(const Object& object);
std::string names_of_fields(const Object& object);

// "a bridge", "an IP address group".
std::string with_article(std::string_view title);

}  // namespace viaduct::api::midonet_cli
