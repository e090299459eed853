#include "program_run.hpp"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cstring>

#include "two_namespaces.hpp"

namespace viaduct::bench {

int ingress_program() {
  int found = -1;
  for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
    const int fd = bpf_prog_get_fd_by_id(id);
    bpf_prog_info info{};
    uint32_t length = sizeof info;
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && !std::strcmp(info.name, "viaduct_ingress")) {
      if (found >= 0) close(found);
      found = fd;
    } else if (fd >= 0) {
      close(fd);
    }
  }
  check(found >= 0, "viaduct_ingress");
  return found;
}

double run_once(int program, const std::vector<uint8_t>& frame, uint32_t ifindex) {
  __sk_buff context{};
  context.ifindex = ifindex;
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = static_cast<uint32_t>(frame.size()),
              .ctx_in = &context, .ctx_size_in = sizeof context, .repeat = kRunsOfAPacket);
  check(bpf_prog_test_run_opts(program, &options) == 0, "test run");
  return options.duration;
}

}  // namespace viaduct::bench
