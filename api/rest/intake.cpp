#include <algorithm>

#include "api/rest/document.hpp"

namespace viaduct::api::rest {
namespace {

bool is_part(Shape shape) {
  switch (shape) {
    case Shape::prefix_address:
    case Shape::prefix_length:
    case Shape::masked_mac:
    case Shape::mac_mask:
    case Shape::range:
    case Shape::named_number:
    case Shape::inverted:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Intake::take_number(const Member& member, const Json& value) {
  const Field& field = field_of(member);
  const bool absent = value.is_null() || value == "";
  if (member.shape == Shape::optional_number && absent) return record_.clear(member.field);
  const bool own = member.least != 0 || member.most != 0;
  const auto most = static_cast<int64_t>(std::min<uint64_t>(field.maximum, INT64_MAX));
  auto parsed =
      number(member.name, value, own ? member.least : static_cast<int64_t>(field.minimum), own ? member.most : most);
  if (parsed) record_.set(member.field, static_cast<uint64_t>(*parsed));
}

void Intake::take_reference(const Member& member, const Json& value) {
  auto parsed = id(member.name, value);
  if (!parsed) return;
  const Value reference = parsed->is_nil() ? Value{} : Value(*parsed);
  if (record_.info().opposite_of(field_of(member)) == nullptr) return record_.set(member.field, reference);
  Parts& parts = parts_[member.field];
  parts.main = &member;
  parts.value = reference;
}

void Intake::take_references(const Member& member, const Json& value) {
  std::vector<Uuid> ids;
  if (!value.is_null() && !value.is_array()) return wrong(member.name, "must be an array of UUIDs");
  for (const Json& entry : value) {
    auto parsed = id(member.name, entry);
    if (!parsed) return;
    if (!parsed->is_nil()) ids.push_back(*parsed);
  }
  const Field* opposite = record_.info().opposite_of(field_of(member));
  if (opposite == nullptr) return record_.set(member.field, ids);
  Parts& parts = parts_[member.field];
  parts.main = &member;
  if (!ids.empty()) parts.value = ids;
}

void Intake::take_choice(const Member& member, const Json& value) {
  auto content = text(member.name, value);
  if (!content) return;
  auto known = std::ranges::find_if(member.words, [&](const Word& word) { return word.wire == *content; });
  if (known != member.words.end()) return record_.set(member.field, std::string(known->field));
  std::string all;
  for (const Word& word : member.words) all += (all.empty() ? "" : ", ") + std::string(word.wire);
  wrong(member.name, "must be one of " + all);
}

void Intake::take_cidrs(const Member& member, const Json& value) {
  std::vector<IpPrefix> prefixes;
  if (!value.is_null() && !value.is_array()) return wrong(member.name, "must be an array of ADDRESS/LENGTH");
  for (const Json& entry : value) {
    auto content = text(member.name, entry);
    if (!content) return;
    auto prefix = IpPrefix::parse(*content);
    if (!prefix || content->find('/') == std::string::npos) {
      return wrong(member.name, "must be an array of ADDRESS/LENGTH, as in 10.0.0.1/24");
    }
    prefixes.push_back(*prefix);
  }
  record_.set(member.field, prefixes);
}

void Intake::take_member(const Member& member, const Json& value) {
  if (member.required && value.is_null()) return wrong(member.name, "may not be null");
  if (member.required && value == "") return wrong(member.name, "may not be empty");
  if (is_part(member.shape)) return take_part(member, value);
  switch (member.shape) {
    case Shape::id:
      return;  // of a new object: see who creates it
    case Shape::boolean:
      if (auto parsed = boolean(member.name, value)) record_.set(member.field, *parsed);
      return;
    case Shape::number:
    case Shape::optional_number:
      return take_number(member, value);
    case Shape::reference:
      return take_reference(member, value);
    case Shape::references:
      return take_references(member, value);
    case Shape::choice:
      return take_choice(member, value);
    case Shape::address:
      if (value.is_null() || value == "") return record_.set(member.field, Value{});
      if (auto parsed = address(member.name, value)) record_.set(member.field, *parsed);
      return;
    case Shape::mac:
      if (value.is_null() || value == "") return record_.set(member.field, Value{});
      if (auto parsed = MacAddress::parse(text(member.name, value).value_or(""))) {
        record_.set(member.field, *parsed);
      } else {
        wrong(member.name, "must be a MAC address, as in 02:00:00:00:00:01");
      }
      return;
    case Shape::cidrs:
      return take_cidrs(member, value);
    case Shape::always_null:
      if (!value.is_null() && value != "") unsupported(member.name, "what it asks for");
      return;
    case Shape::always_empty:
      if (!value.is_null() && !(value.is_array() && value.empty())) unsupported(member.name, "what it asks for");
      return;
    case Shape::always_false:
      if (!value.is_null() && value != false && value != "false") unsupported(member.name, "what it asks for");
      return;
    case Shape::special:
      if (member.take != nullptr) member.take(*this, value);
      return;
    default:
      if (auto content = text(member.name, value)) record_.set(member.field, *content);
  }
}

Result<Done> Intake::take() {
  if (!body_.is_object()) {
    return Failure{ExitCode::refused, "malformed", "the body is not a JSON object", "send one", {}};
  }
  uint8_t variant = 0;
  if (resource_.variant_of != nullptr) {
    variant = resource_.variant_of(*this);
    if (variant == 0 && violations_.empty() && !failure_) wrong("type", "is missing, or none that this resource has");
  }
  for (const Member& member : resource_.members) {
    if (member.direction == Direction::out || (member.direction == Direction::create && intent_ == Intent::update)) {
      continue;
    }
    if (member.variants != 0 && (member.variants & variant) == 0) continue;
    const bool has = body_.contains(std::string(member.name));
    if (has || member.fallback.empty()) {
      take_member(member, given(member.name));
    } else {
      take_member(member, Json::parse(member.fallback));
    }
  }
  for (auto& [field, parts] : parts_) {
    if (parts.main != nullptr) compose(field, parts);
  }
  if (resource_.finish != nullptr && !failure_ && violations_.empty()) resource_.finish(*this);
  if (failure_) return *failure_;
  if (violations_.empty()) return Done{};
  Failure invalid{ExitCode::refused, "invalid", {}, {}, violations_};
  for (const Violation& violation : violations_) {
    invalid.message += (invalid.message.empty() ? "" : "; ") + violation.field + " " + violation.message;
  }
  return invalid;
}

}  // namespace viaduct::api::rest
