// MidoNet's media types: application/vnd.org.midonet.Bridge-v4+json, and with "collection." for lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/rest/resource.hpp"

namespace viaduct::api::rest {

inline constexpr std::string_view kJsonType = "application/json";

std::string vendor_type(std::string_view name, unsigned version, bool collection = false);
inline std::string error_type() { return vendor_type("Error", 1); }

enum class Form : uint8_t { one, list };

// The type of an answer for what a client accepts (RFC 9110, 12.5.1; weights are not looked at): one of the resource's,
// application/json, or nothing when it accepts none of them. An absent header accepts everything.
std::optional<std::string> acceptable(std::string_view accept, const Resource& resource, Form form);
std::optional<std::string> acceptable(std::string_view accept, std::string_view name, unsigned version);
// Whether a body of this type is one of the resource. Absent: taken as JSON.
bool consumes(std::string_view content_type, const Resource& resource);

}  // namespace viaduct::api::rest
