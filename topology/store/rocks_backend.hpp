// Tables in a RocksDB of their own: what the embedded store and the agent's cache keep their records in.
#pragma once

#include <filesystem>
#include <memory>

#include "topology/store/backend.hpp"

namespace viaduct::topology::store {

// Makes the directory when it is not there. Errors: locked, corrupt, io.
Result<std::shared_ptr<Backend>> open_rocks_backend(const std::filesystem::path& directory);

}  // namespace viaduct::topology::store
