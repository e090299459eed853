// The directory in which FRR's sockets and files lie: its user's alone.
#pragma once

#include <string>
#include <string_view>

#include "routing/bgp/namespace.hpp"

namespace viaduct::routing::bgp {

// A new one, mode 0700; what was there is removed.
Problem make_run_directory(const std::string& path, const std::string& user);
Problem remove_run_directory(const std::string& path);
// At once or not at all; mode 0600.
Problem write_run_file(const std::string& path, const std::string& user, std::string_view text);

}  // namespace viaduct::routing::bgp
