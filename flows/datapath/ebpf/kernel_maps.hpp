// The pinned maps of one datapath and the program that works on them.
//
// open() mounts the BPF file system if nobody has, locks <bpffs>/viaduct/<name> against a second daemon, and either
// adopts the maps that it finds there or makes new ones. Maps of another layout version or size are removed first, with
// the filters of the ports that used them (counted: layout_rebuilt). Destroying the object leaves everything in place.
//
// Methods are thread-safe: they are system calls on descriptors that do not change.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/ebpf/error_counts.hpp"
#include "flows/datapath/ebpf/layout.h"
#include "flows/datapath/ebpf/tunnel_outputs.hpp"

struct bpf_object;

namespace viaduct::flows::ebpf {

// A descriptor that is closed at the end; -1 for none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

// An array map's memory, shared with the kernel. Elements are read and written with std::atomic_ref.
class SharedArray {
 public:
  SharedArray() = default;
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;
  ~SharedArray();
  // errno, or 0.
  int map(int fd, size_t bytes);
  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* memory_ = nullptr;
  size_t bytes_ = 0;
};

class KernelMaps {
 public:
  static std::unique_ptr<KernelMaps> open(const DatapathOptions& options, ErrorCounts& errors, std::error_code& error);
  KernelMaps(const KernelMaps&) = delete;
  KernelMaps& operator=(const KernelMaps&) = delete;
  ~KernelMaps();

  struct Programs {
    int ingress = -1, egress = -1;  // egress: tunnel devices only
  };
  const Programs& port_programs() const { return port_programs_; }
  const Programs& tunnel_programs() const { return tunnel_programs_; }
  int flows(vd_class of) const { return flow_maps_[of]; }
  int port_numbers() const { return port_numbers_; }
  int port_counters() const { return port_counters_; }
  vd_config& config() const { return *config_.as<vd_config>(); }
  vd_port& port(PortNumber number) const { return ports_.as<vd_port>()[number.value]; }
  TunnelOutputs& tunnel_outputs() const { return *tunnel_outputs_; }
  // What a worker may write, and no flow refers to: kVdWorkerTunnelOutputs of them, from this index on.
  static constexpr uint32_t worker_outputs(unsigned worker) { return worker * kVdWorkerTunnelOutputs; }
  vd_tunnel_output& tunnel_output(uint32_t index) const { return shared_outputs_.as<vd_tunnel_output>()[index]; }
  uint64_t counter(vd_counter which) const;  // since the maps were made
  int ring(unsigned worker) const { return rings_[worker].get(); }
  unsigned workers() const { return workers_; }

  // Removes the pins: the maps go with the last filter and this object.
  void unpin();

 private:
  explicit KernelMaps(std::string directory) : directory_(std::move(directory)) {}

  std::error_code lock();
  std::error_code load(const DatapathOptions& options);
  std::error_code find_maps();
  std::error_code make_rings();
  void drop_ring(unsigned worker, int outer, ErrorCounts& errors);
  std::error_code configure(const DatapathOptions& options, ErrorCounts& errors);

  std::string directory_;
  UniqueFd lock_;
  bpf_object* object_ = nullptr;
  Programs port_programs_, tunnel_programs_;
  std::array<int, kVdClasses> flow_maps_{};
  int port_numbers_ = -1, port_counters_ = -1, counters_ = -1;
  unsigned workers_ = 1;
  SharedArray config_, ports_, shared_outputs_;
  std::unique_ptr<TunnelOutputs> tunnel_outputs_;
  std::array<UniqueFd, kVdMaxWorkers> rings_;
};

}  // namespace viaduct::flows::ebpf
