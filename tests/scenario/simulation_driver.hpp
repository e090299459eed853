// Plays a network on the simulation, doing what packet workers and actors do around it: applies writes, executes
// actions, sends what devices send, parks packets and asks for their next hops. Everything happens within send(), so a
// test reads like a conversation. A FlowOracle for each host watches all of it: its laws are part of every scenario.
//
// With several hosts, frames cross between them by the tunnels' keys, and what one learns the others know at once, or
// (Replication::by_hand) when replicate() is called. Connections are told to those hosts that verdicts name, by a
// Replicator on each, before a packet leaves; hosts can be killed, and frames between replicators lost.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "driver.hpp"
#include "flows/simulation/simulate.hpp"
#include "simulated_host.hpp"

namespace viaduct::scenario {

class SimulationDriver : public Driver {
 public:
  enum class Replication : uint8_t { at_once, by_hand };
  // Networks that are not spread already are, over `hosts`.
  explicit SimulationDriver(const ScenarioNetwork& network, int hosts = 1,
                            Replication replication = Replication::at_once);

  void apply(const ScenarioNetwork& network) override;
  std::vector<Delivery> send(const std::string& port, const Frame& frame) override;
  std::vector<Delivery> send(const std::string& port, const Frame& frame, const flows::Offload& offload);

  // A frame that comes in by the tunnel port of `host`, from whoever.
  std::vector<Delivery> send_by_tunnel(int host, const flows::Tunnel& tunnel, const Frame& frame);
  void replicate();
  // Its daemon and its links are gone; nothing comes out of it or goes into it, and others know soon.
  void kill(int host);
  // Its daemon stands still for longer than its lease: others miss it, and each of its blocks of NAT ports becomes that of
  // another host with copies of the connections in it. Its flows would go on.
  void sleep(int host);
  // It goes on, and finds out what has become another's.
  void wake(int host);
  bool alive(int host) const { return hosts_.at(static_cast<size_t>(host)).alive; }
  // So many of the frames with connections' state are lost, by `seed`.
  void lose(double share, uint64_t seed);

  // --- health checks -------------------------------------------------------------------------------
  // What `host` sends to check a member.
  std::vector<Delivery> send_check(int host, const flows::health::Probe& probe);
  // What has come for checks: to which host.
  using Answers = std::vector<std::pair<int, flows::health::Answer>>;
  Answers take_answers() { return std::exchange(answers_, {}); }

  // --- of the last frame sent ----------------------------------------------------------------------
  const flows::simulation::Verdict& verdict() const { return verdict_; }
  const flows::simulation::Trace& trace() const { return trace_; }
  std::string actions() const { return flows::to_string(verdict_.actions.view()); }
  // Of the last frame that crossed between hosts, on the host where it arrived.
  const flows::simulation::Verdict& arrival() const { return arrival_; }
  const flows::simulation::Trace& arrival_trace() const { return arrival_trace_; }
  size_t crossed() const { return crossed_; }  // frames, so far
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
  const SimulatedHost& host(int number) const { return hosts_.at(static_cast<size_t>(number)); }
  int host_of(const std::string& port) const { return scenario_.hosts().host_of(scenario_.port(port)); }
  const flows::MacTable& macs() const { return host(0).macs; }
  const flows::NeighbourTable& neighbours() const { return host(0).neighbours; }
  const flows::ConnectionTable& connections() const { return host(0).connections; }
  // On every host.
  void close(const flows::ConnectionKey& key);
  // On these, without a word to others.
  void close_on(const std::vector<int>& hosts, const flows::ConnectionKey& key);
  const flows::simulation::Network& network() const { return host(0).network; }
  flows::StateView state() const { return host(0).state(); }
  flows::Time now() const { return now_; }
  const FlowOracle& oracle() const { return host(0).oracle; }
  // What broke the oracle's laws so far.
  const std::vector<std::string>& breaches() const { return breaches_; }

 private:
  struct Waiting {
    int host;
    flows::PortNumber in_port;
    Frame frame;
    flows::Offload offload;
    flows::simulation::Wanted wanted;
  };
  using Deliveries = std::vector<Delivery>;
  void adopt(const ScenarioNetwork& network, int hosts);
  void work(SimulatedHost& host, const flows::Packet& packet, const flows::simulation::Verdict& verdict,
            Deliveries& out);
  // What it concerns on `host` has gone already.
  flows::simulation::Invalidation write(SimulatedHost& host, const flows::simulation::StateWrite& write);
  void execute(SimulatedHost& host, const flows::Packet& packet, const flows::simulation::Verdict& verdict,
               Deliveries& out);
  void cross(SimulatedHost& from, const flows::TunnelOutput& to, const Frame& frame, const flows::Offload& offload,
             Deliveries& out);
  void arrive(SimulatedHost& at, const flows::Packet& packet, Deliveries& out);
  void send_emitted(SimulatedHost& host, const flows::simulation::EmittedPacket& emitted, int depth, Deliveries& out);
  void ask(SimulatedHost& host, const flows::simulation::Wanted& wanted, Deliveries& out);
  void ask(SimulatedHost& host, const flows::simulation::NeighbourWanted& wanted, Deliveries& out);
  void lease(SimulatedHost& host, const flows::simulation::NatBlockWanted& wanted);
  void open(SimulatedHost& host, const flows::simulation::Verdict& verdict);
  void tell_checkers(const SimulatedHost& host, const flows::simulation::Verdict& verdict);
  void release(Deliveries& out);
  void exchange();
  bool somebody_owes() const;  // what has not arrived, to another one that is there
  void check();
  void breach(std::string what) { breaches_.push_back(std::move(what)); }

  ScenarioNetwork scenario_;
  std::vector<SimulatedHost> hosts_;
  const Replication replication_;
  using Holders = std::map<flows::NatBlock, int>;
  std::shared_ptr<Holders> holders_ = std::make_shared<Holders>();
  std::vector<std::pair<int, flows::simulation::StateWrite>> unreplicated_;  // and who learned it
  flows::Time now_{std::chrono::hours(1)};
  double loss_ = 0;  // of frames with connections' state
  std::mt19937_64 chance_;
  flows::simulation::Verdict verdict_, arrival_;
  flows::simulation::Trace trace_, arrival_trace_;
  size_t crossed_ = 0;
  std::vector<Waiting> waiting_;
  Answers answers_;
  bool learned_ = false;  // an address, since packets that wait were looked at
  std::vector<std::string> breaches_;
};

}  // namespace viaduct::scenario
