#include "actors/agent/learned_state.hpp"

#include <capnp/message.h>

#include "schema/learned.capnp.h"
#include "topology/codec.hpp"

namespace viaduct::actors {

namespace store = topology::store;

namespace {

constexpr std::string_view kPrefix = "/learned/";
constexpr size_t kChunk = store::kMaxTransactionOps / 2;
constexpr std::chrono::seconds kRestoredAge{60};  // a restored neighbour is stale

// "/learned/<part>/<part>…"
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string key("/learned");
  for (std::string_view part : parts) key.append("/").append(part);
  return key;
}
std::string key_of(const flows::MacKey& key) {
  return joined({"mac", key.bridge.to_string(), std::to_string(key.vlan), key.mac.to_string()});
}
std::string key_of(const flows::NeighbourKey& key) {
  return joined({"neighbour", key.device.to_string(), key.port.to_string(), key.address.to_string()});
}

std::string value_of(const flows::MacKey& key, PortId port) {
  capnp::MallocMessageBuilder message;
  auto mac = message.initRoot<schema::LearnedEntry>().initMac();
  topology::encode(key.bridge.uuid(), mac.initBridge());
  mac.setVlan(key.vlan);
  mac.setMac(key.mac.as_uint64());
  topology::encode(port.uuid(), mac.initPort());
  return store::to_value(schema::Frame::of(message).bytes);
}
std::string value_of(const flows::NeighbourKey& key, const MacAddress& mac) {
  capnp::MallocMessageBuilder message;
  auto neighbour = message.initRoot<schema::LearnedEntry>().initNeighbour();
  topology::encode(key.device, neighbour.initDevice());
  topology::encode(key.port.uuid(), neighbour.initPort());
  topology::encode(key.address, neighbour.initAddress());
  neighbour.setMac(mac.as_uint64());
  return store::to_value(schema::Frame::of(message).bytes);
}

bool restore_neighbour(schema::LearnedNeighbour::Reader from, AgentState& state, flows::Time now) {
  auto address = topology::decode(from.getAddress());
  if (!address || !*address) return false;
  flows::NeighbourKey key{topology::decode(from.getDevice()), PortId(topology::decode(from.getPort())), **address};
  state.neighbours.learn(key, MacAddress::from_uint64(from.getMac()), now - kRestoredAge);
  state.neighbours.set_state(key, flows::NeighbourState::stale, now);
  return true;
}

bool restore_entry(std::string_view value, AgentState& state, flows::Time now) {
  auto done = schema::with_root<schema::LearnedEntry>(store::as_bytes(value), schema::ReadLimits{}, [&](auto root) {
    if (root.isNeighbour()) return restore_neighbour(root.getNeighbour(), state, now);
    if (!root.isMac()) return false;
    auto mac = root.getMac();
    flows::MacKey key{BridgeId(topology::decode(mac.getBridge())), mac.getVlan(),
                      MacAddress::from_uint64(mac.getMac())};
    state.macs.learn(key, PortId(topology::decode(mac.getPort())), now);
    return true;
  });
  return done && *done;
}

}  // namespace

LearnedState::Restored LearnedState::restore(AgentState& state, flows::Time now) {
  Restored out;
  store::RangeRequest request{std::string(kPrefix), store::kMaxRangeEntries};
  for (bool more = true; more;) {
    auto page = store_.range(request);
    if (!page) {
      out.error = page.error().text;
      return out;
    }
    for (auto& entry : page->entries) {
      ++(restore_entry(entry.value, state, now) ? out.entries : out.damaged);
      on_disk_.emplace(std::move(entry.key), std::move(entry.value));
    }
    request.at = page->revision;
    if (!on_disk_.empty()) request.after = on_disk_.rbegin()->first;
    more = page->more;
  }
  return out;
}

std::string LearnedState::persist(const AgentState& state) {
  uint64_t changes = state.learned_changes.load(std::memory_order_acquire);
  if (changes == changes_seen_.load(std::memory_order_relaxed)) return {};
  std::map<std::string, std::string> wanted;
  state.macs.for_each([&](const flows::MacKey& key, const flows::MacEntry& entry) {
    if (!state.remote_claims.has(key)) wanted.emplace(key_of(key), value_of(key, entry.port));
  });
  state.neighbours.for_each([&](const flows::NeighbourKey& key, const flows::NeighbourEntry& entry) {
    if (entry.state != flows::NeighbourState::failed && !state.remote_claims.has(key))
      wanted.emplace(key_of(key), value_of(key, entry.mac));
  });
  std::string error = write(wanted);
  if (error.empty()) changes_seen_.store(changes, std::memory_order_release);
  return error;
}

uint64_t LearnedState::unsaved(const AgentState& state) const {
  uint64_t seen = changes_seen_.load(std::memory_order_acquire);  // first: the other only grows
  return state.learned_changes.load(std::memory_order_acquire) - seen;
}

std::string LearnedState::write(const std::map<std::string, std::string>& wanted) {
  store::Transaction transaction;
  std::string error;
  auto flush = [&] {
    if (transaction.puts.empty() && transaction.deletes.empty()) return;
    if (auto committed = store_.commit(transaction); !committed) {
      error = committed.error().text;
    } else {
      for (auto& put : transaction.puts) on_disk_[put.key] = std::move(put.value);
      for (const auto& key : transaction.deletes) on_disk_.erase(key);
    }
    transaction = {};
  };
  auto add = [&](auto change) {
    change();
    if (transaction.puts.size() + transaction.deletes.size() >= kChunk) flush();
  };
  for (const auto& [key, value] : wanted) {
    auto it = on_disk_.find(key);
    if (it == on_disk_.end() || it->second != value) add([&] { transaction.puts.push_back({key, value}); });
  }
  std::vector<std::string> gone;
  for (const auto& [key, value] : on_disk_) {
    if (!wanted.contains(key)) gone.push_back(key);
  }
  for (const auto& key : gone) add([&] { transaction.deletes.push_back(key); });
  flush();
  return error;
}

}  // namespace viaduct::actors
