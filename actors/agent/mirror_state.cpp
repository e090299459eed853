#include "actors/agent/mirror_state.hpp"

namespace viaduct::actors {

using topology::Delta;
using topology::Kind;
using topology::Snapshot;

namespace {

// Applies the changes of a batch, and notes what they replace.
Snapshot apply(const Snapshot& base, const topology::FeedBatch& batch, Delta& delta) {
  Snapshot next = base;
  delta.from_revision = base.revision();
  delta.to_revision = batch.revision;
  for (const auto& change : batch.changes) {
    if (const auto* object = std::get_if<topology::Object>(&change)) {
      auto after = std::make_shared<const topology::Object>(*object);
      auto ref = topology::ref_of(*object);
      delta.changes[ref] = {next.find(ref), after};
      next = next.with(std::move(after));
    } else {
      const auto& ref = std::get<topology::ObjectRef>(change);
      delta.changes[ref] = {next.find(ref), nullptr};
      next = next.without(ref);
    }
  }
  return next.at_revision(batch.revision);
}

const topology::Port* port_of(const topology::Ref<topology::Object>& object) {
  return object == nullptr ? nullptr : std::get_if<topology::Port>(object.get());
}

// What a router knows about neighbours behind a port does not hold for another router, subnet or link.
bool learned_is_void(const topology::Port& before, const topology::Port* after) {
  if (!before.on_router()) return false;
  return after == nullptr || after->router != before.router || after->addresses != before.addresses ||
         after->peer != before.peer;
}

}  // namespace

std::optional<MirrorState::Pending> MirrorState::prepare(const schema::Frame& frame, std::string& error) const {
  auto batch = topology::decode_feed(frame);
  if (!batch) {
    error = batch.error();
    return std::nullopt;
  }
  if (!batch->snapshot && batch->previous != revision()) {
    error = "batch follows revision " + std::to_string(batch->previous) + ", here is " + std::to_string(revision());
    return std::nullopt;
  }
  Pending pending;
  pending.committed_at =
      WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(batch->committed_at)));
  if (batch->snapshot) {
    Delta ignored;
    pending.snapshot = apply(Snapshot{}, *batch, ignored);
    pending.delta = Delta::between(snapshot_, pending.snapshot);
  } else {
    pending.snapshot = apply(snapshot_, *batch, pending.delta);
  }
  pending.bindings = wishes(pending.snapshot, pending.delta, batch->snapshot);
  return pending;
}

ReconcileBindings MirrorState::wishes(const Snapshot& snapshot, const Delta& delta, bool complete) const {
  ReconcileBindings out;
  out.complete = complete;
  if (complete) {
    snapshot.for_each_port_bound_to(host_, [&](const topology::Port& port) {
      if (port.is_exterior()) out.bind.push_back({port.id, port.interface});
    });
    return out;
  }
  for (const auto& [ref, change] : delta.changes) {
    if (ref.kind != Kind::port) continue;
    const auto* before = port_of(change.before);
    const auto* after = port_of(change.after);
    bool was = before != nullptr && before->is_exterior() && before->host == host_;
    bool is = after != nullptr && after->is_exterior() && after->host == host_;
    if (is && was && before->interface == after->interface) continue;
    if (was && !is) out.unbind.push_back(before->id);
    if (is) out.bind.push_back({after->id, after->interface});
  }
  return out;
}

MirrorState::Published MirrorState::finish(Pending pending, const BindingsChanged& bindings) {
  return publish(pending.snapshot, pending.delta, bindings);
}

MirrorState::Published MirrorState::rebind(const BindingsChanged& bindings) {
  Delta nothing;
  nothing.from_revision = nothing.to_revision = revision();
  return publish(snapshot_, nothing, bindings);
}

MirrorState::Published MirrorState::publish(const Snapshot& snapshot, const Delta& delta,
                                            const BindingsChanged& bindings) {
  using flows::simulation::Network;
  locations_.bindings = bindings.bindings;
  const flows::simulation::Moved moved{.ports = bindings.rebound, .bridges = {}, .hosts = {}, .keys = {}};
  auto next = std::make_shared<const Network>(first_ ? Network::compile(snapshot, locations_)
                                                     : network_->updated(snapshot, delta, locations_, moved));
  Published out;
  out.network = next;
  out.invalidation = flows::simulation::invalidated_by(*network_, *next, delta, moved);
  out.devices.network = next;
  for (const auto& [ref, change] : delta.changes) {
    const auto* before = port_of(change.before);
    if (before != nullptr && learned_is_void(*before, port_of(change.after))) {
      out.devices.void_ports[before->router].push_back(before->id);
    }
    if (ref.kind != Kind::bridge && ref.kind != Kind::router) continue;
    if (change.after == nullptr) {
      out.devices.removed.push_back(ref.id);
    } else if (ref.kind == Kind::bridge) {
      out.devices.bridges.push_back(BridgeId(ref.id));
    } else {
      out.devices.routers.push_back(RouterId(ref.id));
    }
  }
  snapshot_ = snapshot;
  network_ = next;
  first_ = false;
  return out;
}

}  // namespace viaduct::actors
