// What actors of one process say to each other. Structs with names; big things travel as shared_ptr<const>.
//
// Nothing here crosses a process: that is Cap'n Proto in a Frame (schema/). Streams of changes are coalesced by whoever
// sends them (deltas merge) and acknowledged one at a time, so no mailbox grows with the rate of change.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flows/datapath/datapath.hpp"
#include "flows/simulation/invalidation.hpp"
#include "flows/simulation/network.hpp"
#include "observability/status.hpp"
#include "schema/frame.hpp"
#include "topology/builder.hpp"
#include "topology/delta.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

using WallTime = std::chrono::system_clock::time_point;

// --- supervision ---------------------------------------------------------------------------------

// "How are you?": answered from the mailbox like any other message, so the answer's delay is the mailbox's age.
struct ReportStatus {};
// "Stop in order": finish what has begun, then end with reason `normal`.
struct Shutdown {};

// An actor's own timer.
struct Tick {
  uint32_t kind = 0;  // for actors with several timers
};

// --- topology store (cluster) --------------------------------------------------------------------

struct CommitTransaction {
  std::vector<topology::Operation> operations;
  bool dry_run = false;
};
struct CommitReply {
  enum class Status : uint8_t { committed, refused, unavailable };
  Status status = Status::unavailable;
  uint64_t revision = 0;  // 0 for a dry run
  std::vector<topology::AppliedChange> changes;
  std::vector<Uuid> ids;
  std::vector<topology::Violation> violations;
  std::string error;  // unavailable: why the store could not commit
};
struct ReadTopology {};
using SnapshotPtr = std::shared_ptr<const topology::Snapshot>;
struct WaitApplied {
  uint64_t revision = 0;  // 0: the newest
  std::chrono::milliseconds timeout{10'000};
};
struct WaitAppliedReply {
  bool reached = false;
  uint64_t applied = 0;
};
struct StoreRevisions {
  uint64_t committed = 0;
  uint64_t applied = 0;
};
struct ReadRevisions {};

// --- subscription --------------------------------------------------------------------------------

// One committed revision, from the store to its subscriptions.
struct Committed {
  SnapshotPtr snapshot;
  std::shared_ptr<const topology::Delta> delta;
  WallTime at;
};
// From a subscription to a mirror: a FeedBatch. The next one is sent after FeedApplied.
struct FeedFrame {
  std::shared_ptr<const schema::Frame> frame;
};
struct FeedApplied {
  uint64_t revision = 0;  // what the mirror has applied after the frame
  bool resync = false;    // it missed something: the next frame must be a snapshot
};
// From a subscription to the store: the least applied revision of its agent.
struct AgentApplied {
  HostId host;
  uint64_t revision = 0;
};

// --- agent: bindings and networks ----------------------------------------------------------------

// Which interfaces this host should have in the datapath; from the mirror to the datapath actor. Differences only,
// except with `complete`, when what is not named is unbound.
struct ReconcileBindings {
  struct Binding {
    PortId port;
    std::string interface;
  };
  std::vector<Binding> bind;
  std::vector<PortId> unbind;
  bool complete = false;
};
// What is now active, and which ports that concerns; the answer, and later whenever an interface comes or goes.
struct BindingsChanged {
  flows::simulation::Bindings bindings;
  std::vector<PortId> rebound;
};

// "There is something for you in AgentState's news": one at a time, however much it is (actors/agent/news.hpp).
struct NewsWaits {};

// --- agent: flows --------------------------------------------------------------------------------

// From the mirror, one at a time; what workers and devices change comes as NewsWaits.
struct InvalidateFlows {
  flows::simulation::Invalidation what;
};
struct FlowsInvalidated {
  uint64_t removed = 0;
};
// The first network is published: prove the flows that an earlier life left.
struct AdoptFlows {};
struct ListFlows {
  flows::PortNumber port;  // none: all
  size_t limit = 1000;
};
struct FlowListReply {
  struct Line {
    flows::Flow flow;
    flows::FlowStats stats;
    uint32_t tags = 0;
  };
  uint64_t total = 0;
  std::vector<Line> flows;
};

// --- agent: devices ------------------------------------------------------------------------------

// What workers saw that concerns time (DeviceNews). A device gets the next batch when it has answered the last one.
struct DeviceEvents {
  std::vector<flows::simulation::NeighbourWanted> wanted;
  std::vector<flows::simulation::NeighbourWanted> refresh;
  std::vector<flows::simulation::LearnMac> macs;
  std::vector<flows::simulation::LearnNeighbour> neighbours;
};
// Devices of the new snapshot; from the mirror. Only what changed.
struct DevicesChanged {
  std::shared_ptr<const flows::simulation::Network> network;
  std::vector<BridgeId> bridges;
  std::vector<RouterId> routers;
  std::vector<Uuid> removed;
  // Routers' ports that are gone, or have other addresses: what was learned behind them is void.
  std::map<RouterId, std::vector<PortId>> void_ports;
};
// The part of it that one router has to know.
struct VoidPorts {
  std::vector<PortId> ports;
};
struct FlushState {
  Uuid device;  // nil: all
};
struct StateFlushed {};  // it is out of the tables, and the flow controller has been told

// --- admin ---------------------------------------------------------------------------------------

// One request frame of a connection, and its answer.
struct AdminCall {
  std::shared_ptr<const schema::Frame> request;
};
struct AdminAnswer {
  std::shared_ptr<const schema::Frame> reply;
};

struct DatapathReport {
  std::string kind;
  flows::DatapathStats stats;
  struct Port {
    PortId port;
    std::string interface;
    flows::PortNumber number;
    bool active = false;
    std::string reason;
    flows::PortStats stats;
  };
  std::vector<Port> ports;
};
struct ReportDatapath {};
// Of a supervisor: the actors under it.
struct NodeReport {
  std::vector<observability::ActorStatus> actors;
  uint64_t unlisted = 0;  // more than those
};
struct ReportNode {};
struct FlowReport {
  uint64_t flows = 0;
  uint64_t adopted = 0;
};
struct ReportFlows {};

}  // namespace viaduct::actors
