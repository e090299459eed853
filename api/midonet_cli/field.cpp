#include "api/midonet_cli/field.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "api/midonet_cli/nat_target.hpp"

namespace viaduct::api::midonet_cli {
namespace {

const Json& member(const Json& document, std::string_view name) {
  static const Json kNull;
  if (!document.is_object()) return kNull;
  auto at = document.find(std::string(name));
  return at == document.end() ? kNull : *at;
}
bool is_set(const Json& document, std::string_view name) { return member(document, name) == true; }

// --- to text ------------------------------------------------------------------------------------------

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const Json& each : value) out += (out.empty() ? "" : ",") + plain(each);
  return out;
}

std::string prefix_text(const std::string& address, const Json& length) {
  if (!length.is_number()) return address;
  const auto parsed = IpAddress::parse(address);
  const int bits = length.get<int>();
  return parsed && bits == parsed->width_bits() ? address : address + "/" + std::to_string(bits);
}

std::optional<std::string> range_text(const Json& value) {
  const Json &start = member(value, "start"), &end = member(value, "end");
  if (!start.is_number()) return std::nullopt;
  return end.is_number() && end != start ? start.dump() + "-" + end.dump() : start.dump();
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string word_text(const Field& field, const Json& value) {
  const std::string wire = plain(value);
  auto at = std::ranges::find(field.words, wire, &Word::wire);
  return at == field.words.end() ? wire : std::string(at->cli);
}

std::optional<std::string> bare_text(const Field& field, const Json& document) {
  const Json& value = member(document, field.member);
  if (field.form == Form::flow) {
    if (value == true) return "fwd-flow";
    return is_set(document, field.second) ? std::optional<std::string>("return-flow") : std::nullopt;
  }
  if (field.form == Form::device) {
    const bool is_it = member(document, "deviceType") == upper(field.of) && value.is_string();
    return is_it ? std::optional<std::string>(plain(value)) : std::nullopt;
  }
  if (value.is_null() || (value.is_array() && value.empty())) return std::nullopt;
  switch (field.form) {
    case Form::up_down:
      return value == true ? "up" : "down";
    case Form::yes_no:
      return value == true ? "yes" : "no";
    case Form::choice:
      return word_text(field, value);
    case Form::limit:
      return value.is_number() && value.get<int64_t>() < 0 ? "no-limit" : plain(value);
    case Form::prefix:
      return prefix_text(plain(value), member(document, field.second));
    case Form::range:
      return range_text(value);
    case Form::targets:
      return targets_text(value);
    default:
      return plain(value);
  }
}

// --- from text ----------------------------------------------------------------------------------------

Failure wrong(const Field& field, std::string_view value) {
  return usage_error(std::string(field.name) + ": '" + std::string(value) + "' makes no sense",
                     "it is to be " + describe(field));
}

std::optional<int64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hexadecimal ? 16 : 10);
  if (text.empty() || text.front() == '-' || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return negative ? -number : number;
}

std::optional<Json> parse_two(std::string_view value, std::string_view yes, std::string_view no) {
  if (value == yes) return Json(true);
  if (value == no) return Json(false);
  return std::nullopt;
}

std::optional<Json> parse_word(const Field& field, std::string_view value) {
  auto at = std::ranges::find(field.words, value, &Word::cli);
  if (at == field.words.end()) return std::nullopt;
  return at->wire.empty() ? Json(nullptr) : Json(std::string(at->wire));
}

std::optional<Json> parse_uuids(std::string_view value) {
  Json out = Json::array();
  for (const std::string& each : split_list(value)) {
    const auto id = Uuid::parse(each);
    if (!id) return std::nullopt;
    out.push_back(id->to_string());
  }
  return out;
}

bool put_prefix(const Field& field, std::string_view value, Json& document) {
  const size_t slash = std::min(value.find('/'), value.size());
  const auto address = IpAddress::parse(value.substr(0, slash));
  if (!address) return false;
  const auto length = slash < value.size() ? parse_number(value.substr(slash + 1)) : address->width_bits();
  if (!length || *length < 0 || *length > address->width_bits()) return false;
  document[std::string(field.member)] = address->to_string();
  document[std::string(field.second)] = *length;
  return true;
}

bool put_flow(const Field& field, std::string_view value, Json& document) {
  const bool forward = value == "fwd-flow" || value == "forward-flow";
  if (!forward && value != "return-flow") return false;
  document[std::string(field.member)] = forward;
  document[std::string(field.second)] = !forward;
  return true;
}

// Of forms that are one member.
std::optional<Json> parse(const Field& field, std::string_view value) {
  switch (field.form) {
    case Form::number: {
      auto number = parse_number(value);
      return number ? std::optional<Json>(*number) : std::nullopt;
    }
    case Form::limit: {
      auto number = value == "no-limit" ? -1 : parse_number(value);
      return number ? std::optional<Json>(*number) : std::nullopt;
    }
    case Form::boolean:
      return parse_two(value, "true", "false");
    case Form::up_down:
      return parse_two(value, "up", "down");
    case Form::yes_no:
      return parse_two(value, "yes", "no");
    case Form::choice:
      return parse_word(field, value);
    case Form::reference:
    case Form::device: {
      const auto id = Uuid::parse(value);
      return id ? std::optional<Json>(id->to_string()) : std::nullopt;
    }
    case Form::references:
      return parse_uuids(value);
    case Form::texts:
      return Json(split_list(value));
    case Form::range: {
      auto range = parse_range(value);
      if (!range) return std::nullopt;
      return Json{{"start", range->first}, {"end", range->last}};
    }
    case Form::targets:
      return parse_targets(value);
    default:
      return Json(std::string(value));
  }
}

bool put_bare(const Field& field, std::string_view value, Json& document) {
  if (field.form == Form::prefix) return put_prefix(field, value, document);
  if (field.form == Form::flow) return put_flow(field, value, document);
  auto parsed = parse(field, value);
  if (!parsed) return false;
  document[std::string(field.member)] = std::move(*parsed);
  if (field.form == Form::device) document["deviceType"] = upper(field.of);
  return true;
}

Json& place_of(const Field& field, Json& document) {
  return field.inside.empty() ? document : document[std::string(field.inside)];
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    out.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

std::optional<std::string> text_of(const Field& field, const Json& document) {
  const Json& place = field.inside.empty() ? document : member(document, field.inside);
  auto text = bare_text(field, place);
  if (text && !field.inverse.empty() && is_set(place, field.inverse)) text->insert(0, "!");
  return text;
}

Result<Done> put(const Field& field, std::string_view value, Json& document) {
  Json& place = place_of(field, document);
  std::string_view bare = value;
  const bool inverted = bare.starts_with('!');
  if (inverted && field.inverse.empty())
    return usage_error(std::string(field.name) + ": '" + std::string(value) + "' is negated, and this field cannot be",
                       "it is to be " + describe(field));
  if (inverted) bare.remove_prefix(1);
  if (!put_bare(field, bare, place)) return wrong(field, value);
  if (!field.inverse.empty()) place[std::string(field.inverse)] = inverted;
  return Done{};
}

bool can_be_cleared(const Field& field) {
  if (field.has(kReadOnly) || field.has(kFixed) || field.has(kKept)) return false;
  const bool null_word = std::ranges::any_of(field.words, [](const Word& word) { return word.wire.empty(); });
  if (field.form == Form::choice) return null_word;
  return field.form != Form::boolean && field.form != Form::up_down && field.form != Form::yes_no &&
         field.form != Form::device;
}

void clear(const Field& field, Json& document) {
  Json& place = place_of(field, document);
  const bool list = field.form == Form::references || field.form == Form::texts || field.form == Form::targets;
  Json nothing = list ? Json::array() : Json(nullptr);
  if (field.form == Form::flow) nothing = false;
  if (field.form == Form::limit) nothing = -1;
  place[std::string(field.member)] = nothing;
  if (!field.second.empty()) place[std::string(field.second)] = field.form == Form::flow ? Json(false) : Json(0);
  if (!field.inverse.empty()) place[std::string(field.inverse)] = false;
}

std::string describe(const Field& field) {
  const std::string bang = field.inverse.empty() ? "" : "[!]";
  switch (field.form) {
    case Form::text:
      return bang + "TEXT";
    case Form::number:
      return bang + "NUMBER";
    case Form::limit:
      return "NUMBER | no-limit";
    case Form::boolean:
      return "true | false";
    case Form::up_down:
      return "up | down";
    case Form::yes_no:
      return "yes | no";
    case Form::choice: {
      std::string out;
      for (const Word& word : field.words) out += (out.empty() ? "" : " | ") + std::string(word.cli);
      return out;
    }
    case Form::reference:
    case Form::device:
      return bang + "UUID or alias of a " + std::string(field.of);
    case Form::references:
      return bang + "UUIDs or aliases of a " + std::string(field.of) + ", with commas between";
    case Form::texts:
      return "TEXT[,TEXT]…";
    case Form::prefix:
      return bang + "ADDRESS[/LENGTH]";
    case Form::range:
      return bang + "PORT[-PORT]";
    case Form::targets:
      return "ADDRESS[-ADDRESS][:PORT[-PORT]][,…]";
    case Form::flow:
      return "fwd-flow | return-flow";
  }
  return {};
}

}  // namespace viaduct::api::midonet_cli
