// Who this host is in the topology: an id made once and kept in the state directory, and a name.
#pragma once

#include <string>

#include "topology/model/host.hpp"

namespace viaduct::actors {

// `error` is set when the state directory cannot be used.
topology::Host load_host_identity(const std::string& state_dir, const std::string& name, std::string& error);

}  // namespace viaduct::actors
