#include "api/cli/field_options.hpp"

namespace viaduct::api::cli {
namespace {

bool fits(const Field& field, FieldUse use) {
  if (use != FieldUse::filter) return true;
  if (field.sense == Sense::is_not) return false;
  return field.type == FieldType::reference || field.type == FieldType::text;
}

std::string type_name(const Field& field) {
  switch (field.type) {
    case FieldType::boolean:
      return "BOOL";
    case FieldType::number:
      return "NUMBER";
    case FieldType::reference:
    case FieldType::reference_list:
      return "OBJECT";
    case FieldType::mac:
      return "MAC";
    case FieldType::masked_mac:
      return "MAC[/MASK]";
    case FieldType::named_number:
      return "NAME";
    case FieldType::range:
      return "N[-N]";
    case FieldType::targets:
      return "IP[-IP][:PORT[-PORT]]";
    case FieldType::prefix_rules:
      return "RULE";
    case FieldType::address:
      return "IP";
    case FieldType::prefix:
    case FieldType::prefix_list:
      return "IP/LENGTH";
    default:
      return "TEXT";
  }
}

Hint hint_for(const Field& field) {
  if (field.type == FieldType::reference || field.type == FieldType::reference_list) return Hint::object(field.target);
  if (field.type == FieldType::named_number) {
    std::vector<std::string> names;
    for (const NumberName& entry : field.names) names.emplace_back(entry.name);
    return Hint::choice(std::move(names));
  }
  if (field.type == FieldType::boolean) return Hint::choice({"true", "false"});
  if (field.type == FieldType::choice) return Hint::choice({field.choices.begin(), field.choices.end()});
  return {};
}

void add_option(Tree& tree, CLI::App& command, const Field& field, FieldUse use,
                const std::shared_ptr<FieldTexts>& texts) {
  bool positional = use == FieldUse::create && field.presence == Presence::positional;
  std::string flag = positional ? std::string(field.name) : "--" + std::string(field.option);
  auto store = [texts, name = field.name](const std::vector<std::string>& given) { texts->values[name] = given; };
  auto* option = command.add_option_function<std::vector<std::string>>(flag, store, std::string(field.help));
  option->type_name(type_name(field))->type_size(1);
  if (is_list(field.type)) {
    option->delimiter(',')->allow_extra_args(false);
  } else {
    option->expected(1);
  }
  if (use == FieldUse::create && field.presence != Presence::optional) option->required();
  tree.hint(option, hint_for(field));
}

// --blackhole for --next-hop blackhole; not where a field is called so.
void add_choice_flags(CLI::App& command, const KindInfo& kind, const Field& field,
                      const std::shared_ptr<FieldTexts>& texts) {
  for (std::string_view choice : field.choices.subspan(1)) {
    if (kind.find(choice) != nullptr) continue;
    command.add_flag_callback(
        "--" + std::string(choice), [texts, name = field.name, choice] { texts->values[name] = {std::string(choice)}; },
        "Short for --" + std::string(field.option) + " " + std::string(choice));
  }
}

}  // namespace

void add_field_options(Tree& tree, CLI::App& command, const KindInfo& kind, FieldUse use,
                       const std::shared_ptr<FieldTexts>& texts) {
  for (const Field& field : kind.fields) {
    if (!fits(field, use)) continue;
    add_option(tree, command, field, use, texts);
    if (field.type == FieldType::choice && use != FieldUse::filter) add_choice_flags(command, kind, field, texts);
  }
}

Result<Done> apply_texts(const FieldTexts& texts, Directory& directory, Record& record) {
  for (const auto& [name, given] : texts.values) {
    auto value = directory.parse(*record.info().find(name), given);
    if (!value) return value.failure();
    record.set(name, std::move(*value));
  }
  return Done{};
}

}  // namespace viaduct::api::cli
