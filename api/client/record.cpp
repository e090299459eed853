#include "api/client/record.hpp"

namespace viaduct::api {
Result<Record> Record::from(schema::Object::Reader object) {
  capnp::DynamicStruct::Reader dynamic(object);
  const KindInfo* kind = nullptr;
  KJ_IF_MAYBE (member, dynamic.which()) kind = find_kind_by_schema(member->getProto().getName().cStr());
  Uuid id = uuid_of(object.getId());
  if (kind == nullptr) {
    return Failure{ExitCode::refused,
                   "version",
                   "object " + id.to_string() + " is of a kind this tool does not know",
                   "use the viaduct tool of the daemon's version (viaduct version shows both)",
                   {}};
  }
  Record record(kind->kind, id);
  record.revision_ = object.getRevision();
  // Read from a copy of our own: each field walks to its place, which a reader of foreign bytes would take for an attack.
  capnp::MallocMessageBuilder copy;
  copy.setRoot(object);
  record.original_ = schema::Frame::of(copy);
  capnp::DynamicStruct::Reader own(copy.getRoot<schema::Object>().asReader());
  auto fields = own.get(kj::StringPtr(kind->schema.data(), kind->schema.size())).as<capnp::DynamicStruct>();
  for (const Field& field : kind->fields) record.stored_[field.name] = read_value(field, fields);
  return record;
}

const Value& Record::get(std::string_view field) const {
  static const Value kAbsent;
  if (auto at = changes_.find(field); at != changes_.end()) return at->second;
  auto at = stored_.find(field);
  return at == stored_.end() ? kAbsent : at->second;
}

void Record::set(std::string_view field, Value value) {
  const Field* known = info().find(field);
  const Field* opposite = info().opposite_of(*known);
  if (opposite != nullptr && !std::holds_alternative<std::monostate>(value)) set(opposite->name, Value{});
  auto at = stored_.find(known->name);
  if (at != stored_.end() && at->second == value) {
    changes_.erase(known->name);
    return;
  }
  changes_[known->name] = std::move(value);
}

void Record::clear(std::string_view field) {
  capnp::MallocMessageBuilder message;
  capnp::DynamicStruct::Builder empty(message.initRoot<schema::Object>());
  auto fields = empty.init(std::string(info().schema)).as<capnp::DynamicStruct>();
  set(field, read_value(*info().find(field), fields.asReader()));
}

std::string Record::name() const {
  const Value& value = get("name");
  return std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : std::string();
}

Uuid Record::reference(std::string_view field) const {
  const Value& value = get(field);
  return std::holds_alternative<Uuid>(value) ? std::get<Uuid>(value) : Uuid{};
}

void Record::write(schema::Object::Builder object) const {
  if (!original_.bytes.empty()) {
    // Bytes of our own making: reading them back cannot fail.
    (void)schema::with_root<schema::Object>(original_, {}, [&](schema::Object::Reader original) {
      capnp::DynamicStruct::Reader from(original);
      capnp::DynamicStruct::Builder to(object);
      KJ_IF_MAYBE (member, from.which()) to.set(*member, from.get(*member));
    });
  }
  set_uuid(object.initId(), id_);
  object.setRevision(revision_);
  capnp::DynamicStruct::Builder dynamic(object);
  kj::StringPtr member(info().schema.data(), info().schema.size());
  auto fields = (original_.bytes.empty() ? dynamic.init(member) : dynamic.get(member)).as<capnp::DynamicStruct>();
  for (const auto& [name, value] : changes_) write_value(*info().find(name), value, fields);
}

}  // namespace viaduct::api
