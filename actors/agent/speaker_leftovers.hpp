// What BGP speakers of earlier lives have left on this host: network namespaces, interfaces, directories.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "topology/address/id.hpp"

namespace viaduct::actors {

struct SpeakerLeftovers {
  std::vector<std::string> removed;   // names
  std::vector<std::string> problems;  // what could not be, and why
};

// The directory below a daemon's run directory where each speaker has its own, named as its interface.
std::string speakers_directory(const std::string& run_dir);

// Removes what is not one of `wanted`, names of namespaces and interfaces. While no daemon of this host runs, or before it
// starts a speaker. Blocks for round trips to the kernel.
SpeakerLeftovers remove_speaker_leftovers(HostId host, const std::string& run_dir, const std::set<std::string>& wanted);

}  // namespace viaduct::actors
