// Fields that several members make together: an address and a length, a MAC address and a mask, a value and its inversion.
#include <algorithm>

#include "api/client/value_text.hpp"
#include "api/rest/document.hpp"

namespace viaduct::api::rest {
namespace {

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
    case Shape::masked_mac:
      if (auto parsed = mac(member.name, value)) parts.value = parsed->to_string();
      return;
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

}  // namespace viaduct::api::rest
