#include "flows/datapath/ebpf/kernel_maps.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "flows/datapath/ebpf/flow_table.hpp"
#include "flows/datapath/ebpf/pins.hpp"
#include "flows/datapath/ebpf/program_bytes.hpp"
#include "flows/datapath/ebpf/upcall_ring.hpp"
#include "flows/datapath/last_error.hpp"

namespace viaduct::flows::ebpf {

namespace {

constexpr std::array<const char*, kVdClasses> kFlowMaps{"flows_ethernet", "flows_addresses", "flows_ports",
                                                        "flows_exact",    "tunnel_ethernet", "tunnel_addresses",
                                                        "tunnel_ports",   "tunnel_exact"};

std::string ring_path(const std::string& directory, unsigned worker) {
  return directory + "/ring_" + std::to_string(worker);
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}
UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}
int UniqueFd::release() { return std::exchange(fd_, -1); }

SharedArray::~SharedArray() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}
int SharedArray::map(int fd, size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return errno;
  memory_ = memory;
  bytes_ = bytes;
  return 0;
}

KernelMaps::~KernelMaps() {
  if (object_ != nullptr) bpf_object__close(object_);
}

std::unique_ptr<KernelMaps> KernelMaps::open(const DatapathOptions& options, ErrorCounts& errors,
                                             std::error_code& error) {
  libbpf_set_print(nullptr);
  std::string directory;
  if ((error = mount_bpf_file_system()) || (error = make_pin_directory(options.name, directory))) return nullptr;
  std::unique_ptr<KernelMaps> maps(new KernelMaps(std::move(directory)));
  if ((error = maps->lock())) return nullptr;
  if (inspect_pins(maps->directory_, options.max_flows) == Pinned::other) {
    errors.count("layout_rebuilt");
    detach_pinned_ports(maps->directory_);
    remove_pins(maps->directory_);
    if ((error = make_pin_directory(options.name, maps->directory_)) || (error = maps->lock())) return nullptr;
  }
  maps->workers_ = std::clamp(options.workers, 1U, static_cast<unsigned>(kVdMaxWorkers));
  if ((error = maps->load(options)) || (error = maps->find_maps()) || (error = maps->make_rings()) ||
      (error = maps->configure(options, errors))) {
    return nullptr;
  }
  return maps;
}

// Of the directory's inode: the kernel lets go of it when the process dies.
std::error_code KernelMaps::lock() {
  lock_ = UniqueFd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) return last_error();
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  return errno == EWOULDBLOCK ? std::make_error_code(std::errc::device_or_resource_busy) : last_error();
}

std::error_code KernelMaps::load(const DatapathOptions& options) {
  std::span<const std::byte> bytes = program_bytes();
  bpf_object_open_opts open_options{};
  open_options.sz = sizeof open_options;
  open_options.object_name = "viaduct";
  open_options.pin_root_path = directory_.c_str();
  object_ = bpf_object__open_mem(bytes.data(), bytes.size(), &open_options);
  if (object_ == nullptr) return last_error();
  for (const char* name : kFlowMaps) {
    bpf_map* map = bpf_object__find_map_by_name(object_, name);
    if (map == nullptr ||
        bpf_map__set_max_entries(map, static_cast<uint32_t>(FlowTable::entries_for(options.max_flows))) != 0)
      return std::make_error_code(std::errc::invalid_argument);
  }
  int error = bpf_object__load(object_);
  return error == 0 ? std::error_code{} : std::error_code{-error, std::generic_category()};
}

std::error_code KernelMaps::find_maps() {
  auto program = [this](const char* name) {
    bpf_program* found = bpf_object__find_program_by_name(object_, name);
    return found != nullptr ? bpf_program__fd(found) : -1;
  };
  port_programs_ = {program("viaduct_ingress"), -1};
  tunnel_programs_ = {program("viaduct_tunnel_ingress"), program("viaduct_tunnel_egress")};
  for (size_t i = 0; i < kFlowMaps.size(); ++i) flow_maps_[i] = bpf_object__find_map_fd_by_name(object_, kFlowMaps[i]);
  port_numbers_ = bpf_object__find_map_fd_by_name(object_, "port_numbers");
  port_counters_ = bpf_object__find_map_fd_by_name(object_, "port_counters");
  counters_ = bpf_object__find_map_fd_by_name(object_, "counters");
  int error = config_.map(bpf_object__find_map_fd_by_name(object_, "config"), sizeof(vd_config));
  if (error == 0) error = ports_.map(bpf_object__find_map_fd_by_name(object_, "ports"), sizeof(vd_port) * kVdMaxPorts);
  if (error == 0) {
    error = shared_outputs_.map(bpf_object__find_map_fd_by_name(object_, "tunnel_outputs"),
                                sizeof(vd_tunnel_output) * kVdMaxTunnelOutputs);
  }
  if (error != 0) return {error, std::generic_category()};
  tunnel_outputs_ = std::make_unique<TunnelOutputs>(shared_outputs_.as<vd_tunnel_output>());
  return port_programs_.ingress < 0 || tunnel_programs_.ingress < 0 || tunnel_programs_.egress < 0
             ? std::make_error_code(std::errc::invalid_argument)
             : std::error_code{};
}

std::error_code KernelMaps::make_rings() {
  int outer = bpf_object__find_map_fd_by_name(object_, "rings");
  for (uint32_t worker = 0; worker < workers_; ++worker) {
    std::string path = ring_path(directory_, worker);
    UniqueFd ring(bpf_obj_get(path.c_str()));
    if (!ring) {
      ring = UniqueFd(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "viaduct_ring", 0, 0, kVdRingBytes, nullptr));
      if (!ring || bpf_obj_pin(ring.get(), path.c_str()) != 0) return last_error();
    }
    int fd = ring.get();
    if (bpf_map_update_elem(outer, &worker, &fd, BPF_ANY) != 0) return last_error();
    rings_[worker] = std::move(ring);
  }
  return {};
}

// The upcalls that wait for a worker that is no more are lost, and their ports get the credit back.
void KernelMaps::drop_ring(unsigned worker, int outer, ErrorCounts& errors) {
  std::string path = ring_path(directory_, worker);
  UniqueFd ring(bpf_obj_get(path.c_str()));
  if (!ring) return;
  bpf_map_delete_elem(outer, &worker);
  auto give_back = [&](const vd_upcall& upcall) {
    vd_port& from = port(PortNumber{upcall.in_port % kVdMaxPorts});
    return_credit(from, upcall);
    errors.count("upcall.worker_gone");
    return RingStep::go_on;
  };
  UpcallRing(ring.get(), give_back).consume();
  unlink(path.c_str());
}

std::error_code KernelMaps::configure(const DatapathOptions& options, ErrorCounts& errors) {
  vd_config& config = this->config();
  std::atomic_ref(config.workers).store(workers_);
  int outer = bpf_object__find_map_fd_by_name(object_, "rings");
  for (unsigned worker = workers_; worker < kVdMaxWorkers; ++worker) drop_ring(worker, outer, errors);
  config.port_credit = kPortCredit;
  config.max_flows = static_cast<uint32_t>(options.max_flows);
  if (config.next_port == 0) config.next_port = 1;
  std::strncpy(config.name, options.name.c_str(), sizeof config.name - 1);
  config.layout_version = kVdLayoutVersion;
  // Last: without it the maps are not adopted.
  std::atomic_ref(config.magic).store(kVdMagic);
  return {};
}

uint64_t KernelMaps::counter(vd_counter which) const {
  std::vector<uint64_t> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  uint32_t key = which;
  if (bpf_map_lookup_elem(counters_, &key, per_cpu.data()) != 0) return 0;
  uint64_t sum = 0;
  for (uint64_t one : per_cpu) sum += one;
  return sum;
}

void KernelMaps::unpin() { remove_pins(directory_); }

}  // namespace viaduct::flows::ebpf
