// The clustered store as the configuration asks for it.
#pragma once

#include <memory>
#include <string>

#include "actors/daemons/config.hpp"
#include "observability/probes.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

// Null with the reason in `error` when the etcd does not answer, or not to this user.
std::unique_ptr<topology::store::Store> open_etcd(const Config& config, observability::EtcdProbe& probe,
                                                  std::string& error);

}  // namespace viaduct::actors
