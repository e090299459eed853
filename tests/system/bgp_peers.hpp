// Other people's routers: real BIRD and GoBGP in a namespace, and the veth pair that leads there.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "routing/bgp/child_process.hpp"
#include "routing/bgp/namespace.hpp"

namespace viaduct::routing::bgp {

inline void must_run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

inline std::string output_of(const std::string& command) {
  std::string out;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>&1").c_str(), "r"), pclose);
  std::array<char, 4096> buffer;
  while (pipe && fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) out += buffer.data();
  return out;
}

// One router of somebody else's: a program with a configuration file in a directory.
class PeerRouter {
 public:
  PeerRouter(std::string program, std::string space, std::string directory, std::string name)
      : program_(std::move(program)), space_(std::move(space)), base_(std::move(directory) + "/" + std::move(name)) {}

  void start(const std::string& configuration) {
    std::ofstream(base_ + ".conf") << configuration;
    std::vector<std::string> words{"-f", "-c", base_ + ".conf", "-s", base_ + ".ctl"};
    if (program_.ends_with("gobgpd")) words = {"-f", base_ + ".conf", "--api-hosts", "unix://" + base_ + ".ctl"};
    std::string what;
    if (child_.start({program_, words, space_, {}, {}}, what)) throw std::runtime_error(what);
  }
  void stop() { child_.stop(std::chrono::steady_clock::now() + std::chrono::seconds(3)); }
  // BIRD only.
  void reconfigure(const std::string& configuration) {
    std::ofstream(base_ + ".conf") << configuration;
    ask("configure");
  }
  // A command to its control program.
  std::string ask(const std::string& command) const {
    if (program_.ends_with("gobgpd")) return output_of("gobgp --target unix://" + base_ + ".ctl " + command);
    return output_of("birdc -s " + base_ + ".ctl " + command);
  }
  std::string output() {
    child_.read_output();
    return child_.tail();
  }

 private:
  const std::string program_, space_, base_;
  ChildProcess child_;
};

// What a BIRD's file says; `more` goes into every session.
struct BirdText {
  std::string id = "10.9.0.2", v6 = "2001:db8:9::2", as = "65002", static4 = "route 192.0.2.0/24 blackhole;",
              static6 = "route 2001:db8:200::/48 blackhole;", more = {};

  std::string text() const {
    return "router id " + id + ";\nprotocol device { scan time 1; }\n" +
           "protocol bfd { interface \"*\" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; }; }\n"
           "protocol static s4 { ipv4; " +
           static4 + " }\nprotocol static s6 { ipv6; " + static6 + " }\n" + "template bgp T { local as " + as +
           "; strict bind on; connect delay time 1; connect retry time 1; error wait time 1, 2; "
           "graceful restart on; " +
           more + " }\n" + "protocol bgp p4 from T { source address " + id +
           "; neighbor 10.9.0.1 as 65001; "
           "ipv4 { import all; export all; next hop self; }; }\n" +
           "protocol bgp p6 from T { source address " + v6 +
           "; neighbor 2001:db8:9::1 as 65001; "
           "ipv6 { import all; export all; next hop self; }; }\n";
  }
};

}  // namespace viaduct::routing::bgp
