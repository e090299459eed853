// What viaductd is told on its command line, and the defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace viaduct::actors {

struct DaemonOptions {
  std::string state_dir = "/var/lib/viaduct";  // NSDB, learned state, host id
  std::string run_dir = "/run/viaduct";        // admin token
  std::string datapath = "auto";               // auto, ebpf, ovs, fake
  std::string datapath_name = "viaduct";
  unsigned workers = 0;  // 0: one for each CPU, at most 4
  size_t max_flows = 100'000;
  unsigned idle_timeout_s = 10;
  unsigned mac_timeout_s = 15;
  uint16_t admin_port = 6677;
  uint16_t metrics_port = 9464;
  std::string host_name;  // empty: the kernel's
  std::string log_levels = "info";
  bool cleanup = false;  // remove what an earlier life left in the kernel, and end
};

// Nothing when the process should end with `exit_code` (help, version, a usage error that was printed).
std::optional<DaemonOptions> parse_options(int argc, char** argv, int& exit_code);

}  // namespace viaduct::actors
