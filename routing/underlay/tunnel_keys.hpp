// The keys by which this host tells what a frame from a tunnel is for: one for each active port, one for each bridge that
// floods to it. Random, so that a frame that comes late, from a host that has not heard of a change, meets no other
// tenant's port: a released key rests before it can be given again, and is then one of 15.7 million.
//
// Keys are 24 bits (what a VNI holds). 0 means "no tunnel"; 0xF00000 and above are reserved, the last for probes.
//
// Not for several threads at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "routing/underlay/random_source.hpp"
#include "topology/address/id.hpp"

namespace viaduct::routing::underlay {

inline constexpr uint32_t kMaxTunnelKey = 0xef'ffff;  // that a port or bridge is ever given
inline constexpr uint32_t kProbeKey = 0xff'ffff;      // tunnels' liveness probes

// Whose key it is.
using KeyOwner = std::variant<PortId, BridgeId>;

enum class KeyError : uint8_t {
  exhausted,  // every key is in use or rests
};
const char* to_string(KeyError error);

struct TunnelKeyOptions {
  std::chrono::seconds quarantine{300};  // longer than any host follows an old topology while it is connected
  uint32_t highest = kMaxTunnelKey;      // 1 to kMaxTunnelKey
};

class TunnelKeys {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit TunnelKeys(RandomSource random, const TunnelKeyOptions& options = {});

  // An owner that has a key keeps it.
  std::variant<uint32_t, KeyError> allocate(const KeyOwner& owner, Time now);
  // The key rests from now on. False when the owner has none.
  bool release(const KeyOwner& owner, Time now);
  // Keys of an earlier life, before any other call. Returns those that cannot be kept (out of range, or a second key of one
  // owner, the higher one); their owners get new ones by allocate(). What rested in the earlier life is forgotten.
  std::vector<std::pair<uint32_t, KeyOwner>> restore(const std::map<uint32_t, KeyOwner>& keys);

  std::optional<uint32_t> key_of(const KeyOwner& owner) const;
  const std::map<uint32_t, KeyOwner>& keys() const { return owners_; }
  size_t resting() const { return resting_.size(); }

 private:
  void end_quarantine(Time now);
  bool taken(uint32_t key) const { return owners_.contains(key) || resting_.contains(key); }
  std::optional<uint32_t> draw() const;

  const RandomSource random_;
  const TunnelKeyOptions options_;
  std::map<uint32_t, KeyOwner> owners_;
  std::map<KeyOwner, uint32_t> keys_;
  std::map<uint32_t, Time> resting_;                 // until when
  std::deque<std::pair<Time, uint32_t>> rest_ends_;  // in order
};

}  // namespace viaduct::routing::underlay
