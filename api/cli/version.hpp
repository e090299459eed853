#pragma once

namespace viaduct::api::cli {

// Of the build, from CMakeLists.txt.
inline constexpr const char* kVersion = VIADUCT_VERSION;

}  // namespace viaduct::api::cli
