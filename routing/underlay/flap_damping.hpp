// Whether a host that answers again is believed at once. Each change makes the flows towards it anew, and hosts that lack CPU
// time change often: one that was silent several times is held for a while first. What RFC 2439 does for routes, simpler: the
// hold doubles with each silence, up to a bound, and a minute without one forgives them all.
//
// While a host is held the routes by it are doubtful, no more: frames are sent to it where there is no better.
//
// Without clock. Not for several threads at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "topology/address/id.hpp"

namespace viaduct::routing::underlay {

class FlapDamping {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Options {
    unsigned free = 2;                       // silences that cost nothing
    std::chrono::milliseconds first{1'000};  // the hold of the next one; doubles
    std::chrono::milliseconds most{32'000};
    std::chrono::seconds memory{60};
  };
  FlapDamping() : FlapDamping(Options()) {}
  explicit FlapDamping(const Options& options) : options_(options) {}

  // A host that was up is not any more.
  void fell_silent(HostId host, Time now);
  // It is up. True when that is believed at once; else released() says when.
  bool came_back(HostId host, Time now);
  // Hosts whose hold is over, each once.
  std::vector<HostId> released(Time now);
  std::optional<Time> next_release() const;
  size_t held() const;
  // These are no longer probed; what has been good for long is forgotten too.
  void forget(const std::function<bool(HostId)>& gone, Time now);

 private:
  struct Peer {
    unsigned silences = 0;
    Time last;                 // silence or return
    std::optional<Time> held;  // until
  };
  const Options options_;
  std::map<HostId, Peer> peers_;
};

}  // namespace viaduct::routing::underlay
