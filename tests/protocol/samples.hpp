// One object of each kind with every field set, and messages made of them. What the golden files hold.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "topology/codec.hpp"

namespace viaduct::topology::testing {

inline Uuid sample_uuid(uint8_t number) {
  Uuid::Bytes bytes{0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x40, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, number};
  return Uuid(bytes);
}
template <class IdType>
IdType sample_id(uint8_t number) {
  return IdType(sample_uuid(number));
}

inline Port sample_port() {
  Port port;
  port.id = sample_id<PortId>(4);
  port.revision = 1004;
  port.name = "uplink-1";
  port.router = sample_id<RouterId>(3);
  port.admin_up = false;
  port.host = sample_id<HostId>(1);
  port.interface = "enp0s31f6np0d1";
  port.peer = sample_id<PortId>(9);
  port.mac = MacAddress::from_uint64(0x0a11'2233'4455);
  port.addresses = {IpPrefix::parse("192.0.2.1/24").value(), IpPrefix::parse("2001:db8::1/64").value()};
  port.mtu = 9000;
  port.vlan = 4094;
  return port;
}

inline Route sample_route() {
  Route route;
  route.id = sample_id<RouteId>(5);
  route.revision = 1005;
  route.router = sample_id<RouterId>(3);
  route.source = IpPrefix::parse("2001:db8:1::/48").value();
  route.destination = IpPrefix::parse("::/0").value();
  route.next_hop = NextHop::port;
  route.next_hop_port = sample_id<PortId>(4);
  route.gateway = IpAddress::parse("2001:db8::fe").value();
  route.weight = 7;
  return route;
}

// Named as the golden files are.
inline std::vector<std::pair<std::string, Object>> sample_objects() {
  return {
      {"host", Host{sample_id<HostId>(1), 1001, "hypervisor-1"}},
      {"bridge", Bridge{sample_id<BridgeId>(2), 1002, "blue — 青", "tenant-a", false}},
      {"router", Router{sample_id<RouterId>(3), 1003, "edge", "tenant-a", true}},
      {"port", sample_port()},
      {"route", sample_route()},
      {"static-mac", StaticMac{sample_id<StaticMacId>(6), 1006, sample_id<BridgeId>(2),
                               MacAddress::from_uint64(0x0200'0000'0001), 12, sample_id<PortId>(4)}},
      {"static-neighbour",
       StaticNeighbour{sample_id<StaticNeighbourId>(7), 1007, sample_id<BridgeId>(2),
                       IpAddress::parse("198.51.100.7").value(), MacAddress::from_uint64(0x0200'0000'0007)}},
      {"tunnel-zone", TunnelZone{sample_id<TunnelZoneId>(10), 1010, "underlay", TunnelType::gre}},
      {"tunnel-zone-host", TunnelZoneHost{sample_id<TunnelZoneHostId>(11), 1011, sample_id<TunnelZoneId>(10),
                                          sample_id<HostId>(1), IpAddress::parse("2001:db8::11").value()}},
  };
}

// A batch that puts one object of each kind, deletes a port, and has two devices forgotten.
inline FeedBatch sample_feed() {
  FeedBatch batch{.revision = 2042,
                  .complete = false,
                  .forget = {sample_uuid(20), sample_uuid(21)},
                  .items = {},
                  .committed_at = 1'790'000'000'000'000'000};
  for (const auto& [name, object] : sample_objects()) batch.items.push_back(feed_item(object));
  const ObjectRef gone{Kind::port, sample_uuid(8)};
  batch.items.push_back(std::make_shared<const FeedItem>(FeedItem{key_of(gone), 2042, std::nullopt}));
  return batch;
}
// An agent's first one.
inline FeedBatch sample_complete_feed() {
  FeedBatch batch{.revision = 2043, .complete = true, .forget = {}, .items = {}, .committed_at = 0};
  batch.items.push_back(feed_item(sample_objects()[0].second));
  return batch;
}
inline bool same(const FeedBatch& one, const FeedBatch& other) {
  const auto equal = [](const FeedItemPtr& a, const FeedItemPtr& b) { return *a == *b; };
  return one.revision == other.revision && one.complete == other.complete && one.forget == other.forget &&
         one.committed_at == other.committed_at &&
         std::equal(one.items.begin(), one.items.end(), other.items.begin(), other.items.end(), equal);
}

inline std::vector<Operation> sample_operations() {
  return {Create{sample_objects()[1].second}, Update{sample_port()}, Erase{{Kind::route, sample_uuid(5)}}};
}

inline schema::Frame sample_request() {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<schema::AdminRequest>();
  request.setMajor(schema::PROTOCOL_MAJOR);
  request.setToken(kj::StringPtr("secret token").asBytes());
  request.setId(77);
  auto transact = request.initTransact();
  encode_operations(sample_operations(), transact);
  transact.setDryRun(true);
  transact.setWaitApplied(true);
  transact.setTimeoutMs(2500);
  return schema::Frame::of(message);
}

inline std::vector<Violation> sample_violations() {
  return {{Rule::address_in_use,
           {Kind::port, sample_uuid(4)},
           "uplink-1",
           "addresses",
           "192.0.2.1 is taken.",
           "Change it."}};
}

inline schema::Frame sample_reply() {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(77);
  encode_refused(sample_violations(), reply.initError());
  return schema::Frame::of(message);
}

inline schema::Frame sample_committed() {
  BuildResult result;
  result.changes = {{Action::deleted, {Kind::port, sample_uuid(4)}, "uplink-1", "cascade from router edge"}};
  result.ids = {sample_uuid(3)};
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(78);
  encode_committed(result, 43, reply.initCommitted());
  return schema::Frame::of(message);
}

}  // namespace viaduct::topology::testing
