#include "api/rest/etag.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::string_view kCompressed = "-gzip";

// Of a list `W/"1", "2"` the first one; the rest stays in `list`. What is no tag ends the list.
struct Tag {
  bool weak = false;
  std::string_view text;  // between the quotes
};
bool take(std::string_view& list, Tag& tag) {
  const size_t begin = list.find_first_not_of(" \t,");
  list.remove_prefix(begin == list.npos ? list.size() : begin);
  tag.weak = list.starts_with("W/");
  if (tag.weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return false;
  const size_t end = list.find('"', 1);
  if (end == list.npos) return false;
  tag.text = list.substr(1, end - 1);
  list.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string etag_of(uint64_t revision) { return "\"" + std::to_string(revision) + "\""; }

std::string compressed_etag(std::string_view tag) {
  if (tag.ends_with('"')) tag.remove_suffix(1);
  return std::string(tag) + std::string(kCompressed) + "\"";
}

bool names_version(std::string_view header, uint64_t revision, TagComparison comparison) {
  if (header == "*") return true;
  const std::string wanted = std::to_string(revision);
  Tag tag;
  while (take(header, tag)) {
    if (tag.weak && comparison == TagComparison::strong) continue;
    if (tag.text.ends_with(kCompressed)) tag.text.remove_suffix(kCompressed.size());
    if (tag.text == wanted) return true;
  }
  return false;
}

}  // namespace viaduct::api::rest
