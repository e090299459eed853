#include "flows/datapath/fake_underlay.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace viaduct::flows {

// Kernels hold it by their wires, so that a packet on its way outlives the underlay.
struct FakeUnderlay::State {
  mutable std::mutex mutex;
  std::map<IpAddress, std::weak_ptr<FakeKernel>> hosts;
  std::set<std::pair<IpAddress, IpAddress>> down;
  std::deque<FakeTunneled> queue;
  bool delivering = false;  // by some thread, which takes the queue to its end
  Stats stats;

  std::shared_ptr<FakeKernel> host(const IpAddress& address) const {
    auto at = hosts.find(address);
    return at == hosts.end() ? nullptr : at->second.lock();
  }

  void send(const FakeKernel* sender, const FakeTunneled& packet) {
    std::unique_lock lock(mutex);
    if (host(packet.tunnel.src).get() != sender) {
      ++stats.wrong_source;
    } else if (queue.size() >= kMaxQueued) {
      ++stats.queue_full;
    } else {
      queue.push_back(packet);
    }
    if (delivering) return;
    delivering = true;
    while (!queue.empty()) deliver_first(lock);
    delivering = false;
  }

  void deliver_first(std::unique_lock<std::mutex>& lock) {
    FakeTunneled packet = std::move(queue.front());
    queue.pop_front();
    std::shared_ptr<FakeKernel> to = host(packet.tunnel.dst);
    if (!to) {
      ++stats.no_host;
    } else if (down.contains({packet.tunnel.src, packet.tunnel.dst})) {
      ++stats.path_down;
    } else {
      lock.unlock();
      bool taken = to->inject_tunneled(packet);
      lock.lock();
      ++(taken ? stats.delivered : stats.no_port);
    }
  }
};

FakeUnderlay::FakeUnderlay() : state_(std::make_shared<State>()) {}

FakeUnderlay::~FakeUnderlay() {
  std::map<IpAddress, std::weak_ptr<FakeKernel>> hosts;
  {
    std::lock_guard lock(state_->mutex);
    hosts.swap(state_->hosts);
  }
  for (const auto& [address, host] : hosts) {
    if (std::shared_ptr<FakeKernel> kernel = host.lock()) kernel->set_wire({});
  }
}

void FakeUnderlay::connect(const IpAddress& address, const std::shared_ptr<FakeKernel>& host) {
  {
    std::lock_guard lock(state_->mutex);
    state_->hosts[address] = host;
  }
  host->set_wire([state = state_, sender = host.get()](const FakeTunneled& packet) { state->send(sender, packet); });
}

void FakeUnderlay::disconnect(const IpAddress& address) {
  std::lock_guard lock(state_->mutex);
  state_->hosts.erase(address);
}

void FakeUnderlay::set_path(const IpAddress& from, const IpAddress& to, Path path) {
  std::lock_guard lock(state_->mutex);
  if (path == Path::down)
    state_->down.insert({from, to});
  else
    state_->down.erase({from, to});
}

FakeUnderlay::Stats FakeUnderlay::stats() const {
  std::lock_guard lock(state_->mutex);
  return state_->stats;
}

}  // namespace viaduct::flows
