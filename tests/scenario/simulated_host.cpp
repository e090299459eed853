#include "simulated_host.hpp"

#include <algorithm>

#include "flows/simulation/state_peers.hpp"

namespace viaduct::scenario {

using namespace viaduct::flows;
using namespace viaduct::flows::simulation;

namespace {
std::optional<NatBlock> block_of(const ConnectionKey& key) {
  if (key.kind != ConnectionKind::snat_reverse) return std::nullopt;
  return NatBlock{key.device, key.dst, static_cast<uint16_t>(key.dst_port / kNatBlockPorts)};
}
}  // namespace

SimulatedHost::SimulatedHost(const ScenarioNetwork& scenario, int in_number, Holders holders)
    : number(in_number),
      locations(scenario.locations(in_number)),
      network(Network::compile(scenario.snapshot(), locations)),
      macs(4096, 1024),
      neighbours(4096, 1024),
      connections({4096, 4096, 4096}),
      nat_blocks(64) {
  const auto anybody = [](HostId, const ConnectionUpdate&) { return true; };
  const auto peers_of = [this](std::span<const PortId> ends) {
    StatePeers peers;
    add_state_peers(network, ends, peers);
    return std::vector<HostId>(peers.begin(), peers.end());
  };
  const auto holder_of = [holders = std::move(holders)](const ConnectionKey& key) {
    const auto block = block_of(key);
    const auto holder = block ? holders->find(*block) : holders->end();
    return holder == holders->end() ? std::nullopt : std::optional(ScenarioHosts::id(holder->second));
  };
  replicator = std::make_unique<Replicator>(ScenarioHosts::id(number), static_cast<uint64_t>(number) + 1, connections,
                                            anybody, peers_of, holder_of, Replicator::Options{});
  reach();
}

void SimulatedHost::reach() {
  std::vector<HostId> hosts;
  locations.paths.for_each([&](HostId host, const TunnelPath&) { hosts.push_back(host); });
  replicator->reach(hosts);
}

void SimulatedHost::apply(const ScenarioNetwork& before, const ScenarioNetwork& after, Time now) {
  const auto delta = topology::Delta::between(before.snapshot(), after.snapshot());
  const Locations next_locations = after.locations(number);
  const Moved what = moved(locations, next_locations);
  const Network next = network.updated(after.snapshot(), delta, next_locations, what);
  oracle.invalidate(invalidated_by(network, next, delta, what));
  const auto ends = ends_with_moved_peers(network, next, delta, what);
  network = next;
  locations = next_locations;
  reach();
  replicator->moved(ends, now);
}

Invalidation SimulatedHost::write(const StateWrite& one, Time now) {
  LearnResult result;
  PortId previous;
  if (const auto* mac = std::get_if<LearnMac>(&one)) {
    result = macs.learn(mac->key, mac->port, now, &previous);
  } else {
    const auto& neighbour = std::get<LearnNeighbour>(one);
    result = neighbours.learn(neighbour.key, neighbour.mac, now);
  }
  Invalidation concerned = invalidated_by(one, result, previous);
  oracle.invalidate(concerned);
  return concerned;
}

void SimulatedHost::changed(const std::vector<ConnectionKey>& keys) {
  Invalidation concerned;
  for (const ConnectionKey& key : keys) concerned.tags.push_back(tag_of(key));
  oracle.invalidate(concerned);
}

bool SimulatedHost::open(const Verdict& verdict, Time now) {
  for (const ConnectionKey& key : verdict.closes) close(key, now);
  std::vector<ConnectionKey> added;
  for (const ConnectionOpen& one : verdict.opens) {
    const OpenResult result = connections.open(one.key, one.entry);
    if (result == OpenResult::taken || result == OpenResult::refused) return false;
    if (result == OpenResult::added) added.push_back(one.key);
  }
  for (const Touch& touch : verdict.touches) {
    const auto* use = std::get_if<ConnectionUse>(&touch);
    if (use != nullptr) connections.touch(use->key, use->direction, verdict.tcp_flags, now);
  }
  changed(added);
  share(verdict, added, now);
  return true;
}

// As a packet worker does.
void SimulatedHost::share(const Verdict& verdict, const std::vector<ConnectionKey>& added, Time now) {
  std::vector<ConnectionKey> keys;
  for (const ConnectionKey& key : added) {
    if (key.kind != ConnectionKind::fragment) keys.push_back(key);
  }
  const size_t opened = keys.size();
  for (const Touch& touch : verdict.touches) {
    if (const auto* use = std::get_if<ConnectionUse>(&touch)) keys.push_back(use->key);
  }
  flows::Replicator::Share what{
      keys, {verdict.ends.begin(), verdict.ends.size()}, {verdict.peers.begin(), verdict.peers.size()}};
  what.opened = opened;
  replicator->share(what, now);
}

void SimulatedHost::close(const ConnectionKey& key, Time now) {
  if (connections.erase(key)) changed({key});
  replicator->ended({{key}}, now);
}

void SimulatedHost::forget(const ConnectionKey& key) {
  if (connections.erase(key)) changed({key});
}

void SimulatedHost::yield(const std::vector<NatBlock>& blocks, Time now) {
  for (const NatBlock& block : blocks) nat_blocks.remove(block);
  std::vector<ConnectionKey> keys;
  connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    const auto block = entry.owned ? block_of(key) : std::nullopt;
    if (block && std::find(blocks.begin(), blocks.end(), *block) != blocks.end()) keys.push_back(key);
  });
  replicator->yield(keys, now);
}

std::vector<StateFrame> SimulatedHost::hear(const StateFrame& frame, HostId by, Time now) {
  const auto heard = replicator->receive(frame, by, now);
  changed(heard.changed);
  std::vector<StateFrame> out = speak(now);
  if (heard.answer) out.push_back(*heard.answer);
  return out;
}

std::vector<StateFrame> SimulatedHost::speak(Time now) {
  const auto work = replicator->poll(now);
  changed(work.ended);
  return work.frames;
}

void SimulatedHost::set_neighbour_state(const NeighbourKey& key, NeighbourState state, Time now) {
  neighbours.set_state(key, state, now);
  if (state == NeighbourState::failed) oracle.invalidate(invalidated_by_expiry(key));
}

void SimulatedHost::expire(const NeighbourKey& key) {
  if (neighbours.erase(key)) oracle.invalidate(invalidated_by_expiry(key));
}

void SimulatedHost::expire(const MacKey& key) {
  const auto entry = macs.find(key);
  if (entry && macs.erase(key)) oracle.invalidate(invalidated_by_expiry(key, entry->port));
}

}  // namespace viaduct::scenario
