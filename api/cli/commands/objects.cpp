// create, show, list, set and delete for every kind of the table.
#include <algorithm>
#include <set>

#include "api/cli/commands/change.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/edit.hpp"
#include "api/cli/commands/listing.hpp"
#include "api/cli/field_options.hpp"

namespace viaduct::api::cli {
namespace {

Result<Uuid> id_for_create(const std::string& text) {
  if (text.empty()) return Uuid::random();
  auto id = Uuid::parse(text);
  if (!id || id->is_nil()) return usage_error("--id: '" + text + "' is not a UUID");
  return *id;
}

std::string usage_examples(const KindInfo& kind, std::string_view verb, std::string_view rest) {
  std::string name = kind.has_name() ? "NAME" : "ID";
  return "  viaduct " + std::string(kind.name) + " " + std::string(verb) + " " + name + std::string(rest) + "\n";
}

void add_create(Tree& tree, CLI::App& group, const KindInfo& kind) {
  auto texts = std::make_shared<FieldTexts>();
  auto id_text = std::make_shared<std::string>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto& command = tree.leaf(group, "create", "Create a " + std::string(kind.name), kind.examples,
                            [=, &kind](Session& session) -> Result<ExitCode> {
                              auto id = id_for_create(*id_text);
                              if (!id) return id.failure();
                              auto directory = session.directory();
                              if (!directory) return directory.failure();
                              Record record(kind.kind, *id);
                              auto applied = apply_texts(*texts, **directory, record);
                              if (!applied) return applied.failure();
                              complete_new(record);
                              return commit(session, {{Operation::Action::create, record}}, **mode);
                            });
  add_field_options(tree, command, kind, FieldUse::create, texts);
  command.add_option("--id", *id_text, "UUID of the new object (default: a random one)")->type_name("UUID");
  *mode = add_change_options(command);
}

void add_show(Tree& tree, CLI::App& group, const KindInfo& kind) {
  auto object = std::make_shared<std::string>();
  auto run = [=, &kind](Session& session) -> Result<ExitCode> {
    auto directory = session.directory();
    if (!directory) return directory.failure();
    auto record = (*directory)->find(kind.kind, *object);
    if (!record) return record.failure();
    return show(session, **directory, *record);
  };
  auto& command = tree.leaf(group, "show", "Show one " + std::string(kind.name) + " with every field",
                            usage_examples(kind, "show", "") + usage_examples(kind, "show", " --json"), run);
  tree.hint(command.add_option("object", *object, "Name or id")->required(), Hint::object(kind.kind));
}

Result<std::vector<Record>> filtered(Directory& directory, const KindInfo& kind, const FieldTexts& filters) {
  auto records = directory.all(kind.kind);
  if (!records || records->empty()) return records;
  if (auto loaded = directory.load_targets(kind); !loaded) return loaded.failure();
  for (const auto& [name, given] : filters.values) {
    auto wanted = directory.parse(*kind.find(name), given);
    if (!wanted) return wanted.failure();
    std::erase_if(*records, [&, &name = name](const Record& record) { return record.get(name) != *wanted; });
  }
  sort_records(*records);
  return records;
}

void add_list(Tree& tree, CLI::App& group, const KindInfo& kind) {
  auto filters = std::make_shared<FieldTexts>();
  std::string examples =
      "  viaduct " + std::string(kind.name) + " list\n  viaduct " + std::string(kind.name) + " list --json\n";
  if (!kind.parents.empty()) {
    const Field& parent = *kind.find(kind.parents.front());
    examples += "  viaduct " + std::string(kind.name) + " list --" + std::string(parent.option) + " NAME\n";
  }
  auto& command = tree.leaf(group, "list", "List all, or those that the options name", examples,
                            [=, &kind](Session& session) -> Result<ExitCode> {
                              auto directory = session.directory();
                              if (!directory) return directory.failure();
                              auto records = filtered(**directory, kind, *filters);
                              if (!records) return records.failure();
                              if (!session.wants_json()) {
                                print_records(session, **directory, *records);
                                return ExitCode::ok;
                              }
                              Json list = Json::array();
                              for (const Record& record : *records) list.push_back((*directory)->json_of(record));
                              session.print(list);
                              return ExitCode::ok;
                            });
  add_field_options(tree, command, kind, FieldUse::filter, filters);
}

std::string set_example(const KindInfo& kind) {
  if (kind.kind == Kind::PORT) return " --mtu 1400 --address 10.0.1.1/24";
  if (kind.kind == Kind::RULE) return " --ip-src 10.0.0.0/8 --drop";
  if (kind.kind == Kind::PORT_GROUP_PORT) return " --dry-run";
  if (kind.kind == Kind::IP_GROUP_ADDRESS) return " --ip 198.51.100.7";
  if (kind.kind == Kind::BGP_NETWORK) return " --prefix 198.51.0.0/16";
  if (kind.find("admin_up") != nullptr) return " --admin-up false";
  if (kind.find("weight") != nullptr) return " --weight 50";
  if (kind.kind == Kind::TUNNEL_ZONE_HOST) return " --ip 192.0.2.7";
  return kind.has_name() ? " --name NEW" : " --mac 02:00:00:00:00:02";
}

void add_set(Tree& tree, CLI::App& group, const KindInfo& kind) {
  auto object = std::make_shared<std::string>();
  auto texts = std::make_shared<FieldTexts>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto run = [=, &kind](Session& session) -> Result<ExitCode> {
    if (texts->values.empty())
      return usage_error("nothing to set", "name at least one field: viaduct help " + std::string(kind.name) + " set");
    return edit(session, **mode, [&](Directory& directory) -> Result<std::vector<Record>> {
      auto record = directory.find(kind.kind, *object);
      if (!record) return record.failure();
      auto applied = apply_texts(*texts, directory, *record);
      if (!applied) return applied.failure();
      if (kind.kind == Kind::RULE && !texts->values.contains("fragments")) complete_rule(*record);
      return std::vector{*record};
    });
  };
  auto& command = tree.leaf(group, "set", "Change fields; \"none\" clears one. Fields not named stay as they are",
                            usage_examples(kind, "set", set_example(kind)), run);
  tree.hint(command.add_option("object", *object, "Name or id")->required(), Hint::object(kind.kind));
  add_field_options(tree, command, kind, FieldUse::set, texts);
  *mode = add_change_options(command);
}

void add_delete(Tree& tree, CLI::App& group, const KindInfo& kind) {
  auto objects = std::make_shared<std::vector<std::string>>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto run = [=, &kind](Session& session) -> Result<ExitCode> {
    auto directory = session.directory();
    if (!directory) return directory.failure();
    std::vector<Operation> operations;
    std::set<Uuid> seen;
    for (const std::string& text : *objects) {
      auto record = (*directory)->find(kind.kind, text);
      if (!record) return record.failure();
      if (seen.insert(record->id()).second) operations.push_back({Operation::Action::remove, *record});
    }
    return commit(session, operations, **mode);
  };
  auto& command = tree.leaf(group, "delete", "Delete objects, all or none; says what else goes with them",
                            usage_examples(kind, "delete", "") + usage_examples(kind, "delete", " --dry-run"), run);
  tree.hint(command.add_option("objects", *objects, "Names or ids")->required(), Hint::object(kind.kind));
  *mode = add_change_options(command);
}

bool is_any(const Record& record, std::initializer_list<std::string_view> fields) {
  return std::ranges::any_of(
      fields, [&](std::string_view field) { return !std::holds_alternative<std::monostate>(record.get(field)); });
}

// Whether one of the targets has ports.
bool is_dynamic(const Record& record) {
  const Value& value = record.get("targets");
  const auto* targets = std::get_if<std::vector<std::string>>(&value);
  return targets != nullptr && std::ranges::any_of(*targets, [](const std::string& target) {
           const size_t colon = target.rfind(':');
           return colon != std::string::npos && (target.find(':') == colon || target[colon - 1] == ']');
         });
}

bool is_unset(const Record& record, std::string_view field, std::string_view usual) {
  const Value& value = record.get(field);
  return std::holds_alternative<std::monostate>(value) || value == Value(std::string(usual));
}

}  // namespace

// Later fragments have no ports: a rule that asks for ports or changes them cannot be for them.
void complete_rule(Record& record) {
  if (is_any(record, {"jump"}) && is_unset(record, "action", "accept")) record.set("action", std::string("jump"));
  if (record.changed("fragments") || !is_unset(record, "fragments", "any")) return;
  if (is_dynamic(record)) {
    record.set("fragments", std::string("unfragmented"));
  } else if (is_any(record, {"l4_src", "l4_dst", "not_l4_src", "not_l4_dst"})) {
    record.set("fragments", std::string("header"));
  }
}

void complete_new(Record& record) {
  if (record.kind() == Kind::RULE) return complete_rule(record);
  if (record.kind() != Kind::ROUTE) return;
  // Both prefixes of a route are of one family; a source that is not named is everything of it.
  const Value& destination = record.get("destination");
  if (std::holds_alternative<IpPrefix>(destination) && std::holds_alternative<std::monostate>(record.get("source")))
    record.set("source", IpPrefix::any(std::get<IpPrefix>(destination).family()));
}

void add_object_commands(Tree& tree) {
  for (const KindInfo& kind : kinds()) {
    auto& group = tree.group(tree.root(), kind.name, kind.help);
    add_create(tree, group, kind);
    add_show(tree, group, kind);
    add_list(tree, group, kind);
    add_set(tree, group, kind);
    add_delete(tree, group, kind);
  }
}

}  // namespace viaduct::api::cli
