// What NAT rules do to a packet (devices.md 1.6).
//
// Static rules keep nothing: every packet is translated by what the rule says, also inside ICMP errors. Dynamic rules open
// a pair of entries for a connection, and its later packets follow these; reverse rules follow them back. An ICMP error
// about a translated packet is translated like an answer to it, its quote with it.
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

using topology::NatKind;
using topology::NatTarget;
using topology::Rule;

bool is_source(NatKind kind) { return kind == NatKind::snat; }

bool has_ports(uint8_t proto) { return proto == ip_proto::kTcp || proto == ip_proto::kUdp; }
bool is_icmp(uint8_t proto) { return proto == ip_proto::kIcmp || proto == ip_proto::kIcmpv6; }

// Dynamic translation: TCP, UDP, ICMP queries, and errors about these.
bool can_be_dynamic(const Walk& walk, const Tuple& tuple) {
  if (is_icmp(tuple.proto)) return walk.has_icmp_id || walk.quote;
  return has_ports(tuple.proto);
}

ConnectionKind kind_of(NatKind kind) {
  switch (kind) {
    case NatKind::dnat:
      return ConnectionKind::dnat;
    case NatKind::reverse_dnat:
      return ConnectionKind::dnat_reverse;
    case NatKind::reverse_snat:
      return ConnectionKind::snat_reverse;
    default:
      return ConnectionKind::snat;
  }
}

// Entries of this kind change the source of the packets that they are found by.
bool changes_source(ConnectionKind kind) {
  return kind == ConnectionKind::snat || kind == ConnectionKind::dnat_reverse;
}

IpAddress with_prefix(const IpAddress& address, const IpAddress& prefix, int length) {
  IpAddress::Bytes bytes = address.storage();
  const IpAddress::Bytes& head = prefix.storage();
  for (int bit = 0; bit < length; ++bit) {
    const auto mask = static_cast<uint8_t>(0x80 >> bit % 8);
    bytes[bit / 8] = static_cast<uint8_t>((bytes[bit / 8] & ~mask) | (head[bit / 8] & mask));
  }
  return IpAddress::from_network(address.family(), bytes.data());
}

IpAddress static_target(const NatTarget& target, const IpAddress& address) {
  return target.prefix_length == 0 ? target.first : with_prefix(address, target.first, target.prefix_length);
}

template <std::invocable F>
void note(Walk& walk, F&& text) {
  walk.note_device(Stage::nat, text);
}

std::string text_of(const IpAddress& address, uint16_t port) {
  return (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + ":" + std::to_string(port);
}

// Addresses only. In an ICMP error the quote has the addresses the other way round: what the rule does to the source of
// packets it does to the destination of quotes, whether the error comes from the connection's end or from a router
// between (then only the quote is the rule's, which it asks for by icmp_data_src or icmp_data_dst).
Translated translate_static(Walk& walk, const Rule& rule) {
  walk.verdict.mask.add({Field::ip_src, Field::ip_dst});
  if (is_icmp(walk.key.ip_proto)) {
    walk.verdict.mask.add({Field::l4_src, Field::l4_dst});
    walk.know_connection();
  }
  const NatTarget& target = rule.targets.front();
  const bool source = is_source(rule.nat);
  const auto& about_quote = source ? rule.condition.icmp_data_dst : rule.condition.icmp_data_src;
  IpAddress& outer = source ? walk.key.ip_src : walk.key.ip_dst;
  const IpAddress before = outer;
  if (!about_quote.value) outer = static_target(target, before);
  if (walk.quote) {
    IpAddress& inner = source ? walk.quote->dst : walk.quote->src;
    if (about_quote.value || inner == before) inner = static_target(target, inner);
  }
  if (!source && outer != before) walk.destination_rewritten = true;
  note(walk, [&] {
    return std::string(source ? "source " : "destination ") + before.to_string() + " becomes " + outer.to_string() +
           (walk.quote ? ", and in what it quotes" : "");
  });
  return Translated::done;
}

ConnectionEntry binding(const IpAddress& address, uint16_t port) {
  ConnectionEntry entry;
  entry.address = address;
  entry.port = port;
  return entry;
}

Translated new_source(Walk& walk, const Rule& rule, const Uuid& device, const Tuple& tuple) {
  std::optional<NatBlockWanted> want;
  for (const NatTarget& target : rule.targets) {
    const PortChoice choice = choose_source(walk, device, target, tuple);
    if (choice.kind == PortChoice::Kind::found) {
      // choose_source() has looked: it is free.
      if (open_pair(walk, key_of(ConnectionKind::snat, device, tuple), binding(choice.address, choice.port))) {
        return Translated::done;
      }
    }
    if (choice.kind == PortChoice::Kind::wanted && !want) want = choice.want;
  }
  if (want && !walk.input.give_up) {
    walk.park(*want);
    return Translated::failed;
  }
  note(walk, [&] { return "no port is free towards " + text_of(tuple.dst, tuple.dst_port); });
  walk.drop_once(DropReason::nat_ports_exhausted);
  return Translated::failed;
}

uint64_t spread(const Tuple& tuple) {
  uint64_t hash = std::hash<IpAddress>{}(tuple.src) * 31 + std::hash<IpAddress>{}(tuple.dst);
  hash ^= (uint64_t{tuple.src_port} << 16 | tuple.dst_port) * 0x9e37'79b9'7f4a'7c15ULL;
  hash = (hash ^ hash >> 33) * 0xff51'afd7'ed55'8ccdULL;
  return hash ^ hash >> 29;
}

// The n-th address behind `first`.
IpAddress address_at(const IpAddress& first, uint32_t n) {
  IpAddress::Bytes bytes = first.storage();
  for (int i = address_bytes(first.family()) - 1; i >= 0 && n != 0; --i) {
    n += bytes[i];
    bytes[i] = static_cast<uint8_t>(n);
    n >>= 8;
  }
  return IpAddress::from_network(first.family(), bytes.data());
}
// How many lie between, both counted; ranges are limited to 2^24.
uint32_t addresses_in(const NatTarget& target) {
  uint32_t count = 0;
  for (int i = 0; i < address_bytes(target.first.family()); ++i) {
    count = (count << 8) + target.last.storage()[i] - target.first.storage()[i];
  }
  return count + 1;
}

Translated new_destination(Walk& walk, const Rule& rule, const Uuid& device, const Tuple& tuple) {
  constexpr unsigned kTries = 16;  // two connections of one client must not look alike to one target
  const uint64_t hash = spread(tuple);
  const NatTarget& target = rule.targets[hash % rule.targets.size()];
  const ConnectionKey key = key_of(ConnectionKind::dnat, device, tuple);
  const auto ports = static_cast<uint64_t>(target.port_last - target.port_first + 1);
  for (unsigned i = 0; i < kTries; ++i) {
    const uint64_t choice = hash / 64 + i;
    const IpAddress address = address_at(target.first, static_cast<uint32_t>(choice / ports % addresses_in(target)));
    const uint64_t port = is_icmp(tuple.proto) ? tuple.dst_port : target.port_first + choice % ports;
    if (open_pair(walk, key, binding(address, static_cast<uint16_t>(port)))) return Translated::done;
  }
  note(walk, [&] { return "no target could tell the answers of " + text_of(tuple.src, tuple.src_port) + " apart"; });
  walk.drop_once(DropReason::nat_ports_exhausted);
  return Translated::failed;
}

Translated translate_dynamic(Walk& walk, const Rule& rule, const RuleContext& context) {
  const auto tuple = tuple_of(walk);
  if (!tuple || !can_be_dynamic(walk, *tuple)) return Translated::not_applicable;
  const ConnectionKey key = key_of(kind_of(rule.nat), context.device, *tuple);
  if (const auto known = find_connection(walk, key)) {
    const bool forward = rule.nat == NatKind::snat || rule.nat == NatKind::dnat;
    // Of a pair the forward half is the one that ages.
    const ConnectionKey ageing = forward ? key : *partner_of(key, *known);
    walk.verdict.touches.push_back(ConnectionUse{ageing, forward ? Direction::forward : Direction::back});
    apply_translation(walk, key, *known);
    return Translated::done;
  }
  // An error about a connection that is not known; what a device makes opens none (devices.md 1.4).
  if (walk.quote || walk.first == nullptr) return Translated::not_applicable;
  if (rule.nat == NatKind::snat) return new_source(walk, rule, context.device, *tuple);
  if (rule.nat == NatKind::dnat) return new_destination(walk, rule, context.device, *tuple);
  return Translated::not_applicable;
}

}  // namespace

bool open_pair(Walk& walk, const ConnectionKey& key, const ConnectionEntry& entry) {
  const ConnectionKey back = *partner_of(key, entry);
  if (find_connection(walk, back)) return false;
  // The reverse one first: of two workers that have chosen one port only one opens it.
  open_connection(walk, back, partner_entry(key, entry), Direction::forward);
  open_connection(walk, key, entry, Direction::forward);
  walk.verdict.touches.push_back(ConnectionUse{key, Direction::forward});
  apply_translation(walk, key, entry);
  return true;
}

void apply_translation(Walk& walk, const ConnectionKey& key, const ConnectionEntry& entry) {
  const bool source = changes_source(key.kind);
  IpAddress& outer = source ? walk.key.ip_src : walk.key.ip_dst;
  const IpAddress before = outer;
  if (walk.quote) {
    // The quote is of the other direction. The error's sender is a router on the way, unless it is the end itself.
    (source ? walk.quote->dst : walk.quote->src) = entry.address;
    (source ? walk.quote->l4_dst : walk.quote->l4_src) = entry.port;
    if (walk.quote->proto == ip_proto::kIcmp || walk.quote->proto == ip_proto::kIcmpv6) {
      walk.quote->l4_src = walk.quote->l4_dst = entry.port;
    }
    if (before == (source ? key.src : key.dst)) outer = entry.address;
  } else {
    outer = entry.address;
    if (walk.has_icmp_id) {
      walk.icmp_id = entry.port;
    } else {
      (source ? walk.key.l4_src : walk.key.l4_dst) = entry.port;
    }
  }
  if (!source && key.kind == ConnectionKind::dnat) walk.destination_rewritten = true;
  note(walk, [&] {
    return std::string(to_string(key.kind)) + ": " + (source ? "source " : "destination ") +
           text_of(source ? key.src : key.dst, source ? key.src_port : key.dst_port) + " becomes " +
           text_of(entry.address, entry.port) + (walk.quote ? ", in what it quotes" : "");
  });
}

Translated translate(Walk& walk, const Rule& rule, const RuleContext& context) {
  const bool reverse = rule.nat == NatKind::reverse_dnat || rule.nat == NatKind::reverse_snat;
  if (!walk.key.is_ip() || walk.input.packet.error != DropReason::none) return Translated::not_applicable;
  if (reverse) return translate_dynamic(walk, rule, context);
  // A rule's targets are of one family.
  if (rule.targets.empty() || rule.targets.front().first.family() != walk.key.ip_src.family()) {
    return Translated::not_applicable;
  }
  if (rule.targets.front().is_static()) return translate_static(walk, rule);
  return translate_dynamic(walk, rule, context);
}

}  // namespace viaduct::flows::simulation
