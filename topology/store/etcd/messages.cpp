#include "topology/store/etcd/messages.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::topology::store::etcd {
namespace {

Error foreign(std::string_view key) {
  return {ErrorCode::corrupt, "etcd sent the key '" + std::string(key) + "', which was not asked for"};
}

Result<Entry> entry_of(const KeySpace& keys, pb::KeyValue& from) {
  auto key = keys.inner(from.key());
  if (!key) return foreign(from.key());
  return Entry{std::move(*key), std::move(*from.mutable_value()), static_cast<Revision>(from.mod_revision()),
               static_cast<LeaseId>(from.lease())};
}

bool holds(const Compare& compare, Revision actual) {
  return compare.kind == Compare::Kind::exists ? actual != 0 : actual == compare.expected;
}

Result<WatchEvent> event_of(const KeySpace& keys, pb::Event& from) {
  auto entry = entry_of(keys, *from.mutable_kv());
  if (!entry) return entry.error();
  if (from.type() == pb::Event::PUT) return WatchEvent{WatchEvent::Kind::put, std::move(*entry)};
  return WatchEvent{WatchEvent::Kind::deleted, {std::move(entry->key), {}, entry->mod_revision, LeaseId::none}};
}

}  // namespace

std::optional<std::string> KeySpace::inner(std::string_view outer_key) const {
  if (!outer_key.starts_with(prefix_) || outer_key.size() == prefix_.size()) return std::nullopt;
  return std::string(outer_key.substr(prefix_.size()));
}

std::string end_of_prefix(std::string prefix) {
  while (static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  ++prefix.back();
  return prefix;
}

pb::TxnRequest to_request(const KeySpace& keys, const Transaction& transaction) {
  pb::TxnRequest request;
  for (const Compare& compare : transaction.compares) {
    const bool exists = compare.kind == Compare::Kind::exists;
    auto& to = *request.add_compare();
    to.set_target(pb::Compare::MOD);
    to.set_result(exists ? pb::Compare::GREATER : pb::Compare::EQUAL);
    to.set_key(keys.outer(compare.key));
    to.set_mod_revision(exists ? 0 : static_cast<int64_t>(compare.expected));
    auto& read = *request.add_failure()->mutable_request_range();
    read.set_key(to.key());
    read.set_keys_only(true);
  }
  for (const Put& put : transaction.puts) {
    auto& to = *request.add_success()->mutable_request_put();
    to.set_key(keys.outer(put.key));
    to.set_value(put.value);
    to.set_lease(static_cast<int64_t>(put.lease));
  }
  for (const std::string& key : transaction.deletes) {
    request.add_success()->mutable_request_delete_range()->set_key(keys.outer(key));
  }
  return request;
}

Error conflict_in(const Transaction& transaction, const pb::TxnResponse& response) {
  for (size_t i = 0; i < transaction.compares.size() && i < static_cast<size_t>(response.responses_size()); ++i) {
    const Compare& compare = transaction.compares[i];
    const auto& found = response.responses(static_cast<int>(i)).response_range().kvs();
    const Revision actual = found.empty() ? 0 : static_cast<Revision>(found.Get(0).mod_revision());
    if (holds(compare, actual)) continue;
    return {ErrorCode::conflict, "'" + compare.key + "' was changed by somebody else", compare.key, actual};
  }
  return {ErrorCode::corrupt, "etcd refused a transaction, all of whose compares hold"};
}

pb::RangeRequest to_request(const KeySpace& keys, const RangeRequest& request) {
  pb::RangeRequest to;
  // Behind `after` comes what is longer by a zero byte.
  to.set_key(request.after.empty() ? keys.outer(request.prefix) : keys.outer(request.after) + '\0');
  to.set_range_end(end_of_prefix(keys.outer(request.prefix)));
  to.set_limit(static_cast<int64_t>(request.limit));
  to.set_revision(static_cast<int64_t>(request.at));
  return to;
}

Result<RangePage> page_of(const KeySpace& keys, const RangeRequest& request, pb::RangeResponse& response) {
  RangePage page;
  page.revision = request.at != 0 ? request.at : static_cast<Revision>(response.header().revision());
  page.more = response.more();
  page.entries.reserve(static_cast<size_t>(response.kvs_size()));
  for (auto& found : *response.mutable_kvs()) {
    auto entry = entry_of(keys, found);
    if (!entry) return entry.error();
    page.entries.push_back(std::move(*entry));
  }
  return page;
}

pb::WatchRequest to_request(const KeySpace& keys, const std::string& prefix, Revision next) {
  pb::WatchRequest request;
  auto& create = *request.mutable_create_request();
  create.set_key(keys.outer(prefix));
  create.set_range_end(end_of_prefix(keys.outer(prefix)));
  create.set_start_revision(next > 1 ? static_cast<int64_t>(next - 1) : 1);
  create.set_progress_notify(true);
  return request;
}

Result<std::vector<WatchBatch>> batches_of(const KeySpace& keys, Revision next, pb::WatchResponse& response) {
  std::vector<WatchBatch> batches;
  for (auto& from : *response.mutable_events()) {
    const auto revision = static_cast<Revision>(from.kv().mod_revision());
    if (revision < next) continue;
    auto event = event_of(keys, from);
    if (!event) return event.error();
    if (batches.empty() || batches.back().revision < revision) batches.push_back({revision, {}});
    if (batches.back().revision != revision) {
      return Error{ErrorCode::corrupt, "etcd sent revision " + std::to_string(revision) + " behind revision " +
                                           std::to_string(batches.back().revision)};
    }
    batches.back().events.push_back(std::move(*event));
  }
  for (WatchBatch& batch : batches) {
    std::ranges::sort(batch.events, {}, [](const WatchEvent& event) -> const std::string& { return event.entry.key; });
  }
  return batches;
}

}  // namespace viaduct::topology::store::etcd
