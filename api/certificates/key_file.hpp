// Files that hold keys and certificates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::certificates {

enum class Existing : uint8_t { keep, replace };

// Mode 0600, whole or not at all: under another name first, durable, then moved. What is wrong, or empty. With `keep` an
// existing file is an error, also one that appears meanwhile.
std::string write_private(const std::string& path, std::string_view text, Existing existing);

}  // namespace viaduct::certificates
