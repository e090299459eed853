#include "actors/agent/state_claims.hpp"

#include "actors/agent/nat_connections.hpp"

namespace viaduct::actors {

void StateClaims::follow(const std::vector<topology::StateChange>& changes) {
  for (const auto& change : changes) {
    const topology::StateEntry& entry = change.after != nullptr ? *change.after : *change.before;
    const auto* claim = std::get_if<topology::NatBlockClaim>(&entry.fact);
    if (claim == nullptr) continue;
    const flows::NatBlock block{claim->device, claim->address, claim->block};
    if (change.after != nullptr) {
      holders_[block] = entry.host;
    } else {
      holders_.erase(block);
    }
  }
}

bool StateClaims::answers(HostId host) const {
  const auto* path = network_ == nullptr ? nullptr : network_->locations().paths.find(host);
  return path != nullptr && path->alive;
}

std::optional<HostId> StateClaims::holder_of(const flows::ConnectionKey& key) const {
  const auto block = block_of(key);
  const auto holder = block ? holders_.find(*block) : holders_.end();
  return holder == holders_.end() ? std::nullopt : std::optional(holder->second);
}

void StateClaims::lost(const std::vector<flows::ConnectionKey>& keys, HostId self) {
  for (const auto& key : keys) {
    const auto block = block_of(key);
    const auto holder = block ? holders_.find(*block) : holders_.end();
    if (holder != holders_.end() && holder->second == self) holders_.erase(holder);
  }
}

bool StateClaims::may_claim(HostId by, HostId self, const flows::ConnectionUpdate& update) const {
  if (update.ended) return true;
  const auto holder = holder_of(update.key);
  if (!holder || *holder == by || *holder == self) return true;
  return !answers(*holder);  // copies of a dead host's connections are passed on by others
}

}  // namespace viaduct::actors
