#include "flows/datapath/ebpf/tc_filter.hpp"

#include <bpf/libbpf.h>

#include <cerrno>

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

std::error_code code(int negative_errno) { return {-negative_errno, std::generic_category()}; }

bool is_absent(int error) { return error == -ENOENT || error == -ENODEV || error == -EINVAL; }

}  // namespace

std::error_code attach_program(uint32_t ifindex, int program, bool& made_clsact) {
  bpf_tc_hook hook = hook_of(ifindex, BPF_TC_INGRESS);
  int error = bpf_tc_hook_create(&hook);
  if (error != 0 && error != -EEXIST) return code(error);
  made_clsact = error == 0;
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.prog_fd = program;
  options.handle = kHandle;
  options.priority = kPriority;
  options.flags = BPF_TC_F_REPLACE;
  error = bpf_tc_attach(&hook, &options);
  return error == 0 ? std::error_code{} : code(error);
}

std::error_code detach_program(uint32_t ifindex, Clsact clsact) {
  bpf_tc_hook hook = hook_of(ifindex, BPF_TC_INGRESS);
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = kHandle;
  options.priority = kPriority;
  int error = bpf_tc_detach(&hook, &options);
  if (clsact == Clsact::remove) {
    hook = hook_of(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    int qdisc_error = bpf_tc_hook_destroy(&hook);
    if (error == 0) error = qdisc_error;
  }
  return error == 0 || is_absent(error) ? std::error_code{} : code(error);
}

}  // namespace viaduct::flows::ebpf
