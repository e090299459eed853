// viaductd: one process that is a complete Viaduct on one host.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>

#include "actors/agent/speaker_leftovers.hpp"
#include "actors/daemons/assembly.hpp"
#include "actors/daemons/command_line.hpp"
#include "actors/daemons/config_text.hpp"
#include "actors/daemons/datapath_choice.hpp"
#include "actors/daemons/host_identity.hpp"
#include "actors/daemons/service_manager.hpp"
#include "observability/log.hpp"

namespace {

using viaduct::actors::Config;
using viaduct::actors::ConfigSource;
using viaduct::actors::Daemon;
using viaduct::actors::Invocation;
namespace log = viaduct::observability::log;
namespace service_manager = viaduct::actors::service_manager;
using viaduct::observability::EventKind;

// Blocked in every thread, so that they arrive by the descriptor only.
int take_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&wanted, number);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &wanted, SFD_CLOEXEC);
}

int clean_up(const Config& config) {
  std::string error;
  auto datapath = viaduct::actors::open_datapath(config, error);
  if (datapath == nullptr) {
    std::fprintf(stderr, "viaductd: %s\n", error.c_str());
    return 1;
  }
  datapath->destroy();
  std::printf("removed the %s datapath %s from the kernel\n", std::string(datapath->kind()).c_str(),
              config.datapath.name.c_str());
  const auto host = viaduct::actors::known_host_id(config.state_dir);
  if (host.is_nil()) return 0;
  const auto speakers = viaduct::actors::remove_speaker_leftovers(host, config.run_dir, {});
  for (const std::string& name : speakers.removed) std::printf("removed a BGP speaker's %s\n", name.c_str());
  for (const std::string& problem : speakers.problems) std::fprintf(stderr, "viaductd: %s\n", problem.c_str());
  return speakers.problems.empty() ? 0 : 1;
}

std::vector<std::string> lines_of(const ConfigSource& source) {
  std::vector<std::string> lines;
  for (const auto& problem : source.problems) lines.push_back(to_string(problem));
  if (source.unlisted > 0) lines.push_back("... and " + std::to_string(source.unlisted) + " more");
  return lines;
}

int check(const ConfigSource& source) {
  for (const std::string& line : lines_of(source)) std::fprintf(stderr, "%s\n", line.c_str());
  if (!source.is_valid()) return 2;
  std::printf("%s: valid\n", source.file.empty() ? "the defaults" : source.file.c_str());
  return 0;
}

std::string status_of(const Daemon& daemon) {
  return "serving; datapath: " + daemon.datapath_kind() + "; viaduct status shows more";
}

// An invalid file changes nothing.
void reload(Daemon& daemon, const Invocation& invocation) {
  auto source = viaduct::actors::load_config(invocation);
  for (const std::string& line : lines_of(source))
    log::error(log::Component::daemon, "configuration", {{"problem", line}});
  if (!source.is_valid()) {
    log::error(log::Component::daemon, "configuration is invalid: nothing changed", {{"file", source.file}});
    return;
  }
  auto change = daemon.reconfigure(source.config);
  log::event(log::Component::daemon, log::Level::info, EventKind::daemon_reloaded, "configuration read again",
             {{"file", source.file}, {"changed", names_of(change.live)}});
  if (!change.restart.empty())
    log::warning(log::Component::daemon, "changed in the file, needs a restart", {{"keys", names_of(change.restart)}});
}

void obey(uint32_t signal, Daemon& daemon, const Invocation& invocation) {
  if (signal == SIGHUP) {
    service_manager::reloading();
    reload(daemon, invocation);
    return service_manager::ready(status_of(daemon));
  }
  service_manager::stopping();
  log::event(log::Component::daemon, log::Level::info, EventKind::daemon_stopping,
             "stopping; the kernel keeps forwarding known flows", {{"signal", signal}});
  daemon.stop();
}

// A daemon whose actors stand still is not said to be alive, and is killed: its successor takes over what is in the kernel.
void tell_alive(Daemon& daemon, std::chrono::milliseconds interval) {
  if (daemon.responds(interval)) return service_manager::alive();
  log::error(log::Component::supervisor, "the supervisor does not answer; the service manager is told nothing",
             {{"waited", interval}});
}

// Until a signal asks for the end or the daemon ends by itself.
int serve(Daemon& daemon, const Invocation& invocation, int signals, int ended) {
  pollfd wait[] = {{signals, POLLIN, 0}, {ended, POLLIN, 0}};
  const auto watchdog = service_manager::watchdog();
  while (true) {
    const int ready = poll(wait, 2, watchdog ? static_cast<int>(watchdog->count() / 2) : -1);
    if (ready < 0) continue;
    if (watchdog) tell_alive(daemon, *watchdog / 2);
    if ((wait[1].revents & POLLIN) != 0) {
      uint64_t code = 1;
      if (read(ended, &code, sizeof code) != sizeof code) return 1;
      return static_cast<int>(code - 1);
    }
    if ((wait[0].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      if (read(signals, &info, sizeof info) == sizeof info) obey(info.ssi_signo, daemon, invocation);
    }
  }
}

int run(const Config& config, const Invocation& invocation) {
  int signals = take_signals();
  int ended = eventfd(0, EFD_CLOEXEC);
  std::string error;
  auto stopped = [ended](int code) {
    uint64_t value = static_cast<uint64_t>(code) + 1;
    if (write(ended, &value, sizeof value) != sizeof value) _exit(1);
  };
  auto daemon = Daemon::start(config, stopped, error);
  if (daemon == nullptr) {
    std::fprintf(stderr, "viaductd: cannot start: %s\n", error.c_str());
    return 1;
  }
  log::event(log::Component::daemon, log::Level::info, EventKind::daemon_ready, "ready",
             {{"datapath", daemon->datapath_kind()},
              {"admin_port", daemon->admin_port()},
              {"metrics", daemon->metrics_url()},
              {"rest", daemon->rest_url()}});
  service_manager::ready(status_of(*daemon));
  return serve(*daemon, invocation, signals, ended);
}

}  // namespace

int main(int argc, char** argv) {
  using viaduct::actors::Defaults;
  using enum Invocation::Action;
  int exit_code = 0;
  auto invocation = viaduct::actors::parse_command_line(argc, argv, exit_code);
  if (!invocation) return exit_code;
  auto source = viaduct::actors::load_config(*invocation);
  if (invocation->action == check_config) return check(source);
  if (!source.is_valid()) return check(source);
  if (invocation->action == print_config) {
    std::fputs(annotated(source.config, Defaults::plain).c_str(), stdout);
    return 0;
  }
  log::set_levels(source.config.log.levels);
  if (invocation->action == cleanup) return clean_up(source.config);
  return run(source.config, *invocation);
}
