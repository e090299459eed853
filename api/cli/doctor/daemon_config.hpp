// What the tool needs to know of viaductd.toml. The daemon's own reader is actors/daemons/config_file.cpp; this one takes
// single lines of texts (key = "value", in tables or with dots) and leaves everything else to it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace viaduct::api::cli {

inline constexpr const char* kDefaultConfig = "/etc/viaduct/viaductd.toml";
inline constexpr const char* kDefaultStateDirectory = "/var/lib/viaduct";

// By their full keys: "tls.ca".
using ConfigTexts = std::map<std::string, std::string>;
ConfigTexts config_texts(std::string_view toml);

// The file with the values of what may be a secret replaced.
std::string without_secrets(std::string_view toml);

}  // namespace viaduct::api::cli
