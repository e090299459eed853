// Plays a network on the simulation, doing what packet workers and actors do around it: applies writes, executes
// actions, sends what devices send, parks packets and asks for their next hops. Everything happens within send(), so a
// test reads like a conversation. A FlowOracle watches all of it: its laws are part of every scenario.
#pragma once

#include <vector>

#include "driver.hpp"
#include "flow_oracle.hpp"
#include "flows/simulation/simulate.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::scenario {

class SimulationDriver : public Driver {
 public:
  explicit SimulationDriver(const ScenarioNetwork& network);

  void apply(const ScenarioNetwork& network) override;
  std::vector<Delivery> send(const std::string& port, const Frame& frame) override;
  std::vector<Delivery> send(const std::string& port, const Frame& frame, const flows::Offload& offload);

  // --- of the last frame sent ----------------------------------------------------------------------
  const flows::simulation::Verdict& verdict() const { return verdict_; }
  const flows::simulation::Trace& trace() const { return trace_; }
  std::string actions() const { return flows::to_string(verdict_.actions.view()); }
  // The detail of the first step of this stage; "no step" without one.
  std::string step(flows::simulation::Stage stage) const;

  // --- the state that actors keep ------------------------------------------------------------------
  void advance(std::chrono::seconds time) { now_ += time; }
  // The next hops that packets wait for get no answer: their packets are simulated for the last time.
  std::vector<Delivery> give_up();
  void set_neighbour_state(const flows::NeighbourKey& key, flows::NeighbourState state);
  void expire(const flows::NeighbourKey& key);
  void expire(const flows::MacKey& key);
  flows::NeighbourKey neighbour(const std::string& router, const std::string& port, const std::string& address) const;
  flows::NeighbourKey binding(const std::string& bridge, const std::string& address) const;
  flows::MacKey mac_key(const std::string& bridge, const std::string& mac) const;
  const flows::MacTable& macs() const { return macs_; }
  const flows::NeighbourTable& neighbours() const { return neighbours_; }
  const flows::simulation::Network& network() const { return network_; }
  flows::StateView state() const { return {macs_, neighbours_}; }
  flows::Time now() const { return now_; }
  const FlowOracle& oracle() const { return oracle_; }
  // What broke the oracle's laws so far.
  const std::vector<std::string>& breaches() const { return breaches_; }

 private:
  struct Waiting {
    flows::PortNumber in_port;
    Frame frame;
    flows::Offload offload;
    flows::simulation::NeighbourWanted wanted;
  };
  void work(const flows::Packet& packet, const flows::simulation::Verdict& verdict, std::vector<Delivery>& out);
  // What it concerns has gone already.
  flows::simulation::Invalidation write(const flows::simulation::StateWrite& write);
  void execute(const flows::Packet& packet, const flows::simulation::Verdict& verdict, std::vector<Delivery>& out);
  void send_emitted(const flows::simulation::EmittedPacket& emitted, int depth, std::vector<Delivery>& out);
  void ask(const flows::simulation::NeighbourWanted& wanted, std::vector<Delivery>& out);
  void release(std::vector<Delivery>& out);
  void check();

  ScenarioNetwork scenario_;
  flows::simulation::Network network_;
  flows::MacTable macs_;
  flows::NeighbourTable neighbours_;
  flows::Time now_{std::chrono::hours(1)};
  flows::simulation::Verdict verdict_;
  flows::simulation::Trace trace_;
  std::vector<Waiting> waiting_;
  std::vector<flows::simulation::NeighbourWanted> answered_;
  FlowOracle oracle_;
  std::vector<std::string> breaches_;
};

}  // namespace viaduct::scenario
