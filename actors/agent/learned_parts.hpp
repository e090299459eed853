// What one speaker has learned, as the state tables take it: each gateway's prefixes of a family in kParts parts, a prefix
// always in the same one, so that a change rewrites a small entry and prefixes do not wander between entries.
//
// Not for several threads at a time; in the speaker's actor.
#pragma once

#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "actors/messages.hpp"

namespace viaduct::actors {

class LearnedParts {
 public:
  static constexpr uint16_t kParts = 256;  // those of IPv6 are numbered behind those of IPv4

  explicit LearnedParts(PortId port) : port_(port) {}

  // What an earlier life has said: it counts until it is said otherwise, or sweep().
  void adopt(std::span<const topology::HostFact> said);
  // Likewise all that has been said in this life.
  void doubt();
  // The gateways that lead to `prefix` now; none: it is gone.
  void learn(const IpPrefix& prefix, std::vector<IpAddress> gateways);
  // Whether routes by the gateway count.
  void lose(const IpAddress& gateway);
  void find(const IpAddress& gateway);
  const std::set<IpAddress>& lost() const { return lost_; }
  // All has been told that there is: what was adopted and not told again goes.
  void sweep();
  void clear();  // nothing is so any longer

  // The differences since the last call, as whole facts; or only those of the gateways that are lost and found, which are
  // few.
  RoutesLearned take();
  RoutesLearned take_gateways();
  size_t prefixes() const { return gateways_.size(); }

 private:
  struct PartKey {
    IpAddress gateway;
    uint16_t part = 0;
    friend auto operator<=>(const PartKey&, const PartKey&) = default;
  };
  struct Known {
    std::vector<IpAddress> gateways;
    bool adopted = false;
  };
  static uint16_t part_of(const IpPrefix& prefix);
  void put(const IpPrefix& prefix, const IpAddress& gateway);
  void remove(const IpPrefix& prefix, const IpAddress& gateway);
  void set_lost(const IpAddress& gateway, bool lost);

  const PortId port_;
  std::unordered_map<IpPrefix, Known> gateways_;
  std::map<PartKey, std::set<IpPrefix>> parts_;
  std::set<PartKey> changed_;
  std::set<IpAddress> lost_, lost_changed_;
};

}  // namespace viaduct::actors
