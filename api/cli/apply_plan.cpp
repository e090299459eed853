#include "api/cli/apply_plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "api/cli/apply_match.hpp"
#include "api/cli/naming.hpp"

namespace viaduct::api::cli {
namespace {

using Action = Operation::Action;

std::string_view verb(Action action) {
  switch (action) {
    case Action::create:
      return "create";
    case Action::update:
      return "update";
    case Action::remove:
      return "delete";
  }
  return {};
}

char sign(Action action) { return action == Action::create ? '+' : action == Action::update ? '~' : '-'; }

// Live objects that the document leaves out, and why each goes: an empty cause for those that are deleted themselves.
std::map<Uuid, std::string> doomed(const std::vector<Record>& live, const std::set<Uuid>& wanted,
                                   const NameLookup& name_of) {
  std::map<Uuid, std::string> out;
  for (const Record& record : live)
    if (record.kind() != Kind::HOST && !wanted.contains(record.id())) out[record.id()] = "";
  for (const Record& record : live) {
    auto at = out.find(record.id());
    if (at == out.end()) continue;
    for (const Field& field : record.info().fields) {
      // The store deletes with an object what cannot be without it; links and bindings are only undone.
      bool owned = field.type == FieldType::reference && field.bond == Bond::owned;
      Uuid target = record.reference(field.name);
      if (owned && !target.is_nil() && out.contains(target))
        at->second = "with " + std::string(info(field.target).name) + " " + name_of(field, target);
    }
  }
  return out;
}

class Planner {
 public:
  Planner(const Document& document, const std::vector<Record>& live, const DefaultHost& default_host)
      : matching_(document, live, default_host), live_(live) {}

  Result<Plan> plan(Pruning pruning) {
    auto matched = matching_.run();
    if (!matched) return matched.failure();
    for (const Record& record : live_) {
      names_[record.id()] = record.name();
      live_by_id_[record.id()] = &record;
    }
    for (const Record& record : matching_.records()) names_[record.id()] = record.name();
    std::map<Uuid, std::string> going;
    if (pruning == Pruning::prune) going = doomed(live_, matching_.ids(), lookup());
    for (Record& record : matching_.records()) {
      if (going.contains(record.reference("peer"))) record.set("peer", Value{});
      add_put(record);
    }
    add_deletions(going);
    return std::move(plan_);
  }

 private:
  NameLookup lookup() const {
    return [this](const Field&, const Uuid& id) {
      auto at = names_.find(id);
      return at == names_.end() || at->second.empty() ? id.to_string() : at->second;
    };
  }

  const Record* live_of(const Uuid& id) const {
    auto at = live_by_id_.find(id);
    return at == live_by_id_.end() ? nullptr : at->second;
  }

  PlannedChange change_of(Action action, const Record& record) const {
    std::string label = describe(record, lookup());
    for (std::string_view parent : record.info().parents) {
      const Field& field = *record.info().find(parent);
      if (record.info().has_name() && !record.reference(parent).is_nil())
        label += " of " + std::string(info(field.target).name) + " " + text_of(record, field, lookup());
    }
    return {action, std::string(record.info().name), record.name(), record.id().to_string(), label, {}, {}};
  }

  void add_put(const Record& record) {
    const Record* before = live_of(record.id());
    if (before != nullptr && !record.changed()) return;
    PlannedChange change = change_of(before == nullptr ? Action::create : Action::update, record);
    for (const Field& field : record.info().fields) {
      std::string was = before == nullptr ? std::string() : text_of(*before, field, lookup());
      std::string is = text_of(record, field, lookup());
      const bool other_secret = field.type == FieldType::secret && before != nullptr && record.changed(field.name);
      if (other_secret && was == is) is += ", another one";
      if (was != is && !(before == nullptr && said_by_label(record, field)))
        change.fields.push_back({std::string(field.name), was, is});
    }
    plan_.changes.push_back(std::move(change));
    plan_.operations.push_back({before == nullptr ? Action::create : Action::update, record});
  }

  static bool said_by_label(const Record& record, const Field& field) {
    auto holds = [&](std::span<const std::string_view> names) {
      return std::ranges::find(names, field.name) != names.end();
    };
    return holds(record.info().key) || holds(record.info().parents);
  }

  void add_deletions(const std::map<Uuid, std::string>& going) {
    for (const Record& record : live_) {
      auto at = going.find(record.id());
      if (at == going.end()) continue;
      PlannedChange change = change_of(Action::remove, record);
      change.cause = at->second;
      plan_.changes.push_back(std::move(change));
      if (at->second.empty()) plan_.operations.push_back({Action::remove, record});
    }
  }

  ApplyMatch matching_;
  const std::vector<Record>& live_;
  std::map<Uuid, const Record*> live_by_id_;
  std::map<Uuid, std::string> names_;
  Plan plan_;
};

void print_fields(const PlannedChange& change, std::ostream& out) {
  for (const FieldChange& field : change.fields) {
    out << "      " << field.field << ": ";
    if (change.action == Action::update) out << (field.before.empty() ? "none" : field.before) << " -> ";
    out << (field.after.empty() ? "none" : field.after) << '\n';
  }
}

}  // namespace

size_t Plan::count(Action action) const {
  return static_cast<size_t>(
      std::ranges::count_if(changes, [&](const PlannedChange& change) { return change.action == action; }));
}

Result<Plan> make_plan(const Document& document, const std::vector<Record>& live, const DefaultHost& default_host,
                       Pruning pruning) {
  return Planner(document, live, default_host).plan(pruning);
}

void print_plan(const Plan& plan, std::ostream& out) {
  if (plan.empty()) {
    out << "nothing to do: the topology is as the file says\n";
    return;
  }
  for (const PlannedChange& change : plan.changes) {
    out << "  " << sign(change.action) << ' ' << change.label;
    if (!change.cause.empty()) out << " (" << change.cause << ')';
    out << '\n';
    print_fields(change, out);
  }
  out << "plan: " << plan.count(Action::create) << " to create, " << plan.count(Action::update) << " to update, "
      << plan.count(Action::remove) << " to delete\n";
}

Json plan_json(const Plan& plan) {
  Json list = Json::array();
  for (const PlannedChange& change : plan.changes) {
    Json fields = Json::object();
    for (const FieldChange& field : change.fields)
      fields[field.field] = {{"before", field.before}, {"after", field.after}};
    list.push_back({{"action", verb(change.action)},
                    {"kind", change.kind},
                    {"name", change.name},
                    {"id", change.id},
                    {"label", change.label},
                    {"fields", fields},
                    {"cause", change.cause}});
  }
  return list;
}

}  // namespace viaduct::api::cli
