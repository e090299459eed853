#include "flows/datapath/ebpf/record.hpp"

#include <gtest/gtest.h>

#include "frames.hpp"

namespace viaduct::flows::ebpf {

namespace {

FlowInstall flow_of(frames::Bytes frame, FieldSet mask, const ActionList& actions) {
  FlowKey key = frames::parsed(frame, PortNumber{7}).key;
  return {Flow::make(key, mask, actions), key};
}

frames::Bytes udp4() { return frames::udp4({frames::Host::number(1), frames::Host::number(2)}); }
frames::Bytes udp6() { return frames::udp6({frames::Host::number(1), frames::Host::number(2)}); }

Output to(uint32_t port) { return Output{PortNumber{port}}; }

// Memory instead of the map.
struct Outputs {
  std::vector<vd_tunnel_output> shared{kVdMaxTunnelOutputs};
  TunnelOutputs table{shared.data()};
  TakenOutputs taken{table};
};

std::optional<vd_flow> compiled(const FlowInstall& install) {
  Outputs outputs;
  return compile(install, outputs.taken);
}

vd_class plain_class(FieldSet mask) { return class_of(mask, Entry::plain); }

// Through the map and back.
std::optional<Flow> round_trip(const FlowInstall& install, Outputs& outputs) {
  std::optional<vd_flow> record = compile(install, outputs.taken);
  if (!record) return std::nullopt;
  return to_flow(to_kernel(install.packet_key, class_of(install.flow.mask, entry_of(install.packet_key))), *record,
                 outputs.table);
}

std::optional<Flow> round_trip(const FlowInstall& install) {
  Outputs outputs;
  return round_trip(install, outputs);
}

}  // namespace

TEST(Record, AMaskIsRoundedUpToTheSmallestClass) {
  FieldSet mask = FieldSet::ethernet();
  EXPECT_EQ(plain_class({}), kVdEthernet);
  EXPECT_EQ(plain_class(mask), kVdEthernet);
  mask.add({Field::inner_vlan, Field::ip_proto, Field::fragment});
  EXPECT_EQ(plain_class(mask), kVdEthernet);
  mask.add(Field::ip_tos);
  EXPECT_EQ(plain_class(mask), kVdAddresses);
  mask.add(Field::l4_dst);
  EXPECT_EQ(plain_class(mask), kVdPorts);
  mask.add(Field::ip_ttl);
  EXPECT_EQ(plain_class(mask), kVdExact);
  EXPECT_EQ(plain_class({Field::ip_ttl}), kVdExact);
  EXPECT_EQ(plain_class({Field::l4_src}), kVdPorts);
}

TEST(Record, EverySubsetOfFieldsComesBack) {
  Outputs outputs;  // one for all: it is large
  for (const frames::Bytes& frame :
       {udp4(), udp6(), frames::arp_request(frames::Host::number(1), frames::Host::number(2)),
        frames::tagged(frames::tagged(udp6(), 3), 0x4004)}) {
    for (uint32_t bits = 0; bits <= FieldSet::all().bits(); ++bits) {
      FlowInstall install = flow_of(frame, FieldSet::from_bits(bits), {to(1)});
      std::optional<Flow> back = round_trip(install, outputs);
      ASSERT_TRUE(back) << bits;
      ASSERT_EQ(back->key, install.flow.key) << install.flow.to_string();
      ASSERT_EQ(back->mask, install.flow.mask);
      ASSERT_EQ(back->id, install.flow.id);
    }
  }
}

TEST(Record, ActionsComeBackAsTheyWere) {
  MacAddress x = MacAddress::from_uint64(0x02aabbccddee), y = MacAddress::from_uint64(0x020102030405);
  std::vector<ActionList> lists{
      {},
      {to(1)},
      {to(8191), to(2), to(2)},
      {SetEthernet{x, y}, DecrementTtl{}, CheckMtu{1500}, SetEthernet{y, x}, DecrementTtl{}, CheckMtu{1400}, to(3)},
      {CheckMtu{9000}, to(1), to(2)},
  };
  for (const ActionList& actions : lists) {
    std::optional<Flow> back = round_trip(flow_of(udp4(), FieldSet::all(), actions));
    ASSERT_TRUE(back) << to_string(actions.view());
    EXPECT_EQ(back->actions, actions);
  }
}

TEST(Record, TranslationsComeBackAsTheyWere) {
  SetEthernet hop{MacAddress::from_uint64(1), MacAddress::from_uint64(2)};
  SetPorts ports{1, 65535};
  for (bool v6 : {false, true}) {
    frames::Host x = frames::Host::number(8), y = frames::Host::number(9);
    SetIp ip = v6 ? SetIp{x.v6, y.v6} : SetIp{x.v4, y.v4};
    ActionList longest{hop, ip, ports, CheckMtu{1400}};
    for (size_t i = 0; i < kMaxDecrementTtl; ++i) longest.push_back(DecrementTtl{});
    longest.push_back(to(3));
    for (const ActionList& actions : {ActionList{ip, to(3)}, ActionList{ports, to(3)}, longest}) {
      FlowInstall install = flow_of(v6 ? udp6() : udp4(), FieldSet::all(), actions);
      std::optional<Flow> back = round_trip(install);
      ASSERT_TRUE(back) << to_string(actions.view());
      EXPECT_EQ(back->actions, actions);
    }
  }
}

TEST(Record, TranslationsThatTheProgramCannotMakeAreRefused) {
  SetIp ip{frames::Host::number(8).v4, frames::Host::number(9).v4};
  SetIp v6{frames::Host::number(8).v6, frames::Host::number(9).v6};
  SetPorts ports{1, 2};
  for (const ActionList& actions : {ActionList{ip, ip, to(1)}, ActionList{ports, ports, to(1)}, ActionList{v6, to(1)},
                                    ActionList{to(1), ip, to(2)}, ActionList{to(1), ports, to(2)}, ActionList{ip}}) {
    EXPECT_FALSE(compiled(flow_of(udp4(), FieldSet::all(), actions))) << to_string(actions.view());
  }
  FlowInstall sctp = flow_of(udp4(), FieldSet::all(), {ports, to(1)});
  sctp.packet_key.ip_proto = ip_proto::kSctp;
  EXPECT_FALSE(compiled(sctp));
  sctp.flow.actions = {ip, to(1)};
  EXPECT_TRUE(compiled(sctp));
}

TEST(Record, OtherAddressesAndPortsAreOtherActions) {
  frames::Host x = frames::Host::number(8), y = frames::Host::number(9);
  auto record = [](const ActionList& actions) { return *compiled(flow_of(udp4(), FieldSet::all(), actions)); };
  EXPECT_FALSE(same_actions(record({SetIp{x.v4, y.v4}, to(1)}), record({SetIp{x.v4, x.v4}, to(1)})));
  EXPECT_FALSE(same_actions(record({SetPorts{1, 2}, to(1)}), record({SetPorts{1, 3}, to(1)})));
  EXPECT_TRUE(same_actions(record({SetPorts{1, 2}, to(1)}), record({SetPorts{1, 2}, to(1)})));
}

TEST(Record, HopsAreCompiledIntoOneTemplate) {
  MacAddress x = MacAddress::from_uint64(1), y = MacAddress::from_uint64(2);
  ActionList actions{SetEthernet{x, y}, DecrementTtl{}, CheckMtu{1500}, SetEthernet{y, x},
                     DecrementTtl{},    CheckMtu{1400}, CheckMtu{1450}, to(3)};
  std::optional<vd_flow> record = compiled(flow_of(udp4(), FieldSet::all(), actions));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->dec_ttl, 2);
  EXPECT_EQ(record->mtu, 1400);
  EXPECT_EQ(record->ethernet[5], 1) << "the last destination";
  EXPECT_EQ(record->ethernet[11], 2) << "the last source";
  EXPECT_EQ(record->outputs, 1);
}

TEST(Record, WhatTheProgramCannotDoIsRefused) {
  SetEthernet set{MacAddress::from_uint64(1), MacAddress::from_uint64(2)};
  ActionList too_many_outputs, too_many_hops, too_long;
  for (int i = 0; i <= kVdMaxOutputs; ++i) too_many_outputs.push_back(to(1));
  for (size_t i = 0; i <= kMaxDecrementTtl; ++i) too_many_hops.push_back(DecrementTtl{});
  too_many_hops.push_back(to(1));
  for (int i = 0; i < 4; ++i) too_long.push_back(set);
  too_long.push_back(to(1));
  for (const ActionList& actions :
       {too_many_outputs, too_many_hops, too_long, ActionList{to(1), set, to(2)}, ActionList{to(1), CheckMtu{1500}},
        ActionList{to(1), DecrementTtl{}, to(2)}, ActionList{set}, ActionList{to(0)}, ActionList{to(kVdMaxPorts)},
        ActionList{CheckMtu{0}, to(1)}}) {
    EXPECT_FALSE(compiled(flow_of(udp4(), FieldSet::all(), actions))) << to_string(actions.view());
  }
  frames::Bytes arp = frames::arp_request(frames::Host::number(1), frames::Host::number(2));
  EXPECT_FALSE(compiled(flow_of(arp, FieldSet::all(), {DecrementTtl{}, to(1)})));
}

// A cut IPv6 packet has the addresses of neither family; no packet that the program parses is like it.
TEST(Record, AMalformedPacketsAddressesAreRefused) {
  frames::Bytes cut = udp6();
  cut.resize(30);
  EXPECT_FALSE(compiled(flow_of(cut, FieldSet::all(), {to(1)})));
  EXPECT_TRUE(compiled(flow_of(cut, FieldSet::ethernet(), {to(1)})));
}

TEST(Record, ForeignEntriesAreRecognised) {
  FlowInstall install = flow_of(udp4(), FieldSet::all(), {SetEthernet{}, to(1)});
  vd_key key = to_kernel(install.packet_key, kVdExact);
  Outputs outputs;
  vd_flow good = compiled(install).value();
  ASSERT_TRUE(to_flow(key, good, outputs.table));
  std::vector<vd_flow> bad(5, good);
  bad[0].id_low ^= 1;
  bad[1].mask |= 1U << 31;
  bad[2].recipe[0] = 99;
  bad[3].recipe_bytes = kVdRecipeBytes + 1;
  bad[4].outputs = kVdMaxOutputs + 1;
  for (const vd_flow& record : bad) EXPECT_FALSE(to_flow(key, record, outputs.table));
}

TunnelOutput to_host(uint8_t host, uint32_t key) {
  return {PortNumber{9}, {key, frames::Host::outer(1).v4, frames::Host::outer(host).v4}};
}

TEST(Record, ATunnelHasClassesOfItsOwn) {
  Outputs outputs;
  FlowInstall install = flow_of(udp4(), FieldSet::all(), {to(1)});
  EXPECT_EQ(entry_of(install.packet_key), Entry::plain);
  EXPECT_EQ(class_of(FieldSet::all(), Entry::tunnel), kVdTunnelClass + kVdExact);
  EXPECT_EQ(class_of(FieldSet::ethernet(), Entry::tunnel), kVdTunnelClass + kVdEthernet);
  EXPECT_EQ(key_bytes(class_of(FieldSet::ethernet(), Entry::tunnel)), size_t{kVdTunnelKeyBytes + kVdEthernetKeyBytes});
  for (IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    install.packet_key.tunnel = {Tunnel::kMaxKey, frames::Host::outer(2).address(family),
                                 frames::Host::outer(1).address(family)};
    for (uint32_t bits = 0; bits <= FieldSet::all().bits(); bits += 7) {
      install.flow = Flow::make(install.packet_key, FieldSet::from_bits(bits), {to(1)});
      std::optional<Flow> back = round_trip(install, outputs);
      ASSERT_TRUE(back) << bits;
      ASSERT_EQ(back->key, install.flow.key) << install.flow.to_string();
      ASSERT_EQ(back->mask, install.flow.mask);
    }
  }
}

TEST(Record, TunnelOutputsComeBackAsTheyWere) {
  TunnelOutput v6{PortNumber{8191}, {Tunnel::kMaxKey, frames::Host::outer(1).v6, frames::Host::outer(3).v6}, 0xb8};
  ActionList actions{CheckMtu{1450}, to_host(2, 1), to(3), v6, to_host(4, 1), to_host(2, 1)};
  std::optional<Flow> back = round_trip(flow_of(udp4(), FieldSet::all(), actions));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->actions, actions);
}

TEST(Record, TunnelOutputsThatAreNoneAreRefused) {
  TunnelOutput no_key = to_host(2, 0), too_large = to_host(2, Tunnel::kMaxKey + 1), no_port = to_host(2, 1);
  TunnelOutput two_families = to_host(2, 1);
  no_port.port = {};
  two_families.tunnel.dst = frames::Host::outer(2).v6;
  ActionList too_many;
  for (uint32_t i = 0; i <= kVdMaxOutputs; ++i) too_many.push_back(to_host(2, i + 1));
  for (const ActionList& actions :
       {ActionList{no_key}, ActionList{too_large}, ActionList{no_port}, ActionList{two_families}, too_many}) {
    EXPECT_FALSE(compiled(flow_of(udp4(), FieldSet::all(), actions))) << to_string(actions.view());
  }
}

TEST(TunnelOutputs, EqualOnesShareAnIndexUntilTheLastReferenceGoes) {
  Outputs memory;
  TunnelOutputs& outputs = memory.table;
  uint16_t one = outputs.take(to_host(2, 1)).value();
  uint16_t other = outputs.take(to_host(2, 2)).value();
  EXPECT_GE(one, kVdFirstFlowTunnelOutput);
  EXPECT_NE(one, other);
  EXPECT_EQ(outputs.take(to_host(2, 1)), one);
  outputs.refer(one, -1);
  EXPECT_EQ(outputs.take(to_host(2, 1)), one);
  outputs.refer(one, -2);
  EXPECT_NE(outputs.take(to_host(2, 1)), one) << "it rests first";
}

TEST(TunnelOutputs, AreFinite) {
  Outputs memory;
  constexpr uint32_t kAll = kVdMaxTunnelOutputs - kVdFirstFlowTunnelOutput;
  uint16_t last = 0;
  for (uint32_t key = 1; key <= kAll; ++key) last = memory.table.take(to_host(2, key)).value();
  EXPECT_FALSE(memory.table.take(to_host(3, 1)));
  memory.table.refer(last, -1);
  EXPECT_EQ(memory.table.take(to_host(3, 1)), last);
}

// A new life counts the references of the records that it finds.
TEST(TunnelOutputs, AreFoundAgain) {
  std::vector<vd_tunnel_output> shared(kVdMaxTunnelOutputs);
  uint16_t index = TunnelOutputs(shared.data()).take(to_host(2, 1)).value();
  TunnelOutputs next(shared.data());
  next.refer(index, 1);
  EXPECT_EQ(next.at(index), to_host(2, 1));
  EXPECT_EQ(next.take(to_host(2, 1)), index);
  EXPECT_NE(next.take(to_host(2, 2)), index);
}

}  // namespace viaduct::flows::ebpf
