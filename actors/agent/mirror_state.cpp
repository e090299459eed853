#include "actors/agent/mirror_state.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "flows/simulation/state_peers.hpp"

namespace viaduct::actors {

using flows::simulation::Moved;
using topology::Delta;
using topology::Kind;
using topology::Snapshot;

namespace {

const topology::Port* port_of(const topology::Ref<topology::Object>& object) {
  return object == nullptr ? nullptr : std::get_if<topology::Port>(object.get());
}

// What a router knows about neighbours behind a port does not hold for another router, subnet or link.
bool learned_is_void(const topology::Port& before, const topology::Port* after) {
  if (!before.on_router()) return false;
  return after == nullptr || after->router != before.router || after->addresses != before.addresses ||
         after->peer != before.peer;
}

bool concerns_tunnels(const Delta& delta) {
  return std::any_of(delta.changes.begin(), delta.changes.end(), [](const auto& change) {
    Kind kind = change.first.kind;
    return kind == Kind::host || kind == Kind::tunnel_zone || kind == Kind::tunnel_zone_host;
  });
}

// Ended by the database, or claimed by another host: what is still so has to be said again.
bool own_location_ended(const topology::StateChange& change, HostId host) {
  if (change.before == nullptr || change.before->host != host) return false;
  if (change.after != nullptr && change.after->host == host) return false;
  return std::holds_alternative<topology::PortActive>(change.before->fact) ||
         std::holds_alternative<topology::FloodKey>(change.before->fact);
}

UnderlayTopology underlay_of(const Snapshot& snapshot) {
  UnderlayTopology out;
  snapshot.for_each(Kind::tunnel_zone, [&](const topology::Object& object) {
    out.zones.push_back(std::get<topology::TunnelZone>(object));
  });
  snapshot.for_each(Kind::tunnel_zone_host, [&](const topology::Object& object) {
    out.members.push_back(std::get<topology::TunnelZoneHost>(object));
  });
  snapshot.for_each(Kind::host, [&](const topology::Object& object) {
    const auto& host = std::get<topology::Host>(object);
    out.names[host.id] = host.name;
  });
  return out;
}

}  // namespace

std::optional<MirrorState::Pending> MirrorState::prepare(const schema::Frame& frame, std::string& error) {
  auto batch = topology::decode_feed(frame);
  if (batch) return prepare(std::move(*batch), error);
  error = batch.error();
  return std::nullopt;
}

std::optional<MirrorState::Pending> MirrorState::prepare(topology::FeedBatch batch, std::string& error) {
  Pending pending;
  error = apply_feed(batch, snapshot_, host_, states_, pending.effect);
  if (!error.empty()) return std::nullopt;
  waiting_states_.insert(waiting_states_.end(), pending.effect.states.begin(), pending.effect.states.end());
  pending.committed_at =
      WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(batch.committed_at)));
  pending.bindings = wishes(pending.effect.snapshot, pending.effect.delta, batch.complete || first_);
  pending.arrivals = arrivals(pending.bindings, pending.effect.delta);
  if (first_ || concerns_tunnels(pending.effect.delta)) pending.underlay = underlay_of(pending.effect.snapshot);
  pending.batch = std::move(batch);
  return pending;
}

// By where the port was bound, or else, as this host may not have known the port, by who says that it is active there.
std::map<HostId, std::vector<PortId>> MirrorState::arrivals(const ReconcileBindings& bindings,
                                                            const Delta& delta) const {
  std::map<HostId, std::vector<PortId>> out;
  for (const auto& wish : bindings.bind) {
    if (locations_.locations().bindings.find(wish.port) != nullptr) continue;
    const auto change = delta.changes.find({Kind::port, wish.port.uuid()});
    const auto* before = change == delta.changes.end() ? nullptr : port_of(change->second.before);
    HostId from = before == nullptr ? HostId{} : before->host;
    if (from.is_nil()) {
      const auto active = states_.find(topology::state_key({HostId{}, {}, 0, topology::PortActive{wish.port, 0}}));
      if (active != nullptr) from = active->host;
    }
    if (!from.is_nil() && from != host_) out[from].push_back(wish.port);
  }
  return out;
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

// The keys of an earlier life go on: other hosts use them, and flows in the kernel match them. So do the routes that it had
// learned: the peers go on too, for a while.
RoutesLearned MirrorState::restore() {
  RoutesLearned learned;
  std::vector<topology::StatePtr> own;
  states_.for_each_of_host(host_, [&](const std::string&, const topology::StatePtr& entry) {
    own.push_back(entry);
    if (RouteBook::is_route(entry->fact)) learned.said.push_back(entry->fact);
  });
  locations_.restore(own);
  return learned;
}

ReconcileBindings MirrorState::wish(const Pending& pending) const {
  ReconcileBindings out = pending.bindings;
  if (out.complete) std::ranges::move(locations_.speakers(), std::back_inserter(out.bind));
  return out;
}

void MirrorState::bound(Pending& pending, const BindingsChanged& bindings) {
  bound_ = bindings.bindings;
  pending.rebound = bindings.rebound;
}

MirrorState::Published MirrorState::finish(Pending pending, const std::optional<HostPaths>& paths) {
  std::optional<RoutesLearned> restored;
  if (first_) {
    if (RoutesLearned learned = restore(); !learned.said.empty()) restored = std::move(learned);
  }
  auto states = std::exchange(waiting_states_, {});
  Moved moved;
  locations_.bind({bound_, pending.rebound}, pending.effect.snapshot, std::chrono::steady_clock::now(), moved);
  bool own_moved = !moved.keys.empty();
  for (const auto& change : states) own_moved |= own_location_ended(change, host_) || locations_.is_missing(change);
  if (paths) set_paths(*paths, moved);
  locations_.follow(states, moved);
  locations_.forget_unmonitored(pending.effect.snapshot, moved);
  Published out = publish(pending.effect.snapshot, pending.effect.delta, moved);
  out.states = std::move(states);
  out.own_moved = own_moved;
  out.restored = std::move(restored);
  return out;
}

MirrorState::Published MirrorState::rebind(const BindingsChanged& bindings) {
  bound_ = bindings.bindings;
  Delta nothing;
  nothing.from_revision = nothing.to_revision = revision();
  Moved moved;
  locations_.bind(bindings, snapshot_, std::chrono::steady_clock::now(), moved);
  Published out = publish(snapshot_, nothing, moved);
  out.own_moved = !moved.keys.empty();
  return out;
}

void MirrorState::set_paths(const HostPaths& paths, Moved& moved) {
  locations_.set_copy_dscp(paths.copy_dscp);
  locations_.set_paths(paths.paths, moved);
}

MirrorState::Published MirrorState::reach(const HostPaths& paths) {
  Delta nothing;
  nothing.from_revision = nothing.to_revision = revision();
  Moved moved;
  set_paths(paths, moved);
  return publish(snapshot_, nothing, moved);
}

MirrorState::Published MirrorState::judge(const OwnHealth& own) {
  Delta nothing;
  nothing.from_revision = nothing.to_revision = revision();
  Moved moved;
  locations_.judge(own, moved);
  locations_.forget_unmonitored(snapshot_, moved);
  return publish(snapshot_, nothing, moved);
}

MirrorState::Published MirrorState::learn(const RoutesLearned& news) {
  Delta nothing;
  nothing.from_revision = nothing.to_revision = revision();
  Moved moved;
  locations_.learn(news, moved);
  return publish(snapshot_, nothing, moved);
}

MirrorState::Published MirrorState::speak(const SpeakersChanged& news, ReconcileBindings& wish) {
  Delta nothing;
  nothing.from_revision = nothing.to_revision = revision();
  Moved moved;
  wish = locations_.set_speakers(news, moved);
  return publish(snapshot_, nothing, moved);
}

MirrorState::Published MirrorState::publish(const Snapshot& snapshot, const Delta& delta, const Moved& moved) {
  using flows::simulation::Network;
  auto next =
      std::make_shared<const Network>(first_ ? Network::compile(snapshot, locations_.locations())
                                             : network_->updated(snapshot, delta, locations_.locations(), moved));
  Published out;
  out.network = next;
  out.topology = first_ || !delta.changes.empty();
  out.invalidation = flows::simulation::invalidated_by(*network_, *next, delta, moved);
  out.moved_ends = flows::simulation::ends_with_moved_peers(*network_, *next, delta, moved);
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
