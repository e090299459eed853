// How far the agents are that a node serves. Each call costs little, however many there are.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>

#include "topology/address/id.hpp"

namespace viaduct::actors {

class FeedProgress {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Agent {
    uint64_t sent = 0;     // the last revision that had something for it
    uint64_t applied = 0;  // as it says
    Time since = {};       // outstanding: when it was sent what is, or last applied some of it
    bool outstanding() const { return applied < sent; }
  };

  // It comes with what it has applied before.
  void begin(HostId host, uint64_t applied);
  void end(HostId host);
  void sent(HostId host, uint64_t revision, Time now);
  void applied(HostId host, uint64_t revision, Time now);

  // What all have applied, where the newest revision is `newest`: whom nothing of late concerned has applied that.
  uint64_t least(uint64_t newest) const;
  const Agent* find(HostId host) const;
  size_t size() const { return agents_.size(); }
  size_t behind() const { return behind_.size(); }  // that have something outstanding
  // For how long the slowest of those has applied nothing.
  std::chrono::nanoseconds lag(Time now) const;

 private:
  template <class F>
  void change(HostId host, F&& f);

  std::map<HostId, Agent> agents_;
  std::multiset<uint64_t> behind_;  // what those have applied that something is outstanding for
};

}  // namespace viaduct::actors
