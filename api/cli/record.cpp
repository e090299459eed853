#include "api/cli/record.hpp"

namespace viaduct::cli {
namespace {

schema::Frame copy_of(schema::Object::Reader object) {
  capnp::MallocMessageBuilder message;
  message.setRoot(object);
  return schema::Frame::of(message);
}

}  // namespace

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
  record.original_ = copy_of(object);
  auto fields = dynamic.get(kj::StringPtr(kind->schema.data(), kind->schema.size())).as<capnp::DynamicStruct>();
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
  auto at = stored_.find(known->name);
  if (at != stored_.end() && at->second == value) {
    changes_.erase(known->name);
    return;
  }
  changes_[known->name] = std::move(value);
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

}  // namespace viaduct::cli
