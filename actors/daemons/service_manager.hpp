// The service manager that has started this process, if one has: told that the daemon is ready, reads its configuration
// again, ends, and lives (sd_notify(3), sd_watchdog_enabled(3)). Without one nothing happens.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace viaduct::actors::service_manager {

// `status` is what `systemctl status` shows.
void ready(const std::string& status);
void reloading();  // followed by ready()
void stopping();
// Within watchdog()'s time of the last one, or the process is killed and started again.
void alive();
// How often alive() is expected at least, with as much again to spare; nothing: by nobody.
std::optional<std::chrono::milliseconds> watchdog();

}  // namespace viaduct::actors::service_manager
