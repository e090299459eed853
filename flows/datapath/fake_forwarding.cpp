// The packets of FakeKernel: in by a port, through a flow or up to user space, out by ports.
#include <algorithm>
#include <utility>

#include "flows/datapath/fake_kernel.hpp"
#include "flows/match/apply.hpp"

namespace viaduct::flows {

bool FakeKernel::inject(const std::string& interface, std::span<const uint8_t> frame, Offload offload) {
  PortNumber number;
  {
    std::lock_guard lock(mutex_);
    for (auto& [one, port] : ports_) {
      if (port.interface == interface) number = one;
    }
  }
  return inject(number, frame, offload);
}

bool FakeKernel::inject(PortNumber number, std::span<const uint8_t> frame, Offload offload) {
  return receive(number, {{frame.begin(), frame.end()}, offload});
}

bool FakeKernel::receive(PortNumber number, const FakeFrame& frame) {
  bool received = false;
  {
    std::lock_guard lock(mutex_);
    auto at = ports_.find(number);
    received = at != ports_.end() && inject_locked(number, at->second, frame, {});
  }
  carry();
  return received;
}

bool FakeKernel::inject_locked(PortNumber number, Port& port, const FakeFrame& arrived, const Tunnel& tunnel) {
  auto interface = interfaces_.find(port.interface);
  if (interface == interfaces_.end() || !interface->second.up) return false;
  ++port.stats.rx_packets;
  port.stats.rx_bytes += arrived.bytes.size();
  std::vector<uint8_t> frame = arrived.bytes;
  Packet packet = parse(frame, number, arrived.offload);
  packet.key.tunnel = tunnel;
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
  entry.stats.tcp_flags |= packet.tcp_flags();
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
  queue.by_port[packet.key.in_port].push_back({{{packet.bytes.begin(), packet.bytes.end()}, packet.offload},
                                               packet.key.in_port,
                                               reason,
                                               clock_(),
                                               packet.key.tunnel});
  queue.ready.notify_one();
}

size_t FakeKernel::execute(PacketOut& packet) {
  size_t refused = 0;
  {
    std::lock_guard lock(mutex_);
    refused = send(packet.actions, packet.frame, packet.offload);
  }
  carry();
  return refused;
}

// Returns 1 when something of it could not be done, as DatapathErrors counts packets and not outputs.
size_t FakeKernel::send(std::span<const Action> actions, std::span<uint8_t> frame, const Offload& offload) {
  bool delivered = true;
  auto sink = [&](const OutputTarget& to, std::span<uint8_t> bytes, const Offload& how) {
    delivered = output(to, bytes, how) && delivered;
  };
  ApplyResult result = apply(actions, frame, offload, sink);
  if (result != ApplyResult::done) ++errors_["execute.not_applicable"];
  return delivered && result == ApplyResult::done ? 0 : 1;
}

bool FakeKernel::output(const OutputTarget& to, std::span<const uint8_t> frame, const Offload& offload) {
  auto port = ports_.find(to.port);
  auto interface = port == ports_.end() ? interfaces_.end() : interfaces_.find(port->second.interface);
  if (interface == interfaces_.end() || !interface->second.up) {
    ++errors_["output_gone"];
    return false;
  }
  // The kernels drop what has no outer header, or one that its port cannot make.
  if (port->second.tunnel.has_value() != (to.tunnel != nullptr)) {
    ++errors_["output_not_applicable"];
    return false;
  }
  ++port->second.stats.tx_packets;
  port->second.stats.tx_bytes += frame.size();
  capture(port->second, interface->second, to.tunnel, {{frame.begin(), frame.end()}, offload});
  output_ready_.notify_all();
  return true;
}

void FakeKernel::capture(const Port& port, Interface& interface, const TunnelOutput* tunnel, FakeFrame frame) {
  if ((tunnel != nullptr ? tunneled_.size() : interface.output.size()) >= kMaxCaptured) {
    ++errors_["capture_overflow"];
  } else if (tunnel != nullptr) {
    tunneled_.push_back({port.tunnel->kind, std::move(frame), tunnel->tunnel, tunnel->tos, port.tunnel->udp_port});
  } else {
    interface.output.push_back(std::move(frame));
  }
}

// To other hosts, which may be FakeKernels with locks of their own: after ours is released.
void FakeKernel::carry() {
  while (true) {
    std::shared_ptr<const Wire> wire;
    FakeTunneled packet;
    {
      std::lock_guard lock(mutex_);
      if (!wire_ || tunneled_.empty()) return;
      wire = wire_;
      packet = std::move(tunneled_.front());
      tunneled_.pop_front();
    }
    (*wire)(packet);
  }
}

void FakeKernel::set_wire(Wire wire) {
  std::lock_guard lock(mutex_);
  wire_ = wire ? std::make_shared<const Wire>(std::move(wire)) : nullptr;
}

bool FakeKernel::inject_tunneled(const FakeTunneled& packet) {
  bool received = false;
  {
    std::lock_guard lock(mutex_);
    if (!packet.tunnel.present()) {
      ++errors_["no_tunnel"];
      return false;
    }
    for (auto& [number, port] : ports_) {
      if (!port.tunnel || port.tunnel->kind != packet.kind) continue;
      if (packet.kind == TunnelKind::vxlan && port.tunnel->udp_port != packet.udp_port) continue;
      received = inject_locked(number, port, packet.frame, packet.tunnel);
    }
  }
  carry();
  return received;
}

std::vector<FakeTunneled> FakeKernel::take_tunneled() {
  std::lock_guard lock(mutex_);
  std::deque<FakeTunneled> taken = std::exchange(tunneled_, {});
  return {std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end())};
}

std::optional<FakeTunneled> FakeKernel::wait_tunneled(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!output_ready_.wait_for(lock, timeout, [&] { return !tunneled_.empty(); })) return std::nullopt;
  FakeTunneled packet = std::move(tunneled_.front());
  tunneled_.pop_front();
  return packet;
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
