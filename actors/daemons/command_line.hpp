// What viaductd is told on its command line, and the configuration that follows from it and the file.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/daemons/config_file.hpp"

namespace viaduct::actors {

inline constexpr const char* kDefaultConfigFile = "/etc/viaduct/viaductd.toml";

struct Invocation {
  enum class Action : uint8_t { serve, cleanup, check_config, print_config };
  Action action = Action::serve;
  std::string config_file;  // empty: kDefaultConfigFile, if there is one
  std::vector<std::pair<const Setting*, std::string>> overrides;
};

// Nothing when the process should end with `exit_code` (help, version, a usage error that was printed).
std::optional<Invocation> parse_command_line(int argc, char** argv, int& exit_code);

// The file, then the command line over it, then the rules, then the files that it names. Also what SIGHUP does: nothing here has an effect.
ConfigSource load_config(const Invocation& invocation, const std::string& default_file = kDefaultConfigFile);

}  // namespace viaduct::actors
