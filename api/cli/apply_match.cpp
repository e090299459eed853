#include "api/cli/apply_match.hpp"

#include <algorithm>

#include "api/cli/apply_key.hpp"
#include "api/cli/commands/edit.hpp"

namespace viaduct::api::cli {
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
  if (auto failure = read_ids()) return *failure;
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

std::optional<Failure> ApplyMatch::describe_once(const DesiredObject& object, const std::pair<Kind, std::string>& key) {
  auto [first, fresh] = described_.emplace(key, object.at);
  if (fresh) return std::nullopt;
  return complain(object.at, "this " + std::string(object.kind->name) + " is described twice",
                  "the other description is in line " + std::to_string(first->second.line));
}

void ApplyMatch::take(size_t index, Record record) {
  const DesiredObject& object = document_.objects[index];
  if (record.info().has_name()) {
    const bool named = object.fields.contains("name");
    desired_by_name_.emplace(std::pair(record.kind(), named ? object.name() : record.name()), record.id());
  }
  record_of_[index] = records_.size();
  document_of_[record.id()] = index;
  records_.push_back(std::move(record));
}

// Each once, and none that is another kind's.
std::optional<Failure> ApplyMatch::read_ids() {
  for (size_t i = 0; i < document_.objects.size(); ++i) {
    const DesiredObject& object = document_.objects[i];
    if (!object.id) continue;
    auto [first, fresh] = given_ids_.emplace(*object.id, i);
    if (!fresh) {
      return complain(object.at, "id " + object.id->to_string() + " stands twice in the file",
                      "the other one is in line " + std::to_string(document_.objects[first->second].at.line));
    }
    const Record* live = live_of(*object.id);
    if (live != nullptr && &live->info() != object.kind) {
      return complain(object.at, "id " + object.id->to_string() + " is that of a " + std::string(live->info().name) +
                                     ", not of a " + std::string(object.kind->name));
    }
  }
  return std::nullopt;
}

bool ApplyMatch::has_id(Kind kind, const Uuid& id) const {
  if (const Record* live = live_of(id)) return live->kind() == kind;
  auto at = given_ids_.find(id);
  return at != given_ids_.end() && document_.objects[at->second].kind->kind == kind;
}

const Record* ApplyMatch::live_of(const Uuid& id) const {
  auto at = live_by_id_.find(id);
  return at == live_by_id_.end() ? nullptr : at->second;
}

// Those that the file does not name by their ids.
std::vector<const Record*> ApplyMatch::live_with(const std::pair<Kind, std::string>& key) const {
  std::vector<const Record*> found;
  for (auto [at, end] = live_by_key_.equal_range(key); at != end; ++at)
    if (!given_ids_.contains(at->second->id())) found.push_back(at->second);
  return found;
}

std::optional<Failure> ApplyMatch::claim_by_id(size_t index) {
  const DesiredObject& object = document_.objects[index];
  const Record* live = live_of(*object.id);
  Record record = live != nullptr ? *live : Record(object.kind->kind, *object.id);
  if (auto failure = set_parent(index, record)) return failure;
  take(index, std::move(record));
  return std::nullopt;
}

std::optional<Failure> ApplyMatch::claim(size_t index) {
  const DesiredObject& object = document_.objects[index];
  if (object.id) return claim_by_id(index);
  Record fresh(object.kind->kind, Uuid::random());
  fresh.set("name", object.name());
  if (auto failure = set_parent(index, fresh)) return failure;
  std::pair key(object.kind->kind, whole_key(fresh));
  if (auto failure = describe_once(object, key)) return failure;
  const auto matches = live_with(key);
  if (matches.size() <= 1) {
    take(index, matches.empty() ? std::move(fresh) : *matches.front());
    return std::nullopt;
  }
  std::string ids;
  for (const Record* match : matches) ids += "\n  " + match->id().to_string();
  return complain(object.at,
                  std::to_string(matches.size()) + " " + std::string(object.kind->plural) +
                      " of the topology are called '" + object.name() + "':" + ids,
                  "say which is meant (id: UUID), or rename or delete all but one: viaduct " +
                      std::string(object.kind->name) + " set ID --name NEW");
}

std::optional<Failure> ApplyMatch::claim_by_key(size_t index) {
  const DesiredObject& object = document_.objects[index];
  Record fresh(object.kind->kind, object.id.value_or(Uuid::random()));
  if (auto failure = set_parent(index, fresh)) return failure;
  if (auto failure = fill(index, fresh, Fields::all)) return failure;
  complete_new(fresh);
  const Record* live = nullptr;
  if (object.id) {
    live = live_of(*object.id);
  } else {
    std::pair key(object.kind->kind, whole_key(fresh));
    if (auto failure = describe_once(object, key)) return failure;
    if (const auto matches = live_with(key); !matches.empty()) live = matches.front();
  }
  if (live == nullptr) {
    take(index, std::move(fresh));
    return std::nullopt;
  }
  Record record = *live;
  if (object.kind->given == KindInfo::Given::whole) {
    replace(record, fresh);
  } else if (auto failure = fill_live(index, record)) {
    return failure;
  }
  take(index, std::move(record));
  return std::nullopt;
}

}  // namespace viaduct::api::cli
