#include "topology/store/record.hpp"

namespace viaduct::topology::store {
namespace {

constexpr size_t kIntBytes = 8;
constexpr char kEscape = '\x00', kEscapedZero = '\xff', kEnd = '\x01', kBehind = '\x02';

void append_u64(uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

// The key at the front of `bytes`, which then begins behind it.
std::optional<std::string> take_key(std::string_view& bytes) {
  std::string key;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != kEscape) {
      key += bytes[i];
      continue;
    }
    if (++i == bytes.size()) break;
    if (bytes[i] == kEnd) {
      bytes.remove_prefix(i + 1);
      return key;
    }
    if (bytes[i] != kEscapedZero) break;
    key += '\0';
  }
  return std::nullopt;
}

}  // namespace

std::string encode_u64(uint64_t value) {
  std::string out;
  append_u64(value, out);
  return out;
}

std::optional<uint64_t> decode_u64(std::string_view bytes) {
  if (bytes.size() != kIntBytes) return std::nullopt;
  uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

std::string encode_prefix(std::string_view prefix) {
  std::string out;
  out.reserve(prefix.size() + 2 + kIntBytes);
  for (char c : prefix) {
    out += c;
    if (c == kEscape) out += kEscapedZero;
  }
  return out;
}

std::string encode_key(std::string_view key) { return encode_prefix(key) + kEscape + kEnd; }
std::string behind_key(std::string_view key) { return encode_prefix(key) + kEscape + kBehind; }

std::string encode_version(std::string_view key, Revision revision) {
  std::string out = encode_key(key);
  append_u64(~revision, out);
  return out;
}

std::optional<Version> decode_version(std::string_view bytes) {
  auto key = take_key(bytes);
  const auto inverted = decode_u64(bytes);
  if (!key || !inverted) return std::nullopt;
  return Version{std::move(*key), ~*inverted};
}

std::string encode_content(const Content& content) {
  std::string out(1, content.deleted ? 0 : 1);
  append_u64(static_cast<uint64_t>(content.lease), out);
  out += content.value;
  return out;
}

std::optional<Content> decode_content(std::string_view bytes) {
  if (bytes.size() < 1 + kIntBytes || static_cast<uint8_t>(bytes[0]) > 1) return std::nullopt;
  const auto lease = decode_u64(bytes.substr(1, kIntBytes));
  return Content{bytes[0] == 0, static_cast<LeaseId>(*lease), bytes.substr(1 + kIntBytes)};
}

std::string encode_log(const std::vector<std::string>& keys) {
  std::string out;
  for (const auto& key : keys) out += encode_key(key);
  return out;
}

std::optional<std::vector<std::string>> decode_log(std::string_view bytes) {
  std::vector<std::string> keys;
  while (!bytes.empty()) {
    auto key = take_key(bytes);
    if (!key) return std::nullopt;
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::string encode_lease(LeaseId lease) { return encode_u64(static_cast<uint64_t>(lease)); }

std::string encode_attachment(LeaseId lease, std::string_view key) { return encode_lease(lease) + encode_key(key); }

std::optional<LeaseRecord> decode_lease_record(std::string_view bytes) {
  const auto id = decode_u64(bytes.substr(0, kIntBytes));
  if (!id) return std::nullopt;
  LeaseRecord record{static_cast<LeaseId>(*id), std::nullopt};
  bytes.remove_prefix(kIntBytes);
  if (bytes.empty()) return record;
  record.key = take_key(bytes);
  if (!record.key || !bytes.empty()) return std::nullopt;
  return record;
}

Error damaged(std::string_view what) {
  return {ErrorCode::corrupt, "the store holds " + std::string(what) +
                                  " that cannot be read; restore its directory from a backup, or move it away to start "
                                  "with an empty one"};
}

Result<std::optional<Entry>> read_entry(Cursor& data, std::string_view key, Revision at) {
  const std::string front = encode_key(key);
  data.seek(encode_version(key, at));
  if (!data.valid()) {
    if (auto error = data.error()) return *error;
    return std::optional<Entry>();
  }
  if (!data.key().starts_with(front)) return std::optional<Entry>();
  const auto version = decode_version(data.key());
  if (!version) return damaged("a key");
  return entry_here(data, *version);
}

Result<std::optional<Entry>> entry_here(const Cursor& data, const Version& version) {
  const auto content = decode_content(data.value());
  if (!content) return damaged("a value");
  if (content->deleted) return std::optional<Entry>();
  return std::optional<Entry>({version.key, std::string(content->value), version.revision, content->lease});
}

Result<std::vector<std::string>> read_log(Cursor& log, Revision revision) {
  log.seek(encode_u64(revision));
  if (!log.valid() || log.key() != encode_u64(revision)) {
    if (auto error = log.error()) return *error;
    return damaged("a gap in its log at revision " + std::to_string(revision));
  }
  auto keys = decode_log(log.value());
  if (!keys) return damaged("a log record");
  return std::move(*keys);
}

Result<std::optional<uint64_t>> read_meta(const View& view, std::string_view key) {
  auto cursor = view.cursor(Table::meta);
  cursor->seek(key);
  if (!cursor->valid() || cursor->key() != key) {
    if (auto error = cursor->error()) return *error;
    return std::optional<uint64_t>();
  }
  const auto value = decode_u64(cursor->value());
  if (!value) return damaged("a record about itself");
  return value;
}

}  // namespace viaduct::topology::store
