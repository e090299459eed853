// One entry of the connection table between its value and its schema: on the way to another host, and on the disk.
#pragma once

#include <optional>

#include "flows/replication/state_frame.hpp"
#include "schema/flow_state.capnp.h"

namespace viaduct::flows {

void encode(const Uuid& id, schema::Uuid::Builder to);
Uuid decode(schema::Uuid::Reader from);
// `now`: entries say how long they have been idle.
void encode(const ConnectionUpdate& update, Time now, schema::ConnectionUpdate::Builder to);
// Nothing where the kind or the addresses mean nothing here. Its entry is not owned.
std::optional<ConnectionUpdate> decode(schema::ConnectionUpdate::Reader from, Time now);

}  // namespace viaduct::flows
