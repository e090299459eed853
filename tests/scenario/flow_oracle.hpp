// The flows that a packet worker would have installed, and a referee over them.
//
// It remembers every cacheable verdict with its packet, drops those that an Invalidation names, and knows the laws that
// must hold for every flow that is left, at any time:
//
//   - its own packet, simulated again, gets the same actions (else an invalidation was missing);
//   - and teaches nothing new (else the flow hides a source from learning);
//   - any packet that it matches gets the same actions from the simulation (else a field was missing in its mask).
#pragma once

#include <string>
#include <vector>

#include "flows/match/flow.hpp"
#include "flows/simulation/invalidation.hpp"
#include "flows/simulation/simulate.hpp"

namespace viaduct::scenario {

class FlowOracle {
 public:
  void install(const flows::FlowKey& key, std::vector<uint8_t> frame, const flows::Offload& offload,
               const flows::simulation::Verdict& verdict);
  void invalidate(const flows::simulation::Invalidation& invalidation);
  // True when a flow of this verdict would be among those to go (and so must not be installed: TagEpochs).
  static bool concerns(const flows::simulation::Invalidation& invalidation, const flows::simulation::Verdict& verdict);
  // Breaches of the first two laws, in words.
  std::vector<std::string> stale_flows(const flows::simulation::Network& network, const flows::StateView& state,
                                       flows::Time now) const;
  // Breaches of the third law by a packet that was just simulated.
  std::vector<std::string> disagreements(const flows::Packet& packet, const flows::simulation::Verdict& verdict) const;
  size_t size() const { return flows_.size(); }

 private:
  struct Installed {
    flows::Flow flow;
    std::vector<uint8_t> frame;
    flows::Offload offload;
    flows::TagList tags;
    flows::SmallVector<flows::simulation::Routed, 4> routed;
    flows::DropReason reason;
  };
  std::vector<Installed> flows_;
};

// What the datapath would do with a packet that a flow with these actions matches.
enum class Handling : uint8_t { by_flow, in_user_space };
Handling handling_of(const flows::ActionList& actions, const flows::Packet& packet);

}  // namespace viaduct::scenario
