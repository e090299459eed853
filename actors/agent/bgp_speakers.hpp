// Keeps the BGP speakers of this host: what each is to say (speaker_plan.hpp), a runner for each (speaker_runner.hpp), and
// who is told what they learn.
//
//   mirror -> topology -> plans -> runners (threads with FRR) -> routes -> mirror, at once ; state publisher
//                            +-> interfaces of speakers -> mirror -> datapath
//
// A runner that dies is begun again after a pause; the daemon's end leaves peers and packets as they are for the next life.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "actors/interfaces.hpp"
#include "observability/bgp_probe.hpp"

namespace viaduct::actors {

struct BgpSpeakersLinks {
  HostId host;
  std::string run_directory;  // the daemon's; speakers have theirs below it
  StatePublisherActor publisher;
  observability::BgpProbe& probe;
  std::function<void(std::string_view kind)> restarted;  // counts
  std::string frr_directory = "/usr/lib/frr";
};

// The mirror that first sends it a topology is told what the speakers learn.
BgpSpeakersActor spawn_bgp_speakers(caf::actor_system& system, const BgpSpeakersLinks& links);

}  // namespace viaduct::actors
