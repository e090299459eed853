#include "api/cli/apply_match.hpp"

#include <algorithm>

#include "api/cli/commands/edit.hpp"

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

// Of the parent and what tells siblings apart.
std::string whole_key(const Record& record) {
  std::string key;
  for (std::string_view parent : record.info().parents) {
    // What a loose parent has lost, or is given, stays what it is.
    if (record.info().find(parent)->bond == Bond::owned) key += record.reference(parent).to_string() + '\n';
  }
  for (std::string_view name : record.info().key) key += key_text(record, *record.info().find(name)) + '\n';
  return key;
}

}  // namespace

ApplyMatch::ApplyMatch(const Document& document, const std::vector<Record>& live, const DefaultHost& default_host)
    : document_(document), live_(live), default_host_(default_host) {
  for (const Record& record : live_) {
    live_by_id_[record.id()] = &record;
    live_by_key_.emplace(std::pair(record.kind(), whole_key(record)), &record);
    if (record.info().has_name()) live_by_name_.emplace(std::pair(record.kind(), record.name()), &record);
  }
}

Failure ApplyMatch::complain(Position at, std::string message, std::string cure) const {
  return document_error(document_.file, at, std::move(message), std::move(cure));
}

Result<Done> ApplyMatch::run() {
  const auto each = [&](auto&& wanted, auto&& visit) -> std::optional<Failure> {
    for (const KindInfo& kind : kinds()) {
      for (size_t i = 0; i < document_.objects.size() && wanted(kind); ++i) {
        if (document_.objects[i].kind != &kind) continue;
        if (auto failure = visit(i)) return failure;
      }
    }
    return std::nullopt;
  };
  const auto named = [](const KindInfo& kind) { return kind.has_name(); };
  const auto nameless = [](const KindInfo& kind) { return !kind.has_name(); };
  // First all that has a name gets its identity, so that objects may name each other.
  if (auto failure = each(named, [&](size_t i) { return claim(i); })) return *failure;
  if (auto failure = each(named, [&](size_t i) { return fill(i, records_[record_of_.at(i)], Fields::all); })) {
    return *failure;
  }
  if (auto failure = each(nameless, [&](size_t i) { return claim_by_key(i); })) return *failure;
  if (auto failure = close_links()) return *failure;
  record_of_.clear();  // what is told from here on is told in the order of the kinds
  std::ranges::stable_sort(records_, {}, [](const Record& record) { return static_cast<int>(record.kind()); });
  return Done{};
}

std::set<Uuid> ApplyMatch::ids() const {
  std::set<Uuid> ids;
  for (const Record& record : records_) ids.insert(record.id());
  return ids;
}

bool ApplyMatch::is_known(Kind kind, const std::string& text) const {
  const std::pair key(kind, text);
  const auto id = Uuid::parse(text);
  return desired_by_name_.contains(key) || live_by_name_.contains(key) ||
         (id && live_by_id_.contains(*id) && live_by_id_.at(*id)->kind() == kind);
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
  if (size_t here = desired_by_name_.count(key); here == 1) {
    return desired_by_name_.find(key)->second;
  } else if (here > 1) {
    return usage_error("several objects of the file are called " + what, "give them different names");
  }
  if (size_t there = live_by_name_.count(key); there == 1) {
    return live_by_name_.find(key)->second->id();
  } else if (there > 1) {
    std::string ids;
    for (auto [at, end] = live_by_name_.equal_range(key); at != end; ++at) ids += " " + at->second->id().to_string();
    return usage_error(what + " is ambiguous:" + ids, "use the id instead of the name");
  }
  if (auto id = Uuid::parse(text); id && live_by_id_.contains(*id) && live_by_id_.at(*id)->kind() == kind) return *id;
  return usage_error("there is no " + what + ", neither in the file nor in the topology");
}

std::optional<Failure> ApplyMatch::describe_once(const DesiredObject& object, const std::pair<Kind, std::string>& key) {
  auto [first, fresh] = described_.emplace(key, object.at);
  if (fresh) return std::nullopt;
  return complain(object.at, "this " + std::string(object.kind->name) + " is described twice",
                  "the other description is in line " + std::to_string(first->second.line));
}

void ApplyMatch::take(size_t index, Record record) {
  if (record.info().has_name())
    desired_by_name_.emplace(std::pair(record.kind(), document_.objects[index].name()), record.id());
  record_of_[index] = records_.size();
  document_of_[record.id()] = index;
  records_.push_back(std::move(record));
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

std::optional<Failure> ApplyMatch::claim(size_t index) {
  const DesiredObject& object = document_.objects[index];
  Record fresh(object.kind->kind, Uuid::random());
  fresh.set("name", object.name());
  if (auto failure = set_parent(index, fresh)) return failure;
  std::pair key(object.kind->kind, whole_key(fresh));
  if (auto failure = describe_once(object, key)) return failure;
  size_t matches = live_by_key_.count(key);
  if (matches <= 1) {
    take(index, matches == 0 ? std::move(fresh) : *live_by_key_.find(key)->second);
    return std::nullopt;
  }
  std::string ids;
  for (auto [at, end] = live_by_key_.equal_range(key); at != end; ++at) ids += "\n  " + at->second->id().to_string();
  return complain(object.at,
                  std::to_string(matches) + " " + std::string(object.kind->plural) + " of the topology are called '" +
                      object.name() + "':" + ids,
                  "rename or delete all but one: viaduct " + std::string(object.kind->name) + " set ID --name NEW");
}

std::optional<Failure> ApplyMatch::claim_by_key(size_t index) {
  const DesiredObject& object = document_.objects[index];
  Record fresh(object.kind->kind, Uuid::random());
  if (auto failure = set_parent(index, fresh)) return failure;
  if (auto failure = fill(index, fresh, Fields::all)) return failure;
  complete_new(fresh);
  std::pair key(object.kind->kind, whole_key(fresh));
  if (auto failure = describe_once(object, key)) return failure;
  auto at = live_by_key_.find(key);
  if (at == live_by_key_.end()) {
    take(index, std::move(fresh));
    return std::nullopt;
  }
  Record record = *at->second;
  if (object.kind->given == KindInfo::Given::whole) {
    replace(record, fresh);
  } else if (auto failure = fill(index, record, Fields::beyond_key)) {
    return failure;
  }
  take(index, std::move(record));
  return std::nullopt;
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
