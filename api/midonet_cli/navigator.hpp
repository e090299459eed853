// From what a command says to the objects that it means: paths and references looked up.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/midonet_cli/aliases.hpp"
#include "api/midonet_cli/command.hpp"
#include "api/midonet_cli/documents.hpp"

namespace viaduct::api::midonet_cli {

// An object that is there.
struct Found {
  const Collection* collection = nullptr;
  const Object* object = nullptr;
  Document document;
  std::string path;    // behind the root; of an embedded object: of the one that it is in
  std::string uuid;    // empty: it has none
  std::string parent;  // UUID of the one above; empty: the root
};

class Navigator {
 public:
  Navigator(Documents& documents, Aliases& aliases) : documents_(documents), aliases_(aliases) {}

  // The objects of a path, from the root on. Each is read; a child that is another's is "not_found".
  Result<std::vector<Found>> resolve(const std::vector<Step>& path);
  // What is in a collection below `above` (null: the root), and passes the filter.
  Result<std::vector<Found>> list(const Found* above, const Collection& collection, std::vector<Assignment> filter,
                                  const std::string& tenant = {});
  // Where its objects are: "bridges/…/ports".
  std::string place_of(const Found* above, const Collection& collection) const;
  // The values of references as UUIDs, in place.
  Result<Done> resolve_values(std::vector<Assignment>& fields);
  // The object that a field refers to; its own path from the root. Nothing found is a failure.
  Result<Found> referred(const Field& field, const std::string& uuid);

  // As people read it: an alias where they are given, "router0:port1", else the UUID.
  std::string name_of(const Found& found);
  std::string alias_path(const std::vector<Found>& above, const Found& found);
  std::string name_of_reference(const Field& field, const std::string& uuid);

 private:
  Result<Found> step(const std::vector<Found>& above, const Step& step);
  Result<Found> by_id(const Found* above, const Step& step);
  Result<Found> by_filter(const Found* above, const Step& step);
  Result<std::string> uuid_of(const std::string& parent, const Collection& collection, const std::string& id) const;
  Result<Found> make(const Found* above, const Collection& collection, Document document) const;
  Result<std::string> reference(const Field& field, const std::string& value);

  Documents& documents_;
  Aliases& aliases_;
};

// An embedded object is an element of this member of the one that it is in.
bool is_embedded(const Found& found);
// Objects that pass: every field has the text that is asked for.
bool passes(const Json& document, const Object& object, const std::vector<Assignment>& filter);
// Of failures whose violations name members: the names of fields.
Failure in_fields(Failure failure, const Object& object);

// Likewise; and of the API's refusal of a verb, in which it says nothing.
Failure in_words(Failure failure, const Object& object, std::string_view verb, std::string cure);
// The field as it is of this very object: of a bridge's port, say, and not of any port.
Result<const Field*> own_field(const Found& found, const Field& field);

}  // namespace viaduct::api::midonet_cli
