#include "api/cli/naming.hpp"

namespace viaduct::api::cli {
namespace {

// Whether a field says nothing that a reader would miss: absent, or what the schema says by itself.
bool says_nothing(const Field& field, const std::string& text) {
  if (text.empty() || text == field.absent) return true;
  if (field.type == FieldType::choice) return text == field.choices.front();
  if (field.type == FieldType::boolean) return text == "false";
  return field.type == FieldType::number && field.sense == Sense::plain && text == "0";
}

}  // namespace

std::string describe(const Record& record, const NameLookup& name_of) {
  const KindInfo& kind = record.info();
  std::string out(kind.name);
  if (kind.has_name()) return out + " " + (record.name().empty() ? record.id().to_string() : record.name());
  for (std::string_view key : kind.key) {
    const Field& field = *kind.find(key);
    std::string text = text_of(record, field, name_of);
    if (says_nothing(field, text)) continue;
    bool speaks_for_itself = key == kind.key.front() || field.type == FieldType::choice;
    out += (speaks_for_itself ? " " : " " + std::string(field.option) + " ") + text;
  }
  for (std::string_view parent : kind.parents) {
    const Field& field = *kind.find(parent);
    if (!record.reference(parent).is_nil())
      out += " of " + std::string(info(field.target).name) + " " + text_of(record, field, name_of);
  }
  return out;
}

std::string gathered(const Record& record, const NameLookup& name_of) {
  std::string all;
  for (const Field& field : record.info().fields) {
    if (field.column != Column::gathered) continue;
    const std::string text = text_of(record, field, name_of);
    if (says_nothing(field, text)) continue;
    all += (all.empty() ? "" : "; ") + std::string(field.option);
    if (field.type != FieldType::boolean) all += " " + text;
  }
  return all;
}

std::string text_of(const Record& record, const Field& field, const NameLookup& name_of) {
  const Value& value = record.get(field.name);
  if (field.type == FieldType::reference && std::holds_alternative<Uuid>(value))
    return name_of(field, std::get<Uuid>(value));
  if (std::holds_alternative<std::vector<Uuid>>(value)) {
    std::string all;
    for (const Uuid& id : std::get<std::vector<Uuid>>(value)) all += (all.empty() ? "" : ", ") + name_of(field, id);
    return all;
  }
  // The wire spells "everything" as a prefix of length 0.
  if (!field.absent.empty() && std::holds_alternative<IpPrefix>(value) && std::get<IpPrefix>(value).length() == 0)
    return std::string(field.absent);
  return to_text(field, value);
}

}  // namespace viaduct::api::cli
