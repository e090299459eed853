// Which connection a packet belongs to, and in which direction (devices.md 1.7).
#include "flows/packet/connection_fields.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

bool has_ports(uint8_t proto) { return proto == ip_proto::kTcp || proto == ip_proto::kUdp || proto == ip_proto::kSctp; }

// Ports that the packet should have and that are not known: it cannot be told whose it is.
bool lacks_ports(const Walk& walk) {
  const uint8_t proto = walk.key.ip_proto;
  const bool icmp = proto == ip_proto::kIcmp || proto == ip_proto::kIcmpv6;
  return !walk.has_layer4() && (has_ports(proto) || icmp);
}

Tuple tuple_from(const Headers& headers, bool has_icmp_id) {
  const FlowKey& key = headers.key;
  if (headers.quote) {
    const IcmpQuote& quote = *headers.quote;
    return {quote.proto, quote.l4_dst, quote.l4_src, quote.dst, quote.src};
  }
  Tuple out{key.ip_proto, 0, 0, key.ip_src, key.ip_dst};
  if (has_ports(key.ip_proto)) {
    out.src_port = key.l4_src;
    out.dst_port = key.l4_dst;
  } else if (has_icmp_id) {
    out.src_port = out.dst_port = headers.icmp_id;
  }
  return out;
}

void note_fields(Walk& walk) {
  const uint8_t proto = walk.key.ip_proto;
  FieldSet& mask = walk.verdict.mask;
  mask.add({Field::ip_src, Field::ip_dst});
  if (has_ports(proto) || proto == ip_proto::kIcmp || proto == ip_proto::kIcmpv6) {
    mask.add({Field::l4_src, Field::l4_dst});
  }
}

uint32_t tenant_of(const Walk& walk, const PortView& port) {
  if (port.device == PortDevice::bridge) {
    const BridgeView* bridge = walk.network().bridge(BridgeId(port.device_id));
    return bridge == nullptr ? 0 : bridge->tenant;
  }
  const RouterView* router = walk.network().router(RouterId(port.device_id));
  return router == nullptr ? 0 : router->tenant;
}

// By the packet as it entered the virtual network.
ConnectionKey tracked_key(const Walk& walk) {
  return key_of(ConnectionKind::track, walk.first->device_id, tuple_from(walk.original, walk.has_icmp_id));
}

}  // namespace

std::optional<Tuple> tuple_of(Walk& walk) {
  if (!walk.key.is_ip()) return std::nullopt;
  walk.know_connection();
  note_fields(walk);
  if (!walk.connection_known || lacks_ports(walk)) return std::nullopt;
  return tuple_from({walk.key, walk.icmp_id, walk.quote}, walk.has_icmp_id);
}

ConnectionKey key_of(ConnectionKind kind, const Uuid& device, const Tuple& tuple) {
  return {kind, tuple.proto, tuple.src_port, tuple.dst_port, tuple.src, tuple.dst, device};
}

std::optional<ConnectionEntry> find_connection(Walk& walk, const ConnectionKey& key) {
  walk.tag(tag_of(key));
  return walk.input.state.connections.find(key);
}

bool is_translated(Walk& walk, const Uuid& device) {
  const auto tuple = tuple_of(walk);
  return tuple && find_connection(walk, key_of(ConnectionKind::snat_reverse, device, *tuple));
}

void open_connection(Walk& walk, const ConnectionKey& key, ConnectionEntry entry, Direction direction) {
  const uint8_t seen_now = tcp_flags(walk.input.packet) | seen::kPacket;
  (direction == Direction::forward ? entry.seen_forward : entry.seen_back) = seen_now;
  entry.last_seen = walk.input.now;
  if (walk.first != nullptr) {
    entry.port_account = std::hash<PortId>{}(walk.first->id);
    entry.tenant = tenant_of(walk, *walk.first);
  }
  walk.verdict.opens.push_back({key, entry});
}

bool is_return(Walk& walk) {
  if (walk.first == nullptr) return true;
  if (walk.direction) return *walk.direction == Direction::back;
  walk.direction = Direction::forward;
  walk.tracked = true;
  if (!tuple_of(walk)) return false;
  const ConnectionKey key = tracked_key(walk);
  const bool known = find_connection(walk, key).has_value();
  if (known) {
    walk.direction = Direction::back;
    walk.verdict.touches.push_back(ConnectionUse{key, Direction::back});
  }
  walk.note_device(Stage::connection,
                   [&] { return std::string(known ? "return packet of " : "new or forward: ") + key.to_string(); });
  return known;
}

void track(Walk& walk, const Uuid& device) {
  if (!walk.tracked || walk.direction != Direction::forward || walk.quote) return;
  const auto tuple = tuple_of(walk);
  if (!tuple) return;
  const ConnectionKey key = key_of(ConnectionKind::track, device, tuple->reversed());
  for (const ConnectionOpen& open : walk.verdict.opens) {
    if (open.key == key) return;
  }
  walk.note_device(Stage::connection, [&] { return "answers come as " + key.to_string(); });
  walk.verdict.touches.push_back(ConnectionUse{key, Direction::forward});
  if (!find_connection(walk, key)) open_connection(walk, key, {}, Direction::forward);
}

}  // namespace viaduct::flows::simulation
