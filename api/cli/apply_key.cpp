#include "api/cli/apply_key.hpp"

namespace viaduct::api::cli {
namespace {

// A field as it counts for sameness: what the schema says by itself equals what is not there.
std::string key_text(const Record& record, const Field& field) {
  const Value& value = record.get(field.name);
  if (std::holds_alternative<std::monostate>(value)) {
    if (field.type == FieldType::choice) return std::string(field.choices.front());
    return field.type == FieldType::number ? "0" : "";
  }
  if (std::holds_alternative<IpPrefix>(value) && !field.absent.empty() && std::get<IpPrefix>(value).length() == 0)
    return "";
  return to_text(field, value);
}

}  // namespace

std::string whole_key(const Record& record) {
  std::string key;
  for (std::string_view parent : record.info().parents) {
    // What a loose parent has lost, or is given, stays what it is.
    if (record.info().find(parent)->bond == Bond::owned) key += record.reference(parent).to_string() + '\n';
  }
  for (std::string_view name : record.info().key) key += key_text(record, *record.info().find(name)) + '\n';
  return key;
}

}  // namespace viaduct::api::cli
