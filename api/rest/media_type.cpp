#include "api/rest/media_type.hpp"

#include <algorithm>
#include <vector>

namespace viaduct::api::rest {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// "Application/JSON ; charset=utf-8" -> "application/json"
std::string essence(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.front() == ' ') type.remove_prefix(1);
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return lower(type);
}

bool fits(std::string_view range, std::string_view type) {
  if (range == "*/*" || range == "*") return true;
  const std::string known = lower(type);
  if (range.ends_with("/*")) return known.starts_with(range.substr(0, range.size() - 1));
  return range == known;
}

std::vector<std::string> types_of(const Resource& resource, Form form) {
  std::vector<std::string> out = {std::string(kJsonType)};
  auto add = [&](std::string_view name) {
    for (uint8_t version : resource.versions) out.push_back(vendor_type(name, version, form == Form::list));
  };
  add(resource.media);
  if (resource.media == "TunnelZoneHost") add("GreTunnelZoneHost");
  return out;
}

std::optional<std::string> first_fit(std::string_view accept, const std::vector<std::string>& types) {
  if (accept.empty()) return types.front();
  while (!accept.empty()) {
    const size_t comma = std::min(accept.find(','), accept.size());
    const std::string range = essence(accept.substr(0, comma));
    auto at = std::ranges::find_if(types, [&](const std::string& type) { return fits(range, type); });
    if (at != types.end()) return *at;
    accept.remove_prefix(std::min(comma + 1, accept.size()));
  }
  return std::nullopt;
}

}  // namespace

std::string vendor_type(std::string_view name, unsigned version, bool collection) {
  return "application/vnd.org.midonet." + std::string(collection ? "collection." : "") + std::string(name) + "-v" +
         std::to_string(version) + "+json";
}

std::optional<std::string> acceptable(std::string_view accept, const Resource& resource, Form form) {
  return first_fit(accept, types_of(resource, form));
}
std::optional<std::string> acceptable(std::string_view accept, std::string_view name, unsigned version) {
  return first_fit(accept, {std::string(kJsonType), vendor_type(name, version)});
}

bool consumes(std::string_view content_type, const Resource& resource) {
  if (content_type.empty()) return true;
  const std::string given = essence(content_type);
  return std::ranges::any_of(types_of(resource, Form::one), [&](const std::string& type) { return fits(given, type); });
}

}  // namespace viaduct::api::rest
