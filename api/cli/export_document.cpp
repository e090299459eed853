#include "api/cli/export_document.hpp"

#include <algorithm>
#include <map>

#include "api/cli/export_fields.hpp"

namespace viaduct::api::cli {
namespace {

class Exporter {
 public:
  Exporter(const std::vector<Record>& live, const std::set<Uuid>& chosen, Told told)
      : names_(live, chosen), teller_(names_, told), chosen_(chosen) {
    for (const Record& record : live)
      if (chosen.contains(record.id())) place(record);
  }

  ExportedDocument run() {
    ExportedDocument out;
    out.sections = sections_under({});
    out.objects = chosen_.size();
    out.notes = std::move(notes_);
    if (!names_.outside().empty()) out.notes.push_back("Names what is not in this file: " + outside());
    return out;
  }

 private:
  std::string outside() const {
    constexpr size_t kMost = 50;
    std::string all;
    size_t listed = 0;
    for (const std::string& label : names_.outside()) {
      if (listed++ == kMost) return all + " and " + std::to_string(names_.outside().size() - kMost) + " more";
      all += (all.empty() ? "" : ", ") + label;
    }
    return all;
  }

  // Under the first parent that is told, too; else it stands alone, and names them.
  void place(const Record& record) {
    for (std::string_view parent : record.info().parents) {
      const Uuid id = record.reference(parent);
      if (id.is_nil() || !chosen_.contains(id)) continue;
      under_[id][record.kind()].push_back({&record, parent});
      return;
    }
    under_[Uuid{}][record.kind()].push_back({&record, {}});
  }

  std::vector<ExportedSection> sections_under(const Uuid& parent) {
    std::vector<ExportedSection> out;
    auto at = under_.find(parent);
    if (at == under_.end()) return out;
    for (auto& [kind, members] : at->second) out.push_back(section(info(kind), members));
    return out;
  }

  struct Member {
    const Record* record;
    std::string_view parent_field;  // empty: it stands alone
  };

  ExportedSection section(const KindInfo& kind, const std::vector<Member>& members) {
    std::vector<std::pair<SortKey, ExportedObject>> sorted;
    for (const Member& member : members) {
      ExportedObject object = told_object(*member.record, member.parent_field);
      sorted.emplace_back(sort_key(*member.record, object), std::move(object));
    }
    std::ranges::sort(sorted, {}, [](const auto& entry) -> const SortKey& { return entry.first; });
    ExportedSection out{&kind, {}};
    for (auto& entry : sorted) out.objects.push_back(std::move(entry.second));
    return out;
  }

  // Rules by their position, all else by what it is called and about; at last by id.
  struct SortKey {
    uint64_t position = 0;
    std::string name, fields, id;
    friend auto operator<=>(const SortKey&, const SortKey&) = default;
  };
  static SortKey sort_key(const Record& record, const ExportedObject& object) {
    SortKey key;
    if (const auto* position = std::get_if<uint64_t>(&record.get("position"))) key.position = *position;
    key.name = record.name();
    for (const auto& [name, value] : object.fields)
      if (name != "id") key.fields += value.dump() + '\n';
    key.id = record.id().to_string();
    return key;
  }

  ExportedObject told_object(const Record& record, std::string_view parent_field) {
    ExportedObject out;
    ToldFields fields = teller_.tell(record, parent_field);
    if (names_.needs_id(record.id())) out.fields.emplace_back("id", record.id().to_string());
    for (auto& field : fields.fields) out.fields.push_back(std::move(field));
    // What nothing needs to be said of still is an object.
    if (out.fields.empty()) out.fields.emplace_back("id", record.id().to_string());
    for (const std::string& missing : fields.missing) {
      out.comments.push_back(missing);
      notes_.push_back(std::string(record.info().name) + " " +
                       (record.name().empty() ? record.id().to_string() : record.name()) + ": " + missing);
    }
    out.sections = sections_under(record.id());
    return out;
  }

  const ExportNames names_;
  FieldTeller teller_;
  const std::set<Uuid>& chosen_;
  std::map<Uuid, std::map<Kind, std::vector<Member>>> under_;  // by parent; nil: those that stand alone
  std::vector<std::string> notes_;
};

Json json_of(const std::vector<ExportedSection>& sections, Json out) {
  for (const ExportedSection& section : sections) {
    Json list = Json::array();
    for (const ExportedObject& object : section.objects) {
      Json fields = Json::object();
      for (const auto& [key, value] : object.fields) fields[key] = value;
      list.push_back(json_of(object.sections, std::move(fields)));
    }
    out[std::string(section.kind->plural)] = std::move(list);
  }
  return out;
}

}  // namespace

ExportedDocument export_document(const std::vector<Record>& live, const std::set<Uuid>& chosen, Told told) {
  return Exporter(live, chosen, told).run();
}

Json json_of(const ExportedDocument& document) { return json_of(document.sections, Json::object()); }

}  // namespace viaduct::api::cli
