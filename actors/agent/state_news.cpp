#include "actors/agent/state_news.hpp"

#include <utility>

namespace viaduct::actors {

using flows::simulation::Learned;

namespace {

struct FactOf {
  topology::HostFact operator()(const flows::MacKey& key) const {
    return topology::MacClaim{key.bridge, key.vlan, key.mac, {}};
  }
  topology::HostFact operator()(const flows::NeighbourKey& key) const {
    return topology::NeighbourClaim{key.device, key.port, key.address, {}, 0};
  }
};

}  // namespace

std::string state_key_of(const Learned& entry) { return topology::state_key({{}, {}, 0, std::visit(FactOf{}, entry)}); }

void StateNews::changed(const Learned& entry) {
  std::string key = state_key_of(entry);
  {
    std::lock_guard lock(mutex_);
    if (waiting_.keys.size() < kCapacity) {
      waiting_.keys.insert_or_assign(std::move(key), entry);
    } else {
      waiting_.overflow = true;
    }
  }
  bell_.ring();
}

bool StateNews::pending(const std::string& state_key) const {
  std::lock_guard lock(mutex_);
  return waiting_.keys.contains(state_key);
}

StateNews::Taken StateNews::take() {
  bell_.answer();
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void RemoteClaims::insert(const std::string& state_key) {
  std::lock_guard lock(mutex_);
  keys_.insert(state_key);
}

bool RemoteClaims::erase(const std::string& state_key) {
  std::lock_guard lock(mutex_);
  return keys_.erase(state_key) != 0;
}

bool RemoteClaims::has(const std::string& state_key) const {
  std::lock_guard lock(mutex_);
  return keys_.contains(state_key);
}

void RemoteClaims::taken(const std::string& state_key) {
  std::lock_guard lock(mutex_);
  taken_.insert(state_key);
}

std::unordered_set<std::string> RemoteClaims::take_taken() {
  std::lock_guard lock(mutex_);
  return std::exchange(taken_, {});
}

bool RemoteClaims::empty() const {
  std::lock_guard lock(mutex_);
  return keys_.empty();
}

}  // namespace viaduct::actors
