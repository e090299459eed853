// What the control face and the channels of one datapath share. Outlives both.
#pragma once

#include <atomic>
#include <string>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ovs/action_codec.hpp"
#include "flows/datapath/ovs/error_counts.hpp"
#include "flows/datapath/ovs/families.hpp"
#include "flows/datapath/ovs/install_times.hpp"
#include "flows/datapath/ovs/port_table.hpp"
#include "flows/datapath/ovs/upcall_sockets.hpp"

namespace viaduct::flows::ovs {

struct State {
  State(Families numbers, int index, DatapathOptions wanted, ActionSupport actions, CreditSize credit,
        std::error_code& error)
      : families(numbers),
        datapath(index),
        options(std::move(wanted)),
        support(actions),
        sockets(options.name, options.workers, credit, error),
        install_times(std::chrono::steady_clock::now()) {}

  // The module has no limit of its own. False when the table is full; a reservation that led to no new flow is
  // released.
  bool reserve_flow() {
    if (flows.fetch_add(1) < options.max_flows) return true;
    release_flows(1);
    return false;
  }
  void release_flows(size_t count) { flows.fetch_sub(count); }

  const Families families;
  const int datapath;  // the index by which the kernel knows it
  const DatapathOptions options;
  const ActionSupport support;
  UpcallSockets sockets;
  PortTable ports;
  ErrorCounts errors;
  InstallTimes install_times;
  std::atomic<size_t> flows = 0;
};

}  // namespace viaduct::flows::ovs
