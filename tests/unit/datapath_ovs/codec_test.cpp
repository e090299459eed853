#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/openvswitch.h>

#include "flows/datapath/ovs/action_codec.hpp"
#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/tag_memory.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "random_flows.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr ActionSupport kEverything{true, true};
constexpr uint32_t kUpcallId = 77;

// The attributes of the one message in `batch`.
Attributes attributes_of(const MessageBatch& batch) {
  Bytes rest = batch.bytes();
  auto message = next_message(rest);
  EXPECT_TRUE(message && rest.empty());
  Attributes out;
  EXPECT_TRUE(out.parse(message->attributes));
  return out;
}

std::optional<DecodedKey> key_round_trip(const FlowKey& key, FieldSet mask, TagTypes tags = {}) {
  MessageBatch batch;
  batch.begin({});
  put_key_and_mask(batch, key, mask, tags);
  batch.end();
  Attributes attributes = attributes_of(batch);
  return decode_key(attributes[OVS_FLOW_ATTR_KEY], attributes[OVS_FLOW_ATTR_MASK]);
}

MessageBatch encoded_actions(const Flow& flow) {
  MessageBatch batch;
  batch.begin({});
  put_actions(batch, flow, kUpcallId);
  batch.end();
  return batch;
}

std::optional<DecodedActions> action_round_trip(const Flow& flow) {
  MessageBatch batch = encoded_actions(flow);
  return decode_actions(attributes_of(batch)[OVS_FLOW_ATTR_ACTIONS]);
}

std::vector<uint16_t> types_of(Bytes attributes) {
  std::vector<uint16_t> out;
  while (auto one = next_attribute(attributes)) out.push_back(one->type);
  return out;
}

FlowKey routed_packet(uint8_t protocol) {
  FlowKey key;
  key.in_port = {3};
  key.eth_type = protocol % 2 == 0 ? ethertype::kIpv4 : ethertype::kIpv6;
  key.ip_src = key.ip_dst = IpAddress::any(protocol % 2 == 0 ? IpFamily::v4 : IpFamily::v6);
  key.ip_proto = protocol;
  return key;
}

Flow routed(const ActionList& actions, FieldSet mask = FieldSet::ethernet()) {
  FlowKey key;
  key.in_port = {3};
  key.eth_type = ethertype::kIpv4;
  key.eth_src = MacAddress::from_uint64(0x02'0000'0000'01);
  key.eth_dst = MacAddress::from_uint64(0x02'0000'0000'02);
  return Flow::make(key, mask, actions);
}

const SetEthernet kRewrite{MacAddress::from_uint64(0x02'0000'0000'0a), MacAddress::from_uint64(0x02'0000'0000'0b)};

}  // namespace

TEST(OvsKeyCodec, GeneratedFlowsComeBackAsTheyWere) {
  RandomFlows random(1);
  MaskResolver masks;
  int whole = 0;
  for (int i = 0; i < 20000; ++i) {
    FlowKey packet = random.packet();
    Flow flow = Flow::make(packet, random.mask(packet), {});
    if (!representable(flow.key, flow.mask)) continue;
    ++whole;
    for (const FlowKey& key : {flow.key, best_key(flow, packet)}) {
      auto decoded = key_round_trip(key, flow.mask);
      ASSERT_TRUE(decoded) << flow.to_string();
      auto mask = masks.resolve(*decoded, flow.id);
      ASSERT_TRUE(mask) << flow.to_string();
      EXPECT_EQ(*mask, flow.mask) << flow.to_string();
      // Of a whole packet the kernel keeps what the mask leaves.
      EXPECT_EQ(flow.mask.apply(decoded->key), flow.key) << flow.to_string();
    }
  }
  EXPECT_GT(whole, 15000);
}

TEST(OvsKeyCodec, AnIdThatFitsNoMaskIsNotOurs) {
  Flow flow = routed({});
  auto decoded = key_round_trip(flow.key, flow.mask);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(MaskResolver().resolve(*decoded, FlowId{1, 2}));
}

TEST(OvsKeyCodec, TagTypesComeBack) {
  FlowKey key = routed({}).key;
  key.vlan_tci = 0x1005;
  key.inner_vlan_tci = 0x1006;
  FieldSet mask = FieldSet::ethernet();
  mask.add(Field::inner_vlan);
  TagTypes tags{ethertype::kQinQ, ethertype::kVlan};
  auto decoded = key_round_trip(key, mask, tags);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->tags, tags);
  EXPECT_EQ(decoded->key, key);
}

TEST(OvsKeyCodec, WhatTheModuleCannotMatchIsRefused) {
  FlowKey ip = routed({}).key;
  ip.ip_proto = ip_proto::kTcp;
  ip.l4_dst = 80;
  EXPECT_FALSE(representable(FieldSet{Field::l4_dst}.apply(ip), {Field::l4_dst})) << "no layer";
  FieldSet ports{Field::in_port, Field::eth_type, Field::l4_dst};
  EXPECT_FALSE(representable(ports.apply(ip), ports)) << "no protocol";
  ports.add(Field::ip_proto);
  EXPECT_TRUE(representable(ports.apply(ip), ports));
  FlowKey arp = ip;
  arp.eth_type = ethertype::kArp;
  EXPECT_FALSE(representable(arp, FieldSet::all())) << "ARP has no ports";
  FlowKey later = ip;
  later.eth_type = ethertype::kIpv6;
  later.ip_src = later.ip_dst = IpAddress::any(IpFamily::v6);
  later.l4_dst = 0;
  later.fragment = Fragment::later;
  EXPECT_FALSE(representable(later, FieldSet::all())) << "the module's protocol is 44";
  FieldSet addresses{Field::in_port, Field::eth_type, Field::ip_src, Field::fragment};
  EXPECT_TRUE(representable(addresses.apply(later), addresses));
  FlowKey vlan = routed({}).key;
  vlan.eth_type = ethertype::kVlan;
  EXPECT_FALSE(representable(vlan, FieldSet::ethernet())) << "a tag that was cut";
}

TEST(OvsKeyCodec, ATagThatNobodyAskedForIsMatchedAsPresent) {
  FlowKey packet = routed({}).key;
  packet.vlan_tci = 0x1005;
  FieldSet mask{Field::in_port, Field::eth_type, Field::eth_dst};
  auto decoded = key_round_trip(packet, mask);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->key.vlan_tci, 0);
  EXPECT_EQ(MaskResolver().resolve(*decoded, Flow::make(packet, mask, {}).id), mask);
}

// Else the module would take it for a flow of tunnels.
TEST(OvsKeyCodec, OnlyFlowsOfTunnelsSpeakOfThem) {
  FlowKey key = routed({}).key;
  auto speaks = [](const FlowKey& packet, FieldSet mask) {
    MessageBatch batch;
    batch.begin({});
    put_key_and_mask(batch, packet, mask);
    batch.end();
    Attributes attributes = attributes_of(batch), of_key, of_mask;
    of_key.parse(attributes[OVS_FLOW_ATTR_KEY]);
    of_mask.parse(attributes[OVS_FLOW_ATTR_MASK]);
    return std::pair(of_key.has(OVS_KEY_ATTR_TUNNEL), of_mask.has(OVS_KEY_ATTR_TUNNEL));
  };
  EXPECT_EQ(speaks(key, FieldSet::all()), std::pair(false, false));
  key.tunnel = {5, IpAddress::v4(1), IpAddress::v4(2)};
  EXPECT_EQ(speaks(key, FieldSet::all()), std::pair(true, true));
  EXPECT_EQ(speaks(key, FieldSet::ethernet()), std::pair(true, false));
}

TEST(OvsKeyCodec, TunnelsThatAreNoneAreRefused) {
  FlowKey key = routed({}).key;
  FieldSet mask = FieldSet::ethernet();
  mask.add(Field::tunnel);
  auto fits = [&](const Tunnel& tunnel) {
    key.tunnel = tunnel;
    return representable(key, mask);
  };
  IpAddress v4 = IpAddress::v4(0x0a000001), v6 = IpAddress::parse("fd00::1").value();
  EXPECT_TRUE(fits({Tunnel::kMaxKey, v4, v4}));
  EXPECT_FALSE(fits({Tunnel::kMaxKey + 1, v4, v4}));
  EXPECT_FALSE(fits({1, v4, v6}));
  EXPECT_FALSE(fits({1, IpAddress::v4(0), v4}));
  EXPECT_FALSE(fits({1, v6, IpAddress::parse("::").value()}));
  for (const Tunnel& tunnel : {Tunnel{0, v4, v4}, Tunnel{Tunnel::kMaxKey + 1, v4, v4}, Tunnel{1, v6, v4}}) {
    EXPECT_FALSE(executable(routed({TunnelOutput{{1}, tunnel}}), kEverything)) << tunnel.to_string();
  }
}

TEST(OvsActionCodec, GeneratedListsComeBackAsTheyWere) {
  RandomFlows random(2);
  int executed = 0;
  for (int i = 0; i < 5000; ++i) {
    constexpr uint8_t kProtocols[] = {ip_proto::kTcp, ip_proto::kUdp, ip_proto::kSctp};
    FlowKey packet = routed_packet(kProtocols[i % 3]);
    Flow flow = Flow::make(packet, FieldSet::all(), random.actions(packet));
    if (!executable(flow, kEverything)) continue;
    ++executed;
    auto decoded = action_round_trip(flow);
    ASSERT_TRUE(decoded) << flow.to_string();
    EXPECT_EQ(decoded->actions, flow.actions) << flow.to_string() << "\n" << to_string(decoded->actions.view());
    EXPECT_EQ(decoded->upcall_id.has_value(), has_upcalls(flow.actions));
    EXPECT_EQ(decoded->upcall_id.value_or(kUpcallId), kUpcallId);
  }
  EXPECT_GT(executed, 4000);
}

TEST(OvsActionCodec, AnEmptyListStaysAnEmptyNest) {
  MessageBatch batch = encoded_actions(routed({}));
  Attributes attributes = attributes_of(batch);
  EXPECT_TRUE(attributes.has(OVS_FLOW_ATTR_ACTIONS));
  EXPECT_TRUE(attributes[OVS_FLOW_ATTR_ACTIONS].empty());
}

// What user space is handed is the packet as it came in: nothing is rewritten before the checks.
TEST(OvsActionCodec, ChecksComeBeforeRewrites) {
  MessageBatch batch = encoded_actions(routed({kRewrite, DecrementTtl{}, CheckMtu{1500}, Output{{4}}}));
  Bytes actions = attributes_of(batch)[OVS_FLOW_ATTR_ACTIONS];
  auto check = next_attribute(actions);
  ASSERT_TRUE(check && actions.empty());
  EXPECT_EQ(check->type, OVS_ACTION_ATTR_CHECK_PKT_LEN);
  Attributes nest;
  ASSERT_TRUE(nest.parse(check->value));
  EXPECT_EQ(nest.get<uint16_t>(OVS_CHECK_PKT_LEN_ATTR_PKT_LEN), 1514);
  EXPECT_THAT(types_of(nest[OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL]),
              testing::ElementsAre(OVS_ACTION_ATTR_DEC_TTL, OVS_ACTION_ATTR_SET_MASKED, OVS_ACTION_ATTR_OUTPUT));
}

TEST(OvsActionCodec, LimitsAreKept) {
  EXPECT_FALSE(executable(routed({DecrementTtl{}}), {}));
  EXPECT_FALSE(executable(routed({CheckMtu{1500}}), {}));
  ActionList hops, floods;
  for (size_t i = 0; i <= kMaxDecrements; ++i) hops.push_back(DecrementTtl{});
  for (uint32_t i = 0; i <= kMaxOutputs; ++i) floods.push_back(Output{{1 + i}});
  EXPECT_FALSE(executable(routed(hops), kEverything));
  EXPECT_FALSE(executable(routed(floods), kEverything));
  EXPECT_FALSE(executable(routed({DecrementTtl{}}, {Field::eth_type}), kEverything)) << "no port to hand it up from";
  ActionList mirrored{Output{{4}}, kRewrite, DecrementTtl{}, Output{{5}}};
  EXPECT_TRUE(executable(routed(mirrored), kEverything));
  EXPECT_FALSE(executable(routed(mirrored, {Field::in_port, Field::eth_type}), kEverything)) << "addresses unknown";
}

TEST(OvsActionCodec, TranslationsOfWhatTheFlowDoesNotSayAreRefused) {
  FlowKey packet = routed_packet(ip_proto::kTcp);
  SetIp ip{IpAddress::v4(1), IpAddress::v4(2)};
  SetPorts ports{1, 2};
  FieldSet all = FieldSet::all(), no_fragment{Field::in_port, Field::eth_type, Field::ip_proto, Field::l4_src};
  auto takes = [&](FieldSet mask, const ActionList& actions) {
    return executable(Flow::make(packet, mask, actions), kEverything);
  };
  EXPECT_TRUE(takes(all, {ip, ports, Output{{1}}}));
  EXPECT_TRUE(takes(FieldSet::ethernet(), {ip, Output{{1}}}));
  EXPECT_FALSE(takes({Field::in_port}, {ip, Output{{1}}})) << "no type";
  EXPECT_FALSE(takes(no_fragment, {ports, Output{{1}}})) << "later fragments have none";
  EXPECT_FALSE(takes(FieldSet::ethernet(), {ports, Output{{1}}})) << "no protocol";
  EXPECT_TRUE(takes(all, {Output{{1}}, ip, ports, Output{{2}}}));
  EXPECT_FALSE(takes(all, {ip, Output{{1}}, DecrementTtl{}, Output{{2}}})) << "an upcall could not restore it";
  packet.vlan_tci = packet.inner_vlan_tci = FlowKey::kVlanPresent | 5;
  EXPECT_FALSE(takes(all, {ip, Output{{1}}})) << "two tags";
}

TEST(OvsActionCodec, OnlyOurSetsAreUnderstood) {
  Flow flow = Flow::make(routed_packet(ip_proto::kTcp), FieldSet::all(), {SetPorts{1, 2}});
  MessageBatch batch = encoded_actions(flow);
  Bytes actions = attributes_of(batch)[OVS_FLOW_ATTR_ACTIONS];
  ASSERT_TRUE(decode_actions(actions));
  for (size_t i = 0; i < actions.size(); ++i) {
    std::vector<uint8_t> damaged(actions.begin(), actions.end());
    damaged[i] ^= 0x10;
    auto decoded = decode_actions(damaged);
    // Only a port may be another one.
    if (decoded) {
      EXPECT_TRUE(std::holds_alternative<SetPorts>(decoded->actions[0])) << i;
    }
    EXPECT_EQ(decoded.has_value(), i >= 8 && i < 12) << i;
  }
}

TEST(OvsCookie, RestoresWhatCameIn) {
  uint8_t frame[34] = {};
  wire::store_mac(frame, MacAddress::from_uint64(2));
  wire::store_mac(frame + 6, MacAddress::from_uint64(1));
  wire::store16(frame + 12, ethertype::kIpv4);
  frame[14] = 0x45;
  wire::store16(frame + 16, 20);
  frame[22] = 5;
  fix_ipv4_header(std::span(frame).subspan(14));
  std::array<uint8_t, sizeof frame> before;
  std::copy(std::begin(frame), std::end(frame), before.begin());
  frame[22] = 2;
  fix_ipv4_header(std::span(frame).subspan(14));
  wire::store_mac(frame, kRewrite.dst);
  wire::store_mac(frame + 6, kRewrite.src);
  Cookie cookie{.reason = UpcallReason::ttl_expired,
                .decrements = 3,
                .rewritten = true,
                .src = MacAddress::from_uint64(1),
                .dst = MacAddress::from_uint64(2)};
  auto decoded = Cookie::decode(cookie.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->reason, UpcallReason::ttl_expired);
  decoded->restore(frame);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), frame));
}

TEST(OvsMessages, DamagedOnesAreNotRead) {
  MessageBatch batch;
  batch.begin({.sequence = 9});
  batch.put_string(1, "name");
  batch.end();
  for (size_t length = 0; length < batch.size(); ++length) {
    Bytes cut = batch.bytes().first(length);
    EXPECT_FALSE(next_message(cut)) << length;
  }
  std::vector<uint8_t> lying(batch.bytes().begin(), batch.bytes().end());
  lying[24] = 0xff;  // the attribute's length
  Bytes rest = lying;
  auto message = next_message(rest);
  ASSERT_TRUE(message);
  EXPECT_FALSE(Attributes().parse(message->attributes));
}

TEST(OvsTagMemory, RemembersWhatIsNotUsual) {
  TagMemory memory;
  uint8_t frame[22] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6, 8, 0};
  FlowKey key = parse(frame, {4}).key;
  EXPECT_EQ(memory.find(key), TagTypes{});
  memory.note(frame, {4});
  EXPECT_EQ(memory.find(key), (TagTypes{ethertype::kQinQ, ethertype::kVlan}));
  key.in_port = {5};
  EXPECT_EQ(memory.find(key), TagTypes{});
}

}  // namespace viaduct::flows::ovs
