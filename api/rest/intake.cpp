#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/client/value_text.hpp"
#include "api/rest/document.hpp"

namespace viaduct::api::rest {
namespace {

const Json kNull;

// As Jackson turns texts into numbers and booleans.
std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

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

// "ffff.ff00.0000" -> "ff:ff:ff:00:00:00".
std::optional<std::string> mac_of_mask(const std::string& mask) {
  std::string digits, out;
  for (size_t i = 0; i < mask.size(); ++i) {
    if ((i == 4 || i == 9) != (mask[i] == '.')) return std::nullopt;
    if (mask[i] == '.') continue;
    if (!std::isxdigit(static_cast<unsigned char>(mask[i]))) return std::nullopt;
    digits += mask[i];
  }
  if (mask.size() != 14) return std::nullopt;
  for (size_t i = 0; i < 12; i += 2) out += (out.empty() ? "" : ":") + digits.substr(i, 2);
  return out;
}

}  // namespace

// --- conversions -------------------------------------------------------------------------------------

const Json& Intake::given(std::string_view member) const {
  auto at = body_.find(std::string(member));
  return at == body_.end() ? kNull : *at;
}

void Intake::wrong(std::string_view member, std::string message) {
  violations_.push_back({"invalid", {}, {}, {}, std::string(member), std::move(message), {}});
}

std::optional<bool> Intake::boolean(std::string_view member, const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) {
    const std::string text = trimmed(value.get<std::string>());
    if (text == "true") return true;
    if (text == "false" || text.empty()) return false;
  }
  wrong(member, "must be true or false");
  return std::nullopt;
}

std::optional<int64_t> Intake::number(std::string_view member, const Json& value, int64_t least, int64_t most) {
  std::optional<int64_t> out;
  if (value.is_null()) {
    out = 0;
  } else if (value.is_number_unsigned()) {
    const auto big = value.get<uint64_t>();
    if (big <= INT64_MAX) out = static_cast<int64_t>(big);
  } else if (value.is_number_integer()) {
    out = value.get<int64_t>();
  } else if (value.is_number_float()) {
    const double number = std::trunc(value.get<double>());
    if (std::abs(number) < 9e18) out = static_cast<int64_t>(number);
  } else if (value.is_string()) {
    const std::string text = trimmed(value.get<std::string>());
    int64_t parsed = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (text.empty() || (error == std::errc{} && end == text.data() + text.size())) out = parsed;
  }
  if (out && *out >= least && *out <= most) return out;
  wrong(member, "must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::string> Intake::text(std::string_view member, const Json& value) {
  if (value.is_null()) return std::string();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  wrong(member, "must be a text");
  return std::nullopt;
}

std::optional<Uuid> Intake::id(std::string_view member, const Json& value) {
  auto content = text(member, value);
  if (!content) return std::nullopt;
  if (content->empty()) return Uuid{};
  auto parsed = Uuid::parse(*content);
  if (!parsed) wrong(member, "must be a UUID, as in 5a0c8f7e-3d1b-4c2a-9e6f-0123456789ab");
  return parsed;
}

std::optional<IpAddress> Intake::address(std::string_view member, const Json& value) {
  auto content = text(member, value);
  if (!content) return std::nullopt;
  auto parsed = IpAddress::parse(*content);
  if (!parsed) wrong(member, "must be an IPv4 or IPv6 address");
  return parsed;
}

// --- members -----------------------------------------------------------------------------------------

const Field& Intake::field_of(const Member& member) const { return *record_.info().find(member.field); }

void Intake::unsupported(std::string_view member, std::string_view what) {
  fail({ExitCode::refused,
        "unsupported",
        std::string(member) + ": this version of Viaduct does not have " + std::string(what),
        "leave the member out",
        {}});
}

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

void Intake::take_part(const Member& member, const Json& value) {
  Parts& parts = parts_[member.field];
  const bool absent = value.is_null() || value == "";
  switch (member.shape) {
    case Shape::inverted:
      parts.inverted = boolean(member.name, value).value_or(false);
      return;
    case Shape::prefix_length:
      parts.length = number(member.name, value, 0, 128);
      parts.length_member = member.name;
      return;
    case Shape::mac_mask:
      if (absent) return;
      if (auto mask = mac_of_mask(text(member.name, value).value_or(""))) {
        parts.mask = *mask;
      } else {
        wrong(member.name, "must be a mask as in ffff.ff00.0000");
      }
      return;
    default:
      break;
  }
  parts.main = &member;
  if (absent) return;
  switch (member.shape) {
    case Shape::prefix_address:
      if (auto parsed = address(member.name, value)) parts.value = *parsed;
      return;
    case Shape::masked_mac: {
      auto parsed = MacAddress::parse(text(member.name, value).value_or(""));
      if (!parsed) return wrong(member.name, "must be a MAC address");
      parts.value = parsed->to_string();
      return;
    }
    case Shape::range: {
      if (!value.is_object()) return wrong(member.name, "must be {\"start\": FIRST, \"end\": LAST}");
      auto bound = [&](const char* name) {
        auto at = value.find(name);
        return at == value.end() || at->is_null() ? std::nullopt : number(member.name, *at, member.least, 65'535);
      };
      const auto first = bound("start"), last = bound("end");
      if (!first || !last || *first > *last) {
        return wrong(member.name, "must have a start and an end, the start not behind the end");
      }
      parts.value = std::to_string(*first) + "-" + std::to_string(*last);
      return;
    }
    default:
      if (auto parsed = number(member.name, value, member.least, static_cast<int64_t>(field_of(member).maximum))) {
        parts.value = static_cast<uint64_t>(*parsed);
      }
  }
}

// Sets the field, or its opposite, to what its parts say.
void Intake::compose(std::string_view name, Parts& parts) {
  const Field& field = *record_.info().find(name);
  const Field* opposite = record_.info().opposite_of(field);
  Value value = parts.value;
  if (const auto* address = std::get_if<IpAddress>(&value)) {
    const int64_t length = parts.length.value_or(0);
    if (length > address->width_bits()) {
      return wrong(parts.length_member, "must be at most " + std::to_string(address->width_bits()));
    }
    value = IpPrefix(*address, static_cast<int>(length)).network();
  }
  if (!parts.mask.empty() && std::holds_alternative<std::string>(value)) {
    const auto address = MacAddress::parse(std::get<std::string>(value)), mask = MacAddress::parse(parts.mask);
    value = MacAddress::from_uint64(address->as_uint64() & mask->as_uint64()).to_string() + "/" + parts.mask;
  }
  if (auto* text = std::get_if<std::string>(&value)) {
    auto form = one_form(field, *text);
    if (!form) return wrong(parts.main->name, form.failure().message);
    value = *form;
  }
  if (field.type == FieldType::named_number && std::holds_alternative<uint64_t>(value)) {
    value = read_number(field, std::get<uint64_t>(value));
  }
  if (opposite == nullptr) return record_.set(field.name, value);
  record_.set(field.name, Value{});
  record_.set(opposite->name, Value{});
  record_.set(parts.inverted ? opposite->name : field.name, value);
}

void Intake::take_member(const Member& member, const Json& value) {
  if (member.required && (value.is_null() || value == "")) return wrong(member.name, "may not be null");
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
