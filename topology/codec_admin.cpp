// Operations, violations and changes in admin messages.
#include <algorithm>

#include "topology/codec.hpp"

namespace viaduct::topology {
namespace {

void set_text(std::string_view text, capnp::Text::Builder to) { std::copy(text.begin(), text.end(), to.begin()); }

schema::ErrorCode code_of(const std::vector<Violation>& violations) {
  const auto all = [&](BrokenRule rule) {
    return std::all_of(violations.begin(), violations.end(), [&](const Violation& v) { return v.rule == rule; });
  };
  if (all(BrokenRule::revision_conflict)) return schema::ErrorCode::CONFLICT;
  if (all(BrokenRule::unknown_object)) return schema::ErrorCode::NOT_FOUND;
  return schema::ErrorCode::INVALID;
}

}  // namespace

void encode(const Operation& operation, schema::Operation::Builder to) {
  if (const auto* create = std::get_if<Create>(&operation)) return encode(create->object, to.initCreate());
  if (const auto* update = std::get_if<Update>(&operation)) return encode(update->object, to.initUpdate());
  encode(std::get<Erase>(operation).object, to.initDelete());
}

Decoded<Operation> decode(schema::Operation::Reader from) {
  switch (from.which()) {
    case schema::Operation::CREATE: {
      auto object = decode(from.getCreate());
      if (!object) return Decoded<Operation>::failure("create: " + object.error());
      return Operation(Create{std::move(*object)});
    }
    case schema::Operation::UPDATE: {
      auto object = decode(from.getUpdate());
      if (!object) return Decoded<Operation>::failure("update: " + object.error());
      return Operation(Update{std::move(*object)});
    }
    case schema::Operation::DELETE: {
      auto ref = decode(from.getDelete());
      if (!ref) return Decoded<Operation>::failure("delete: " + ref.error());
      return Operation(Erase{*ref});
    }
  }
  return Decoded<Operation>::failure("unknown operation " + std::to_string(static_cast<int>(from.which())));
}

void encode_operations(const std::vector<Operation>& operations, schema::Transact::Builder to) {
  auto list = to.initOperations(static_cast<unsigned>(operations.size()));
  for (unsigned i = 0; i < list.size(); ++i) encode(operations[i], list[i]);
}

Decoded<std::vector<Operation>> decode_operations(schema::Transact::Reader from) {
  using Result = Decoded<std::vector<Operation>>;
  const auto list = from.getOperations();
  if (list.size() > kMaxOperations)
    return Result::failure("more than " + std::to_string(kMaxOperations) + " operations");
  std::vector<Operation> operations;
  operations.reserve(list.size());
  for (auto reader : list) {
    auto operation = decode(reader);
    if (!operation) return Result::failure("operation " + std::to_string(operations.size()) + ": " + operation.error());
    operations.push_back(std::move(*operation));
  }
  return operations;
}

void encode(const Violation& violation, schema::Violation::Builder to) {
  const std::string_view rule = to_string(violation.rule);
  set_text(rule, to.initRule(static_cast<unsigned>(rule.size())));
  encode(violation.object, to.initObject());
  to.setName(text_of(violation.name));
  to.setField(text_of(violation.field));
  to.setMessage(text_of(violation.message));
  to.setCure(text_of(violation.cure));
  if (violation.mentions.empty()) return;
  auto mentions = to.initMentions(static_cast<unsigned>(violation.mentions.size()));
  for (unsigned i = 0; i < mentions.size(); ++i) {
    encode(violation.mentions[i].object, mentions[i].initObject());
    mentions[i].setLabel(text_of(violation.mentions[i].label));
  }
}

void encode(const AppliedChange& change, schema::ChangeLine::Builder to) {
  const std::string_view action = to_string(change.action);
  set_text(action, to.initAction(static_cast<unsigned>(action.size())));
  encode(change.object, to.initObject());
  to.setName(text_of(change.name));
  to.setCause(text_of(change.cause));
}

void encode_committed(const BuildResult& result, uint64_t revision, schema::Committed::Builder to) {
  to.setRevision(revision);
  auto changes = to.initChanges(static_cast<unsigned>(result.changes.size()));
  for (unsigned i = 0; i < changes.size(); ++i) encode(result.changes[i], changes[i]);
  auto ids = to.initIds(static_cast<unsigned>(result.ids.size()));
  for (unsigned i = 0; i < ids.size(); ++i) encode(result.ids[i], ids[i]);
}

void encode_refused(const std::vector<Violation>& violations, schema::AdminError::Builder to) {
  to.setCode(code_of(violations));
  const std::string message =
      violations.size() == 1 ? to_string(violations.front()) : std::to_string(violations.size()) + " rules are broken";
  to.setMessage(text_of(message));
  auto list = to.initViolations(static_cast<unsigned>(violations.size()));
  for (unsigned i = 0; i < list.size(); ++i) encode(violations[i], list[i]);
}

}  // namespace viaduct::topology
