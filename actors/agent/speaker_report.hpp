// What operators, metrics and logs are told of speakers. No actor, no clock but that of the reader.
#pragma once

#include <vector>

#include "actors/agent/bgp_status.hpp"
#include "actors/agent/speaker_plan.hpp"
#include "actors/messages.hpp"
#include "observability/bgp_probe.hpp"

namespace viaduct::actors {

// Adds a line for each peer that is wanted, and what is wrong.
void describe(const SpeakerPlan& plan, const SpeakerStatus& status, BgpReport& out);

struct BgpNumbers {
  std::vector<observability::BgpSpeakerNumbers> speakers;
  std::vector<observability::BgpPeerNumbers> peers;
};
void add_numbers(PortId port, const SpeakerPlan& plan, const SpeakerStatus& status, BgpNumbers& out);

// Logs and counts what differs: sessions, also those that went with bgpd; daemons; what was refused.
void tell_changes(const SpeakerPlan& plan, const SpeakerStatus& before, const SpeakerStatus& now,
                  observability::BgpProbe& probe);

}  // namespace viaduct::actors
