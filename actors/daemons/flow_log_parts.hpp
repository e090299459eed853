// The flow log of an agent: made of its configuration, put between its workers, its flow controller, a file and a collector.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/daemons/config.hpp"
#include "observability/flow_log/writer.hpp"

namespace viaduct::actors {

// Null: the configuration wants none. For AgentState, before the workers are made.
std::unique_ptr<FlowLogInlet> flow_log_inlet(const Config& config, observability::Registry& registry);

// Names of a network's ports, and which one of another host a tunnel key is. For one thread.
class FlowLogNames {
 public:
  explicit FlowLogNames(const NetworkSlot& slot) : network_(slot) {}
  observability::flow_log::PortNames names(const Uuid& port);
  // The ports of other hosts where the packet leaves.
  void complete(observability::flow_log::Record& record);

 private:
  struct KeyHash {
    size_t operator()(const std::pair<HostId, uint32_t>& key) const noexcept {
      return std::hash<HostId>{}(key.first) ^ key.second * 0x9e37'79b9U;
    }
  };
  const flows::simulation::Network& network();

  NetworkSlot::Reader network_;
  const flows::simulation::Network* seen_ = nullptr;  // whose ports are in remote_
  std::unordered_map<std::pair<HostId, uint32_t>, PortId, KeyHash> remote_;
};

class FlowLog {
 public:
  // Writes from now on, until it is destroyed: before what it is given, and when the workers have ended.
  FlowLog(const Config& config, const std::string& host, AgentState& state, WorkerPool& workers,
          observability::Registry& registry);
  void reopen() { writer_.reopen(); }

 private:
  FlowLogNames names_;
  observability::flow_log::Probe probe_;
  observability::flow_log::Writer writer_;
};

}  // namespace viaduct::actors
