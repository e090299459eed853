// The lines of bgpd's configuration, as data: what frr_config renders and compares.
#pragma once

#include <string>
#include <vector>

#include "routing/bgp/speaker_config.hpp"

namespace viaduct::routing::bgp {

// Where a line stands: outside, in `router bgp`, or in one of its address families.
enum class Context : uint8_t { global, router, ipv4, ipv6 };

struct Statement {
  Context context = Context::global;
  std::string key;        // unique in its context; the same key with another `set` replaces
  std::string set;        // the line
  std::string unset;      // what undoes it; empty: never undone while the speaker lives
  std::string peer = {};  // whose it is: goes with `no neighbor`
};

// In the order in which a file has them. `config` has passed check().
std::vector<Statement> statements(const SpeakerConfig& config);

// Lines that every configuration has.
std::vector<std::string> fixed_lines();
inline constexpr const char* kBfdProfile = "viaduct";

}  // namespace viaduct::routing::bgp
