// A store in memory, for tests and dry runs: everything of the contract except durability.
#pragma once

#include <memory>

#include "topology/store/versioned_store.hpp"

namespace viaduct::topology::store {

// Its content lives as long as the backend, which several stores may open one after the other.
std::shared_ptr<Backend> make_memory_backend();

std::unique_ptr<VersionedStore> make_memory_store(Options options = {});

}  // namespace viaduct::topology::store
