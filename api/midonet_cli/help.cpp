#include "api/midonet_cli/help.hpp"

#include <algorithm>

#include "api/midonet_cli/command.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr size_t kWidth = 76;

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string wrapped(std::span<const Collection> all) {
  std::string out = "    ";
  size_t column = 0;
  for (const Collection& each : all) {
    if (column > 0 && column + each.name.size() > kWidth) {
      out += "\n    ";
      column = 0;
    }
    out += std::string(column > 0 ? "  " : "") + std::string(each.name);
    column += each.name.size() + 2;
  }
  return out + "\n";
}

std::string of_everything() {
  std::string out = "Commands:\n";
  for (const VerbName& each : verbs())
    out += "    " + padded(std::string(each.usage), 44) + std::string(each.help) + "\n";
  out +=
      "\nOBJECT is COLLECTION UUID, COLLECTION ALIAS, COLLECTION FIELD VALUE, or an alias like router0:port1;\n"
      "what is in it follows, as in: bridge name web port port0\n\nCollections of the root:\n" +
      wrapped(root().collections) + "\nhelp COMMAND and help COLLECTION say more.\n";
  return out;
}

std::string of_verb(const VerbName& verb) {
  std::string out = std::string(verb.help) + "\n\nUsage: " + std::string(verb.usage) + "\n\nExamples:\n";
  std::string_view rest = verb.examples;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    out += "    " + std::string(rest.substr(0, end)) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

}  // namespace

std::string description(const Object& object) {
  std::string out =
      "Object collections:\n" + (object.collections.empty() ? "    <NONE>\n" : wrapped(object.collections));
  out += "Fields:\n";
  if (object.fields.empty()) return out + "    <NONE>\n";
  for (const Field& field : object.fields) {
    std::string form = describe(field);
    if (field.has(kReadOnly)) form += " (read-only)";
    if (field.has(kFixed)) form += " (when created)";
    if (!field.when.empty()) form += " (types " + std::string(field.when) + ")";
    out += "    " + padded(std::string(field.name), 26) + form + "\n";
  }
  return out;
}

Result<std::string> help(const std::vector<std::string>& words) {
  if (words.empty()) return of_everything();
  const Object* at = &root();
  for (const std::string& word : words) {
    const Collection* found = find_collection(*at, word);
    const VerbName* verb = find_verb(word);
    if (found == nullptr && at == &root() && verb != nullptr) return of_verb(*verb);
    if (found == nullptr) {
      return usage_error("there is no help on '" + word + "'", at == &root()
                                                                   ? "help alone lists commands and collections"
                                                                   : "collections: " + names_of_collections(*at));
    }
    at = found->of;
  }
  return description(*at);
}

}  // namespace viaduct::api::midonet_cli
