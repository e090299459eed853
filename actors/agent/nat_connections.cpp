#include "actors/agent/nat_connections.hpp"

#include <vector>

namespace viaduct::actors {

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::NatBlock;

std::optional<NatBlock> block_of(const ConnectionKey& key) {
  if (key.kind != flows::ConnectionKind::snat_reverse) return std::nullopt;
  return NatBlock{key.device, key.dst, static_cast<uint16_t>(key.dst_port / flows::kNatBlockPorts)};
}

namespace {
// By their snat_reverse entries.
std::vector<std::pair<ConnectionKey, ConnectionEntry>> opened_in(const std::set<NatBlock>& blocks,
                                                                 const flows::ConnectionTable& connections) {
  std::vector<std::pair<ConnectionKey, ConnectionEntry>> out;
  connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    const auto block = entry.owned ? block_of(key) : std::nullopt;
    if (block && blocks.contains(*block)) out.emplace_back(key, entry);
  });
  return out;
}
}  // namespace

size_t end_connections(const std::set<NatBlock>& blocks, AgentState& state) {
  const auto ending = opened_in(blocks, state.connections);
  std::vector<ConnectionKey> gone;
  for (const auto& [key, entry] : ending) {
    if (!state.connections.erase(key)) continue;
    gone.push_back(key);
    const auto partner = flows::partner_of(key, entry);
    if (partner && state.connections.erase(*partner)) gone.push_back(*partner);
  }
  state.connections_changed(gone);  // copies age
  return ending.size();
}

size_t yield_connections(const std::set<NatBlock>& blocks, AgentState& state) {
  std::vector<ConnectionKey> keys;
  for (const auto& [key, entry] : opened_in(blocks, state.connections)) keys.push_back(key);
  const size_t count = keys.size();
  state.replication_news.yielded(std::move(keys));
  return count;
}

bool NatLook::step(const flows::ConnectionTable& connections, bool copies_only) {
  at_ = connections.visit_some(at_, kSlice, [&](const ConnectionKey& key, const ConnectionEntry& entry) {
    const auto block = copies_only && entry.owned ? std::nullopt : block_of(key);
    if (!block) return;
    ++connections_;
    found_.insert(*block);
  });
  return at_ != 0;
}

}  // namespace viaduct::actors
