#include "actors/agent/location_book.hpp"

#include <utility>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using flows::simulation::Moved;
using routing::underlay::KeyOwner;
using topology::StateEntry;

namespace {

// The entry's fact, when it is of this kind.
template <class Fact>
const Fact* fact_of(const topology::StatePtr& entry) {
  return entry == nullptr ? nullptr : std::get_if<Fact>(&entry->fact);
}

}  // namespace

void LocationBook::restore(const std::vector<topology::StatePtr>& own) {
  std::map<uint32_t, KeyOwner> keys;
  for (const auto& entry : own) {
    if (const auto* port = fact_of<topology::PortActive>(entry)) keys[port->key] = port->port;
    if (const auto* flood = fact_of<topology::FloodKey>(entry)) keys[flood->key] = flood->bridge;
    routes_.restore(entry->fact, locations_);
  }
  keys_.restore(keys);
}

void LocationBook::bind(const BindingsChanged& bindings, const topology::Snapshot& topology, flows::Time now,
                        Moved& moved) {
  locations_.bindings = bindings.bindings;
  for (PortId port : bindings.rebound) {
    if (bind_speaker(port, topology, moved)) continue;
    moved.ports.push_back(port);
    if (locations_.bindings.find(port) != nullptr) {
      activate(port, topology, now, moved);
    } else {
      deactivate(port, now, moved);
    }
  }
}

namespace {
// Its own inverse: of a port the id that its speaker's interface is bound under, and the other way round.
PortId speaker_of(PortId port) {
  constexpr uint64_t kSpeaker = 0x7370'6561'6b65'7273ULL;
  return PortId(Uuid::from_words(port.uuid().high() ^ kSpeaker, port.uuid().low()));
}
}  // namespace

ReconcileBindings LocationBook::set_speakers(const SpeakersChanged& news, Moved& moved) {
  ReconcileBindings out;
  const auto before = std::exchange(speakers_, news.speakers);
  for (const auto& [port, wish] : before) {
    if (speakers_.contains(port)) continue;
    out.unbind.push_back(speaker_of(port));
    show_speaker(port, moved);
  }
  for (const auto& [port, wish] : speakers_) {
    const auto known = before.find(port);
    if (known != before.end() && known->second == wish) continue;
    if (known == before.end() || known->second.interface != wish.interface) {
      out.bind.push_back({speaker_of(port), wish.interface});
    }
    show_speaker(port, moved);
  }
  return out;
}

std::vector<ReconcileBindings::Binding> LocationBook::speakers() const {
  std::vector<ReconcileBindings::Binding> out;
  for (const auto& [port, wish] : speakers_) out.push_back({speaker_of(port), wish.interface});
  return out;
}

// Also of one that is wanted no more: the answer to an older wish.
bool LocationBook::bind_speaker(PortId bound, const topology::Snapshot& topology, Moved& moved) {
  const PortId port = speaker_of(bound);
  const bool known = speakers_.contains(port) || locations_.speakers.contains(port);
  if (!known && (topology.find(bound) != nullptr || topology.find(port) == nullptr)) return false;
  show_speaker(port, moved);
  return true;
}

void LocationBook::show_speaker(PortId port, Moved& moved) {
  const auto wish = speakers_.find(port);
  const flows::PortNumber* number = locations_.bindings.find(speaker_of(port));
  const flows::simulation::Speaker* known = locations_.speakers.find(port);
  if (wish == speakers_.end() || number == nullptr) {
    if (known == nullptr) return;
    locations_.speakers.remove(port);
  } else {
    const flows::simulation::Speaker now{*number, wish->second.peers};
    if (known != nullptr && *known == now) return;
    locations_.speakers.put(port, now);
  }
  moved.ports.push_back(port);
}

void LocationBook::activate(PortId id, const topology::Snapshot& topology, flows::Time now, Moved& moved) {
  const topology::Port* port = topology.find(id);
  BridgeId bridge = port == nullptr ? BridgeId{} : port->bridge;
  auto [at, added] = active_.emplace(id, bridge);
  if (!added && at->second != bridge) {
    deactivate(id, now, moved);
    active_.emplace(id, bridge);
  }
  give_key(id, now, moved);
  if (!bridge.is_nil() && on_bridge_[bridge].insert(id).second) give_key(bridge, now, moved);
}

void LocationBook::deactivate(PortId id, flows::Time now, Moved& moved) {
  auto at = active_.find(id);
  if (at == active_.end()) return;
  BridgeId bridge = at->second;
  active_.erase(at);
  take_key(id, now, moved);
  auto ports = on_bridge_.find(bridge);
  if (ports == on_bridge_.end()) return;
  ports->second.erase(id);
  if (!ports->second.empty()) return;
  on_bridge_.erase(ports);
  take_key(bridge, now, moved);
}

void LocationBook::give_key(const KeyOwner& owner, flows::Time now, Moved& moved) {
  auto given = keys_.allocate(owner, now);
  if (const auto* error = std::get_if<routing::underlay::KeyError>(&given)) {
    return log::error(log::Component::datapath, "a port cannot be reached from other hosts",
                      {{"reason", std::string("tunnel keys: ") + routing::underlay::to_string(*error)}});
  }
  const uint32_t key = std::get<uint32_t>(given);
  const flows::simulation::LocalKey* was = locations_.keys.find(key);
  if (was != nullptr && *was == owner) return;
  locations_.keys = locations_.keys.insert(key, owner);
  moved.keys.push_back(key);
}

void LocationBook::take_key(const KeyOwner& owner, flows::Time now, Moved& moved) {
  auto key = keys_.key_of(owner);
  if (!key) return;
  keys_.release(owner, now);
  locations_.keys = locations_.keys.erase(*key);
  moved.keys.push_back(*key);
}

void LocationBook::follow(const std::vector<topology::StateChange>& changes, Moved& moved) {
  for (const auto& change : changes) {
    follow_port(change, moved);
    follow_flood(change, moved);
    health_.follow(change, locations_, moved);
    routes_.follow(change, locations_, moved);
  }
}

void LocationBook::follow_port(const topology::StateChange& change, Moved& moved) {
  const auto* before = fact_of<topology::PortActive>(change.before);
  const auto* after = fact_of<topology::PortActive>(change.after);
  if (before == nullptr && after == nullptr) return;
  const PortId port = after != nullptr ? after->port : before->port;
  const flows::simulation::RemotePort* known = locations_.remote.find(port);
  if (after != nullptr && change.after->host != host_) {
    const flows::simulation::RemotePort now{change.after->host, after->key};
    if (known != nullptr && *known == now) return;
    locations_.remote = locations_.remote.insert(port, now);
  } else {
    if (known == nullptr) return;
    locations_.remote = locations_.remote.erase(port);
  }
  moved.ports.push_back(port);
}

void LocationBook::follow_flood(const topology::StateChange& change, Moved& moved) {
  const auto* before = fact_of<topology::FloodKey>(change.before);
  const auto* after = fact_of<topology::FloodKey>(change.after);
  if (before == nullptr && after == nullptr) return;
  const BridgeId bridge = after != nullptr ? after->bridge : before->bridge;
  const HostId host = after != nullptr ? change.after->host : change.before->host;
  if (host == host_) return;
  const auto* known = locations_.floods.find(bridge);
  flows::simulation::RemoteFlood hosts = known == nullptr ? flows::simulation::RemoteFlood{} : *known;
  const flows::simulation::RemoteFlood were = hosts;
  if (after != nullptr) {
    hosts[host] = after->key;
  } else {
    hosts.erase(host);
  }
  if (hosts == were) return;
  locations_.floods = hosts.empty() ? locations_.floods.erase(bridge) : locations_.floods.insert(bridge, hosts);
  moved.bridges.push_back(bridge);
}

void LocationBook::set_paths(const std::map<HostId, flows::simulation::TunnelPath>& paths, Moved& moved) {
  std::vector<HostId> gone;
  locations_.paths.for_each([&](HostId host, const flows::simulation::TunnelPath&) {
    if (!paths.contains(host)) gone.push_back(host);
  });
  for (HostId host : gone) locations_.paths = locations_.paths.erase(host);
  moved.hosts.insert(moved.hosts.end(), gone.begin(), gone.end());
  for (const auto& [host, path] : paths) {
    const auto* known = locations_.paths.find(host);
    if (known != nullptr && *known == path) continue;
    locations_.paths = locations_.paths.insert(host, path);
    moved.hosts.push_back(host);
  }
}

std::vector<StateEntry> LocationBook::own() const {
  std::vector<StateEntry> out;
  locations_.keys.for_each([&](uint32_t key, const flows::simulation::LocalKey& owner) {
    if (const auto* port = std::get_if<PortId>(&owner)) {
      out.push_back({host_, {}, 0, topology::PortActive{*port, key}});
    } else {
      out.push_back({host_, {}, 0, topology::FloodKey{std::get<BridgeId>(owner), key}});
    }
  });
  return out;
}

}  // namespace viaduct::actors
