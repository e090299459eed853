// One object of each kind with every field set, and messages made of them. What the golden files hold.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "topology/codec.hpp"
#include "topology/codec_session.hpp"

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

using Samples = std::vector<std::pair<std::string, Object>>;  // named as the golden files are

// What a batch of the feed held before there were rules and load balancers.
inline Samples sample_network() {
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

template <class T>
Match<T> matched(T value, bool inverted) {
  return {std::move(value), inverted};
}

inline Condition sample_condition() {
  Condition c;
  c.inverted = true;
  c.fragments = FragmentPolicy::unfragmented;
  c.forward_flow = c.return_flow = c.destination_rewritten = c.untagged = true;
  c.vlan = 4094;
  c.port_group = matched(sample_id<PortGroupId>(32), true);
  c.in_port_group = matched(sample_id<PortGroupId>(33), false);
  c.out_port_group = matched(sample_id<PortGroupId>(34), true);
  c.in_ports = matched(std::vector{sample_id<PortId>(4), sample_id<PortId>(9)}, false);
  c.out_ports = matched(std::vector{sample_id<PortId>(9)}, true);
  c.eth_type = matched<uint16_t>(0x86dd, true);
  c.eth_src = matched(MacMatch{MacAddress::from_uint64(0x0a11'2233'4455)}, true);
  c.eth_dst =
      matched(MacMatch{MacAddress::from_uint64(0x0100'0000'0000), MacAddress::from_uint64(0x0100'0000'0000)}, false);
  c.ip_tos = matched<uint8_t>(184, true);
  c.ip_proto = matched<uint8_t>(132, false);
  c.ip_src = matched(IpPrefix::parse("2001:db8:1::/48").value(), true);
  c.ip_dst = matched(IpPrefix::parse("192.0.2.0/24").value(), false);
  c.ip_src_group = matched(sample_id<IpGroupId>(36), true);
  c.ip_dst_group = matched(sample_id<IpGroupId>(37), false);
  c.l4_src = matched(PortRange{1, 1023}, true);
  c.l4_dst = matched(PortRange{0, 65535}, false);
  c.traversed_device = matched(sample_uuid(2), true);
  c.icmp_data_src = matched(IpPrefix::parse("198.51.100.7/32").value(), false);
  c.icmp_data_dst = matched(IpPrefix::parse("::/0").value(), true);
  return c;
}

inline Rule sample_rule() {
  Rule rule;
  rule.id = sample_id<RuleId>(31);
  rule.revision = 1031;
  rule.chain = sample_id<ChainId>(30);
  rule.position = 4'000'000'010;
  rule.condition = sample_condition();
  rule.action = RuleAction::continue_;
  rule.jump = sample_id<ChainId>(29);
  rule.nat = NatKind::reverse_snat;
  rule.targets = {{IpAddress::parse("203.0.113.1").value(), IpAddress::parse("203.0.113.9").value(), 1024, 65535, 0},
                  {IpAddress::parse("2001:db8:2::").value(), IpAddress::parse("2001:db8:2::").value(), 0, 0, 48}};
  return rule;
}

// Chains, groups and load balancers, and the devices that name them.
inline Samples sample_functions() {
  Bridge bridge{sample_id<BridgeId>(2), 1002, "blue", "tenant-a", true, sample_id<ChainId>(30), sample_id<ChainId>(29)};
  Router router{sample_id<RouterId>(3),
                1003,
                "edge",
                "tenant-a",
                true,
                sample_id<ChainId>(26),
                sample_id<ChainId>(27),
                sample_id<ChainId>(28),
                sample_id<ChainId>(29),
                sample_id<LoadBalancerId>(40)};
  Port port = sample_port();
  port.inbound_filter = sample_id<ChainId>(29);
  port.outbound_filter = sample_id<ChainId>(30);
  return {
      {"bridge-filtered", bridge},
      {"router-filtered", router},
      {"port-filtered", port},
      {"chain", Chain{sample_id<ChainId>(30), 1030, "web — 青", "tenant-a"}},
      {"rule", sample_rule()},
      {"port-group", PortGroup{sample_id<PortGroupId>(32), 1032, "uplinks", "tenant-a", true}},
      {"port-group-port",
       PortGroupPort{sample_id<PortGroupPortId>(35), 1035, sample_id<PortGroupId>(32), sample_id<PortId>(4)}},
      {"ip-group", IpGroup{sample_id<IpGroupId>(36), 1036, "partners", "tenant-a"}},
      {"ip-group-address", IpGroupAddress{sample_id<IpGroupAddressId>(38), 1038, sample_id<IpGroupId>(36),
                                          IpPrefix::parse("2001:db8:36::/64").value()}},
      {"load-balancer", LoadBalancer{sample_id<LoadBalancerId>(40), 1040, "front", "tenant-a", false}},
      {"pool", Pool{sample_id<PoolId>(41), 1041, "web", sample_id<LoadBalancerId>(40), sample_id<HealthMonitorId>(44),
                    PoolProtocol::sctp, true, false}},
      {"pool-member", PoolMember{sample_id<PoolMemberId>(42), 1042, sample_id<PoolId>(41),
                                 IpAddress::parse("2001:db8::42").value(), 8080, 65535, false}},
      {"vip", Vip{sample_id<VipId>(43), 1043, "www", sample_id<PoolId>(41), IpAddress::parse("2001:db8::43").value(),
                  443, true, false}},
      {"health-monitor",
       HealthMonitor{sample_id<HealthMonitorId>(44), 1044, "http", HealthCheck::http, 10, 4, 7, "/ok", 204, false}},
  };
}
inline BgpPeer sample_bgp_peer() {
  BgpPeer peer;
  peer.id = sample_id<BgpPeerId>(50);
  peer.revision = 1050;
  peer.name = "tor-1 — 青";
  peer.router = sample_id<RouterId>(3);
  peer.address = IpAddress::parse("2001:db8::50").value();
  peer.as_number = 4'200'000'001;
  peer.admin_up = false;
  peer.keep_alive = 3;
  peer.hold_time = 9;
  peer.connect_retry = 7;
  peer.password = "s3cret!";
  peer.bfd = true;
  peer.multihop = 255;
  peer.graceful_restart = false;
  peer.prefix_limit = 4'000'000'000;
  peer.import_filter = {{IpPrefix::parse("10.0.0.0/8").value(), 16, 24, true},
                        {IpPrefix::parse("::/0").value(), 0, 128, false}};
  peer.export_filter = {{IpPrefix::parse("192.0.2.7/32").value(), 32, 32, true}};
  return peer;
}
// BGP, and a router that speaks it.
inline Samples sample_routing() {
  Router router{sample_id<RouterId>(3), 1003, "edge", "tenant-a", true};
  router.as_number = 4'200'000'000;
  router.advertise_nat = true;
  Port port = sample_port();
  port.vif = "0d5c7c2a-3d0a-4a7e-8b52-5b3c0a0f3f11";
  Route route = sample_route();
  route.attributes = "of a script";
  Host host{sample_id<HostId>(1), 1001, "hypervisor-1"};
  host.flooding_proxy_weight = 0;
  host.container_weight = 70'000;
  host.container_limit = 12;
  host.enforce_container_limit = true;
  Rule rule;
  rule.id = sample_id<RuleId>(21);
  rule.revision = 1021;
  rule.chain = sample_id<ChainId>(20);
  rule.position = 7;
  rule.condition.l4_dst.value = PortRange{80, 80};
  rule.condition.fragments = FragmentPolicy::header;
  rule.meter = "web";
  return {
      {"host-weights", host},
      {"rule-meter", rule},
      {"port-vif", port},
      {"route-attributes", route},
      {"router-bgp", router},
      {"bgp-peer", sample_bgp_peer()},
      {"bgp-network", BgpNetwork{sample_id<BgpNetworkId>(51), 1051, sample_id<RouterId>(3),
                                 IpPrefix::parse("2001:db8:51::/48").value()}},
  };
}
inline Samples sample_objects() {
  Samples all = sample_network();
  for (const auto& more : {sample_functions(), sample_routing()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

// A batch that puts one object of each kind of `sample_network`, deletes a port, and has two devices forgotten.
inline FeedBatch sample_feed() {
  FeedBatch batch{.revision = 2042,
                  .complete = false,
                  .forget = {sample_uuid(20), sample_uuid(21)},
                  .items = {},
                  .committed_at = 1'790'000'000'000'000'000};
  for (const auto& [name, object] : sample_network()) batch.items.push_back(feed_item(object));
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
// With what its commits were made for.
inline FeedBatch sample_feed_of_requests() {
  FeedBatch batch = sample_complete_feed();
  batch.requests = {{2042, "4f7c0c5e"}, {2043, "nightly.apply-7_2"}};
  return batch;
}
inline bool same(const FeedBatch& one, const FeedBatch& other) {
  // Values by what they mean: a newer schema leaves room for its fields.
  const auto object = [](const FeedItem& item) {
    return decode_object({reinterpret_cast<const uint8_t*>(item.value->data()), item.value->size()});
  };
  const auto equal = [&](const FeedItemPtr& a, const FeedItemPtr& b) {
    if (a->key != b->key || a->revision != b->revision || !a->value != !b->value) return false;
    if (!a->value) return true;
    const auto one = object(*a), two = object(*b);
    return one && two && *one == *two;
  };
  return one.revision == other.revision && one.complete == other.complete && one.forget == other.forget &&
         one.committed_at == other.committed_at && one.requests == other.requests &&
         std::equal(one.items.begin(), one.items.end(), other.items.begin(), other.items.end(), equal);
}

inline observability::Event sample_event() {
  observability::Event event;
  event.id = 1'790'000'000'000'000;
  event.origin = 1'789'999'999'000'000;
  event.at = std::chrono::system_clock::time_point(std::chrono::microseconds(1'790'000'000'123'456));
  event.kind = "tunnel.down";
  event.level = "warning";
  event.host = "hypervisor-1";
  event.message = "tunnel";
  event.fields = {{"peer", "hypervisor-2"}, {"reason", "silent"}};
  return event;
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
  return {{BrokenRule::address_in_use,
           {Kind::port, sample_uuid(4)},
           "uplink-1",
           "addresses",
           "192.0.2.1 is taken.",
           "Change it."}};
}

inline schema::Frame sample_why() {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<schema::AdminRequest>();
  request.setMajor(schema::PROTOCOL_MAJOR);
  request.setId(78);
  auto why = request.initWhy();
  encode(sample_uuid(4), why.initPort());
  why.setRelayed(true);
  auto packet = why.initPacket();
  packet.setIpProto(6);
  packet.setL4Dst(80);
  encode(IpAddress::parse("192.0.2.7").value(), packet.initIpDst());
  return schema::Frame::of(message);
}

inline schema::Frame sample_trace() {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<schema::AdminRequest>();
  request.setMajor(schema::PROTOCOL_MAJOR);
  request.setId(79);
  request.setRequest("4f7c0c5e");
  request.setBy("rosa");
  auto trace = request.initTrace();
  encode(sample_uuid(4), trace.initPort());
  trace.setRelayed(true);
  auto packet = trace.initPacket();
  packet.setIpProto(6);
  packet.setL4Dst(80);
  encode(IpAddress::parse("192.0.2.7").value(), packet.initIpDst());
  return schema::Frame::of(message);
}

inline schema::Frame sample_trace_reply() {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(79);
  auto trace = reply.initTrace();
  trace.setHost("h2");
  trace.setOutcome("forward");
  trace.setDescription("a packet");
  trace.initOutputs(1).set(0, "vm2");
  return schema::Frame::of(message);
}

inline Question sample_question() { return {0xfeed, sample_id<PortId>(4), "h1", "rosa", "4f7c0c5e", sample_trace()}; }

inline Answer sample_answer() { return {0xfeed, "h2", "", schema::ErrorCode::MALFORMED, sample_trace_reply()}; }

inline schema::Frame sample_why_reply() {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(78);
  auto why = reply.initWhy();
  why.setPort("vm1");
  why.setHost("h1");
  why.setPortHost("h2");
  auto cause = why.initCauses(1)[0];
  cause.setCause("dropped_by_rule");
  cause.setText("a rule drops it");
  cause.setCure("add a rule");
  cause.setCertainty("traced");
  encode(ObjectRef{Kind::router, sample_uuid(3)}, cause.initDevice());
  cause.setDeviceName("edge");
  encode(ObjectRef{Kind::chain, sample_uuid(6)}, cause.initChain());
  cause.setChainName("web");
  encode(sample_uuid(7), cause.initRule());
  cause.setRulePosition(3);
  cause.setHost("h2");
  cause.setPackets(12);
  cause.setFirstSeconds(60.5);
  cause.setLastSeconds(0.25);
  cause.setExample("192.0.2.1 > 192.0.2.7");
  cause.setDirection("back");
  cause.setOrdinary(true);
  why.initNotes(1).set(0, "a note");
  why.initTrace().setOutcome("drop");
  return schema::Frame::of(message);
}

inline schema::Frame sample_drops_reply() {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(79);
  auto drops = reply.initDrops();
  drops.setTotal(2);
  drops.setEvicted(5);
  auto drop = drops.initDrops(1)[0];
  drop.setReason("no_route");
  drop.setPort("vm1");
  encode(ObjectRef{Kind::router, sample_uuid(3)}, drop.initDevice());
  drop.setDeviceName("edge");
  drop.setOut("uplink-1");
  drop.setHost("h2");
  drop.setPackets(12);
  drop.setFirstSeconds(60.5);
  drop.setLastSeconds(0.25);
  return schema::Frame::of(message);
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
