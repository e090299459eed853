// The ways to peers beyond the link (Uplink::routes) of a speaker that runs, when they change.
//
// A new peer's way is there before bgpd hears of the peer, and the way of one that goes until it has been told so:
//
//   want(): adds ── bgpd is told ── settle(): removes; called again while it fails
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "routing/bgp/namespace.hpp"

namespace viaduct::routing::bgp {

class UplinkWays {
 public:
  // These are in the namespace, or will be when it is made.
  explicit UplinkWays(std::vector<UplinkRoute> routes) : wanted_(std::move(routes)) {}
  const std::vector<UplinkRoute>& wanted() const { return wanted_; }

  // What cannot be added is settle()'s to say.
  void want(const std::string& name, const std::vector<UplinkRoute>& routes) {
    if (routes == wanted_) return;
    gone_.insert(gone_.end(), wanted_.begin(), wanted_.end());
    wanted_ = routes;
    std::erase_if(gone_, [&](const UplinkRoute& one) { return std::ranges::find(wanted_, one) != wanted_.end(); });
    stand_ = false;
    change_uplink_routes(name, wanted_, {});
  }
  Problem settle(const std::string& name) {
    if (stand_) return std::nullopt;
    Problem problem = change_uplink_routes(name, wanted_, gone_);
    if (!problem) gone_.clear();
    stand_ = !problem;
    return problem;
  }

 private:
  std::vector<UplinkRoute> wanted_;
  std::vector<UplinkRoute> gone_;  // may still be there
  bool stand_ = true;
};

}  // namespace viaduct::routing::bgp
