#include "flows/state/connection_table.hpp"

#include <algorithm>
#include <atomic>
#include <tuple>
#include <utility>

#include "flows/packet/flow_key.hpp"
#include "flows/state/device_quota.hpp"

namespace viaduct::flows {

namespace {

// ConnectionKey without padding.
struct PackedKey {
  uint8_t kind, proto;
  uint16_t src_port, dst_port;
  uint16_t family;
  IpAddress::Bytes src, dst;
  Uuid device;
};
static_assert(sizeof(PackedKey) == 56);

struct PackedEntry {
  IpAddress::Bytes address;
  uint16_t port;
  uint8_t family;
  uint8_t seen_forward, seen_back;
  bool owned;
  uint32_t tenant;
  uint64_t port_account;
  Time last_seen;
};
static_assert(sizeof(PackedEntry) <= 48);

PackedKey pack(const ConnectionKey& key) {
  return {static_cast<uint8_t>(key.kind),          key.proto,         key.src_port,      key.dst_port,
          static_cast<uint16_t>(key.src.family()), key.src.storage(), key.dst.storage(), key.device};
}
IpAddress address_of(uint8_t family, const IpAddress::Bytes& bytes) {
  return IpAddress::from_network(static_cast<IpFamily>(family), bytes.data());
}
ConnectionKey unpack(const PackedKey& key) {
  const auto family = static_cast<uint8_t>(key.family);
  return {static_cast<ConnectionKind>(key.kind), key.proto, key.src_port, key.dst_port, address_of(family, key.src),
          address_of(family, key.dst),           key.device};
}
PackedEntry pack(const ConnectionEntry& entry) {
  return {entry.address.storage(),
          entry.port,
          static_cast<uint8_t>(entry.address.family()),
          entry.seen_forward,
          entry.seen_back,
          entry.owned,
          entry.tenant,
          entry.port_account,
          entry.last_seen};
}
ConnectionEntry unpack(const PackedEntry& entry) {
  return {address_of(entry.family, entry.address),
          entry.port,
          entry.seen_forward,
          entry.seen_back,
          entry.owned,
          entry.tenant,
          entry.port_account,
          entry.last_seen};
}

bool means_the_same(const PackedEntry& a, const PackedEntry& b) {
  return a.address == b.address && a.port == b.port && a.family == b.family;
}

// What the newest packet says counts, not the first.
bool replaces(ConnectionKind kind) { return kind == ConnectionKind::sticky || kind == ConnectionKind::fragment; }

Uuid quota_key(uint64_t account) { return Uuid::from_words(0, account); }

// What is kept of a packet's flags.
uint8_t seen_bits(uint8_t tcp_flags) {
  return (tcp_flags & (seen::kFin | seen::kSyn | seen::kRst | seen::kAck)) | seen::kPacket;
}

bool begins_anew(const PackedEntry& entry, uint8_t tcp_flags) {
  const bool begins = (tcp_flags & (seen::kSyn | seen::kAck | seen::kRst | seen::kFin)) == seen::kSyn;
  return begins && ((entry.seen_forward | entry.seen_back) & (seen::kFin | seen::kRst)) != 0;
}

const char* proto_name(uint8_t proto) {
  switch (proto) {
    case ip_proto::kTcp:
      return "tcp";
    case ip_proto::kUdp:
      return "udp";
    case ip_proto::kSctp:
      return "sctp";
    case ip_proto::kIcmp:
      return "icmp";
    case ip_proto::kIcmpv6:
      return "icmpv6";
    default:
      return nullptr;
  }
}

std::string endpoint(const IpAddress& address, uint16_t port) {
  const std::string text = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return text + ":" + std::to_string(port);
}

}  // namespace

std::string_view to_string(ConnectionKind kind) {
  switch (kind) {
    case ConnectionKind::track:
      return "track";
    case ConnectionKind::snat:
      return "snat";
    case ConnectionKind::snat_reverse:
      return "snat_reverse";
    case ConnectionKind::dnat:
      return "dnat";
    case ConnectionKind::dnat_reverse:
      return "dnat_reverse";
    case ConnectionKind::sticky:
      return "sticky";
    case ConnectionKind::fragment:
      return "fragment";
    case ConnectionKind::count_:
      break;
  }
  return "unknown";
}

std::string_view to_string(ConnectionState state) {
  switch (state) {
    case ConnectionState::opening:
      return "opening";
    case ConnectionState::established:
      return "established";
    case ConnectionState::closing:
      return "closing";
    case ConnectionState::closed:
      return "closed";
  }
  return "unknown";
}

std::string ConnectionKey::to_string() const {
  const char* name = proto_name(proto);
  return std::string(flows::to_string(kind)) + " " + (name != nullptr ? name : std::to_string(proto)) + " " +
         endpoint(src, src_port) + " > " + endpoint(dst, dst_port) + " at " + device.to_string();
}

Tag tag_of(const ConnectionKey& key) {
  const uint64_t word = uint64_t{static_cast<uint8_t>(key.kind)} << 40 | uint64_t{key.proto} << 32 |
                        uint64_t{key.src_port} << 16 | key.dst_port;
  return tag::connection(key.device, word, key.src, key.dst);
}

ConnectionState ConnectionEntry::state() const {
  if (((seen_forward | seen_back) & seen::kRst) != 0) return ConnectionState::closed;
  if ((seen_forward & seen_back & seen::kFin) != 0) return ConnectionState::closing;
  return seen_back != 0 ? ConnectionState::established : ConnectionState::opening;
}

std::chrono::seconds ConnectionTimeouts::of(const ConnectionKey& key, const ConnectionEntry& entry) const {
  if (key.kind == ConnectionKind::sticky) return sticky;
  if (key.kind == ConnectionKind::fragment) return fragment;
  const ConnectionState state = entry.state();
  switch (key.proto) {
    case ip_proto::kTcp:
      switch (state) {
        case ConnectionState::opening:
          return tcp_opening;
        case ConnectionState::established:
          return tcp_established;
        case ConnectionState::closing:
          return tcp_closing;
        case ConnectionState::closed:
          return tcp_closed;
      }
      break;
    case ip_proto::kUdp:
      return state == ConnectionState::opening ? udp_opening : udp_established;
    case ip_proto::kIcmp:
    case ip_proto::kIcmpv6:
      return icmp;
    default:
      break;
  }
  return other;
}

struct ConnectionTable::Impl {
  Impl(const ConnectionLimits& limits, uint64_t seed)
      : table(limits.capacity, seed),
        ports(accounts(limits), limits.per_port, seed + 1),
        tenants(accounts(limits), limits.per_tenant, seed + 2) {}

  // Ports, and tenants, with connections: of other hosts, too, where copies are kept.
  static size_t accounts(const ConnectionLimits& limits) { return limits.capacity / 8 + 1'024; }

  bool take_share(const PackedEntry& entry) {
    const auto refuse = [](std::atomic<uint64_t>& count) {
      count.fetch_add(1, std::memory_order_relaxed);
      return false;
    };
    if (!ports.take(quota_key(entry.port_account))) return refuse(over_port_share);
    if (tenants.take(quota_key(entry.tenant))) return true;
    ports.give_back(quota_key(entry.port_account));
    return refuse(over_tenant_share);
  }
  void give_back(const PackedEntry& entry) {
    ports.give_back(quota_key(entry.port_account));
    tenants.give_back(quota_key(entry.tenant));
  }
  bool erase_when(const ConnectionKey& key, const auto& condition) {
    PackedEntry gone{};
    const TableOutcome outcome = table.modify(pack(key), [&](std::optional<PackedEntry>& entry) {
      if (!entry || !condition(*entry)) return TableChange::keep;
      gone = *entry;
      return TableChange::erase;
    });
    if (outcome != TableOutcome::erased) return false;
    give_back(gone);
    return true;
  }

  ConcurrentTable<PackedKey, PackedEntry> table;
  DeviceQuota ports, tenants;
  std::atomic<uint64_t> refused{0}, over_port_share{0}, over_tenant_share{0};
};

ConnectionTable::ConnectionTable(const ConnectionLimits& limits, uint64_t seed)
    : impl_(std::make_shared<Impl>(limits, seed)) {}

std::optional<ConnectionEntry> ConnectionTable::find(const ConnectionKey& key) const {
  const auto found = impl_->table.find(pack(key));
  if (!found) return std::nullopt;
  return unpack(*found);
}

OpenResult ConnectionTable::open(const ConnectionKey& key, const ConnectionEntry& value) {
  const PackedEntry wanted = pack(value);
  OpenResult result = OpenResult::added;
  bool shared = false;
  const TableOutcome outcome = impl_->table.modify(pack(key), [&](std::optional<PackedEntry>& entry) {
    if (entry && replaces(key.kind) && !means_the_same(*entry, wanted)) {
      entry->address = wanted.address, entry->port = wanted.port, entry->family = wanted.family;
      entry->last_seen = wanted.last_seen;
      return TableChange::store;
    }
    if (entry) {
      result = means_the_same(*entry, wanted) ? OpenResult::same : OpenResult::taken;
      if (result == OpenResult::taken) return TableChange::keep;
      entry->seen_forward |= wanted.seen_forward;
      entry->seen_back |= wanted.seen_back;
      entry->last_seen = std::max(entry->last_seen, wanted.last_seen);
      return TableChange::store;
    }
    shared = impl_->take_share(wanted);
    if (shared) entry = wanted;
    return shared ? TableChange::store : TableChange::keep;
  });
  if (outcome == TableOutcome::absent) return OpenResult::refused;
  if (outcome == TableOutcome::full) {
    impl_->give_back(wanted);
    impl_->refused.fetch_add(1, std::memory_order_relaxed);
    return OpenResult::refused;
  }
  return result;
}

bool ConnectionTable::touch(const ConnectionKey& key, Direction direction, uint8_t tcp_flags, Time at) {
  const uint8_t bits = seen_bits(tcp_flags);
  const auto known = impl_->table.find(pack(key));
  if (!known) return false;
  const uint8_t has = direction == Direction::forward ? known->seen_forward : known->seen_back;
  if ((has & bits) == bits && at - known->last_seen < kTouchInterval && !begins_anew(*known, tcp_flags)) {
    return false;
  }
  bool changed = false;
  impl_->table.modify(pack(key), [&](std::optional<PackedEntry>& entry) {
    if (!entry) return TableChange::keep;
    changed = begins_anew(*entry, tcp_flags);
    if (changed) entry->seen_forward = entry->seen_back = 0;
    uint8_t& seen_here = direction == Direction::forward ? entry->seen_forward : entry->seen_back;
    changed |= (seen_here & bits) != bits;
    seen_here |= bits;
    entry->last_seen = std::max(entry->last_seen, at);
    return TableChange::store;
  });
  return changed;
}

bool ConnectionTable::set_owned(const ConnectionKey& key, bool owned) {
  const TableOutcome outcome = impl_->table.modify(pack(key), [&](std::optional<PackedEntry>& entry) {
    if (!entry || entry->owned == owned) return TableChange::keep;
    entry->owned = owned;
    return TableChange::store;
  });
  return outcome != TableOutcome::absent;
}

bool ConnectionTable::erase(const ConnectionKey& key) {
  return impl_->erase_when(key, [](const PackedEntry&) { return true; });
}

bool ConnectionTable::erase_if_older(const ConnectionKey& key, Time deadline) {
  return impl_->erase_when(key, [&](const PackedEntry& entry) { return entry.last_seen < deadline; });
}

void ConnectionTable::for_each(const Visit& visit) const {
  impl_->table.for_each([&](const PackedKey& key, const PackedEntry& entry) { visit(unpack(key), unpack(entry)); });
}

size_t ConnectionTable::visit_some(size_t from, size_t buckets, const Visit& visit) const {
  return impl_->table.visit_some(
      from, buckets, [&](const PackedKey& key, const PackedEntry& entry) { visit(unpack(key), unpack(entry)); });
}

size_t ConnectionTable::size() const { return impl_->table.size(); }
size_t ConnectionTable::capacity() const { return impl_->table.capacity(); }
uint64_t ConnectionTable::refused() const { return impl_->refused.load(std::memory_order_relaxed); }
uint64_t ConnectionTable::over_port_share() const { return impl_->over_port_share.load(std::memory_order_relaxed); }
uint64_t ConnectionTable::over_tenant_share() const { return impl_->over_tenant_share.load(std::memory_order_relaxed); }
uint64_t ConnectionTable::of_port(uint64_t account) const { return impl_->ports.count(quota_key(account)); }
uint64_t ConnectionTable::of_tenant(uint32_t tenant) const { return impl_->tenants.count(quota_key(tenant)); }

std::optional<ConnectionKey> partner_of(const ConnectionKey& key, const ConnectionEntry& entry) {
  ConnectionKey out = key;
  switch (key.kind) {
    case ConnectionKind::snat:  // its answer comes to what the source became
    case ConnectionKind::dnat_reverse:
      out.kind = key.kind == ConnectionKind::snat ? ConnectionKind::snat_reverse : ConnectionKind::dnat;
      std::tie(out.src, out.src_port) = std::tie(key.dst, key.dst_port);
      std::tie(out.dst, out.dst_port) = std::tie(entry.address, entry.port);
      break;
    case ConnectionKind::dnat:  // its answer comes from what the destination became
    case ConnectionKind::snat_reverse:
      out.kind = key.kind == ConnectionKind::dnat ? ConnectionKind::dnat_reverse : ConnectionKind::snat;
      std::tie(out.src, out.src_port) = std::tie(entry.address, entry.port);
      std::tie(out.dst, out.dst_port) = std::tie(key.src, key.src_port);
      break;
    default:
      return std::nullopt;
  }
  // An identifier is both ports, and the translated one is too.
  if (key.proto == ip_proto::kIcmp || key.proto == ip_proto::kIcmpv6) out.src_port = out.dst_port = entry.port;
  return out;
}

ConnectionEntry partner_entry(const ConnectionKey& key, const ConnectionEntry& entry) {
  ConnectionEntry out = entry;
  const bool source = key.kind == ConnectionKind::snat || key.kind == ConnectionKind::dnat_reverse;
  out.address = source ? key.src : key.dst;
  out.port = source ? key.src_port : key.dst_port;
  return out;
}

}  // namespace viaduct::flows
