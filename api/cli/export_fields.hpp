// One object's fields for an exported document, and what other objects are called in it. Internal to export_document.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/cli/export_document.hpp"

namespace viaduct::api::cli {

// What objects are called where others name them: by a name that nothing else could mean, else by the id.
class ExportNames {
 public:
  // `chosen`: those that the document holds.
  ExportNames(const std::vector<Record>& live, const std::set<Uuid>& chosen);

  std::string of(const Field& field, const Uuid& id) const;
  // Of those that the document holds: whether it must give the id.
  bool needs_id(const Uuid& id) const { return need_ids_.contains(id); }
  // "chain web": what is named and not in the document.
  const std::set<std::string>& outside() const { return outside_; }

 private:
  bool is_clear(const Field& field, const Record& target) const;
  void note_references(const Record& record, const std::set<Uuid>& chosen);

  std::map<Uuid, const Record*> live_;
  std::map<std::pair<Kind, std::string>, size_t> called_;  // how many are
  std::set<Uuid> need_ids_;
  std::set<std::string> outside_;
};

struct ToldFields {
  std::vector<std::pair<std::string, Json>> fields;
  std::vector<std::string> missing;  // "password is set, and not told"
};

class FieldTeller {
 public:
  FieldTeller(const ExportNames& names, Told told) : names_(names), told_(told) {}

  // `parent_field`: the one that the object's place in the document tells; empty: none.
  ToldFields tell(const Record& record, std::string_view parent_field);

 private:
  std::set<std::string_view> choose(const Record& record, std::string_view parent_field);
  const Record& usual(Kind kind);
  Json value_of(const Record& record, const Field& field) const;

  const ExportNames& names_;
  const Told told_;
  std::map<Kind, Record> usual_;  // with what the schema says by itself
};

}  // namespace viaduct::api::cli
