// A configuration as a text for people: what --print-config prints, the example file, the manual's list of keys.
#pragma once

#include <string>

#include "actors/daemons/config.hpp"

namespace viaduct::actors {

enum class Defaults : uint8_t { plain, commented };  // whether keys that hold their default stand behind a '#'

// A configuration file that sets `config`, with a comment on each key. Reading it yields `config` again.
std::string annotated(const Config& config, Defaults defaults);
// "10", "\"auto\"", "[\"cluster\", \"agent\"]": as TOML has it.
std::string to_toml(const SettingValue& value);
// The keys in roff, as viaductd.8 lists them.
std::string manual_list();

}  // namespace viaduct::actors
