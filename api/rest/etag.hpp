// Entity tags: which version of an object a document shows (RFC 9110, 8.8.3).
//
// An object's tag is its revision, "42". Compressed its document is another representation and has a tag of its own,
// "42-gzip" (RFC 9110, 8.8.3.3); both name the same version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::api::rest {

std::string etag_of(uint64_t revision);
// The tag of the same version, compressed.
std::string compressed_etag(std::string_view tag);

// Whether a list of tags, or "*", names this version. strong: of If-Match, which a weak tag does not satisfy (8.8.3.2).
enum class TagComparison : uint8_t { strong, weak };
bool names_version(std::string_view header, uint64_t revision, TagComparison comparison);

}  // namespace viaduct::api::rest
