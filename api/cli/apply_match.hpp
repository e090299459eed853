// Which live object each object of a document is, and what it should become.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/cli/apply_plan.hpp"

namespace viaduct::api::cli {

class ApplyMatch {
 public:
  ApplyMatch(const Document& document, const std::vector<Record>& live, const DefaultHost& default_host);

  // Afterwards records() has, in the order of the kinds, every object of the document as it should be: a copy of the
  // live one with the given fields set, or a new one with a random id.
  Result<Done> run();
  std::vector<Record>& records() { return records_; }
  std::set<Uuid> ids() const;

 private:
  std::optional<Failure> read_ids();
  bool has_id(Kind kind,
              const Uuid& id) const;  // whether a live object of this kind has the id, or the document gives it
  const Record* live_of(const Uuid& id) const;  // null: there is none
  std::vector<const Record*> live_with(const std::pair<Kind, std::string>& key) const;
  std::optional<Failure> claim(size_t index);  // by name, unless it has an id
  std::optional<Failure> claim_by_id(size_t index);
  std::optional<Failure> claim_by_key(size_t index);
  std::optional<Failure> fill_live(size_t index, Record& record);
  enum class Fields : uint8_t { all, beyond_key };
  std::optional<Failure> fill(size_t index, Record& record, Fields which);
  std::optional<Failure> set_parent(size_t index, Record& record);
  static void replace(Record& record, const Record& whole);
  std::optional<Failure> set_field(const DesiredObject& object, const Field& field, const GivenField& given,
                                   Record& record);
  std::optional<Failure> bind(const DesiredObject& object, Record& record);
  std::optional<Failure> close_links();
  std::optional<Failure> describe_once(const DesiredObject& object, const std::pair<Kind, std::string>& key);
  void take(size_t index, Record record);
  Record* described(const Uuid& id);  // null when the document does not have it
  bool names_peer(const Record& record) const;
  Result<Value> resolve(const Field& field, const std::vector<std::string>& texts) const;
  Result<Uuid> resolve(Kind kind, const std::string& text) const;
  bool is_known(Kind kind, const std::string& text) const;
  Failure complain(Position at, std::string message, std::string cure = {}) const;

  const Document& document_;
  const std::vector<Record>& live_;
  const DefaultHost& default_host_;
  std::optional<Uuid> host_;
  // Of what is live, by kind and name, and by kind, parent and key.
  std::multimap<std::pair<Kind, std::string>, const Record*> live_by_name_;
  std::multimap<std::pair<Kind, std::string>, const Record*> live_by_key_;
  std::multimap<std::pair<Kind, std::string>, Uuid> desired_by_name_;
  std::map<Uuid, const Record*> live_by_id_;
  std::map<Uuid, size_t> given_ids_;    // by the document -> index in it
  std::map<size_t, size_t> record_of_;  // index in the document -> in records_
  std::map<Uuid, size_t> document_of_;  // the other way round
  std::map<std::pair<Kind, std::string>, Position> described_;
  std::vector<Record> records_;
};

}  // namespace viaduct::api::cli
