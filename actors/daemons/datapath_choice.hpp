// Which datapath this host gets.
#pragma once

#include <memory>
#include <string>

#include "actors/daemons/config.hpp"
#include "flows/datapath/datapath.hpp"

namespace viaduct::actors {

unsigned worker_count(const Config& config);
// Null when the one asked for is not possible here; `error` says why.
std::unique_ptr<flows::Datapath> open_datapath(const Config& config, std::string& error);

}  // namespace viaduct::actors
