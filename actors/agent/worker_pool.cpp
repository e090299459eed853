#include "actors/agent/worker_pool.hpp"

#include <pthread.h>
#include <time.h>

namespace viaduct::actors {

namespace {

observability::WorkerLabels worker_labels() {
  observability::WorkerLabels labels;
  labels.upcall_reasons = {"miss", "ttl_expired", "too_big"};
  labels.verdict_outcomes = {"forward", "drop", "consumed", "park"};
  for (size_t i = 0; i < flows::kDropReasons; ++i) {
    labels.drop_reasons.emplace_back(flows::to_string(static_cast<flows::DropReason>(i)));
  }
  labels.install_results = {"installed", "replaced", "overlaps", "table_full", "unsupported", "error"};
  labels.park_causes = {"neighbour", "nat_ports", "replication"};
  labels.park_refusals = {"fact", "port", "packets", "bytes"};
  return labels;
}

double cpu_seconds_of(const std::jthread& thread) {
  clockid_t clock{};
  timespec time{};
  // native_handle() changes nothing, and is not const.
  if (pthread_getcpuclockid(const_cast<std::jthread&>(thread).native_handle(), &clock) != 0) return 0;
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

WorkerPool::WorkerPool(AgentState& state, flows::Datapath& datapath, unsigned workers,
                       observability::Registry& registry) {
  const auto labels = worker_labels();
  auto tell_all = [this](const flows::simulation::NeighbourWanted& neighbour) { neighbour_ready(neighbour); };
  for (unsigned i = 0; i < workers; ++i) {
    probes_.push_back(std::make_unique<observability::WorkerProbe>(registry, labels));
    workers_.push_back(std::make_unique<PacketWorker>(state, datapath.capabilities(), datapath.open_channel(i),
                                                      tell_all, *probes_.back(), i));
  }
  if (workers > 0) exported_ = observability::export_workers(registry, [this] { return numbers(); });
}

std::vector<observability::WorkerNumbers> WorkerPool::numbers() const {
  std::vector<observability::WorkerNumbers> out(workers_.size());
  std::lock_guard lock(threads_mutex_);  // no thread ends while its clock is read
  for (size_t i = 0; i < workers_.size(); ++i) {
    out[i] = {probes_[i]->upcalls(), 0, workers_[i]->inbox().size(), workers_[i]->installed().size()};
    if (i < threads_.size()) out[i].cpu_seconds = cpu_seconds_of(threads_[i]);
  }
  return out;
}

void WorkerPool::start() {
  std::lock_guard lock(threads_mutex_);
  if (!threads_.empty()) return;
  for (auto& worker : workers_) {
    threads_.emplace_back([&worker](std::stop_token stop) { worker->run(std::move(stop)); });
  }
}

// They are woken through the datapath, which has a lock of its own: not while ours is held.
void WorkerPool::stop() {
  std::vector<std::jthread> ending;
  {
    std::lock_guard lock(threads_mutex_);
    ending.swap(threads_);
  }
}

bool WorkerPool::emit(EmitPacket packet) { return post(std::move(packet)); }

bool WorkerPool::send(SendFrame frame) { return post(std::move(frame)); }

bool WorkerPool::post(WorkerRequest request) {
  if (workers_.empty()) return false;
  unsigned at = next_.fetch_add(1, std::memory_order_relaxed) % static_cast<unsigned>(workers_.size());
  return workers_[at]->inbox().post(std::move(request));
}

void WorkerPool::neighbour_ready(const flows::simulation::NeighbourWanted& neighbour) {
  for (auto& worker : workers_) worker->inbox().post(NeighbourReady{neighbour});
}

void WorkerPool::neighbour_failed(const flows::simulation::NeighbourWanted& neighbour) {
  for (auto& worker : workers_) worker->inbox().post(NeighbourFailed{neighbour});
}

void WorkerPool::nat_ports_ready(const NatPortsReady& ports) {
  for (auto& worker : workers_) worker->inbox().post(ports);
}

void WorkerPool::state_ready(flows::ReplicationTicket ticket) {
  const size_t worker = ticket & ((1U << PacketWorker::kTicketWorkerBits) - 1);
  if (worker < workers_.size()) workers_[worker]->inbox().post(StateReady{ticket});
}

uint64_t WorkerPool::requests_refused() const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->inbox().refused();
  return sum;
}

}  // namespace viaduct::actors
