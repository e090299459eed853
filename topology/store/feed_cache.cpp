#include "topology/store/feed_cache.hpp"

#include <algorithm>

#include "topology/store/record.hpp"
#include "topology/store/rocks_backend.hpp"

namespace viaduct::topology::store {
namespace {

constexpr uint64_t kCacheFormat = 1;
constexpr std::string_view kRevisionKey = "revision";

// An entry lies under its key: eight bytes of revision, then the value. The data table holds nothing else.
std::string record_of(const FeedItem& item) { return encode_u64(item.revision) + *item.value; }

class RocksFeedCache final : public FeedCache {
 public:
  explicit RocksFeedCache(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

  Result<FeedBatch> load() override {
    auto view = backend_->view();
    auto revision = read_meta(*view, kRevisionKey);
    if (!revision) return revision.error();
    FeedBatch out;
    out.complete = true;
    out.revision = revision->value_or(0);
    auto cursor = view->cursor(Table::data);
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      auto item = item_at(*cursor);
      if (!item) return item.error();
      out.items.push_back(std::make_shared<const FeedItem>(std::move(*item)));
    }
    if (auto error = cursor->error()) return *error;
    return out;
  }

  std::optional<Error> store(const FeedBatch& batch, const std::vector<std::string>& gone) override {
    BackendBatch writes;
    if (batch.complete) {
      if (auto error = erase_unnamed(batch, writes)) return error;
    }
    for (const auto& item : batch.items) {
      writes.push_back({Table::data, item->key, item->value ? std::optional(record_of(*item)) : std::nullopt});
    }
    for (const auto& key : gone) writes.push_back({Table::data, key, std::nullopt});
    writes.push_back({Table::meta, std::string(kFormatKey), encode_u64(kCacheFormat)});
    writes.push_back({Table::meta, std::string(kRevisionKey), encode_u64(batch.revision)});
    return backend_->write(writes, Durability::relaxed);
  }

 private:
  static Result<FeedItem> item_at(const Cursor& cursor) {
    auto revision = decode_u64(cursor.value().substr(0, sizeof(uint64_t)));
    if (!revision) return damaged("cached entry " + std::string(cursor.key()));
    return FeedItem{std::string(cursor.key()), *revision, std::string(cursor.value().substr(sizeof(uint64_t)))};
  }

  std::optional<Error> erase_unnamed(const FeedBatch& batch, BackendBatch& writes) const {
    std::vector<std::string_view> named;
    for (const auto& item : batch.items) named.push_back(item->key);
    std::sort(named.begin(), named.end());
    auto view = backend_->view();
    auto cursor = view->cursor(Table::data);
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      if (!std::binary_search(named.begin(), named.end(), cursor->key())) {
        writes.push_back({Table::data, std::string(cursor->key()), std::nullopt});
      }
    }
    return cursor->error();
  }

  const std::shared_ptr<Backend> backend_;
};

}  // namespace

Result<std::unique_ptr<FeedCache>> open_feed_cache(const std::filesystem::path& directory) {
  auto backend = open_rocks_backend(directory);
  if (!backend) return backend.error();
  auto format = read_meta(*(*backend)->view(), kFormatKey);
  if (!format) return format.error();
  if (*format && **format != kCacheFormat) {
    return Error{ErrorCode::corrupt, "the cache in " + directory.string() + " has format " + std::to_string(**format) +
                                         ", this program knows " + std::to_string(kCacheFormat)};
  }
  return std::unique_ptr<FeedCache>(std::make_unique<RocksFeedCache>(std::move(*backend)));
}

std::optional<std::filesystem::path> set_aside(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (int number = 1; number < 1000; ++number) {
    fs::path to = directory;
    to += ".damaged-" + std::to_string(number);
    if (fs::exists(to, error)) continue;
    fs::rename(directory, to, error);
    return error ? std::nullopt : std::optional(to);
  }
  return std::nullopt;
}

}  // namespace viaduct::topology::store
