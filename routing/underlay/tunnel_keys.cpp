#include "routing/underlay/tunnel_keys.hpp"

#include <algorithm>

namespace viaduct::routing::underlay {
namespace {

TunnelKeyOptions limited(TunnelKeyOptions options) {
  options.highest = std::clamp<uint32_t>(options.highest, 1, kMaxTunnelKey);
  return options;
}

}  // namespace

const char* to_string(KeyError error) {
  switch (error) {
    case KeyError::exhausted:
      return "every tunnel key of this host is in use or resting: unbind ports, or wait until released keys have "
             "rested";
  }
  return "unknown";
}

TunnelKeys::TunnelKeys(RandomSource random, const TunnelKeyOptions& options)
    : random_(std::move(random)), options_(limited(options)) {}

std::variant<uint32_t, KeyError> TunnelKeys::allocate(const KeyOwner& owner, Time now) {
  end_quarantine(now);
  if (auto known = key_of(owner)) return *known;
  const auto key = draw();
  if (!key) return KeyError::exhausted;
  owners_.emplace(*key, owner);
  keys_.emplace(owner, *key);
  return *key;
}

bool TunnelKeys::release(const KeyOwner& owner, Time now) {
  const auto found = keys_.find(owner);
  if (found == keys_.end()) return false;
  const Time until = now + options_.quarantine;
  resting_.emplace(found->second, until);
  rest_ends_.emplace_back(until, found->second);
  owners_.erase(found->second);
  keys_.erase(found);
  return true;
}

std::vector<std::pair<uint32_t, KeyOwner>> TunnelKeys::restore(const std::map<uint32_t, KeyOwner>& keys) {
  std::vector<std::pair<uint32_t, KeyOwner>> refused;
  for (const auto& [key, owner] : keys) {
    if (key == 0 || key > options_.highest || taken(key) || keys_.contains(owner)) {
      refused.emplace_back(key, owner);
      continue;
    }
    owners_.emplace(key, owner);
    keys_.emplace(owner, key);
  }
  return refused;
}

std::optional<uint32_t> TunnelKeys::key_of(const KeyOwner& owner) const {
  const auto found = keys_.find(owner);
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

void TunnelKeys::end_quarantine(Time now) {
  for (; !rest_ends_.empty() && rest_ends_.front().first <= now; rest_ends_.pop_front()) {
    resting_.erase(rest_ends_.front().second);
  }
}

// A free key at random; when many tries met none, the first one behind the last try.
std::optional<uint32_t> TunnelKeys::draw() const {
  constexpr int kTries = 64;
  if (owners_.size() + resting_.size() >= options_.highest) return std::nullopt;
  uint32_t key = 0;
  for (int i = 0; i < kTries; ++i) {
    key = 1 + random_below(random_, options_.highest);
    if (!taken(key)) return key;
  }
  while (taken(key)) key = key == options_.highest ? 1 : key + 1;
  return key;
}

}  // namespace viaduct::routing::underlay
