#include "flows/datapath/ebpf/ebpf.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <utility>

#include "flows/datapath/ebpf/channel.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/flow_table.hpp"
#include "flows/datapath/ebpf/interfaces.hpp"
#include "flows/datapath/ebpf/kernel_maps.hpp"
#include "flows/datapath/ebpf/pins.hpp"
#include "flows/datapath/ebpf/port_table.hpp"
#include "flows/datapath/ebpf/record.hpp"
#include "flows/datapath/tunnel_device.hpp"
#include "flows/datapath/tunnel_interface.hpp"

namespace viaduct::flows {

namespace {

using namespace ebpf;

struct NamedCounter {
  vd_counter counter;
  const char* name;
};
constexpr std::array kKernelErrors{
    NamedCounter{kVdLostCredit, "upcall.no_credit"},
    NamedCounter{kVdLostRing, "upcall.ring_full"},
    NamedCounter{kVdLostTruncated, "upcall.too_long"},
    NamedCounter{kVdLostNoRing, "upcall.no_ring"},
    NamedCounter{kVdOutputGone, "output_gone"},
    NamedCounter{kVdRewriteFailed, "rewrite_failed"},
    NamedCounter{kVdOutputFailed, "output_failed"},
    NamedCounter{kVdUnknownPort, "unknown_port"},
    NamedCounter{kVdNoTunnel, "no_tunnel"},
};
constexpr std::array kLost{kVdLostCredit, kVdLostRing, kVdLostTruncated, kVdLostNoRing};

class EbpfDatapath final : public Datapath {
 public:
  EbpfDatapath(std::unique_ptr<ErrorCounts> errors, std::unique_ptr<KernelMaps> maps, const DatapathOptions& options)
      : options_(options),
        errors_(std::move(errors)),
        maps_(std::move(maps)),
        flows_(*maps_, *errors_, options.max_flows),
        ports_(*maps_, flows_, *errors_) {
    for (size_t i = 0; i < kKernelErrors.size(); ++i) errors_before_[i] = maps_->counter(kKernelErrors[i].counter);
  }

  std::error_code start() {
    flows_.adopt();
    ports_.adopt();
    InterfaceWatch::Listener listener{
        .changed = [this](const Interface& interface) { ports_.interface_changed(interface); },
        .vanished = [this](uint32_t ifindex) { ports_.interface_vanished(ifindex); },
        .lost =
            [this] {
              errors_->count("interface_watch.overflow");
              ports_.look_at_all();
            },
        .after = [this] { hint(); },
    };
    std::error_code error;
    watch_ = InterfaceWatch::start(std::move(listener), error);
    // What happened between adoption and the watch.
    if (watch_) ports_.look_at_all();
    return error;
  }

  std::string_view kind() const override { return "ebpf"; }
  Capabilities capabilities() const override {
    return {.megaflows = false,
            .max_flows = options_.max_flows,
            .max_outputs = kVdMaxOutputs,
            .max_tunnel_outputs = kVdMaxOutputs,
            .max_dec_ttl = kMaxDecrementTtl,
            .check_mtu = true,
            .vxlan = has_vxlan_,
            .gre = has_gre_};
  }

  DatapathPort add_tunnel_port(const TunnelPortSpec& spec, std::error_code& error) override {
    return ports_.add_tunnel(tunnel_interface(options_.name, spec.kind), spec, error);
  }
  DatapathPort add_port(const std::string& interface, std::error_code& error) override {
    return ports_.add(interface, error);
  }
  std::error_code remove_port(PortNumber port) override { return ports_.remove(port); }
  std::vector<DatapathPort> ports() override { return ports_.list(); }
  std::optional<PortStats> port_stats(PortNumber port) override { return ports_.stats(port); }

  DatapathStats stats() override {
    DatapathStats out{.hits = maps_->counter(kVdHits), .misses = maps_->counter(kVdMisses), .flows = flows_.size()};
    for (vd_counter lost : kLost) out.lost += maps_->counter(lost);
    return out;
  }
  std::vector<std::pair<std::string, uint64_t>> error_counts() override {
    std::vector<std::pair<std::string, uint64_t>> out = errors_->list();
    for (size_t i = 0; i < kKernelErrors.size(); ++i) {
      uint64_t count = maps_->counter(kKernelErrors[i].counter) - errors_before_[i];
      if (count > 0) out.emplace_back(kKernelErrors[i].name, count);
    }
    return out;
  }
  void on_interface_change(std::function<void()> hint) override {
    std::lock_guard lock(hint_mutex_);
    hint_ = std::move(hint);
  }

  std::unique_ptr<PacketChannel> open_channel(unsigned worker) override {
    return std::make_unique<Channel>(*maps_, flows_, *errors_, worker);
  }

  size_t remove_flows(std::span<const FlowId> ids, const StatsVisitor& last) override {
    return flows_.remove(ids, last);
  }
  void dump_stats(const StatsVisitor& visit) override { flows_.dump_stats(visit); }
  void dump_flows(const FlowVisitor& visit) override { flows_.dump_flows(visit); }
  void flush_flows() override { flows_.flush(); }

  void destroy() override {
    for (const DatapathPort& port : ports_.list()) ports_.remove(port.number);
    flows_.flush();
    maps_->unpin();
  }

 private:
  void hint() {
    std::lock_guard lock(hint_mutex_);
    if (hint_) hint_();
  }

  const DatapathOptions options_;
  const bool has_vxlan_ = has_tunnel_devices(TunnelKind::vxlan), has_gre_ = has_tunnel_devices(TunnelKind::gre);
  std::unique_ptr<ErrorCounts> errors_;
  std::unique_ptr<KernelMaps> maps_;
  FlowTable flows_;
  PortTable ports_;
  std::array<uint64_t, kKernelErrors.size()> errors_before_{};
  std::mutex hint_mutex_;
  std::function<void()> hint_;
  std::unique_ptr<InterfaceWatch> watch_;  // last: its thread uses all of the above
};

}  // namespace

std::unique_ptr<Datapath> open_ebpf(const DatapathOptions& options, std::error_code& error) {
  auto errors = std::make_unique<ErrorCounts>();
  std::unique_ptr<KernelMaps> maps = KernelMaps::open(options, *errors, error);
  if (!maps) return nullptr;
  auto datapath = std::make_unique<EbpfDatapath>(std::move(errors), std::move(maps), options);
  if ((error = datapath->start())) return nullptr;
  return datapath;
}

bool ebpf_available(std::string& why_not) {
  if (geteuid() != 0) {
    why_not = "not root";
    return false;
  }
  if (std::error_code error = mount_bpf_file_system()) {
    why_not = std::string("no BPF file system at ") + kBpfFileSystem + ": " + error.message();
    return false;
  }
  if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SCHED_CLS, nullptr) != 1 ||
      libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) != 1) {
    why_not = "the kernel has no tc programs or no BPF ring buffers";
    return false;
  }
  return true;
}

}  // namespace viaduct::flows
