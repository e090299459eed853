#include "actors/agent/connection_store.hpp"

#include <capnp/message.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "flows/replication/state_codec.hpp"
#include "schema/frame.hpp"
#include "schema/learned.capnp.h"

namespace viaduct::actors {

namespace store = topology::store;

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::ConnectionUpdate;
using flows::OpenResult;
using flows::Time;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

constexpr size_t kBatch = 5'000;
constexpr size_t kRefreshBuckets = 2'048;  // at once, some 10'000 entries

bool is_kept(ConnectionKind kind) {
  return kind != ConnectionKind::snat_reverse && kind != ConnectionKind::dnat_reverse &&
         kind != ConnectionKind::fragment;
}

// All fields one behind the other; a family's addresses have one length.
std::string disk_key(const ConnectionKey& key) {
  std::string out;
  auto add = [&out](const auto& bytes) {
    for (const auto byte : bytes) out.push_back(static_cast<char>(byte));
  };
  add(key.device.bytes());
  add(std::array<uint8_t, 7>{static_cast<uint8_t>(key.kind), key.proto, static_cast<uint8_t>(key.src_port >> 8),
                             static_cast<uint8_t>(key.src_port), static_cast<uint8_t>(key.dst_port >> 8),
                             static_cast<uint8_t>(key.dst_port), static_cast<uint8_t>(key.src.family())});
  add(key.src.bytes());
  add(key.dst.bytes());
  return out;
}

std::string disk_value(const ConnectionKey& key, const ConnectionEntry& entry, Time now, WallTime wall) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::KeptConnection>();
  encode(ConnectionUpdate{key, entry, false}, now, root.initEntry());
  root.setWritten(duration_cast<milliseconds>(wall.time_since_epoch()).count());
  root.setOwned(entry.owned);
  return store::to_value(schema::Frame::of(message).bytes);
}

// Times of use are as old as they were, or kRefresh younger. A clock that was put back makes nothing younger than now.
std::optional<ConnectionUpdate> read(std::string_view value, Time now, WallTime wall) {
  std::optional<ConnectionUpdate> out;
  auto done = schema::with_root<schema::KeptConnection>(store::as_bytes(value), schema::ReadLimits{}, [&](auto root) {
    const milliseconds age = duration_cast<milliseconds>(wall.time_since_epoch()) - milliseconds(root.getWritten());
    out = flows::decode(root.getEntry(), now - std::max(age, milliseconds(0)) + ConnectionStore::kRefresh);
    if (!out) return;
    out->entry.owned = root.getOwned();
    out->entry.last_seen = std::min(out->entry.last_seen, now);
  });
  if (!done || !out || out->ended || !is_kept(out->key.kind)) return std::nullopt;
  return out;
}

// A pair together or not at all, the reverse half first.
bool open(flows::ConnectionTable& table, const ConnectionKey& key, const ConnectionEntry& entry) {
  const auto back = partner_of(key, entry);
  auto there = [](OpenResult result) { return result == OpenResult::added || result == OpenResult::same; };
  if (back && !there(table.open(*back, partner_entry(key, entry)))) return false;
  if (there(table.open(key, entry))) return true;
  if (back) table.erase(*back);
  return false;
}

}  // namespace

void ConnectionStore::put(const ConnectionKey& key, const ConnectionEntry& entry, Time now, WallTime wall) {
  batch_.push_back({store::Table::data, disk_key(key), disk_value(key, entry, now, wall)});
  if (batch_.size() >= kBatch) flush();
}

void ConnectionStore::remove(const ConnectionKey& key) {
  batch_.push_back({store::Table::data, disk_key(key), std::nullopt});
  if (batch_.size() >= kBatch) flush();
}

void ConnectionStore::flush() {
  if (batch_.empty()) return;
  if (auto failed = backend_->write(batch_, store::Durability::relaxed)) error_ = failed->text;
  batch_.clear();
}

ConnectionStore::Restored ConnectionStore::restore(AgentState& state, const flows::ConnectionTimeouts& timeouts,
                                                   Time now, WallTime wall) {
  Restored out;
  const auto view = backend_->view();
  const auto cursor = view->cursor(store::Table::data);
  for (cursor->seek(""); cursor->valid(); cursor->next()) {
    const auto kept = read(cursor->value(), now, wall);
    const bool over = kept && kept->entry.last_seen + timeouts.of(kept->key, kept->entry) <= now;
    if (kept && !over) {
      ++(open(state.connections, kept->key, kept->entry) ? out.connections : out.refused);
      continue;
    }
    ++(kept ? out.ended : out.damaged);
    batch_.push_back({store::Table::data, std::string(cursor->key()), std::nullopt});
    if (batch_.size() >= kBatch) flush();
  }
  if (auto failed = cursor->error()) error_ = failed->text;
  flush();
  out.error = std::exchange(error_, {});
  return out;
}

std::string ConnectionStore::write(AgentState& state, Time now, WallTime wall) {
  auto news = state.connection_news.take();
  if (news.overflow || compare_again_) {
    compare_all(state, now, wall);
  } else {
    const std::unordered_set<ConnectionKey, flows::ConnectionKeyHash> keys(news.keys.begin(), news.keys.end());
    for (const ConnectionKey& key : keys) {
      if (!is_kept(key.kind)) continue;
      const auto entry = state.connections.find(key);
      entry ? put(key, *entry, now, wall) : remove(key);
    }
    refresh(state, now, wall);
  }
  flush();
  compare_again_ = !error_.empty();
  return std::exchange(error_, {});
}

// What the disk has too much goes, and all that there is is written.
void ConnectionStore::compare_all(AgentState& state, Time now, WallTime wall) {
  const auto view = backend_->view();
  const auto cursor = view->cursor(store::Table::data);
  for (cursor->seek(""); cursor->valid(); cursor->next()) {
    const auto kept = read(cursor->value(), now, wall);
    if (kept && state.connections.find(kept->key)) continue;
    batch_.push_back({store::Table::data, std::string(cursor->key()), std::nullopt});
    if (batch_.size() >= kBatch) flush();
  }
  if (auto failed = cursor->error()) error_ = failed->text;
  state.connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    if (is_kept(key.kind)) put(key, entry, now, wall);
  });
}

// What was used since this came by the last time, which is kRefresh ago or longer.
void ConnectionStore::refresh(AgentState& state, Time now, WallTime wall) {
  if (at_ == 0) {
    if (now - round_ < kRefresh / 2) return;
    round_before_ = std::exchange(round_, now);
  }
  at_ = state.connections.visit_some(at_, kRefreshBuckets, [&](const ConnectionKey& key, const ConnectionEntry& entry) {
    if (is_kept(key.kind) && entry.last_seen >= round_before_) put(key, entry, now, wall);
  });
}

}  // namespace viaduct::actors
