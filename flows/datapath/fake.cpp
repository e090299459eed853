#include "flows/datapath/fake.hpp"

#include <utility>

#include "flows/datapath/tunnel_interface.hpp"

namespace viaduct::flows {

namespace {

class FakeChannel final : public PacketChannel {
 public:
  FakeChannel(std::shared_ptr<FakeKernel> kernel, unsigned worker) : kernel_(std::move(kernel)), worker_(worker) {}

  size_t poll(std::span<Upcall> out, std::chrono::milliseconds timeout) override {
    size_t count = kernel_->poll(worker_, out.size(), timeout, batch_);
    for (size_t i = 0; i < count; ++i) {
      FakeUpcall& one = batch_[i];
      out[i] = {one.in_port, one.reason, one.frame.bytes, one.frame.offload, one.received, one.tunnel};
    }
    return count;
  }
  void wake() override { kernel_->wake(worker_); }
  void install(std::span<const FlowInstall> flows, std::span<InstallResult> results) override {
    for (size_t i = 0; i < flows.size(); ++i) results[i] = kernel_->install(flows[i]);
  }
  size_t execute(std::span<PacketOut> packets) override {
    size_t refused = 0;
    for (PacketOut& packet : packets) refused += kernel_->execute(packet);
    return refused;
  }

 private:
  std::shared_ptr<FakeKernel> kernel_;
  unsigned worker_;
  std::vector<FakeUpcall> batch_;  // owns the frames until the next poll()
};

class FakeDatapath final : public Datapath {
 public:
  FakeDatapath(std::shared_ptr<FakeKernel> kernel, const DatapathOptions& options)
      : kernel_(std::move(kernel)), options_(options) {
    kernel_->configure(options_);
  }
  ~FakeDatapath() override { kernel_->on_interface_change({}); }

  std::string_view kind() const override { return "fake"; }
  Capabilities capabilities() const override {
    return {.megaflows = true,
            .max_flows = options_.max_flows,
            .max_outputs = SIZE_MAX,
            .max_tunnel_outputs = SIZE_MAX,
            .max_dec_ttl = SIZE_MAX,
            .check_mtu = true,
            .vxlan = true,
            .gre = true};
  }
  DatapathPort add_port(const std::string& interface, std::error_code& error) override {
    return kernel_->add_port(interface, error);
  }
  DatapathPort add_tunnel_port(const TunnelPortSpec& spec, std::error_code& error) override {
    return kernel_->add_tunnel_port(tunnel_interface(options_.name, spec.kind), spec, error);
  }
  std::error_code remove_port(PortNumber port) override {
    kernel_->remove_port(port);
    return {};
  }
  std::vector<DatapathPort> ports() override { return kernel_->ports(); }
  std::optional<PortStats> port_stats(PortNumber port) override { return kernel_->port_stats(port); }
  DatapathStats stats() override { return kernel_->stats(); }
  std::vector<std::pair<std::string, uint64_t>> error_counts() override { return kernel_->error_counts(); }
  void on_interface_change(std::function<void()> hint) override { kernel_->on_interface_change(std::move(hint)); }
  std::unique_ptr<PacketChannel> open_channel(unsigned worker) override {
    return std::make_unique<FakeChannel>(kernel_, worker);
  }
  size_t remove_flows(std::span<const FlowId> ids, const StatsVisitor& last) override {
    return kernel_->remove_flows(ids, last);
  }
  void dump_stats(const StatsVisitor& visit) override {
    kernel_->dump([&](const Flow& flow, const FlowStats& stats) { visit(flow.id, stats); });
  }
  void dump_flows(const FlowVisitor& visit) override { kernel_->dump(visit); }
  void flush_flows() override { kernel_->flush_flows(); }
  void destroy() override { kernel_->reset(); }

 private:
  std::shared_ptr<FakeKernel> kernel_;
  DatapathOptions options_;
};

}  // namespace

std::unique_ptr<Datapath> open_fake(std::shared_ptr<FakeKernel> kernel, const DatapathOptions& options) {
  return std::make_unique<FakeDatapath>(std::move(kernel), options);
}

}  // namespace viaduct::flows
