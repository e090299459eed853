// Changes a network at random in every way that an operator can: through the topology's builder, with its rules and
// what follows from deletions. And in the ways that hosts do: ports move, keys and tunnels change. What the builder refuses changes nothing. What was deleted comes back later, whole.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "scenario_network.hpp"
#include "topology/builder.hpp"

namespace viaduct::scenario {

class RandomChanges {
 public:
  // `exterior` are the ports whose interfaces come, go and are made anew.
  RandomChanges(std::mt19937_64& random, ScenarioNetwork& net, std::vector<std::string> exterior);
  void change();

 private:
  using Operations = std::vector<topology::Operation>;

  int roll(int sides) { return static_cast<int>(random_() % static_cast<uint64_t>(sides)); }
  bool chance(int percent) { return roll(100) < percent; }
  template <class T>
  const T& any_of(const std::vector<T>& list) {
    return list[static_cast<size_t>(roll(static_cast<int>(list.size())))];
  }
  void attempt();
  std::vector<topology::Object> all(topology::Kind kind) const;
  template <class T>
  std::optional<T> any();
  bool commit(Operations operations);
  template <class T>
  void update(T object) {
    commit({topology::Update{std::move(object)}});
  }

  void erase();
  void restore();
  void switch_admin_state();
  void change_binding();
  void change_hosts();
  void change_learned();
  void change_port();
  void change_router_port(topology::Port port);
  void relink(topology::Port port);
  void create_route();
  void change_route();
  void change_static_mac();
  void change_static_neighbour();
  topology::Condition random_condition();
  topology::Rule random_rule(const topology::Chain& chain);
  void create_rule();
  void change_rule();
  void change_filter();
  void change_group();
  void change_balancing();

  std::mt19937_64& random_;
  ScenarioNetwork& net_;
  const std::vector<std::string> exterior_;
  std::vector<Operations> removed_;  // what brings each deletion back
};

}  // namespace viaduct::scenario
