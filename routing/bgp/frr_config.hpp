// SpeakerConfig in FRR's words: whole files for a daemon that starts, and commands for a bgpd that runs.
//
// Pure. Both come from the same statements, so a file and the commands that lead to it cannot differ. A statement that is the
// same before and after is not touched. Prefix lists are named by their content: a changed filter is a new list, which a
// peer gets in one step, and the old one goes when nobody has it any more; no route passes a half-made filter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/bgp/speaker_config.hpp"

namespace viaduct::routing::bgp {

struct FrrFiles {
  std::string bgpd, zebra, bfdd;  // texts of bgpd.conf, …
};
// `fpm_port`: where zebra finds us on 127.0.0.1. `config` has passed check().
FrrFiles render(const SpeakerConfig& config, uint16_t fpm_port);

// Commands for bgpd's and bfdd's vty, beginning in enable mode and ending there; empty: nothing to do.
struct FrrChanges {
  std::vector<std::string> bgpd, bfdd;
};
FrrChanges changes(const SpeakerConfig& before, const SpeakerConfig& after);
// All that bfdd has, whatever it had before.
std::vector<std::string> bfdd_commands(const SpeakerConfig& config);

}  // namespace viaduct::routing::bgp
