#include "actors/cluster/node_record.hpp"

#include <utility>

#include "topology/codec_session.hpp"

namespace viaduct::actors {

namespace store = topology::store;

NodeRecord::NodeRecord(store::Store& store, Uuid id, std::string name, std::chrono::seconds lease, WallTime since)
    : store_(store), id_(id), ttl_(lease) {
  record_.name = std::move(name);
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(since.time_since_epoch());
  record_.since = static_cast<uint64_t>(nanoseconds.count());
}

void NodeRecord::set(uint64_t agents, uint64_t applied) {
  record_.agents = agents;
  record_.applied = applied;
}

// A lease, and nobody else of this name.
std::optional<std::string> NodeRecord::begin() {
  auto page = store_.range({std::string(topology::kClusterKeyPrefix)});
  if (!page) return page.error().text;
  store::Transaction cleaning;
  for (const auto& entry : page->entries) {
    auto node = topology::decode_cluster_node(store::as_bytes(entry.value));
    if (node && node->name == record_.name) cleaning.deletes.push_back(entry.key);
  }
  if (!cleaning.deletes.empty()) {
    if (auto cleaned = store_.commit(cleaning); !cleaned) return cleaned.error().text;
  }
  auto lease = store_.grant(ttl_);
  if (!lease) return lease.error().text;
  lease_ = *lease;
  return std::nullopt;
}

std::optional<std::string> NodeRecord::write() {
  if (lease_ == store::LeaseId::none) {
    if (auto wrong = begin()) return wrong;
  }
  store::Transaction transaction;
  transaction.puts.push_back(
      {topology::cluster_node_key(id_), store::to_value(topology::encode_cluster_node(record_).bytes), lease_});
  auto committed = store_.commit(transaction);
  if (committed) {
    written_ = record_;
    return std::nullopt;
  }
  if (committed.error().code == store::ErrorCode::lease_not_found) lease_ = store::LeaseId::none;
  written_.reset();
  return committed.error().text;
}

std::optional<std::string> NodeRecord::keep_alive() {
  if (lease_ != store::LeaseId::none) {
    auto kept = store_.keep_alive(lease_);
    if (kept) return std::nullopt;
    if (kept.error().code != store::ErrorCode::lease_not_found) return kept.error().text;
    lease_ = store::LeaseId::none;
  }
  return write();
}

void NodeRecord::remove() {
  if (lease_ != store::LeaseId::none) (void)store_.revoke(lease_);  // else it ends by itself
  lease_ = store::LeaseId::none;
  written_.reset();
}

}  // namespace viaduct::actors
