// The packet workers of one agent: their threads, and one address for what concerns all of them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/agent/packet_worker.hpp"

namespace viaduct::actors {

class WorkerPool {
 public:
  // Opens one channel of the datapath for each worker; nothing runs yet.
  WorkerPool(AgentState& state, flows::Datapath& datapath, unsigned workers, observability::Registry& registry);
  ~WorkerPool() { stop(); }

  // Idempotent. Called when the first network is published: before it every packet would be for an unknown port.
  void start();
  // Ends the threads after their current round. What waits in the kernel stays there for the next life.
  void stop();

  // Any thread. A neighbour's news goes to every worker; a packet to one of them.
  bool emit(EmitPacket packet);
  // By any worker, to another host. False, and counted, when its inbox is full.
  bool send(SendFrame frame);
  void neighbour_ready(const flows::simulation::NeighbourWanted& neighbour);
  void neighbour_failed(const flows::simulation::NeighbourWanted& neighbour);
  void nat_ports_ready(const NatPortsReady& ports);
  // To the worker that holds the packet.
  void state_ready(flows::ReplicationTicket ticket);

  size_t size() const { return workers_.size(); }
  InstalledRing& installed(size_t worker) { return workers_[worker]->installed(); }
  DropRing& drops(size_t worker) { return workers_[worker]->drops(); }
  PacketWorker& worker(size_t index) { return *workers_[index]; }
  uint64_t requests_refused() const;
  std::vector<observability::WorkerNumbers> numbers() const;  // by worker; any thread

 private:
  bool post(WorkerRequest request);
  std::vector<std::unique_ptr<observability::WorkerProbe>> probes_;
  std::vector<std::unique_ptr<PacketWorker>> workers_;
  mutable std::mutex threads_mutex_;
  std::vector<std::jthread> threads_;
  std::atomic<unsigned> next_{0};
  observability::ExportedCallback exported_;
};

}  // namespace viaduct::actors
