// How long calls into the datapath take: a datapath around another one, which passes everything on and looks at the clock.
//
// viaduct_datapath_call_seconds{call}: `install` and `execute` are one call for a worker's whole batch, the others one for
// each time that an actor asks. What is called for every scrape, or waits by design (poll), is not measured.
#pragma once

#include <memory>

#include "flows/datapath/datapath.hpp"
#include "observability/metrics.hpp"

namespace viaduct::actors {

// `registry` outlives it.
std::unique_ptr<flows::Datapath> measured(std::unique_ptr<flows::Datapath> datapath, observability::Registry& registry);

}  // namespace viaduct::actors
