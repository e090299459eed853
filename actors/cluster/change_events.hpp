// What a step of the store is for who reads events (observability/journal.hpp): a change of the topology with its cause, hosts
// that have left.
#pragma once

#include "actors/cluster/nsdb_view.hpp"

namespace viaduct::actors {

// topology.changed, with the first of what has changed. The step's delta is not empty.
void tell_change(const NsdbView::Step& step);
// host.left, for each.
void tell_sessions_that_ended(const NsdbView::Step& step);

}  // namespace viaduct::actors
