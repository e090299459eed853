// Which interfaces this host should have in the datapath, which it has, and why not the others. The datapath actor's
// state, without the actor.
//
//            bind                    interface there, link up
//   absent --------> wanted (reason) ------------------------> active (number)
//      ^               ^   |                                      |
//      |    unbind     |   +--- interface gone, link down --------+
//      +---------------+
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/messages.hpp"
#include "flows/datapath/datapath.hpp"

namespace viaduct::actors {

class PortBindings {
 public:
  explicit PortBindings(flows::Datapath& datapath) : datapath_(datapath) {}

  // Adds and removes what `wish` asks for. Returns the ports whose number changed.
  std::vector<PortId> reconcile(const ReconcileBindings& wish);
  // An interface may have come, gone, or changed its link: looks at all ports that are wanted. Same result.
  std::vector<PortId> refresh();

  const flows::simulation::Bindings& active() const { return active_; }
  std::vector<DatapathReport::Port> report();
  // All that are wanted; one without a number is not in the datapath.
  using Visit = std::function<void(PortId, const std::string& interface, flows::PortNumber number, bool active)>;
  void for_each(const Visit& visit) const;

 private:
  struct Wanted {
    std::string interface;
    flows::PortNumber number;  // in the datapath, active or not
    bool active = false;
    std::string reason;
  };
  void unbind(PortId port, std::vector<PortId>& rebound);
  void remove_strangers();
  std::optional<flows::DatapathPort> try_add(Wanted& wanted);
  bool settle(PortId port, Wanted& wanted, const flows::DatapathPort* found);

  flows::Datapath& datapath_;
  std::map<PortId, Wanted> wanted_;
  flows::simulation::Bindings active_;
};

}  // namespace viaduct::actors
