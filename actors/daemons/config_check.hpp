// Whether a configuration makes sense as a whole: what one key demands of another.
#pragma once

#include "actors/daemons/config_file.hpp"

namespace viaduct::actors {

// Adds to source.problems. Looks at the values alone, not at files that they name.
void check_config(ConfigSource& source);

}  // namespace viaduct::actors
