#include "topology/store/rocks_backend.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/slice.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <system_error>
#include <utility>
#include <vector>

namespace viaduct::topology::store {
namespace {

constexpr size_t kMemtableBytes = size_t{4} << 20;  // of each table
constexpr size_t kLogBytes = size_t{16} << 20;      // replayed at most after a crash
constexpr size_t kCacheBytes = size_t{16} << 20;

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view bytes(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Error explain(const rocksdb::Status& status, const std::string& directory) {
  const std::string reason = status.ToString();
  const std::string store = "the store in " + directory;
  const bool lock = reason.find("LOCK") != std::string::npos;
  if (reason.find("ermission denied") != std::string::npos) {
    return {ErrorCode::io, store + " may not be opened by this user (" + reason + "); check the directory's owner"};
  }
  if (status.IsIOError() && lock) {
    return {ErrorCode::locked, store + " is in use by another process; stop the viaductd that runs already, or give " +
                                   "this one another data directory (" + reason + ")"};
  }
  if (status.IsNoSpace()) return {ErrorCode::io, store + " cannot grow: the disk is full (" + reason + ")"};
  if (status.IsIOError() && reason.find("No such file") == std::string::npos) {
    return {ErrorCode::io, store + ": the disk failed (" + reason + ")"};
  }
  return {ErrorCode::corrupt, store + " is damaged (" + reason + "); restore the directory from a backup, or move it " +
                                  "away to start with an empty store"};
}

class RocksCursor final : public Cursor {
 public:
  RocksCursor(std::unique_ptr<rocksdb::Iterator> iterator, const std::string& directory)
      : iterator_(std::move(iterator)), directory_(directory) {}
  void seek(std::string_view key) override { iterator_->Seek(slice(key)); }
  void next() override { iterator_->Next(); }
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return bytes(iterator_->key()); }
  std::string_view value() const override { return bytes(iterator_->value()); }
  std::optional<Error> error() const override {
    if (iterator_->status().ok()) return std::nullopt;
    return explain(iterator_->status(), directory_);
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
  const std::string& directory_;
};

class RocksBackend final : public Backend {
 public:
  RocksBackend(std::string directory, rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> families)
      : directory_(std::move(directory)), db_(db), families_(std::move(families)) {}

  ~RocksBackend() override {
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
    // Whatever it answers: everything acknowledged is in the synced log.
    (void)db_->Close();
  }

  std::optional<Error> write(const BackendBatch& batch, Durability durability) override {
    rocksdb::WriteBatch writes;
    for (const BackendWrite& write : batch) {
      const auto status = write.value ? writes.Put(family(write.table), write.key, *write.value)
                                      : writes.Delete(family(write.table), write.key);
      if (!status.ok()) return explain(status, directory_);
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::synced;
    const auto status = db_->Write(options, &writes);
    if (!status.ok()) return explain(status, directory_);
    return std::nullopt;
  }

  std::unique_ptr<View> view() const override;

 private:
  friend class RocksView;
  rocksdb::ColumnFamilyHandle* family(Table table) const { return families_[static_cast<size_t>(table)]; }

  const std::string directory_;
  const std::unique_ptr<rocksdb::DB> db_;
  const std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

class RocksView final : public View {
 public:
  explicit RocksView(const RocksBackend& backend) : backend_(backend), snapshot_(backend.db_->GetSnapshot()) {}
  ~RocksView() override { backend_.db_->ReleaseSnapshot(snapshot_); }

  std::unique_ptr<Cursor> cursor(Table table) const override {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    std::unique_ptr<rocksdb::Iterator> iterator(backend_.db_->NewIterator(options, backend_.family(table)));
    return std::make_unique<RocksCursor>(std::move(iterator), backend_.directory_);
  }

 private:
  const RocksBackend& backend_;
  const rocksdb::Snapshot* const snapshot_;
};

std::unique_ptr<View> RocksBackend::view() const { return std::make_unique<RocksView>(*this); }

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // A write cut short by a crash was not acknowledged and may go; damage in the middle must be told, not skipped.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = kLogBytes;
  options.max_open_files = 256;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  return options;
}

rocksdb::ColumnFamilyOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = kMemtableBytes;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  return options;
}

Result<std::shared_ptr<Backend>> open_backend(const std::string& directory) {
  const auto options = table_options(rocksdb::NewLRUCache(kCacheBytes));
  // In the order of enum Table; the default family is required, and holds the data.
  const std::array<std::string, kTables> names = {rocksdb::kDefaultColumnFamilyName, "log", "lease", "meta"};
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto& name : names) descriptors.emplace_back(name, options);
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(database_options(), directory, descriptors, &families, &db);
  if (!status.ok()) return explain(status, directory);
  return std::shared_ptr<Backend>(std::make_shared<RocksBackend>(directory, db, std::move(families)));
}

}  // namespace

Result<std::shared_ptr<Backend>> open_rocks_backend(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Error{ErrorCode::io, "the store's directory " + directory.string() + " cannot be made: " + error.message()};
  }
  return open_backend(directory.string());
}

}  // namespace viaduct::topology::store
