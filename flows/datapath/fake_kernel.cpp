#include "flows/datapath/fake_kernel.hpp"

#include <algorithm>
#include <utility>

#include "flows/match/apply.hpp"

namespace viaduct::flows {

FakeKernel::FakeKernel(Clock clock) : clock_(std::move(clock)) {
  if (!clock_) clock_ = [] { return std::chrono::steady_clock::now(); };
}

void FakeKernel::configure(const DatapathOptions& options) {
  std::lock_guard lock(mutex_);
  unsigned workers = std::clamp(options.workers, 1U, static_cast<unsigned>(kMaxWorkers));
  table_.resize(options.max_flows);
  // Upcalls left for a worker that is no more are served by the first.
  for (unsigned gone = workers; gone < workers_; ++gone) {
    for (auto& [port, upcalls] : queues_[gone].by_port) {
      auto& into = queues_[0].by_port[port];
      std::move(upcalls.begin(), upcalls.end(), std::back_inserter(into));
    }
    queues_[gone].by_port.clear();
  }
  workers_ = workers;
}

void FakeKernel::add_interface(const std::string& name, uint32_t mtu) {
  {
    std::lock_guard lock(mutex_);
    interfaces_[name].mtu = mtu;
  }
  hint();
}

void FakeKernel::remove_interface(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    interfaces_.erase(name);
  }
  hint();
}

bool FakeKernel::has_interface(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return interfaces_.contains(name);
}

void FakeKernel::set_link(const std::string& name, Link link) {
  {
    std::lock_guard lock(mutex_);
    auto at = interfaces_.find(name);
    if (at == interfaces_.end()) return;
    at->second.up = link == Link::up;
  }
  hint();
}

void FakeKernel::enslave(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto at = interfaces_.find(name);
  if (at != interfaces_.end()) at->second.enslaved = true;
}

void FakeKernel::fail_installs(size_t how_many) {
  std::lock_guard lock(mutex_);
  installs_to_fail_ = how_many;
}

void FakeKernel::on_interface_change(std::function<void()> hint) {
  std::lock_guard lock(hint_mutex_);
  hint_ = std::move(hint);
}

// Outside of mutex_, because the callee asks for ports().
void FakeKernel::hint() {
  std::lock_guard lock(hint_mutex_);
  if (hint_) hint_();
}

DatapathPort FakeKernel::describe(PortNumber number, const Port& port) const {
  DatapathPort out{
      .number = number,
      .interface = port.interface,
  };
  if (port.tunnel) out.tunnel = port.tunnel->kind;
  auto at = interfaces_.find(port.interface);
  out.present = at != interfaces_.end();
  if (out.present) {
    out.mtu = at->second.mtu;
    out.link_up = at->second.up;
  }
  return out;
}

DatapathPort FakeKernel::add_port(const std::string& interface, std::error_code& error) {
  std::lock_guard lock(mutex_);
  error.clear();
  auto at = interfaces_.find(interface);
  if (at == interfaces_.end()) {
    error = std::make_error_code(std::errc::no_such_device);
    return {};
  }
  if (at->second.enslaved) {
    error = std::make_error_code(std::errc::device_or_resource_busy);
    return {};
  }
  return make_port(interface, {});
}

void FakeKernel::refuse_tunnels(TunnelKind kind, std::error_code why) {
  std::lock_guard lock(mutex_);
  tunnels_refused_[kind] = why;
}

DatapathPort FakeKernel::add_tunnel_port(const std::string& interface, const TunnelPortSpec& spec,
                                         std::error_code& error) {
  constexpr uint32_t kTunnelMtu = 65535;
  {
    std::lock_guard lock(mutex_);
    error = tunnels_refused_[spec.kind];
    if (error) return {};
    interfaces_[interface].mtu = kTunnelMtu;
  }
  hint();
  std::lock_guard lock(mutex_);
  return make_port(interface, spec);
}

DatapathPort FakeKernel::make_port(const std::string& interface, const std::optional<TunnelPortSpec>& tunnel) {
  for (auto& [number, port] : ports_) {
    if (port.interface != interface) continue;
    port.tunnel = tunnel;
    return describe(number, port);
  }
  while (ports_.contains(next_port_) || table_.refers_to(next_port_)) ++next_port_.value;
  PortNumber number{next_port_.value++};
  Port& port = ports_[number];
  port.interface = interface;
  port.tunnel = tunnel;
  return describe(number, port);
}

void FakeKernel::remove_port(PortNumber number) {
  std::lock_guard lock(mutex_);
  auto at = ports_.find(number);
  if (at == ports_.end()) return;
  if (at->second.tunnel) interfaces_.erase(at->second.interface);
  ports_.erase(at);
  table_.remove_port(number);
  for (Queue& queue : queues_) queue.by_port.erase(number);
}

std::vector<DatapathPort> FakeKernel::ports() const {
  std::lock_guard lock(mutex_);
  std::vector<DatapathPort> out;
  for (const auto& [number, port] : ports_) out.push_back(describe(number, port));
  return out;
}

std::optional<PortStats> FakeKernel::port_stats(PortNumber number) const {
  std::lock_guard lock(mutex_);
  auto at = ports_.find(number);
  if (at == ports_.end()) return std::nullopt;
  return at->second.stats;
}

DatapathStats FakeKernel::stats() const {
  std::lock_guard lock(mutex_);
  DatapathStats out = stats_;
  out.flows = table_.size();
  return out;
}

std::vector<std::pair<std::string, uint64_t>> FakeKernel::error_counts() const {
  std::lock_guard lock(mutex_);
  return {errors_.begin(), errors_.end()};
}

InstallResult FakeKernel::install(const FlowInstall& flow) {
  std::lock_guard lock(mutex_);
  if (installs_to_fail_ > 0) {
    --installs_to_fail_;
    ++errors_["install.EIO"];
    return InstallResult::error;
  }
  return table_.install(flow, clock_());
}

size_t FakeKernel::remove_flows(std::span<const FlowId> ids, const Datapath::StatsVisitor& last) {
  std::lock_guard lock(mutex_);
  Time now = clock_();
  size_t removed = 0;
  for (const FlowId& id : ids) {
    FlowStats stats;
    if (!table_.remove(id, now, stats)) continue;
    ++removed;
    if (last) last(id, stats);
  }
  return removed;
}

void FakeKernel::dump(const Datapath::FlowVisitor& visit) const {
  std::vector<std::pair<Flow, FlowStats>> copy;  // the visitor may call us
  {
    std::lock_guard lock(mutex_);
    copy.reserve(table_.size());
    table_.for_each(clock_(), [&](const Flow& flow, const FlowStats& stats) { copy.emplace_back(flow, stats); });
  }
  for (const auto& [flow, stats] : copy) visit(flow, stats);
}

void FakeKernel::flush_flows() {
  std::lock_guard lock(mutex_);
  table_.clear();
}

void FakeKernel::reset() {
  std::lock_guard lock(mutex_);
  table_.clear();
  for (const auto& [number, port] : ports_) {
    if (port.tunnel) interfaces_.erase(port.interface);
  }
  ports_.clear();
  for (Queue& queue : queues_) queue.by_port.clear();
  next_port_ = PortNumber{1};
}

}  // namespace viaduct::flows
