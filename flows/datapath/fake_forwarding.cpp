// The packets of FakeKernel: in by a port, through a flow or up to user space, out by ports.
#include <algorithm>
#include <utility>

#include "flows/datapath/fake_kernel.hpp"
#include "flows/match/apply.hpp"

namespace viaduct::flows {

bool FakeKernel::inject(const std::string& interface, std::span<const uint8_t> frame, Offload offload) {
  std::lock_guard lock(mutex_);
  for (auto& [number, port] : ports_) {
    if (port.interface == interface) return inject_locked(number, port, frame, offload);
  }
  return false;
}

bool FakeKernel::inject(PortNumber number, std::span<const uint8_t> frame, Offload offload) {
  std::lock_guard lock(mutex_);
  auto at = ports_.find(number);
  return at != ports_.end() && inject_locked(number, at->second, frame, offload);
}

bool FakeKernel::inject_locked(PortNumber number, Port& port, std::span<const uint8_t> bytes, Offload offload) {
  auto interface = interfaces_.find(port.interface);
  if (interface == interfaces_.end() || !interface->second.up) return false;
  ++port.stats.rx_packets;
  port.stats.rx_bytes += bytes.size();
  std::vector<uint8_t> frame(bytes.begin(), bytes.end());
  Packet packet = parse(frame, number, offload);
  // A malformed packet is never a flow's: user space decides.
  FakeFlowTable::Entry* entry = packet.error == DropReason::none ? table_.find(packet.key) : nullptr;
  if (entry != nullptr) {
    forward(packet, *entry);
  } else {
    ++stats_.misses;
    upcall(port, packet, UpcallReason::miss);
  }
  return true;
}

void FakeKernel::forward(const Packet& packet, FakeFlowTable::Entry& entry) {
  size_t decrements = 0;
  size_t mtu = SIZE_MAX;
  for (const Action& action : entry.flow.actions) {
    if (std::holds_alternative<DecrementTtl>(action)) ++decrements;
    if (const auto* check = std::get_if<CheckMtu>(&action)) mtu = std::min<size_t>(mtu, check->mtu);
  }
  Port& port = ports_.at(packet.key.in_port);
  if (decrements > 0 && packet.key.is_ip() && packet.key.ip_ttl <= decrements)
    return upcall(port, packet, UpcallReason::ttl_expired);
  if (packet.l3_segment_bytes() > mtu) return upcall(port, packet, UpcallReason::too_big);
  ++stats_.hits;
  ++entry.stats.packets;
  entry.stats.bytes += packet.bytes.size();
  entry.used = clock_();
  send(entry.flow.actions.view(), packet.bytes, packet.offload);
}

void FakeKernel::upcall(Port& port, const Packet& packet, UpcallReason reason) {
  if (port.queued >= kPortCredit || packet.bytes.size() > kMaxUpcallBytes) {
    ++port.stats.upcalls_lost;
    ++stats_.lost;
    return;
  }
  ++port.queued;
  ++port.stats.upcalls;
  size_t worker = workers_ == 1 ? 0 : FlowId::of(packet.key, FieldSet::all()).low % workers_;
  Queue& queue = queues_[worker];
  queue.by_port[packet.key.in_port].push_back(
      {{{packet.bytes.begin(), packet.bytes.end()}, packet.offload}, packet.key.in_port, reason, clock_()});
  queue.ready.notify_one();
}

size_t FakeKernel::execute(PacketOut& packet) {
  std::lock_guard lock(mutex_);
  return send(packet.actions, packet.frame, packet.offload);
}

// Returns 1 when something of it could not be done, as DatapathErrors counts packets and not outputs.
size_t FakeKernel::send(std::span<const Action> actions, std::span<uint8_t> frame, const Offload& offload) {
  bool delivered = true;
  auto sink = [&](const OutputTarget& to, std::span<uint8_t> bytes, const Offload& how) {
    delivered = output(to.port, bytes, how) && delivered;
  };
  ApplyResult result = apply(actions, frame, offload, sink);
  if (result != ApplyResult::done) ++errors_["execute.not_applicable"];
  return delivered && result == ApplyResult::done ? 0 : 1;
}

bool FakeKernel::output(PortNumber number, std::span<const uint8_t> frame, const Offload& offload) {
  auto port = ports_.find(number);
  auto interface = port == ports_.end() ? interfaces_.end() : interfaces_.find(port->second.interface);
  if (interface == interfaces_.end() || !interface->second.up) {
    ++errors_["output_gone"];
    return false;
  }
  ++port->second.stats.tx_packets;
  port->second.stats.tx_bytes += frame.size();
  if (interface->second.output.size() >= kMaxCaptured) {
    ++errors_["capture_overflow"];
    return true;
  }
  interface->second.output.push_back({{frame.begin(), frame.end()}, offload});
  output_ready_.notify_all();
  return true;
}

std::vector<FakeFrame> FakeKernel::take_output(const std::string& interface) {
  std::lock_guard lock(mutex_);
  auto at = interfaces_.find(interface);
  if (at == interfaces_.end()) return {};
  std::deque<FakeFrame> taken = std::exchange(at->second.output, {});
  return {std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end())};
}

std::optional<FakeFrame> FakeKernel::wait_output(const std::string& interface, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  auto waiting = [&] {
    auto at = interfaces_.find(interface);
    return at != interfaces_.end() && !at->second.output.empty();
  };
  if (!output_ready_.wait_for(lock, timeout, waiting)) return std::nullopt;
  std::deque<FakeFrame>& output = interfaces_.at(interface).output;
  FakeFrame frame = std::move(output.front());
  output.pop_front();
  return frame;
}

size_t FakeKernel::poll(unsigned worker, size_t max, std::chrono::milliseconds timeout, std::vector<FakeUpcall>& out) {
  std::unique_lock lock(mutex_);
  Queue& queue = queues_.at(worker);
  queue.ready.wait_for(lock, timeout, [&] { return queue.woken || !queue.by_port.empty(); });
  queue.woken = false;
  return take_upcalls(queue, max, out);
}

// One of each port in turn, going on behind the port that was served last.
size_t FakeKernel::take_upcalls(Queue& queue, size_t max, std::vector<FakeUpcall>& out) {
  out.clear();
  while (out.size() < max && !queue.by_port.empty()) {
    auto at = queue.by_port.upper_bound(queue.last_served);
    if (at == queue.by_port.end()) at = queue.by_port.begin();
    queue.last_served = at->first;
    out.push_back(std::move(at->second.front()));
    at->second.pop_front();
    auto port = ports_.find(at->first);
    if (port != ports_.end()) --port->second.queued;
    if (at->second.empty()) queue.by_port.erase(at);
  }
  return out.size();
}

void FakeKernel::wake(unsigned worker) {
  std::lock_guard lock(mutex_);
  queues_.at(worker).woken = true;
  queues_.at(worker).ready.notify_all();
}

}  // namespace viaduct::flows
