#include "api/cli/export_choice.hpp"

#include <algorithm>

namespace viaduct::api::cli {
namespace {

bool has_parent_in(const Record& record, const std::set<Uuid>& chosen) {
  return std::ranges::any_of(record.info().parents,
                             [&](std::string_view parent) { return chosen.contains(record.reference(parent)); });
}

bool is_of(const Record& record, const std::vector<std::string>& tenants) {
  const Field* tenant = record.info().find("tenant");
  return tenant != nullptr &&
         std::ranges::any_of(tenants, [&](const std::string& wanted) { return record.get("tenant") == Value(wanted); });
}

}  // namespace

std::set<Uuid> choose(const std::vector<Record>& live, const ExportChoice& choice) {
  const bool everything = choice.roots.empty() && choice.tenants.empty();
  std::set<Uuid> chosen(choice.roots.begin(), choice.roots.end());
  for (const Record& record : live)
    if (everything || is_of(record, choice.tenants)) chosen.insert(record.id());
  for (size_t before = 0; before != chosen.size();) {
    before = chosen.size();
    for (const Record& record : live)
      if (has_parent_in(record, chosen)) chosen.insert(record.id());
  }
  if (choice.kinds.empty()) return chosen;
  for (const Record& record : live)
    if (!choice.kinds.contains(record.kind())) chosen.erase(record.id());
  return chosen;
}

bool is_parent(const KindInfo& kind) {
  return std::ranges::any_of(kinds(), [&](const KindInfo& child) {
    return std::ranges::any_of(child.parents,
                               [&](std::string_view name) { return child.find(name)->target == kind.kind; });
  });
}

}  // namespace viaduct::api::cli
