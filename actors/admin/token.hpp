// The secret that admin requests carry: a file that only root and the group `viaduct` can read, so that no other local
// user drives a root daemon.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace viaduct::actors {

struct AdminToken {
  std::vector<uint8_t> bytes;
  // In time that does not depend on where they differ.
  bool matches(std::span<const uint8_t> candidate) const;
};

// Reads the token of an earlier life, or makes one (64 hexadecimal digits, mode 0640, group `viaduct` where it exists).
// `error` is set when the file cannot be made belongs to another user, or others could read it.
AdminToken load_or_create_token(const std::string& path, std::string& error);

}  // namespace viaduct::actors
