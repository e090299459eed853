// How the daemons of a speaker are started: programs, arguments, sockets, capabilities.
#pragma once

#include <string>
#include <vector>

#include "routing/bgp/child_process.hpp"
#include "routing/bgp/frr_speaker.hpp"

namespace viaduct::routing::bgp {

struct FrrLaunch {
  ChildOptions child;
  std::vector<std::string> sockets;  // that it opens; its vty is the first
};
FrrLaunch launch_of(FrrDaemon daemon, const SpeakerOptions& options);

// What is missing, with the package that brings it.
Problem check_options(const SpeakerOptions& options);

}  // namespace viaduct::routing::bgp
