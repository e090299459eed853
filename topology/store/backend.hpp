// What a VersionedStore keeps its records in: a few ordered tables of bytes, written in atomic batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "topology/store/store.hpp"

namespace viaduct::topology::store {

enum class Table : uint8_t { data, log, lease, meta };
inline constexpr size_t kTables = 4;

struct BackendWrite {
  Table table;
  std::string key;
  std::optional<std::string> value;  // nothing: erase
};
using BackendBatch = std::vector<BackendWrite>;

enum class Durability : uint8_t {
  synced,   // survives the machine's crash when write() returns
  relaxed,  // may be lost in such a crash, but not out of order with synced ones
};

// Walks one table as it was when the cursor was made.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void seek(std::string_view key) = 0;  // to the first record at or behind key
  virtual void next() = 0;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;  // until the cursor moves
  virtual std::string_view value() const = 0;
  virtual std::optional<Error> error() const = 0;  // why valid() is false, if not because of the end
};

// All tables as they are at one moment. Must not outlive its backend.
class View {
 public:
  virtual ~View() = default;
  virtual std::unique_ptr<Cursor> cursor(Table table) const = 0;
};

// Any thread may take views; writes come from one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::optional<Error> write(const BackendBatch& batch, Durability durability) = 0;
  virtual std::unique_ptr<View> view() const = 0;
};

}  // namespace viaduct::topology::store
