// The root of the supervision tree: knows every actor by name, applies the policy when one dies, asks all of them how
// they are once a second, and stops them in the reverse order of their start.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct ChildSpec {
  std::string name;
  std::string kind;                     // row of runtime/policy.hpp
  caf::actor running;                   // the first one, already started
  std::function<caf::actor()> restart;  // for kinds that are restarted; an invalid handle means "try again later"
};

struct NodeLinks {
  observability::SupervisorProbe& probe;
  std::function<void(int exit_code)> stopped;  // everything has ended; 0 after a wish, 1 after a core actor's death
};

NodeActor spawn_node(caf::actor_system& system, std::vector<ChildSpec> children, const NodeLinks& links);

}  // namespace viaduct::actors
