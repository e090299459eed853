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

size_t end_connections(const std::set<NatBlock>& blocks, AgentState& state) {
  std::vector<std::pair<ConnectionKey, ConnectionEntry>> ending;
  state.connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    const auto block = entry.owned ? block_of(key) : std::nullopt;
    if (block && blocks.contains(*block)) ending.emplace_back(key, entry);
  });
  std::vector<ConnectionKey> gone;
  for (const auto& [key, entry] : ending) {
    if (!state.connections.erase(key)) continue;
    gone.push_back(key);
    const auto partner = flows::partner_of(key, entry);
    if (partner && state.connections.erase(*partner)) gone.push_back(*partner);
  }
  state.connections_changed(gone);  // whoever has copies may have taken the block over
  return ending.size();
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
