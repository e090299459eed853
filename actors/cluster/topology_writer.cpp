#include "actors/cluster/topology_writer.hpp"

#include "topology/codec.hpp"

namespace viaduct::actors {

namespace store = topology::store;
using topology::Snapshot;

namespace {

// An object lies in the store with the revision that wrote it as its own.
store::Transaction transaction_for(const topology::Delta& delta) {
  store::Transaction out;
  for (const auto& [ref, change] : delta.changes) {
    std::string key = topology::key_of(ref);
    uint64_t known = change.before == nullptr ? 0 : topology::revision_of(*change.before);
    out.compares.push_back(store::Compare::unchanged(key, known));
    if (change.after != nullptr) {
      out.puts.push_back({key, store::to_value(topology::encode_object(*change.after).bytes)});
    } else {
      out.deletes.push_back(key);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> TopologyWriter::load() {
  Snapshot loaded;
  store::RangeRequest request{std::string(topology::kObjectKeyPrefix), store::kMaxRangeEntries};
  for (bool more = true; more;) {
    auto page = store_.range(request);
    if (!page) return page.error().text;
    for (const auto& entry : page->entries) {
      auto object = topology::decode_object(store::as_bytes(entry.value));
      if (!object) return "the stored object " + entry.key + " cannot be read: " + object.error();
      loaded = loaded.with(std::make_shared<const topology::Object>(std::move(*object)));
    }
    request.at = page->revision;
    if (!page->entries.empty()) request.after = page->entries.back().key;
    more = page->more;
  }
  snapshot_ = std::make_shared<const Snapshot>(loaded.at_revision(store_.revision()));
  return std::nullopt;
}

TopologyWriter::Outcome TopologyWriter::commit(CommitTransaction request) {
  Outcome out;
  uint64_t next = store_.revision() + 1;
  auto built = topology::build(*snapshot_, std::move(request.operations), next);
  if (!built.ok()) {
    out.reply.status = CommitReply::Status::refused;
    out.reply.violations = std::move(built.violations);
    return out;
  }
  bool writes = !request.dry_run && !built.delta.empty();
  if (writes) {
    if (auto error = write(built)) {
      out.reply.error = error->text;
      out.committed = catch_up();
      return out;
    }
    auto delta = std::make_shared<const topology::Delta>(std::move(built.delta));
    snapshot_ = std::make_shared<const Snapshot>(std::move(built.next));
    out.committed = Committed{snapshot_, std::move(delta), std::chrono::system_clock::now()};
  }
  out.reply.status = CommitReply::Status::committed;
  out.reply.revision = request.dry_run ? 0 : snapshot_->revision();
  out.reply.changes = std::move(built.changes);
  out.reply.ids = std::move(built.ids);
  return out;
}

std::optional<store::Error> TopologyWriter::write(const topology::BuildResult& built) {
  auto committed = store_.commit(transaction_for(built.delta));
  if (!committed) return committed.error();
  if (*committed == built.next.revision()) return std::nullopt;
  return store::Error{store::ErrorCode::unavailable, "the store has another writer; look at the object and try again"};
}

// Somebody else writes into this store, or nobody knows what the failed write has left: memory may be old.
std::optional<Committed> TopologyWriter::catch_up() {
  SnapshotPtr before = snapshot_;
  if (load()) return std::nullopt;
  auto delta = std::make_shared<const topology::Delta>(topology::Delta::between(*before, *snapshot_));
  if (delta->empty()) return std::nullopt;
  return Committed{snapshot_, std::move(delta), std::chrono::system_clock::now()};
}

}  // namespace viaduct::actors
