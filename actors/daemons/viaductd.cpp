// viaductd: one process that is a complete Viaduct on one host.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>

#include "actors/daemons/assembly.hpp"
#include "actors/daemons/datapath_choice.hpp"
#include "observability/log.hpp"

namespace {

using viaduct::actors::Daemon;
using viaduct::actors::DaemonOptions;
namespace log = viaduct::observability::log;

// Blocked in every thread, so that they arrive by the descriptor only.
int take_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGINT, SIGTERM}) sigaddset(&wanted, number);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &wanted, SFD_CLOEXEC);
}

int clean_up(const DaemonOptions& options) {
  std::string error;
  auto datapath = viaduct::actors::open_datapath(options, error);
  if (datapath == nullptr) {
    std::fprintf(stderr, "viaductd: %s\n", error.c_str());
    return 1;
  }
  datapath->destroy();
  std::printf("removed the %s datapath %s from the kernel\n", std::string(datapath->kind()).c_str(),
              options.datapath_name.c_str());
  return 0;
}

// Until a signal asks for the end or the daemon ends by itself.
int serve(Daemon& daemon, int signals, int ended) {
  pollfd wait[] = {{signals, POLLIN, 0}, {ended, POLLIN, 0}};
  while (true) {
    if (poll(wait, 2, -1) < 0) continue;
    if ((wait[1].revents & POLLIN) != 0) {
      uint64_t code = 1;
      if (read(ended, &code, sizeof code) != sizeof code) return 1;
      return static_cast<int>(code - 1);
    }
    if ((wait[0].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      if (read(signals, &info, sizeof info) != sizeof info) continue;
      log::info(log::Component::daemon, "stopping; the kernel keeps forwarding known flows",
                {{"signal", info.ssi_signo}});
      daemon.stop();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  auto options = viaduct::actors::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  if (auto wrong = log::set_levels(options->log_levels)) {
    std::fprintf(stderr, "viaductd: --log-level: %s\n", wrong->c_str());
    return 2;
  }
  if (options->cleanup) return clean_up(*options);
  int signals = take_signals();
  int ended = eventfd(0, EFD_CLOEXEC);
  std::string error;
  auto stopped = [ended](int code) {
    uint64_t value = static_cast<uint64_t>(code) + 1;
    if (write(ended, &value, sizeof value) != sizeof value) _exit(1);
  };
  auto daemon = Daemon::start(*options, stopped, error);
  if (daemon == nullptr) {
    std::fprintf(stderr, "viaductd: cannot start: %s\n", error.c_str());
    return 1;
  }
  log::info(log::Component::daemon, "ready",
            {{"datapath", daemon->datapath_kind()},
             {"admin_port", daemon->admin_port()},
             {"metrics", daemon->metrics_url()}});
  exit_code = serve(*daemon, signals, ended);
  daemon.reset();
  return exit_code;
}
