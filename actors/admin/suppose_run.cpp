#include "actors/admin/suppose_run.hpp"

#include <algorithm>
#include <utility>

#include "flows/simulation/network_views.hpp"

namespace viaduct::actors {

namespace sim = flows::simulation;

namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view none) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out.empty() ? std::string(none) : out;
}

std::string verdict_of(const TraceResult& result) {
  return result.outcome + (result.drop_reason.empty() ? "" : " (" + result.drop_reason + ")");
}

bool effect(const sim::TraceStep& step) {
  if (step.depth == 0) return step.stage == sim::Stage::connection && step.device_kind == sim::DeviceKind::none;
  return step.stage == sim::Stage::emit || step.stage == sim::Stage::output || step.stage == sim::Stage::drop;
}

// What the packet causes beyond itself: packets of the routers and balancers, connections.
std::vector<std::string> effects_of(const TraceResult& result) {
  std::vector<std::string> out;
  for (const auto& step : result.trace.steps) {
    if (effect(step)) out.push_back(step.detail.empty() ? std::string(to_string(step.stage)) : step.detail);
  }
  return out;
}

void compare(std::string_view what, const std::string& now, const std::string& changed,
             std::vector<std::string>& differences) {
  if (now == changed) return;
  differences.push_back(std::string(what) + ": " + now + " now, " + changed + " with the change");
}

bool same_step(const sim::TraceStep& a, const sim::TraceStep& b) {
  return a.depth == b.depth && a.device_kind == b.device_kind && a.device == b.device && a.stage == b.stage &&
         a.detail == b.detail;
}

void compare(Supposed& out) {
  const TraceResult &now = out.now, &changed = out.changed;
  compare("verdict", verdict_of(now), verdict_of(changed), out.differences);
  compare("leaves by", joined(now.outputs, "nothing"), joined(changed.outputs, "nothing"), out.differences);
  if (!now.actions.empty() && !changed.actions.empty()) {
    compare("actions", now.actions, changed.actions, out.differences);
  }
  compare("causes", joined(effects_of(now), "nothing"), joined(effects_of(changed), "nothing"), out.differences);
  out.path_differs = !out.differences.empty() || !std::ranges::equal(now.trace.steps, changed.trace.steps, same_step);
}

// Where an interface is, or a port of another host, is known of what is there already.
void note_bindings(const topology::Delta& delta, const sim::Network& live, std::vector<std::string>& notes) {
  for (const auto& [ref, change] : delta.changes) {
    const auto* port = ref.kind == topology::Kind::port ? sim::as<topology::Port>(change.after) : nullptr;
    if (port == nullptr || !port->is_exterior()) continue;
    const sim::PortView* view = live.port(port->id);
    if (view != nullptr && view->host == port->host && (view->number || view->active_elsewhere())) continue;
    notes.push_back("port " + port->name +
                    " is not active, and taken as such: with the change as well, nothing leaves by it");
  }
}

// What is committed and concerns this host is not all in its network yet. Revisions do not say it: what does not concern it
// counts there as well.
bool behind(const topology::Snapshot& live, const topology::Snapshot& committed) {
  if (live.revision() >= committed.revision()) return false;
  bool stale = false;
  for (size_t kind = 0; kind < static_cast<size_t>(topology::Kind::count_); ++kind) {
    live.for_each(static_cast<topology::Kind>(kind), [&](const topology::Object& object) {
      const auto now = committed.find(topology::ref_of(object));
      stale |= now == nullptr || topology::revision_of(*now) != topology::revision_of(object);
    });
  }
  return stale;
}

// Of a closure the live network is the start. It holds too little of a whole topology: the change may join to this host what
// it has not needed.
sim::Network network_of(const topology::BuildResult& built, const topology::Snapshot& snapshot, Knowledge knowledge,
                        const sim::Network& live) {
  const auto& locations = live.data().locations;
  if (knowledge == Knowledge::closure && live.data().snapshot.revision() == snapshot.revision()) {
    return live.updated(built.next, built.delta, locations, {});
  }
  return sim::Network::compile(built.next, locations);
}

TraceResult absent(const topology::Snapshot& next, PortId id) {
  TraceResult out;
  const topology::Port* port = next.find(id);
  out.outcome = "absent";
  out.drop_reason = port == nullptr ? "the port is deleted" : "the port is not active on this host any more";
  return out;
}

}  // namespace

Supposed run_suppose(const SupposeRequest& request, const topology::Snapshot& snapshot, Knowledge knowledge,
                     const AgentState& state) {
  Supposed out;
  auto live = state.network.load();
  auto frame = frame_of(request.trace, snapshot, *live, state, out.error);
  if (!frame) return out;
  auto built = topology::build(snapshot, request.operations, snapshot.revision() + 1);
  out.violations = std::move(built.violations);
  if (!out.violations.empty()) return out;
  const sim::Network network = network_of(built, snapshot, knowledge, *live);
  const auto now = std::chrono::steady_clock::now();
  out.now = trace_frame(*frame, *live->port(request.trace.port), *live, state, now);
  const sim::PortView* port = network.port(request.trace.port);
  out.changed = port == nullptr || !port->number ? absent(built.next, request.trace.port)
                                                 : trace_frame(*frame, *port, network, state, now);
  compare(out);
  if (knowledge == Knowledge::closure) {
    out.notes.emplace_back(
        "judged by the part of the topology that this host has; a host with the cluster role has all of it");
  }
  if (behind(live->data().snapshot, snapshot)) {
    out.notes.push_back("this host forwards by revision " + std::to_string(live->revision()) +
                        ", the change is tried on " + std::to_string(snapshot.revision()));
  }
  note_bindings(built.delta, *live, out.notes);
  out.changes = std::move(built.changes);
  out.next = std::move(built.next);
  return out;
}

}  // namespace viaduct::actors
