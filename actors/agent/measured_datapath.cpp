#include "actors/agent/measured_datapath.hpp"

#include <chrono>
#include <utility>

namespace viaduct::actors {
namespace {

using Clock = std::chrono::steady_clock;
using observability::Histogram;
using observability::HistogramCell;

Histogram& histogram_of(observability::Registry& registry, const char* call) {
  return registry.histogram("viaduct_datapath_call_seconds",
                            "Calls into the datapath, which end in system calls, by what they do.", {{"call", call}});
}

template <class Into, class F>
auto timed(Into& into, F&& f) {
  const auto begin = Clock::now();
  auto result = f();
  into.observe(Clock::now() - begin);
  return result;
}

class MeasuredChannel final : public flows::PacketChannel {
 public:
  MeasuredChannel(std::unique_ptr<flows::PacketChannel> channel, observability::Registry& registry)
      : channel_(std::move(channel)),
        installs_(histogram_of(registry, "install").claim_cell()),
        executes_(histogram_of(registry, "execute").claim_cell()) {}

  size_t poll(std::span<flows::Upcall> out, std::chrono::milliseconds timeout) override {
    return channel_->poll(out, timeout);
  }
  void wake() override { channel_->wake(); }
  void install(std::span<const flows::FlowInstall> flows, std::span<flows::InstallResult> results) override {
    const auto begin = Clock::now();
    channel_->install(flows, results);
    installs_->observe(Clock::now() - begin);
  }
  size_t execute(std::span<flows::PacketOut> packets) override {
    return timed(*executes_, [&] { return channel_->execute(packets); });
  }

 private:
  std::unique_ptr<flows::PacketChannel> channel_;
  std::shared_ptr<HistogramCell> installs_, executes_;  // the worker's own
};

class MeasuredDatapath final : public flows::Datapath {
 public:
  MeasuredDatapath(std::unique_ptr<flows::Datapath> datapath, observability::Registry& registry)
      : datapath_(std::move(datapath)),
        registry_(registry),
        add_port_(histogram_of(registry, "add_port")),
        remove_port_(histogram_of(registry, "remove_port")),
        ports_(histogram_of(registry, "ports")),
        remove_flows_(histogram_of(registry, "remove_flows")),
        dump_stats_(histogram_of(registry, "dump_stats")),
        dump_flows_(histogram_of(registry, "dump_flows")) {}

  std::string_view kind() const override { return datapath_->kind(); }
  flows::Capabilities capabilities() const override { return datapath_->capabilities(); }
  flows::DatapathPort add_port(const std::string& interface, std::error_code& error) override {
    return timed(add_port_, [&] { return datapath_->add_port(interface, error); });
  }
  flows::DatapathPort add_tunnel_port(const flows::TunnelPortSpec& spec, std::error_code& error) override {
    return timed(add_port_, [&] { return datapath_->add_tunnel_port(spec, error); });
  }
  std::error_code remove_port(flows::PortNumber port) override {
    return timed(remove_port_, [&] { return datapath_->remove_port(port); });
  }
  std::vector<flows::DatapathPort> ports() override {
    return timed(ports_, [&] { return datapath_->ports(); });
  }
  std::optional<flows::PortStats> port_stats(flows::PortNumber port) override { return datapath_->port_stats(port); }
  flows::DatapathStats stats() override { return datapath_->stats(); }
  std::vector<std::pair<std::string, uint64_t>> error_counts() override { return datapath_->error_counts(); }
  void on_interface_change(std::function<void()> hint) override { datapath_->on_interface_change(std::move(hint)); }
  std::unique_ptr<flows::PacketChannel> open_channel(unsigned worker) override {
    auto channel = datapath_->open_channel(worker);
    if (channel == nullptr) return nullptr;
    return std::make_unique<MeasuredChannel>(std::move(channel), registry_);
  }
  size_t remove_flows(std::span<const flows::FlowId> ids, const StatsVisitor& last) override {
    return timed(remove_flows_, [&] { return datapath_->remove_flows(ids, last); });
  }
  void dump_stats(const StatsVisitor& visit) override {
    const auto begin = Clock::now();
    datapath_->dump_stats(visit);
    dump_stats_.observe(Clock::now() - begin);
  }
  void dump_flows(const FlowVisitor& visit) override {
    const auto begin = Clock::now();
    datapath_->dump_flows(visit);
    dump_flows_.observe(Clock::now() - begin);
  }
  void flush_flows() override { datapath_->flush_flows(); }
  void destroy() override { datapath_->destroy(); }

 private:
  const std::unique_ptr<flows::Datapath> datapath_;
  observability::Registry& registry_;
  Histogram &add_port_, &remove_port_, &ports_, &remove_flows_, &dump_stats_, &dump_flows_;
};

}  // namespace

std::unique_ptr<flows::Datapath> measured(std::unique_ptr<flows::Datapath> datapath,
                                          observability::Registry& registry) {
  return std::make_unique<MeasuredDatapath>(std::move(datapath), registry);
}

}  // namespace viaduct::actors
