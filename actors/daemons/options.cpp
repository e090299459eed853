#include "actors/daemons/options.hpp"

#include <CLI/CLI.hpp>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace {

constexpr const char* kExamples = R"(
Examples:
  viaductd                                  a complete system on this host: store, agent, API
  viaductd --datapath ebpf --workers 2      choose the datapath and the packet workers
  viaductd --log-level info,datapath=debug  more words from one component
  viaductd --cleanup                        remove ports and flows that a stopped daemon left in the kernel

The daemon keeps forwarding state in the kernel when it ends: a restart loses no packet of known flows.
Drive it with the tool `viaduct`; see `viaduct --help`.)";

std::string check_levels(const std::string& text) {
  auto problem = observability::log::set_levels(text);
  return problem.value_or("");
}

}  // namespace

std::optional<DaemonOptions> parse_options(int argc, char** argv, int& exit_code) {
  DaemonOptions options;
  CLI::App app{"viaductd: Viaduct's daemon. Makes packets behave as if the virtual network existed.", "viaductd"};
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("viaductd ") + VIADUCT_VERSION);
  app.add_option("--state-dir", options.state_dir, "database and learned state")->capture_default_str();
  app.add_option("--run-dir", options.run_dir, "admin token")->capture_default_str();
  app.add_option("--datapath", options.datapath, "auto: ovs where the kernel has the module, else ebpf")
      ->check(CLI::IsMember({"auto", "ebpf", "ovs", "fake"}))
      ->capture_default_str();
  app.add_option("--datapath-name", options.datapath_name, "several may live on one host")
      ->check([](const std::string& name) {
        bool fits = !name.empty() && name.size() <= 15 && name.find_first_of("/ \t\n") == std::string::npos;
        return fits ? std::string() : std::string("1 to 15 characters, no space or slash");
      })
      ->capture_default_str();
  app.add_option("--workers", options.workers, "packet workers; 0: one for each CPU, at most 4")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--max-flows", options.max_flows, "flows in the datapath")
      ->check(CLI::Range(1024, 4'000'000))
      ->capture_default_str();
  app.add_option("--flow-idle-timeout", options.idle_timeout_s, "seconds without a packet after which a flow ends")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--mac-timeout", options.mac_timeout_s, "seconds without a packet after which a bridge forgets a MAC")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  app.add_option("--admin-port", options.admin_port, "loopback TCP port for the tool; 0: any")->capture_default_str();
  app.add_option("--metrics-port", options.metrics_port, "loopback TCP port of /metrics; 0: any")
      ->capture_default_str();
  app.add_option("--host-name", options.host_name, "name of this host in the topology (default: the kernel's)");
  app.add_option("--log-level", options.log_levels, "LEVEL or LEVEL,COMPONENT=LEVEL…")
      ->check(check_levels)
      ->capture_default_str();
  app.add_flag("--cleanup", options.cleanup, "remove what an earlier life left in the kernel, and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
  return options;
}

}  // namespace viaduct::actors
