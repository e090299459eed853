#include "routing/bgp/frr_launch.hpp"

#include <linux/capability.h>
#include <unistd.h>

namespace viaduct::routing::bgp {

namespace {
constexpr size_t kMaxRunDirectory = 80;  // sockaddr_un has 107
}

const char* to_string(FrrDaemon daemon) {
  switch (daemon) {
    case FrrDaemon::zebra:
      return "zebra";
    case FrrDaemon::bfdd:
      return "bfdd";
    case FrrDaemon::bgpd:
      return "bgpd";
  }
  return "unknown";
}

FrrLaunch launch_of(FrrDaemon daemon, const SpeakerOptions& options) {
  const std::string& run = options.run_directory;
  const std::string name = to_string(daemon), base = run + "/" + name, zserv = run + "/zserv.api";
  // Without -d they stay in the foreground, and are our children.
  std::vector<std::string> words{"-f", base + ".conf", "-i",           base + ".pid", "-z",    zserv,
                                 "-u", options.user,   "-g",           options.user,  "-P",    "0",
                                 "-A", "127.0.0.1",    "--vty_socket", run,           "--log", "stdout"};
  std::vector<std::string> sockets{base + ".vty"};
  if (daemon == FrrDaemon::zebra) {
    words.insert(words.end(), {"-M", "dplane_fpm_nl"});
    sockets.push_back(zserv);
  }
  if (daemon == FrrDaemon::bfdd) words.insert(words.end(), {"--bfdctl", run + "/bfdd.sock"});
  if (daemon == FrrDaemon::bgpd) words.insert(words.end(), {"-p", "179"});
  return {{options.frr_directory + "/" + name,
           std::move(words),
           options.name,
           options.user,
           {CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN}},
          std::move(sockets)};
}

Problem check_options(const SpeakerOptions& options) {
  for (const FrrDaemon one : {FrrDaemon::zebra, FrrDaemon::bfdd, FrrDaemon::bgpd}) {
    const std::string path = options.frr_directory + "/" + to_string(one);
    if (access(path.c_str(), X_OK) != 0) return path + " is missing: install the package frr";
  }
  if (options.run_directory.empty() || options.run_directory.size() > kMaxRunDirectory) {
    return "run directory \"" + options.run_directory + "\": not 1 to 80 bytes";
  }
  return std::nullopt;
}

}  // namespace viaduct::routing::bgp
