// The embedded store: a VersionedStore in a RocksDB directory of this host. For a single node, and for the agents' own
// copy of what they have seen.
//
// One process at a time may have a directory open. An error of open says which directory, what is wrong with it and what
// to do: `locked`, `corrupt` or `io` (permissions, a full disk). Opening after kill -9 replays at most 16 MiB of log.
#pragma once

#include <filesystem>
#include <memory>

#include "topology/store/versioned_store.hpp"

namespace viaduct::topology::store {

// Creates the directory, and those above it, when missing.
Result<std::unique_ptr<VersionedStore>> open_rocks_store(const std::filesystem::path& directory, Options options = {});

}  // namespace viaduct::topology::store
