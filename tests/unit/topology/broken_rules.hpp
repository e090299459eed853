// A transaction that breaks one rule, and the network that it is tried on.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/unit/topology/literals.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology::testing {

struct Case {
  BrokenRule rule;
  std::string name;
  std::vector<Operation> operations;
  std::vector<Operation> before = {};  // on top of base()
};
inline std::ostream& operator<<(std::ostream& out, const Case& of) {
  return out << to_string(of.rule) << ": " << of.name;
}

// Two bridges, two routers, a host, and on each device two free ports:
//   bridge10: 11, 12    bridge15: 16, 17    router20: 21 (10.0.0.1/24), 22    router30: 31 (10.0.3.1/24), 32    host1
inline Snapshot base() {
  return snapshot_of(host(1), bridge(10), bridge_port(11, 10), bridge_port(12, 10), bridge(15), bridge_port(16, 15),
                     bridge_port(17, 15), router(20), router_port(21, 20, "10.0.0.1/24"), router_port(22, 20),
                     router(30), router_port(31, 30, "10.0.3.1/24"), router_port(32, 30));
}

template <class T, class Change>
T with(T value, Change change) {
  change(value);
  return value;
}

// rules_of_chains_test.cpp
std::vector<Case> chain_cases();
std::vector<Case> nat_cases();
// rules_of_balancers_test.cpp
std::vector<Case> group_cases();
std::vector<Case> balancer_cases();
// rules_of_bgp_test.cpp
std::vector<Case> bgp_cases();

}  // namespace viaduct::topology::testing
