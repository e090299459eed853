// The second half of apply_match.hpp: what the fields of a document's objects mean, once it is known which they are.
#include <algorithm>

#include "api/cli/apply_match.hpp"

namespace viaduct::api::cli {

bool ApplyMatch::is_known(Kind kind, const std::string& text) const {
  const std::pair key(kind, text);
  const auto id = Uuid::parse(text);
  return (id && has_id(kind, *id)) || desired_by_name_.contains(key) || live_by_name_.contains(key);
}

Result<Value> ApplyMatch::resolve(const Field& field, const std::vector<std::string>& texts) const {
  if (texts.front() == "none") return Value{};
  std::vector<Uuid> ids;
  for (const std::string& text : texts) {
    auto kind = std::ranges::find_if(field.also, [&](Kind also) { return is_known(also, text); });
    const bool other = kind != field.also.end() && !is_known(field.target, text);
    auto id = resolve(other ? *kind : field.target, text);
    if (!id) return id.failure();
    ids.push_back(*id);
  }
  return field.type == FieldType::reference_list ? Value(ids) : Value(ids.front());
}

Result<Uuid> ApplyMatch::resolve(Kind kind, const std::string& text) const {
  std::string what = std::string(info(kind).name) + " '" + text + "'";
  std::pair key(kind, text);
  const auto id = Uuid::parse(text);
  if (id && has_id(kind, *id)) return *id;  // an id beats a name that looks like it
  if (size_t here = desired_by_name_.count(key); here == 1) {
    return desired_by_name_.find(key)->second;
  } else if (here > 1) {
    return usage_error("several objects of the file are called " + what,
                       "give them different names, or ids (id: UUID) and name it by its id");
  }
  if (size_t there = live_by_name_.count(key); there == 1) {
    return live_by_name_.find(key)->second->id();
  } else if (there > 1) {
    std::string ids;
    for (auto [at, end] = live_by_name_.equal_range(key); at != end; ++at) ids += " " + at->second->id().to_string();
    return usage_error(what + " is ambiguous:" + ids, "use the id instead of the name");
  }
  return usage_error("there is no " + what + ", neither in the file nor in the topology");
}

std::optional<Failure> ApplyMatch::set_parent(size_t index, Record& record) {
  const DesiredObject& object = document_.objects[index];
  if (object.parent) {
    record.set(object.parent_field, records_[record_of_.at(*object.parent)].id());
    return std::nullopt;
  }
  for (std::string_view parent : object.kind->parents) {
    auto at = object.fields.find(parent);
    if (at == object.fields.end()) continue;
    if (auto failure = set_field(object, *object.kind->find(parent), at->second, record)) return failure;
  }
  return std::nullopt;
}

// What has no name, and is there: what it is about changes only when its id says that it is the one.
std::optional<Failure> ApplyMatch::fill_live(size_t index, Record& record) {
  if (!document_.objects[index].id) return fill(index, record, Fields::beyond_key);
  if (auto failure = set_parent(index, record)) return failure;
  return fill(index, record, Fields::all);
}

void ApplyMatch::replace(Record& record, const Record& whole) {
  for (const Field& field : whole.info().fields) {
    const Value& value = whole.get(field.name);
    std::holds_alternative<std::monostate>(value) ? record.clear(field.name) : record.set(field.name, value);
  }
}

std::optional<Failure> ApplyMatch::set_field(const DesiredObject& object, const Field& field, const GivenField& given,
                                             Record& record) {
  if (field.type == FieldType::reference || field.type == FieldType::reference_list) {
    auto named = resolve(field, given.texts);
    if (!named)
      return complain(given.at, std::string(object.kind->name) + ": " + named.failure().message, named.failure().cure);
    record.set(field.name, std::move(*named));
    return std::nullopt;
  }
  auto value = parse_value(field, given.texts);
  if (!value) return complain(given.at, value.failure().message);
  record.set(field.name, std::move(*value));
  return std::nullopt;
}

std::optional<Failure> ApplyMatch::fill(size_t index, Record& record, Fields which) {
  const DesiredObject& object = document_.objects[index];
  for (const Field& field : object.kind->fields) {
    if (which == Fields::beyond_key && std::ranges::find(object.kind->key, field.name) != object.kind->key.end())
      continue;
    auto at = object.fields.find(field.name);
    if (at == object.fields.end()) {
      if (field.presence == Presence::required && field.name != object.parent_field)
        return complain(object.at, "this " + std::string(object.kind->name) + " has no " + std::string(field.option));
      continue;
    }
    if (auto failure = set_field(object, field, at->second, record)) return failure;
  }
  return bind(object, record);
}

// An interface without a host is one of the daemon's.
std::optional<Failure> ApplyMatch::bind(const DesiredObject& object, Record& record) {
  auto interface = object.fields.find("interface");
  if (interface == object.fields.end()) return std::nullopt;
  if (interface->second.texts.front() == "none") {
    record.set("interface", std::string());
    record.set("host", Value{});
    return std::nullopt;
  }
  if (object.fields.contains("host")) return std::nullopt;
  if (!host_) {
    auto host = default_host_();
    if (!host) return host.failure();
    host_ = *host;
  }
  record.set("host", *host_);
  return std::nullopt;
}

Record* ApplyMatch::described(const Uuid& id) {
  auto at = document_of_.find(id);
  return at == document_of_.end() ? nullptr : &records_[record_of_.at(at->second)];
}

bool ApplyMatch::names_peer(const Record& record) const {
  return document_.objects[document_of_.at(record.id())].fields.contains("peer");
}

// A link that one end names is set, or undone, at both ends, so that an update of the other end does not bring the old
// one back.
std::optional<Failure> ApplyMatch::close_links() {
  for (Record& record : records_) {
    if (record.kind() != Kind::PORT || !names_peer(record)) continue;
    Record* peer = described(record.reference("peer"));
    if (peer == nullptr) continue;
    if (names_peer(*peer) && peer->reference("peer") != record.id())
      return complain(
          document_.objects[document_of_.at(record.id())].fields.at("peer").at,
          "port '" + record.name() + "' names port '" + peer->name() + "' as its peer, but that one names another",
          "name the link at one of its ends only");
    peer->set("peer", record.id());
  }
  for (Record& record : records_) {
    if (record.kind() != Kind::PORT || names_peer(record)) continue;
    const Record* peer = described(record.reference("peer"));
    if (peer != nullptr && peer->reference("peer") != record.id()) record.set("peer", Value{});
  }
  return std::nullopt;
}

}  // namespace viaduct::api::cli
