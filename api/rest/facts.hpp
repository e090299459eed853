// What hosts say and have learned, as far as documents show it: which ports are active, learned MAC addresses and routes,
// whether members of pools are healthy. Asked of the daemon at most once for each answer, and device by device while few are
// concerned.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "api/client/client.hpp"
#include "topology/host_state.hpp"

namespace viaduct::api::rest {

class Facts {
 public:
  explicit Facts(Client& client) : client_(client) {}

  bool is_active(const Uuid& port, const Uuid& device);
  // As records, as if they were stored, with ids that follow from what they say. Those of a router at most 10,000.
  std::vector<Record> learned_macs(const Uuid& bridge);
  std::vector<Record> learned_routes(const Uuid& router);
  // By their names; those of hosts that are away are not known.
  const std::vector<topology::HostInterface>& interfaces_of(const Uuid& host);
  // The daemon has not answered: what was said above is not so.
  const std::optional<Failure>& failure() const { return failure_; }
  // Nothing: no host has checked it yet.
  std::optional<bool> is_healthy(const Uuid& member);

 private:
  std::vector<topology::StateEntry> ask(std::string_view table, const Uuid& device);

  Client& client_;
  std::map<Uuid, std::set<Uuid>> active_;                            // ports by device; nil: of all devices
  std::map<Uuid, std::vector<topology::HostInterface>> interfaces_;  // by host
  bool all_interfaces_ = false;
  std::optional<std::map<Uuid, bool>> health_;
  std::optional<Failure> failure_;
};

}  // namespace viaduct::api::rest
