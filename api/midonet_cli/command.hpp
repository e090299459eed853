// What a line asks for, before anything is looked up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/midonet_cli/object.hpp"

namespace viaduct::api::midonet_cli {

enum class Verb : uint8_t {
  list,
  show,
  create,
  set,
  clear,
  remove,
  describe,
  set_tenant,
  clear_tenant,
  debug,
  help,
  quit
};

struct Step;

// "name web", "infilter chain0", "peer router router0 port port1".
struct Assignment {
  const Field* field = nullptr;
  std::string value;
  std::vector<Step> object = {};  // not empty: instead of the value, the object that a reference is to
};

// One object on the way from the root: "bridge bridge0", "bridge name web", "bridge0".
struct Step {
  const Collection* collection = nullptr;
  std::string id;                       // a UUID or an alias; empty: the one that the filter finds
  std::vector<Assignment> filter = {};  // at least one, when there is no id
};

struct Command {
  Verb verb = Verb::show;
  std::vector<Step> path = {};           // the object that the verb is about; empty: the root
  const Collection* target = nullptr;    // below it: what to list, create, describe
  std::vector<Assignment> fields = {};   // of list: a filter
  std::vector<const Field*> names = {};  // of show and clear
  std::vector<std::string> words = {};   // of verbs that are not about objects
};

// The object at the end of a path.
const Object& end_of(const std::vector<Step>& path);
// "router router0 port port1", as it was typed.
std::string to_text(const std::vector<Step>& path);

struct VerbName {
  std::string_view name;
  Verb verb;
  size_t least;  // characters that are enough
  std::string_view usage;
  std::string_view help;
  std::string_view examples;
};
std::span<const VerbName> verbs();
// Nothing: the word is none.
const VerbName* find_verb(std::string_view word);

// Whether the verb has what it needs, and nothing else. `verb` is null when the line has none, which is `show`; `first_word` is of
// the line.
Result<Done> check(const Command& command, const VerbName* verb, std::string_view first_word);

}  // namespace viaduct::api::midonet_cli
