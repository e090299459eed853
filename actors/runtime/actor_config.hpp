// How the actor system of a daemon runs, and that of the tests of its actors.
#pragma once

#include <caf/io/all.hpp>

namespace viaduct::actors {

struct ActorConfig : caf::actor_system_config {
  ActorConfig() {
    load<caf::io::middleman>();
    // Few cores are shared with guests: threads that sleep instead of polling for work.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{2});
    set("logger.verbosity", caf::atom("quiet"));
  }
};

}  // namespace viaduct::actors
