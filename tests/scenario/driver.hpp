// What a scenario is played on: something that behaves as a described network does. A simulation here; a daemon with
// namespaces as guests elsewhere.
#pragma once

#include <string>
#include <vector>

#include "scenario_network.hpp"

namespace viaduct::scenario {

using Frame = std::vector<uint8_t>;

// A frame that came out of an exterior port.
struct Delivery {
  std::string port;
  Frame frame;
};

class Driver {
 public:
  virtual ~Driver() = default;
  // From now on the network is this one.
  virtual void apply(const ScenarioNetwork& network) = 0;
  // `frame` enters by an exterior port. Everything that then comes out, also from packets that waited for this one.
  virtual std::vector<Delivery> send(const std::string& port, const Frame& frame) = 0;
};

// --- reading deliveries ---------------------------------------------------------------------------
// The ports, sorted, in one line: "p2 p3"; "nothing" when there is none.
std::string ports_of(const std::vector<Delivery>& deliveries);
// The only frame on `port`; an empty one unless there is exactly one.
Frame on(const std::vector<Delivery>& deliveries, const std::string& port);
// "ip 10.0.1.5 > 10.0.2.7 proto 17 ttl 63", "arp reply 10.0.1.254 is-at 02:…", "icmp 11/0 10.0.1.254 > 10.0.1.5", …
std::string describe(const Frame& frame);
// "02:00:00:00:00:01 > 02:00:00:00:00:02"
std::string ethernet_of(const Frame& frame);

}  // namespace viaduct::scenario
