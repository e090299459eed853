// One object of the topology as the tool holds it: its values by field, and the bytes it came from.
//
// The bytes are kept so that a read-modify-write carries fields of a newer daemon through unharmed: only what was set
// here is written over the original.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/client/value.hpp"
#include "schema/frame.hpp"

namespace viaduct::api {

class Record {
 public:
  Record(Kind kind, Uuid id) : kind_(kind), id_(id) {}  // a new one
  static Result<Record> from(schema::Object::Reader object);

  Kind kind() const { return kind_; }
  const KindInfo& info() const { return api::info(kind_); }
  const Uuid& id() const { return id_; }
  uint64_t revision() const { return revision_; }  // 0: not stored yet

  // The absent value for what was never set.
  const Value& get(std::string_view field) const;
  // Setting one of two opposites takes the other away.
  void set(std::string_view field, Value value);
  void clear(std::string_view field);  // to what the schema says by itself
  bool changed() const { return !changes_.empty(); }
  bool changed(std::string_view field) const { return changes_.contains(field); }

  std::string name() const;                      // empty for kinds without a name, too
  Uuid reference(std::string_view field) const;  // nil when absent

  // Writes the whole object.
  void write(schema::Object::Builder object) const;

 private:
  Kind kind_;
  Uuid id_;
  uint64_t revision_ = 0;
  std::map<std::string_view, Value> stored_;   // by Field::name
  std::map<std::string_view, Value> changes_;  // over stored_
  schema::Frame original_;                     // an Object; empty for a new one
};

}  // namespace viaduct::api
