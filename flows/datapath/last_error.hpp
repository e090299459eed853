// errno as an error code.
#pragma once

#include <cerrno>
#include <system_error>

namespace viaduct::flows {

// Of the system call that failed just now.
inline std::error_code last_error() { return {errno, std::system_category()}; }

}  // namespace viaduct::flows
