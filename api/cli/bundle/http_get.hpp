// One document of a server on this machine, by HTTP/1.0. For the daemon's /metrics.
#pragma once

#include <chrono>
#include <string>

#include "api/client/outcome.hpp"

namespace viaduct::api::cli {

// `url`: "http://127.0.0.1:9464/metrics"; loopback addresses only. At most 16 MiB, and not longer than `timeout` in all.
Result<std::string> http_get(const std::string& url, std::chrono::milliseconds timeout);

}  // namespace viaduct::api::cli
