// The interfaces that processes on different hosts use, and the types that cross between them. All content is Cap'n Proto
// in frames; CAF carries them. Types go by their names: a name on the wire never changes.
#pragma once

#include <caf/all.hpp>

#include "actors/messages.hpp"

namespace viaduct::actors {

// On an agent: takes the feed, and questions.
using FeedSinkActor = caf::typed_actor<caf::replies_to<FeedFrame>::with<FeedApplied>, caf::reacts_to<SessionQuestion>>;

// On a cluster node, one for each agent that has joined.
using AgentSessionActor =
    caf::typed_actor<caf::replies_to<SessionWrite>::with<SessionWrite>,  // StateWrite, StateWritten
                     caf::replies_to<SessionBeat>::with<SessionBeat>,
                     caf::replies_to<SessionQuestion>::with<SessionAnswer>,  // of the agent's operators
                     caf::reacts_to<SessionAnswer>>;                         // to a question of this node

// On an agent: the session that its state goes to, or none while the cluster is away.
struct SessionChanged {
  AgentSessionActor session;
  Secret secret;
};

// An agent wants to be served. `proven` is empty when both are in one process.
struct GatewayJoin {
  Secret proven;       // of the hello
  schema::Frame join;  // session.capnp
  FeedSinkActor sink;
  Secret feed;  // that FeedFrames have to carry
};
struct GatewayJoined {
  schema::Frame joined;
  Secret secret;              // of the session
  AgentSessionActor session;  // invalid when refused
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, GatewayJoin& join) {
  return inspector(join.proven, join.join, join.sink, join.feed);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, GatewayJoined& joined) {
  return inspector(joined.joined, joined.secret, joined.session);
}

// On a cluster node: what agents connect to.
using GatewayActor = caf::typed_actor<caf::replies_to<GatewayHello>::with<GatewayHello>,  // both prove who they are
                                      caf::replies_to<GatewayJoin>::with<GatewayJoined>>;

}  // namespace viaduct::actors

CAF_BEGIN_TYPE_ID_BLOCK(viaduct_wire, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::schema::Frame))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::FeedFrame))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::FeedApplied))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::GatewayHello))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::SessionWrite))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::SessionBeat))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::FeedSinkActor))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::AgentSessionActor))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::GatewayJoin))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::GatewayJoined))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::GatewayActor))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::SessionQuestion))
CAF_ADD_TYPE_ID(viaduct_wire, (viaduct::actors::SessionAnswer))
CAF_END_TYPE_ID_BLOCK(viaduct_wire)
