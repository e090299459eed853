// How a VersionedStore lays out its records.
//
//   data   ordered(key) ~revision  ->  kind, lease, value     each version of a key, the newest first
//   log    revision                ->  the keys it changed    what watches follow and compaction works through
//   lease  id                      ->  ttl                    and  id ordered(key) -> nothing, for each attached key
//   meta   "format" "head" "compact"
//
// Integers are 8 bytes big-endian, so that they sort. ordered(key) is the key with 00 written as 00 ff, and 00 01 at the
// end: keys of any bytes sort like themselves and none is a prefix of another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "topology/store/backend.hpp"
#include "topology/store/store.hpp"

namespace viaduct::topology::store {

inline constexpr uint64_t kFormat = 1;
inline constexpr std::string_view kFormatKey = "format", kHeadKey = "head", kCompactKey = "compact";

std::string encode_u64(uint64_t value);
std::optional<uint64_t> decode_u64(std::string_view bytes);

std::string encode_prefix(std::string_view prefix);  // where the keys with this prefix begin
std::string encode_key(std::string_view key);        // begins every version of exactly this key
std::string behind_key(std::string_view key);        // sorts behind all its versions, before the next key
std::string encode_version(std::string_view key, Revision revision);
struct Version {
  std::string key;
  Revision revision = 0;
};
std::optional<Version> decode_version(std::string_view bytes);

struct Content {
  bool deleted = false;
  LeaseId lease = LeaseId::none;
  std::string_view value;
};
std::string encode_content(const Content& content);
std::optional<Content> decode_content(std::string_view bytes);  // refers to bytes

std::string encode_log(const std::vector<std::string>& keys);
std::optional<std::vector<std::string>> decode_log(std::string_view bytes);

std::string encode_lease(LeaseId lease);
std::string encode_attachment(LeaseId lease, std::string_view key);
struct LeaseRecord {
  LeaseId lease = LeaseId::none;
  std::optional<std::string> key;  // of an attachment
};
std::optional<LeaseRecord> decode_lease_record(std::string_view bytes);

Error damaged(std::string_view what);

// The newest version of `key` at or before `at`, found with a cursor over the data table. A deleted key is absent.
Result<std::optional<Entry>> read_entry(Cursor& data, std::string_view key, Revision at);
// What `version`, which `data` is at, says of its key.
Result<std::optional<Entry>> entry_here(const Cursor& data, const Version& version);
// Keys of `log` at `revision`, sorted.
Result<std::vector<std::string>> read_log(Cursor& log, Revision revision);
Result<std::optional<uint64_t>> read_meta(const View& view, std::string_view key);

}  // namespace viaduct::topology::store
