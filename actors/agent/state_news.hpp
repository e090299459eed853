// What this host has learned or forgotten and other hosts have to hear of, on its way to the state publisher; and which
// entries of its tables it has from other hosts.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "actors/runtime/bell.hpp"
#include "flows/simulation/verdict.hpp"
#include "topology/host_state.hpp"

namespace viaduct::actors {

// The table entry as a state entry's name: state_key() of it, whoever the owner.
std::string state_key_of(const flows::simulation::Learned& entry);

// By state key.
using LearnedKeys = std::map<std::string, flows::simulation::Learned>;

// Merged and bounded: what does not fit makes the publisher look at the whole tables instead.
class StateNews {
 public:
  static constexpr size_t kCapacity = 65'536;

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  // The entry came, moved, was confirmed or went, and this host has seen it. Any thread.
  void changed(const flows::simulation::Learned& entry);
  // Not taken yet: what others say of it is older.
  bool pending(const std::string& state_key) const;

  struct Taken {
    LearnedKeys keys;
    bool overflow = false;
  };
  Taken take();  // the publisher

 private:
  Bell bell_;
  mutable std::mutex mutex_;
  Taken waiting_;
};

// State keys of entries that are another host's: it ends them, not this one. Any thread.
class RemoteClaims {
 public:
  void insert(const std::string& state_key);
  bool erase(const std::string& state_key);  // whether it was there
  bool has(const std::string& state_key) const;
  bool has(const flows::simulation::Learned& entry) const { return !empty() && has(state_key_of(entry)); }

  // An entry that was this host's is not any more: another has claimed it, or it has ended.
  void taken(const std::string& state_key);
  // Since the last call; for the publisher, who thinks them published. As many as this host ever published, at most.
  std::unordered_set<std::string> take_taken();

 private:
  bool empty() const;
  mutable std::mutex mutex_;
  std::unordered_set<std::string> keys_;
  std::unordered_set<std::string> taken_;
};

}  // namespace viaduct::actors
