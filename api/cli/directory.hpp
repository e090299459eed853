// Which object an operator means by a name, a UUID or the beginning of one, and how objects are called in answers.
//
// Objects are asked for as needed and remembered for the length of one command: a command on one object costs a few
// small look-ups at any size of the topology.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/cli/naming.hpp"
#include "api/client/client.hpp"

namespace viaduct::api::cli {

class Directory {
 public:
  explicit Directory(Client& client) : client_(client) {}

  // Exactly one object, or why not: none, or several with this name (their ids are listed).
  Result<Record> find(Kind kind, const std::string& text);
  // The same over several kinds: "bridge or router".
  Result<Record> find(const std::vector<Kind>& kinds, const std::string& text);
  // The id of one. A whole UUID is believed when this daemon has no such object: one without the cluster's role knows what its
  // host needs.
  Result<Uuid> find_anywhere(Kind kind, const std::string& text);
  Result<std::vector<Record>> all(Kind kind);
  // Of this kind, what names `target` in any of its fields.
  Result<std::vector<Record>> naming(Kind kind, const Uuid& target);
  // Fetches at once what the objects of a kind refer to, so that listing many of them does not ask for each name.
  Result<Done> load_targets(const KindInfo& kind);

  // Parses the text of a field, references included.
  Result<Value> parse(const Field& field, const std::vector<std::string>& texts);

  // The name of an object, else its id; what cannot be found is called by its id.
  std::string name_of(Kind kind, const Uuid& id);
  std::string name_of(const Field& field, const Uuid& id);
  // "port r1-blue", "route 10.0.0.0/8 via 10.0.1.9 of router r1".
  std::string describe(const Record& record);
  // A field as a person reads it: references by name; and those that make one column.
  std::string gathered(const Record& record);
  std::string text_of(const Record& record, const Field& field);
  // JSON with "<field>_name" behind every reference. What a rule does not ask for is left out.
  Json json_of(const Record& record);

  // Makes name_of answer for objects that the daemon does not have yet.
  void remember(const Record& record);

 private:
  std::string name_among(const std::vector<Kind>& kinds, const Uuid& id);
  void add_names(const Field& field, const Value& value, Json& out);
  Result<std::vector<Record>> candidates(const std::vector<Kind>& kinds, const std::string& text);

  Client& client_;
  std::map<Uuid, std::string> names_;
  std::set<Kind> loaded_;  // kinds whose objects are all in names_
};

}  // namespace viaduct::api::cli
