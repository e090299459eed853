#include "api/midonet_cli/command.hpp"

#include <algorithm>
#include <array>

#include "api/midonet_cli/tokenizer.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr std::array kVerbs = std::to_array<VerbName>({
    {"list", Verb::list, 1, "l[ist] [OBJECT] COLLECTION [FIELD VALUE]…", "List what is in a collection",
     "list bridge\nrouter router0 list port\nrouter router0 route list dst 10.0.0.0/8"},
    {"show", Verb::show, 1, "s[how] OBJECT [FIELD]…", "Show an object, or fields of it",
     "show bridge bridge0\nbridge name web show id\nrouter0:port1 show"},
    {"create", Verb::create, 6, "create [OBJECT] COLLECTION [FIELD VALUE]…", "Create an object",
     "create bridge name web\nbridge bridge0 create port vlan 7"},
    {"add", Verb::create, 3, "OBJECT add COLLECTION [FIELD VALUE]…", "As create",
     "router router0 add port address 10.0.0.1 net 10.0.0.0/24\nadd router name edge"},
    {"set", Verb::set, 3, "OBJECT set FIELD VALUE [FIELD VALUE]…", "Change fields of an object",
     "bridge bridge0 set name web state down\nset router0:port0 peer bridge0:port1"},
    {"clear", Verb::clear, 5, "OBJECT clear FIELD…", "Unset fields of an object",
     "clear bridge bridge0 infilter\nrouter router0 port port0 clear peer"},
    {"delete", Verb::remove, 3, "del[ete] OBJECT", "Delete an object",
     "delete bridge bridge0\nrouter router0 delete port port0\nhost host0 binding interface tap1 delete"},
    {"describe", Verb::describe, 4, "desc[ribe] [OBJECT | COLLECTION]", "Say what an object has",
     "describe\ndescribe router\nrouter router0 describe port"},
    {"sett", Verb::set_tenant, 4, "sett TENANT", "From now on, list and create what is this tenant's",
     "sett 5a0c6e4a1b3d4a0a8f0d3d3f4e0b7a11"},
    {"cleart", Verb::clear_tenant, 6, "cleart", "From now on, no tenant's in particular", "cleart"},
    {"debug", Verb::debug, 5, "debug on|off", "Print every request and answer, on standard error", "debug on"},
    {"help", Verb::help, 4, "help [VERB | COLLECTION]", "Explain", "help set\nhelp router"},
    {"quit", Verb::quit, 4, "quit", "End", "quit"},
    {"exit", Verb::quit, 4, "exit", "End", "exit"},
});

}  // namespace

const Object& end_of(const std::vector<Step>& path) { return path.empty() ? root() : *path.back().collection->of; }

std::string to_text(const std::vector<Step>& path) {
  std::string out;
  for (const Step& step : path) {
    out += (out.empty() ? "" : " ") + std::string(step.collection->name);
    if (!step.id.empty()) out += " " + step.id;
    for (const Assignment& each : step.filter) {
      out += " " + std::string(each.field->name) + " " +
             (each.object.empty() ? quote_word(each.value) : to_text(each.object));
    }
  }
  return out;
}

std::span<const VerbName> verbs() { return kVerbs; }

const VerbName* find_verb(std::string_view word) {
  auto exact = std::ranges::find(kVerbs, word, &VerbName::name);
  if (exact != kVerbs.end()) return &*exact;
  auto at = std::ranges::find_if(
      kVerbs, [&](const VerbName& each) { return word.size() >= each.least && each.name.starts_with(word); });
  return at == kVerbs.end() ? nullptr : &*at;
}

Result<Done> check(const Command& command, const VerbName* verb, std::string_view first_word) {
  using Parsed = Result<Done>;
  const Object& at = command.target ? *command.target->of : end_of(command.path);
  const auto usage = [&](std::string message) {
    return usage_error(std::move(message), "usage: " + std::string(verb->usage));
  };
  const bool about_object = !command.path.empty() && command.target == nullptr;
  switch (command.verb) {
    case Verb::list:
    case Verb::create:
      if (command.target == nullptr) {
        return usage_error(std::string(verb->name) + " what? " +
                               (command.path.empty() ? "the root" : with_article(at.title)) +
                               " has the collections: " + names_of_collections(at),
                           "usage: " + std::string(verb->usage));
      }
      if (!command.names.empty()) return usage("there is no value behind " + std::string(command.names[0]->name));
      return Done{};
    case Verb::show:
    case Verb::set:
    case Verb::clear:
    case Verb::remove:
      if (!about_object) {
        const std::string which = command.target == nullptr ? "which object?"
                                                            : "which " + std::string(command.target->name) +
                                                                  "? say its UUID, its alias, or FIELD VALUE of it";
        if (verb == nullptr) return usage_error(which, "or say what to do, as in: list " + std::string(first_word));
        return usage(std::string(verb->name) + " " + which);
      }
      if (command.verb == Verb::set && command.fields.empty()) return usage("set which field to what?");
      if (command.verb == Verb::clear && command.names.empty()) return usage("clear which field?");
      if (command.verb == Verb::remove && !command.names.empty())
        return usage("fields are not deleted: clear " + std::string(command.names[0]->name));
      return Done{};
    case Verb::debug:
      if (command.words.size() != 1 || (command.words[0] != "on" && command.words[0] != "off"))
        return usage("debug is on or off");
      return Done{};
    case Verb::set_tenant:
      return command.words.size() == 1 ? Parsed(Done{}) : Parsed(usage("sett is for one tenant"));
    case Verb::clear_tenant:
    case Verb::quit:
      return command.words.empty() ? Parsed(Done{}) : Parsed(usage(std::string(verb->name) + " stands alone"));
    case Verb::help:
    case Verb::describe:
      return Done{};
  }
  return Done{};
}

}  // namespace viaduct::api::midonet_cli
