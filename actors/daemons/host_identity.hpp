// Who this host is in the topology: an id made once and kept in the state directory, and a name.
#pragma once

#include <string>

#include "topology/model/host.hpp"

namespace viaduct::actors {

// `error` is set when the state directory cannot be used.
topology::Host load_host_identity(const std::string& state_dir, const std::string& name, std::string& error);

// The id of an earlier life; nil when there is none, or it cannot be read.
HostId known_host_id(const std::string& state_dir);

// The same for every life of a daemon with this state directory on this running machine, and for no other: by it a
// restart is told from a copy of the host.
std::string instance_of(const std::string& state_dir);

}  // namespace viaduct::actors
