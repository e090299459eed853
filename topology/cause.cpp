#include "topology/cause.hpp"

#include <algorithm>
#include <cctype>

namespace viaduct::topology {

bool is_request_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestName && std::ranges::all_of(text, [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace viaduct::topology
