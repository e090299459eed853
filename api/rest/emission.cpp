#include <algorithm>

#include "api/client/value_text.hpp"
#include "api/rest/document.hpp"
#include "api/rest/http.hpp"

namespace viaduct::api::rest {
namespace {

// The value of a field that may be held by its opposite instead.
const Value& either(const Record& record, std::string_view name) {
  const Value& value = record.get(name);
  if (!std::holds_alternative<std::monostate>(value)) return value;
  const Field* opposite = record.info().opposite_of(*record.info().find(name));
  return opposite == nullptr ? value : record.get(opposite->name);
}

Json prefix_address(const Value& value) {
  const auto* prefix = std::get_if<IpPrefix>(&value);
  return prefix == nullptr ? Json(nullptr) : Json(prefix->address().to_string());
}

Json prefix_length(const Value& value) {
  const auto* prefix = std::get_if<IpPrefix>(&value);
  return prefix == nullptr ? 0 : prefix->length();
}

Json range(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return nullptr;
  const size_t dash = text->find('-');
  const std::string last = dash == std::string::npos ? *text : text->substr(dash + 1);
  return {{"start", std::stoul(text->substr(0, dash))}, {"end", std::stoul(last)}};
}

Json named_number(const Field& field, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr) return number_of(field, *text);
  const auto* number = std::get_if<uint64_t>(&value);
  return number == nullptr ? Json(nullptr) : Json(*number);
}

// "02:00:00:00:00:01/ff:ff:00:00:00:00"; MidoNet writes the mask as ffff.0000.0000.
Json masked_mac(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? Json(nullptr) : Json(text->substr(0, text->find('/')));
}
Json mac_mask(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->find('/') == std::string::npos) return nullptr;
  std::string mask = text->substr(text->find('/') + 1);
  std::erase(mask, ':');
  return mask.substr(0, 4) + "." + mask.substr(4, 4) + "." + mask.substr(8, 4);
}

Json choice(const Member& member, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return nullptr;
  auto known = std::ranges::find_if(member.words, [&](const Word& word) { return word.field == *text; });
  return known == member.words.end() ? std::string(*text) : std::string(known->wire);
}

}  // namespace

Json Emission::value(const Member& member) const {
  if (member.direction == Direction::in) return nullptr;
  switch (member.shape) {
    case Shape::always_null:
      return nullptr;
    case Shape::always_empty:
      return Json::array();
    case Shape::always_false:
      return false;
    case Shape::id:
      return record_.id().to_string();
    case Shape::special: {
      Json out;
      member.emit(*this, out);
      return out;
    }
    default:
      break;
  }
  const Field& field = *record_.info().find(member.field);
  const Value& held = either(record_, member.field);
  switch (member.shape) {
    case Shape::prefix_address:
      return prefix_address(held);
    case Shape::prefix_length:
      return prefix_length(held);
    case Shape::range:
      return range(held);
    case Shape::named_number:
      return named_number(field, held);
    case Shape::masked_mac:
      return masked_mac(held);
    case Shape::mac_mask:
      return mac_mask(held);
    case Shape::choice:
      return choice(member, held);
    case Shape::inverted:
      return !std::holds_alternative<std::monostate>(held) && &held != &record_.get(member.field);
    case Shape::references:
      return std::holds_alternative<std::monostate>(held) ? Json::array() : to_json(held);
    case Shape::text: {
      const auto* text = std::get_if<std::string>(&held);
      return text == nullptr || text->empty() ? Json(nullptr) : Json(*text);
    }
    default:
      return to_json(held);
  }
}

std::string Emission::uri_of(std::string_view path, const Uuid& id) const {
  return id.is_nil() ? std::string() : context_.base() + std::string(path) + "/" + id.to_string();
}

std::string Emission::uri() const {
  if (!resource_.path.empty()) return uri_of(resource_.path, record_.id());
  auto at = std::ranges::find_if(collections(), [&](const Collection& each) { return each.of == &resource_; });
  std::string out = uri_of(at->parent, record_.reference(at->field));
  std::string place = at->place(record_);
  for (std::string_view rest = place; !rest.empty();) {
    const size_t slash = std::min(rest.find('/'), rest.size());
    out += "/" + encode_segment(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return out;
}

Json Emission::link(const Link& link) const {
  std::string out;
  if (link.make != nullptr) {
    out = link.make(*this);
  } else if (link.field.empty()) {
    out = uri() + std::string(link.suffix);
  } else {
    out = uri_of(link.path, record_.reference(link.field));
    if (!out.empty()) out += link.suffix;
  }
  return out.empty() ? Json(nullptr) : Json(out);
}

Json Emission::document() const {
  const uint8_t variant = resource_.variant == nullptr ? 0 : resource_.variant(record_);
  auto shown = [&](uint8_t variants) { return variants == 0 || (variants & variant) != 0; };
  Json out = Json::object();
  for (const Member& member : resource_.members) {
    if (shown(member.variants)) out[std::string(member.name)] = value(member);
  }
  for (const Link& each : resource_.links) {
    if (shown(each.variants)) out[std::string(each.name)] = link(each);
  }
  out["uri"] = uri();
  return out;
}

}  // namespace viaduct::api::rest
