// JSON values as booleans, numbers, texts, ids and addresses, and what is said of those that are none.
#include <algorithm>
#include <charconv>
#include <cmath>

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

}  // namespace

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

std::optional<MacAddress> Intake::mac(std::string_view member, const Json& value) {
  auto content = text(member, value);
  if (!content) return std::nullopt;
  std::string whole;
  for (std::string_view rest = *content; !rest.empty();) {
    const size_t end = std::min(rest.find(':'), rest.size());
    whole += (whole.empty() ? "" : ":") + std::string(end == 1 ? "0" : "") + std::string(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const bool ended = !content->empty() && content->back() != ':';
  auto parsed = ended ? MacAddress::parse(whole) : std::nullopt;
  if (!parsed) wrong(member, "must be a MAC address, as in 02:00:00:00:00:01");
  return parsed;
}

const Field& Intake::field_of(const Member& member) const { return *record_.info().find(member.field); }

void Intake::unsupported(std::string_view member, std::string_view what) {
  fail({ExitCode::refused,
        "unsupported",
        std::string(member) + ": this version of Viaduct does not have " + std::string(what),
        "leave the member out",
        {}});
}

}  // namespace viaduct::api::rest
