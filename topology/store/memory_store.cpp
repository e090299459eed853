#include "topology/store/memory_store.hpp"

#include <array>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace viaduct::topology::store {
namespace {

// Every record keeps the values that living views can still see, by the number of the batch that wrote them.
class MemoryBackend final : public Backend {
 public:
  using Sequence = uint64_t;

  std::optional<Error> write(const BackendBatch& batch, Durability) override {
    std::lock_guard lock(mutex_);
    ++sequence_;
    for (const BackendWrite& write : batch) {
      auto& versions = tables_[static_cast<size_t>(write.table)][write.key];
      versions[sequence_] = write.value;
      forget_invisible(versions);
      if (!write.value) erased_.push_back({sequence_, write.table, write.key});
    }
    sweep();
    return std::nullopt;
  }

  std::unique_ptr<View> view() const override;

 private:
  friend class MemoryView;
  friend class MemoryCursor;
  using Versions = std::map<Sequence, std::optional<std::string>>;
  using Records = std::map<std::string, Versions, std::less<>>;
  struct Erased {
    Sequence sequence;
    Table table;
    std::string key;
  };

  Sequence oldest_view() const { return views_.empty() ? sequence_ : *views_.begin(); }

  void forget_invisible(Versions& versions) const {
    auto visible = versions.upper_bound(oldest_view());
    if (visible != versions.begin()) versions.erase(versions.begin(), std::prev(visible));
  }

  // Removes erased records that no view can see any more.
  void sweep() {
    for (; !erased_.empty() && erased_.front().sequence <= oldest_view(); erased_.pop_front()) {
      Records& records = tables_[static_cast<size_t>(erased_.front().table)];
      const auto found = records.find(erased_.front().key);
      if (found == records.end()) continue;
      forget_invisible(found->second);
      if (found->second.size() == 1 && !found->second.begin()->second) records.erase(found);
    }
  }

  mutable std::mutex mutex_;
  Sequence sequence_ = 0;
  std::array<Records, kTables> tables_;
  std::deque<Erased> erased_;
  mutable std::multiset<Sequence> views_;
};

class MemoryCursor final : public Cursor {
 public:
  MemoryCursor(const MemoryBackend& backend, Table table, MemoryBackend::Sequence at)
      : backend_(backend), table_(static_cast<size_t>(table)), at_(at) {}

  void seek(std::string_view key) override {
    std::lock_guard lock(backend_.mutex_);
    settle(backend_.tables_[table_].lower_bound(key));
  }
  void next() override {
    std::lock_guard lock(backend_.mutex_);
    settle(backend_.tables_[table_].upper_bound(key_));
  }
  bool valid() const override { return valid_; }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  std::optional<Error> error() const override { return std::nullopt; }

 private:
  // On the first record from `at` on that the view sees.
  void settle(MemoryBackend::Records::const_iterator at) {
    for (valid_ = false; at != backend_.tables_[table_].end(); ++at) {
      const auto newer = at->second.upper_bound(at_);
      if (newer == at->second.begin() || !std::prev(newer)->second) continue;
      key_ = at->first;
      value_ = *std::prev(newer)->second;
      valid_ = true;
      return;
    }
  }

  const MemoryBackend& backend_;
  const size_t table_;
  const MemoryBackend::Sequence at_;
  bool valid_ = false;
  std::string key_, value_;
};

class MemoryView final : public View {
 public:
  explicit MemoryView(const MemoryBackend& backend) : backend_(backend) {
    std::lock_guard lock(backend_.mutex_);
    at_ = backend_.sequence_;
    backend_.views_.insert(at_);
  }
  ~MemoryView() override {
    std::lock_guard lock(backend_.mutex_);
    backend_.views_.erase(backend_.views_.find(at_));
  }
  std::unique_ptr<Cursor> cursor(Table table) const override {
    return std::make_unique<MemoryCursor>(backend_, table, at_);
  }

 private:
  const MemoryBackend& backend_;
  MemoryBackend::Sequence at_;
};

std::unique_ptr<View> MemoryBackend::view() const { return std::make_unique<MemoryView>(*this); }

}  // namespace

std::shared_ptr<Backend> make_memory_backend() { return std::make_shared<MemoryBackend>(); }

std::unique_ptr<VersionedStore> make_memory_store(Options options) {
  auto store = VersionedStore::open(make_memory_backend(), std::move(options));
  return std::move(*store);  // an empty memory backend always opens
}

}  // namespace viaduct::topology::store
