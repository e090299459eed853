#include "api/cli/apply_document.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "api/client/value.hpp"

namespace viaduct::api::cli {
namespace {

constexpr std::string_view kBindings = "bindings";
constexpr std::string_view kId = "id";

Position position_of(const YAML::Node& node) { return {node.Mark().line + 1, node.Mark().column + 1}; }

// "static_macs" and "static-macs" are one key.
std::string normal(std::string key) {
  std::ranges::replace(key, '_', '-');
  return key;
}

// Refuses, by exception inside this file only: the document is read by a recursion that has nothing else to report.
class Reader {
 public:
  explicit Reader(std::string file) { document_.file = std::move(file); }

  Document read(const YAML::Node& root) {
    for_each_entry(root, "the file", [&](const std::string& key, const YAML::Node& name, const YAML::Node& value) {
      if (key == kBindings) {
        bindings_ = value;
      } else if (const KindInfo* kind = kind_of_section(key)) {
        read_section(value, *kind, std::nullopt, {});
      } else {
        refuse_key(name, "the file", section_names());
      }
    });
    if (bindings_) read_bindings(*bindings_);
    return std::move(document_);
  }

 private:
  [[noreturn]] void refuse(Position at, std::string message, std::string cure = {}) const {
    throw document_error(document_.file, at, std::move(message), std::move(cure));
  }

  [[noreturn]] void refuse_key(const YAML::Node& key, const std::string& where, const std::string& known) const {
    refuse(position_of(key), "unknown key '" + key.Scalar() + "' in " + where, "known keys: " + known);
  }

  static const KindInfo* kind_of_section(const std::string& key) {
    for (const KindInfo& kind : kinds())
      if (kind.plural == key) return &kind;
    return nullptr;
  }

  static std::string section_names() {
    std::string names;
    for (const KindInfo& kind : kinds()) names += std::string(kind.plural) + ", ";
    return names + std::string(kBindings);
  }

  template <class Visit>
  void for_each_entry(const YAML::Node& map, const std::string& where, Visit visit) const {
    if (!map.IsMap()) refuse(position_of(map), where + " must be a mapping of keys to values");
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) refuse(position_of(entry.first), "a key of " + where + " must be a word");
      std::string key = normal(entry.first.Scalar());
      if (!seen.insert(key).second) refuse(position_of(entry.first), "key '" + key + "' stands twice in " + where);
      visit(key, entry.first, entry.second);
    }
  }

  void read_section(const YAML::Node& list, const KindInfo& kind, std::optional<size_t> parent,
                    std::string_view parent_field) {
    if (list.IsNull()) return;  // an empty section
    if (!list.IsSequence()) refuse(position_of(list), std::string(kind.plural) + " must be a list (lines with '- ')");
    uint64_t position = 0;
    for (const YAML::Node& entry : list) {
      const size_t index = document_.objects.size();
      read_object(entry, kind, parent, parent_field);
      if (kind.kind == Kind::RULE) place(document_.objects[index], position);
    }
  }

  // Rules under their chain are in its order: 10, 20, 30 …; one that says its position goes there.
  void place(DesiredObject& rule, uint64_t& last) const {
    constexpr uint64_t kStep = 10;
    auto given = rule.fields.find("position");
    if (given == rule.fields.end()) {
      if (!rule.parent) refuse(rule.at, "this rule has no position", "add position: …, or list it under its chain");
      last += kStep;
      rule.fields.emplace("position", GivenField{{std::to_string(last)}, rule.at});
      return;
    }
    auto value = parse_value(*rule.kind->find("position"), given->second.texts);
    if (!value) refuse(given->second.at, value.failure().message);
    last = std::get<uint64_t>(*value);
    if (last == 0) refuse(given->second.at, "position 0 is none", "leave it out");
  }

  void read_object(const YAML::Node& map, const KindInfo& kind, std::optional<size_t> parent,
                   std::string_view parent_field) {
    size_t index = document_.objects.size();
    document_.objects.push_back({&kind, position_of(map), {}, parent, parent_field, {}});
    std::string where = label(map, kind);
    std::vector<std::pair<const KindInfo*, YAML::Node>> nested;
    for_each_entry(map, where, [&](const std::string& key, const YAML::Node& name, const YAML::Node& value) {
      const KindInfo* child = kind_of_section(key);
      if (child != nullptr && !parent_field_in(*child, kind).empty()) {
        nested.emplace_back(child, value);
      } else if (key == kId) {
        document_.objects[index].id = read_id(name, value, where);
      } else {
        read_field(document_.objects[index], key, name, value, where);
      }
    });
    if (kind.has_name() && document_.objects[index].name().empty() && !document_.objects[index].id)
      refuse(position_of(map), "this " + std::string(kind.name) + " has no name", "add name: …, or id: …");
    for (const auto& [child, list] : nested) read_section(list, *child, index, parent_field_in(*child, kind));
  }

  Uuid read_id(const YAML::Node& key, const YAML::Node& value, const std::string& where) const {
    const auto id = value.IsScalar() ? Uuid::parse(value.Scalar()) : std::nullopt;
    if (!id || id->is_nil())
      refuse(position_of(key), "id of " + where + " is not a UUID", "leave it out, or copy it from viaduct export");
    return *id;
  }

  // The field of `child` that names a parent of this kind; empty when it cannot be nested here.
  static std::string_view parent_field_in(const KindInfo& child, const KindInfo& parent) {
    for (std::string_view name : child.parents)
      if (child.find(name)->target == parent.kind) return name;
    return {};
  }

  static std::string label(const YAML::Node& map, const KindInfo& kind) {
    std::string out(kind.name);
    if (map.IsMap() && map["name"] && map["name"].IsScalar()) out += " '" + map["name"].Scalar() + "'";
    return out;
  }

  static std::string known_keys(const KindInfo& kind) {
    std::string keys;
    for (const Field& field : kind.fields) keys += std::string(field.option) + ", ";
    for (const KindInfo& child : kinds())
      if (!parent_field_in(child, kind).empty()) keys += std::string(child.plural) + ", ";
    return keys + std::string(kId);
  }

  static const Field* field_for(const KindInfo& kind, const std::string& key) {
    for (const Field& field : kind.fields)
      if (field.option == key || normal(std::string(field.name)) == key) return &field;
    return nullptr;
  }

  // The field of which `key` is a choice, as in "blackhole: true".
  static const Field* field_of_choice(const KindInfo& kind, const std::string& key) {
    for (const Field& field : kind.fields)
      if (!field.choices.empty() && std::ranges::find(field.choices.subspan(1), key) != field.choices.end())
        return &field;
    return nullptr;
  }

  void read_field(DesiredObject& object, const std::string& key, const YAML::Node& name, const YAML::Node& value,
                  const std::string& where) {
    GivenField given{{}, position_of(name)};
    const Field* field = field_for(*object.kind, key);
    if (field != nullptr) {
      given.texts = texts_of(value, *field, where);
    } else if ((field = field_of_choice(*object.kind, key)) != nullptr) {
      if (!value.IsScalar() || value.Scalar() != "true") refuse(given.at, key + " must be true, or be left out");
      given.texts = {key};
    } else {
      refuse_key(name, where, known_keys(*object.kind));
    }
    if (field->name == object.parent_field)
      refuse(given.at, where + " names a " + key + ", but is nested under one", "leave the key out");
    if (!object.fields.emplace(field->name, std::move(given)).second)
      refuse(position_of(name), "'" + std::string(field->name) + "' is given twice in " + where);
  }

  std::vector<std::string> texts_of(const YAML::Node& value, const Field& field, const std::string& where) const {
    if (value.IsNull()) return {"none"};
    if (value.IsScalar()) return {value.Scalar()};
    std::string key(field.option);
    if (!value.IsSequence() || !is_list(field.type))
      refuse(position_of(value), key + " of " + where + " must be a single value");
    std::vector<std::string> texts;
    for (const YAML::Node& entry : value) {
      if (!entry.IsScalar())
        refuse(position_of(entry), "an entry of " + key + " of " + where + " must be a single value");
      texts.push_back(entry.Scalar());
    }
    return texts.empty() ? std::vector<std::string>{"none"} : texts;
  }

  void read_bindings(const YAML::Node& list) {
    if (list.IsNull()) return;
    if (!list.IsSequence()) refuse(position_of(list), "bindings must be a list (lines with '- ')");
    for (const YAML::Node& entry : list) read_binding(entry);
  }

  void read_binding(const YAML::Node& map) {
    std::map<std::string, YAML::Node> values;
    for_each_entry(map, "a binding", [&](const std::string& key, const YAML::Node& name, const YAML::Node& value) {
      if (key != "port" && key != "interface" && key != "host") refuse_key(name, "a binding", "port, interface, host");
      if (!value.IsScalar()) refuse(position_of(value), key + " of a binding must be a single value");
      values[key] = value;
    });
    if (!values.contains("port") || !values.contains("interface"))
      refuse(position_of(map), "a binding needs port and interface");
    DesiredObject& port = port_named(values["port"]);
    values.erase("port");
    for (const auto& [key, value] : values) {
      const Field& field = *port.kind->find(key);
      if (!port.fields.emplace(field.name, GivenField{{value.Scalar()}, position_of(value)}).second)
        refuse(position_of(map), "port '" + port.name() + "' has its " + key + " already from elsewhere in the file");
    }
  }

  DesiredObject& port_named(const YAML::Node& name) {
    DesiredObject* found = nullptr;
    for (DesiredObject& object : document_.objects) {
      if (object.kind->kind != Kind::PORT || object.name() != name.Scalar()) continue;
      if (found != nullptr) refuse(position_of(name), "two ports of the file are called '" + name.Scalar() + "'");
      found = &object;
    }
    if (found == nullptr)
      refuse(position_of(name), "port '" + name.Scalar() + "' is not in this file", "describe the port in it, too");
    return *found;
  }

  Document document_;
  std::optional<YAML::Node> bindings_;
};

}  // namespace

std::string DesiredObject::name() const {
  auto at = fields.find("name");
  return at == fields.end() || at->second.texts.empty() ? std::string() : at->second.texts.front();
}

Failure document_error(const std::string& file, Position at, std::string message, std::string cure) {
  return usage_error(file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + message,
                     std::move(cure));
}

Result<Document> parse_document(const std::string& text, const std::string& file) {
  if (text.size() > kMaxDocumentBytes) return usage_error(file + " is larger than 16 MiB");
  try {
    auto documents = YAML::LoadAll(text);
    if (documents.size() > 1) return usage_error(file + " holds several YAML documents", "apply them one by one");
    if (documents.empty() || documents[0].IsNull())
      return usage_error(file + " is empty", "see viaduct apply --help for the format");
    return Reader(file).read(documents[0]);
  } catch (const Failure& failure) {
    return failure;
  } catch (const YAML::Exception& error) {
    return document_error(file, {error.mark.line + 1, error.mark.column + 1}, error.msg);
  }
}

}  // namespace viaduct::api::cli
