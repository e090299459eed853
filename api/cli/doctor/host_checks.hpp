// What the doctor asks of the host that it runs on. Each is a value of what was seen.
#pragma once

#include "api/cli/doctor/check.hpp"
#include "api/cli/doctor/daemon_config.hpp"
#include "api/cli/doctor/outside.hpp"

namespace viaduct::api::cli {

// `datapath`: that of the daemon's status; empty when it is not known.
Check check_kernel(const Outside& host, const std::string& datapath);
Check check_datapath(const Outside& host, const std::string& datapath);
Check check_bpf_file_system(const Outside& host, const std::string& datapath);
Check check_tunnel_devices(const Outside& host);
Check check_tun(const Outside& host);
Check check_network_namespaces(const Outside& host);
// Open files of every viaductd.
Check check_limits(const Outside& host);
Check check_clock(const Outside& host);

Check check_token(const Outside& host, const std::string& path);
// The file as it is and what viaductd says of it, when it is installed.
Check check_configuration(const Outside& host, const std::string& path);
Check check_state_space(const Outside& host, const ConfigTexts& config);
Check check_certificates(const Outside& host, const ConfigTexts& config);

}  // namespace viaduct::api::cli
