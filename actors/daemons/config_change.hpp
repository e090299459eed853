// What a new configuration changes, and which of it the running daemon can take.
#pragma once

#include <string>
#include <vector>

#include "actors/daemons/config.hpp"

namespace viaduct::actors {

struct ConfigChange {
  std::vector<const Setting*> live;     // take effect now
  std::vector<const Setting*> restart;  // stay as they are until the daemon starts again

  bool has(std::string_view key) const;  // among the live ones
};

ConfigChange compare(const Config& running, const Config& wanted);
// `running` with the live settings of `wanted`.
Config apply_live(const Config& running, const Config& wanted, const ConfigChange& change);
std::string names_of(const std::vector<const Setting*>& settings);  // "log.levels, agent.cluster"

}  // namespace viaduct::actors
