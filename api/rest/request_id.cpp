#include "api/rest/request_id.hpp"

#include <algorithm>
#include <cctype>

#include "topology/address/id.hpp"

namespace viaduct::api::rest {

std::string request_id(std::string_view own) {
  const bool plain = std::ranges::all_of(
      own, [](unsigned char c) { return (c < 0x80 && std::isalnum(c)) || c == '.' || c == '_' || c == '-'; });
  return own.empty() || own.size() > kMaxRequestId || !plain ? Uuid::random().to_string() : std::string(own);
}

}  // namespace viaduct::api::rest
