#include "flows/datapath/ebpf/tc_filter.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "flows/datapath/ebpf/layout.h"

namespace viaduct::flows::ebpf {

namespace {

// Our filter among others on the same hook: first, by an unusual handle.
constexpr uint32_t kPriority = 1;
constexpr uint32_t kHandle = 0x76642;

bpf_tc_hook hook_of(uint32_t ifindex, bpf_tc_attach_point point) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(ifindex);
  hook.attach_point = point;
  return hook;
}

bpf_tc_opts our_filter() {
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = kHandle;
  options.priority = kPriority;
  return options;
}

std::error_code code(int negative_errno) { return {-negative_errno, std::generic_category()}; }

// The name in the map `config`, if that is what `id` is.
std::string name_in_config(uint32_t id) {
  UniqueFd map(bpf_map_get_fd_by_id(id));
  bpf_map_info info{};
  uint32_t length = sizeof info;
  if (!map || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0) return {};
  if (std::strcmp(info.name, "config") != 0 || info.value_size != sizeof(vd_config)) return {};
  uint32_t zero = 0;
  vd_config config{};
  if (bpf_map_lookup_elem(map.get(), &zero, &config) != 0 || config.magic != kVdMagic) return {};
  return {config.name, strnlen(config.name, sizeof config.name)};
}

int attach(uint32_t ifindex, bpf_tc_attach_point point, int program) {
  bpf_tc_hook hook = hook_of(ifindex, point);
  bpf_tc_opts options = our_filter();
  options.prog_fd = program;
  options.flags = BPF_TC_F_REPLACE;
  return bpf_tc_attach(&hook, &options);
}

int detach(uint32_t ifindex, bpf_tc_attach_point point) {
  bpf_tc_hook hook = hook_of(ifindex, point);
  bpf_tc_opts options = our_filter();
  return bpf_tc_detach(&hook, &options);
}

bool is_absent(int error) { return error == -ENOENT || error == -ENODEV || error == -EINVAL; }

}  // namespace

std::string owner_of(uint32_t ifindex) {
  bpf_tc_hook hook = hook_of(ifindex, BPF_TC_INGRESS);
  bpf_tc_opts options = our_filter();
  if (bpf_tc_query(&hook, &options) != 0) return {};
  UniqueFd program(bpf_prog_get_fd_by_id(options.prog_id));
  std::array<uint32_t, 64> maps{};
  bpf_prog_info info{};
  uint32_t length = sizeof info;
  info.nr_map_ids = maps.size();
  info.map_ids = reinterpret_cast<uintptr_t>(maps.data());
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) return {};
  for (uint32_t i = 0; i < info.nr_map_ids && i < maps.size(); ++i) {
    if (std::string name = name_in_config(maps[i]); !name.empty()) return name;
  }
  return {};
}

std::error_code attach_programs(uint32_t ifindex, const KernelMaps::Programs& programs, bool& made_clsact) {
  bpf_tc_hook hook = hook_of(ifindex, BPF_TC_INGRESS);
  int error = bpf_tc_hook_create(&hook);
  if (error != 0 && error != -EEXIST) return code(error);
  made_clsact = error == 0;
  if (programs.egress >= 0 && (error = attach(ifindex, BPF_TC_EGRESS, programs.egress)) != 0) return code(error);
  error = attach(ifindex, BPF_TC_INGRESS, programs.ingress);
  return error == 0 ? std::error_code{} : code(error);
}

std::error_code detach_programs(uint32_t ifindex, Clsact clsact) {
  int error = detach(ifindex, BPF_TC_INGRESS);
  int egress_error = detach(ifindex, BPF_TC_EGRESS);
  if (is_absent(error)) error = egress_error;
  if (clsact == Clsact::remove) {
    bpf_tc_hook hook = hook_of(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    int qdisc_error = bpf_tc_hook_destroy(&hook);
    if (error == 0) error = qdisc_error;
  }
  return error == 0 || is_absent(error) ? std::error_code{} : code(error);
}

}  // namespace viaduct::flows::ebpf
