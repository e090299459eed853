#include "actors/daemons/service_manager.hpp"

#include <systemd/sd-daemon.h>

namespace viaduct::actors::service_manager {

void ready(const std::string& status) { sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }
void reloading() { sd_notify(0, "RELOADING=1\nSTATUS=reading the configuration"); }
void stopping() { sd_notify(0, "STOPPING=1\nSTATUS=stopping; the kernel keeps forwarding known flows"); }
void alive() { sd_notify(0, "WATCHDOG=1"); }

std::optional<std::chrono::milliseconds> watchdog() {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::milliseconds(microseconds / 1'000 / 2);
}

}  // namespace viaduct::actors::service_manager
