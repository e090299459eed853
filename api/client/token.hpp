// The secret that shows the daemon that its operator is root or in the group `viaduct`: the bytes of a file that only
// those can read, written by the daemon.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/client/outcome.hpp"

namespace viaduct::api {

inline constexpr const char* kDefaultTokenFile = "/run/viaduct/admin.token";
inline constexpr size_t kMaxTokenBytes = 4096;

Result<std::vector<uint8_t>> read_token(const std::string& path);

}  // namespace viaduct::api
