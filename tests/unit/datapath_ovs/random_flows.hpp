// Flows of every kind that the module can take, from a seed.
#pragma once

#include <random>

#include "flows/match/flow.hpp"

namespace viaduct::flows {

class RandomFlows {
 public:
  explicit RandomFlows(uint32_t seed) : random_(seed) {}

  // What parse() could give.
  FlowKey packet();
  // Fields with the types of their layers.
  FieldSet mask(const FlowKey& packet);
  // For `packet`, which is IP.
  ActionList actions(const FlowKey& packet);

 private:
  uint32_t below(uint32_t limit) { return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random_); }
  IpAddress address(IpFamily family);
  Tunnel tunnel();
  void ip(FlowKey& key);
  void translate(const FlowKey& packet, ActionList& out);

  std::mt19937 random_;
};

}  // namespace viaduct::flows
