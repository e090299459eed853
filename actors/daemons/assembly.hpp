// The daemon, put together: each part created, named, and handed to those that need it. Read it as a diagram.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actors/daemons/agent_role.hpp"
#include "actors/daemons/config_change.hpp"

namespace viaduct::actors {

class Daemon {
 public:
  // Null when it cannot start; `error` says why and what to do. `stopped` is called once, from an actor's thread, when
  // everything has ended, with the process's exit code.
  static std::unique_ptr<Daemon> start(const Config& config, std::function<void(int)> stopped, std::string& error,
                                       const OpenDatapath& datapath = open_datapath);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Takes what of `wanted` can change while it runs; the rest stays as it is and is returned as change.restart. Called
  // on every SIGHUP with a valid configuration, also without a change: files that it names may hold something else.
  // From the thread that started the daemon.
  ConfigChange reconfigure(const Config& wanted);

  // Begins the ordered stop. Any thread.
  void stop();

  // Whether the root of its actors answers in time. From the thread that started the daemon.
  bool responds(std::chrono::milliseconds patience);

  uint16_t admin_port() const;
  std::string metrics_url() const;
  std::string rest_url() const;  // empty: not served
  std::string datapath_kind() const;

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace viaduct::actors
