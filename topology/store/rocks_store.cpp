#include "topology/store/rocks_store.hpp"

#include <utility>

#include "topology/store/rocks_backend.hpp"

namespace viaduct::topology::store {

Result<std::unique_ptr<VersionedStore>> open_rocks_store(const std::filesystem::path& directory, Options options) {
  auto backend = open_rocks_backend(directory);
  if (!backend) return backend.error();
  return VersionedStore::open(std::move(*backend), std::move(options));
}

}  // namespace viaduct::topology::store
