// State entries, and the feed that carries them.
#include <capnp/message.h>

#include "topology/codec.hpp"

namespace viaduct::topology {
namespace {

size_t bytes_of_length(size_t bits) { return (bits + 7) / 8; }

std::vector<uint8_t> bytes_of(const std::vector<IpPrefix>& prefixes) {
  std::vector<uint8_t> out;
  out.reserve(prefixes.size() * 5);
  for (const IpPrefix& prefix : prefixes) {
    const auto length = static_cast<size_t>(prefix.length());
    out.push_back(static_cast<uint8_t>(length));
    const auto& address = prefix.address().storage();
    out.insert(out.end(), address.begin(), address.begin() + static_cast<std::ptrdiff_t>(bytes_of_length(length)));
  }
  return out;
}

struct FactEncoder {
  schema::StateEntry::Builder to;
  void operator()(const PortActive& from) {
    auto it = to.initPortActive();
    encode(from.port.uuid(), it.initPort());
    it.setKey(from.key);
  }
  void operator()(const FloodKey& from) {
    auto it = to.initFloodKey();
    encode(from.bridge.uuid(), it.initBridge());
    it.setKey(from.key);
  }
  void operator()(const MacClaim& from) {
    auto it = to.initMac();
    encode(from.bridge.uuid(), it.initBridge());
    it.setVlan(from.vlan);
    it.setMac(from.mac.as_uint64());
    encode(from.port.uuid(), it.initPort());
  }
  void operator()(const NeighbourClaim& from) {
    auto it = to.initNeighbour();
    encode(from.device, it.initDevice());
    encode(from.port.uuid(), it.initPort());
    encode(from.address, it.initAddress());
    it.setMac(from.mac.as_uint64());
    it.setConfirmed(from.confirmed);
  }
  void operator()(const HostSession& from) {
    auto it = to.initSession();
    it.setName(text_of(from.name));
    it.setInstance(text_of(from.instance));
    it.setNode(text_of(from.node));
    it.setSince(from.since);
    it.setLease(from.lease);
  }
  void operator()(const NatBlockClaim& from) {
    auto it = to.initNatBlock();
    encode(from.device, it.initDevice());
    encode(from.address, it.initAddress());
    it.setBlock(from.block);
  }
  void operator()(const LearnedRoutes& from) {
    auto it = to.initLearnedRoutes();
    encode(from.port.uuid(), it.initPort());
    encode(from.gateway, it.initGateway());
    it.setPart(from.part);
    it.setV6(!from.prefixes.empty() && from.prefixes.front().family() == IpFamily::v6);
    const std::vector<uint8_t> bytes = bytes_of(from.prefixes);
    it.setPrefixes(capnp::Data::Reader(bytes.data(), bytes.size()));
  }
  void operator()(const GatewayLost& from) {
    auto it = to.initGatewayLost();
    encode(from.port.uuid(), it.initPort());
    encode(from.gateway, it.initGateway());
  }
  void operator()(const HostInterface& from) {
    auto it = to.initInterface();
    it.setName(text_of(from.name));
    it.setMac(from.mac.as_uint64());
    it.setMtu(from.mtu);
    it.setKind(text_of(from.kind));
    it.setUp(from.up);
    it.setCarrier(from.carrier);
    auto addresses = it.initAddresses(static_cast<unsigned>(from.addresses.size()));
    for (unsigned i = 0; i < addresses.size(); ++i) encode(from.addresses[i], addresses[i]);
  }
  void operator()(const HealthReport& from) {
    auto it = to.initPoolHealth();
    encode(from.pool.uuid(), it.initPool());
    auto members = it.initMembers(static_cast<unsigned>(from.members.size()));
    for (unsigned i = 0; i < members.size(); ++i) {
      const MemberHealth& health = from.members[i];
      encode(health.member.uuid(), members[i].initMember());
      members[i].setUp(health.up);
      members[i].setResult(static_cast<uint8_t>(health.result));
      members[i].setDetail(health.detail);
      members[i].setSince(health.since);
    }
  }
};

constexpr uint64_t kMaxMac = 0xffff'ffff'ffff;

Decoded<HostFact> decode_mac(schema::MacClaim::Reader from) {
  if (from.getMac() > kMaxMac) return Decoded<HostFact>::failure("mac has more than 48 bits");
  return HostFact{MacClaim{BridgeId(decode(from.getBridge())), from.getVlan(), MacAddress::from_uint64(from.getMac()),
                           PortId(decode(from.getPort()))}};
}

Decoded<HostFact> decode_neighbour(schema::NeighbourClaim::Reader from) {
  auto address = decode(from.getAddress());
  if (!address) return Decoded<HostFact>::failure("neighbour: " + address.error());
  if (!*address) return Decoded<HostFact>::failure("neighbour without an address");
  if (from.getMac() > kMaxMac) return Decoded<HostFact>::failure("mac has more than 48 bits");
  return HostFact{NeighbourClaim{decode(from.getDevice()), PortId(decode(from.getPort())), **address,
                                 MacAddress::from_uint64(from.getMac()), from.getConfirmed()}};
}

HostSession decode_session(schema::HostSession::Reader from) {
  return {from.getName().cStr(), from.getInstance().cStr(), from.getNode().cStr(), from.getSince(), from.getLease()};
}

Decoded<HostFact> decode_nat_block(schema::NatBlockClaim::Reader from) {
  auto address = decode(from.getAddress());
  if (!address) return Decoded<HostFact>::failure("NAT block: " + address.error());
  if (!*address) return Decoded<HostFact>::failure("NAT block without an address");
  if (from.getBlock() >= kNatBlocksOfAddress) return Decoded<HostFact>::failure("NAT block beyond the last port");
  return HostFact{NatBlockClaim{decode(from.getDevice()), **address, from.getBlock()}};
}

HealthReport decode_health(schema::HealthReport::Reader from) {
  HealthReport out{PoolId(decode(from.getPool()))};
  for (auto member : from.getMembers()) {
    const bool known = member.getResult() < static_cast<uint8_t>(CheckResult::count_);
    out.members.push_back({PoolMemberId(decode(member.getMember())), member.getUp(),
                           known ? static_cast<CheckResult>(member.getResult()) : CheckResult::none, member.getDetail(),
                           member.getSince()});
  }
  return out;
}

// Of what is not as bytes_of() writes it: nothing.
std::optional<std::vector<IpPrefix>> prefixes_of(capnp::Data::Reader bytes, IpFamily family) {
  std::vector<IpPrefix> out;
  const size_t width = family == IpFamily::v4 ? 32 : 128;
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = bytes[at++];
    const size_t held = bytes_of_length(length);
    if (length > width || bytes.size() - at < held) return std::nullopt;
    IpAddress::Bytes address{};
    std::copy_n(bytes.begin() + at, held, address.begin());
    at += held;
    const IpPrefix prefix(IpAddress::from_network(family, address.data()), static_cast<int>(length));
    if (prefix.has_host_bits() || (!out.empty() && !(out.back() < prefix))) return std::nullopt;
    out.push_back(prefix);
  }
  return out;
}

Decoded<HostFact> decode_learned_routes(schema::LearnedRoutes::Reader from) {
  auto gateway = decode(from.getGateway());
  if (!gateway) return Decoded<HostFact>::failure("learned routes: " + gateway.error());
  if (!*gateway) return Decoded<HostFact>::failure("learned routes without a gateway");
  auto prefixes = prefixes_of(from.getPrefixes(), from.getV6() ? IpFamily::v6 : IpFamily::v4);
  if (!prefixes) return Decoded<HostFact>::failure("learned routes: prefixes that are none, or not in order");
  return HostFact{LearnedRoutes{PortId(decode(from.getPort())), **gateway, from.getPart(), std::move(*prefixes)}};
}

Decoded<HostFact> decode_gateway_lost(schema::GatewayLost::Reader from) {
  auto gateway = decode(from.getGateway());
  if (!gateway) return Decoded<HostFact>::failure("lost gateway: " + gateway.error());
  if (!*gateway) return Decoded<HostFact>::failure("lost gateway without an address");
  return HostFact{GatewayLost{PortId(decode(from.getPort())), **gateway}};
}

Decoded<HostFact> decode_interface(schema::HostInterface::Reader from) {
  HostInterface out{from.getName().cStr(), {}, from.getMtu(), from.getKind().cStr(), from.getUp(), from.getCarrier()};
  // Its name is a part of a key.
  if (out.name.empty() || out.name.find('/') != std::string::npos) {
    return Decoded<HostFact>::failure("interface: '" + out.name + "' is no name of one");
  }
  if (from.getMac() > kMaxMac) return Decoded<HostFact>::failure("mac has more than 48 bits");
  out.mac = MacAddress::from_uint64(from.getMac());
  for (auto each : from.getAddresses()) {
    auto address = decode(each);
    if (!address) return Decoded<HostFact>::failure("interface: " + address.error());
    if (!*address) return Decoded<HostFact>::failure("interface " + out.name + " has an empty address");
    out.addresses.push_back(**address);
  }
  return HostFact{std::move(out)};
}

Decoded<HostFact> decode_fact(schema::StateEntry::Reader from) {
  switch (from.which()) {
    case schema::StateEntry::PORT_ACTIVE:
      return HostFact{PortActive{PortId(decode(from.getPortActive().getPort())), from.getPortActive().getKey()}};
    case schema::StateEntry::FLOOD_KEY:
      return HostFact{FloodKey{BridgeId(decode(from.getFloodKey().getBridge())), from.getFloodKey().getKey()}};
    case schema::StateEntry::MAC:
      return decode_mac(from.getMac());
    case schema::StateEntry::NEIGHBOUR:
      return decode_neighbour(from.getNeighbour());
    case schema::StateEntry::SESSION:
      return HostFact{decode_session(from.getSession())};
    case schema::StateEntry::NAT_BLOCK:
      return decode_nat_block(from.getNatBlock());
    case schema::StateEntry::POOL_HEALTH:
      return HostFact{decode_health(from.getPoolHealth())};
    case schema::StateEntry::LEARNED_ROUTES:
      return decode_learned_routes(from.getLearnedRoutes());
    case schema::StateEntry::GATEWAY_LOST:
      return decode_gateway_lost(from.getGatewayLost());
    case schema::StateEntry::INTERFACE:
      return decode_interface(from.getInterface());
  }
  return Decoded<HostFact>::failure("unknown state " + std::to_string(static_cast<int>(from.which())));
}

}  // namespace

void encode(const StateEntry& entry, schema::StateEntry::Builder to) {
  encode(entry.host.uuid(), to.initHost());
  encode(entry.device, to.initDevice());
  std::visit(FactEncoder{to}, entry.fact);
}

Decoded<StateEntry> decode(schema::StateEntry::Reader from) {
  auto fact = decode_fact(from);
  if (!fact) return Decoded<StateEntry>::failure(fact.error());
  StateEntry out{HostId(decode(from.getHost())), decode(from.getDevice()), 0, std::move(*fact)};
  if (out.host.is_nil()) return Decoded<StateEntry>::failure("state without an owner");
  return out;
}

schema::Frame encode_state(const StateEntry& entry) {
  capnp::MallocMessageBuilder message;
  encode(entry, message.initRoot<schema::StateEntry>());
  return schema::Frame::of(message);
}

Decoded<StateEntry> decode_state(std::span<const uint8_t> bytes) {
  auto read =
      schema::with_root<schema::StateEntry>(bytes, {}, [](schema::StateEntry::Reader entry) { return decode(entry); });
  if (!read) return Decoded<StateEntry>::failure(read.failure().text);
  return std::move(*read);
}

size_t encoded_bound(const StateEntry& entry) {
  constexpr size_t kFixed = 256;    // structures, ids, addresses, list headers
  constexpr size_t kPerPrefix = 1;  // and its bytes
  constexpr size_t kPerMember = 56;
  constexpr size_t kPerAddress = 24;
  if (const auto* routes = std::get_if<LearnedRoutes>(&entry.fact)) {
    size_t bytes = kFixed;
    for (const IpPrefix& prefix : routes->prefixes) {
      bytes += kPerPrefix + bytes_of_length(static_cast<size_t>(prefix.length()));
    }
    return bytes;
  }
  if (const auto* report = std::get_if<HealthReport>(&entry.fact)) return kFixed + report->members.size() * kPerMember;
  if (const auto* interface = std::get_if<HostInterface>(&entry.fact)) {
    return kFixed + interface->name.size() + interface->kind.size() + interface->addresses.size() * kPerAddress;
  }
  if (const auto* session = std::get_if<HostSession>(&entry.fact)) {
    return kFixed + session->name.size() + session->instance.size() + session->node.size();
  }
  return kFixed;
}

schema::Frame encode_state_write(const StateWrite& write) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::StateWrite>();
  auto puts = to.initPuts(static_cast<unsigned>(write.puts.size()));
  for (unsigned i = 0; i < puts.size(); ++i) {
    encode(write.puts[i].entry, puts[i].initEntry());
    puts[i].setRestore(write.puts[i].mode == StateWrite::Mode::restore);
  }
  auto deletes = to.initDeletes(static_cast<unsigned>(write.deletes.size()));
  for (unsigned i = 0; i < deletes.size(); ++i) deletes.set(i, text_of(write.deletes[i]));
  to.setComplete(write.complete);
  to.setBegins(write.begins);
  to.setEnds(write.ends);
  auto events = to.initEvents(static_cast<unsigned>(write.events.size()));
  for (unsigned i = 0; i < events.size(); ++i) encode(write.events[i], events[i]);
  return schema::Frame::of(message);
}

Decoded<StateWrite> decode_state_write(const schema::Frame& frame) {
  auto read = schema::with_root<schema::StateWrite>(frame, {}, [](schema::StateWrite::Reader from) {
    StateWrite out;
    out.complete = from.getComplete();
    out.begins = from.getBegins();
    out.ends = from.getEnds();
    for (auto put : from.getPuts()) {
      auto entry = decode(put.getEntry());
      if (!entry) return Decoded<StateWrite>::failure(entry.error());
      out.puts.push_back({std::move(*entry), put.getRestore() ? StateWrite::Mode::restore : StateWrite::Mode::claim});
    }
    for (auto key : from.getDeletes()) out.deletes.emplace_back(key.cStr(), key.size());
    for (auto event : from.getEvents()) out.events.push_back(decode(event));
    return Decoded<StateWrite>(std::move(out));
  });
  if (!read) return Decoded<StateWrite>::failure(read.failure().text);
  return std::move(*read);
}

schema::Frame encode_state_written(const StateWritten& written) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::StateWritten>();
  to.setEnded(written.ended);
  auto lost = to.initLost(static_cast<unsigned>(written.lost.size()));
  for (unsigned i = 0; i < lost.size(); ++i) lost.set(i, text_of(written.lost[i]));
  to.setError(text_of(written.error));
  to.setAgain(written.again);
  return schema::Frame::of(message);
}

Decoded<StateWritten> decode_state_written(const schema::Frame& frame) {
  auto read = schema::with_root<schema::StateWritten>(frame, {}, [](schema::StateWritten::Reader from) {
    StateWritten out;
    out.ended = from.getEnded();
    for (auto key : from.getLost()) out.lost.emplace_back(key.cStr(), key.size());
    out.error = std::string(from.getError().cStr(), from.getError().size());
    out.again = from.getAgain();
    return out;
  });
  if (!read) return Decoded<StateWritten>::failure(read.failure().text);
  return std::move(*read);
}

}  // namespace viaduct::topology
