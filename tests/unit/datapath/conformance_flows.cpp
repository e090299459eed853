// The flow table: install, replace, remove, statistics, limits.
#include <algorithm>

#include "conformance.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {

namespace {

constexpr FieldSet kPorts{Field::in_port,  Field::eth_src, Field::eth_dst, Field::eth_type,
                          Field::vlan,     Field::ip_src,  Field::ip_dst,  Field::ip_proto,
                          Field::fragment, Field::l4_src,  Field::l4_dst};

}  // namespace

TEST_P(DatapathConformance, AfterInstallationPacketsStayInTheKernel) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  send(a, frame);
  ASSERT_TRUE(next_upcall());
  ASSERT_EQ(install(a, frame, kPorts, {Output{b.port}}), InstallResult::installed);
  for (int i = 0; i < 5; ++i) {
    send(a, frame);
    EXPECT_EQ(next_frame(b), frame);
  }
  expect_no_upcall(a);
  DatapathStats stats = datapath_->stats();
  EXPECT_EQ(stats.hits, 5U);
  EXPECT_EQ(stats.misses, 2U);
  EXPECT_EQ(stats.flows, 1U);
}

TEST_P(DatapathConformance, AnotherPacketOfTheMaskedFieldsMisses) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  ASSERT_EQ(install(a, frames::udp4(spec), kPorts, {Output{b.port}}), InstallResult::installed);
  spec.dst_port = 2001;
  frames::Bytes other = frames::udp4(spec);
  send(a, other);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->bytes, other);
}

TEST_P(DatapathConformance, AFlowOfOnePortDoesNotServeAnother) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kPorts, {Output{b.port}}), InstallResult::installed);
  send(b, frame);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->in_port, b.port);
}

// With megaflows the second packet is covered; without, it misses once and becomes another entry of the same flow.
TEST_P(DatapathConformance, PacketsOfOneMegaflowAreOneFlow) {
  open();
  Guest a = guest();
  Guest b = guest();
  FieldSet mask{Field::in_port, Field::eth_src, Field::eth_dst, Field::eth_type, Field::vlan, Field::ip_dst};
  frames::Udp spec = udp(a, b);
  frames::Bytes first = frames::udp4(spec);
  spec.from.v4 = IpAddress::v4(0x0a00'0077);
  frames::Bytes second = frames::udp4(spec);
  ASSERT_EQ(install(a, first, mask, {Output{b.port}}), InstallResult::installed);
  FlowInstall again = flow_for(a, second, mask, {Output{b.port}});
  if (!datapath_->capabilities().megaflows) {
    send(a, second);
    ASSERT_TRUE(next_upcall());
    ASSERT_EQ(install(again), InstallResult::installed);
  }
  for (const frames::Bytes* frame : {&first, &second}) {
    send(a, *frame);
    EXPECT_EQ(next_frame(b), *frame);
  }
  auto stats = flow_stats();
  ASSERT_EQ(stats.size(), 1U);
  EXPECT_EQ(stats[0].first, again.flow.id);
  EXPECT_EQ(stats[0].second.packets, 2U);
  ASSERT_EQ(flows().size(), 1U);
  EXPECT_EQ(flows().front().mask, mask);
  EXPECT_EQ(datapath_->remove_flows(std::span(&again.flow.id, 1), {}), 1U);
  EXPECT_EQ(datapath_->stats().flows, 0U);
  send(a, first);
  EXPECT_TRUE(next_upcall());
  send(a, second);
  EXPECT_TRUE(next_upcall());
}

TEST_P(DatapathConformance, InstallingAgainReplacesTheActions) {
  open();
  Guest a = guest();
  Guest b = guest();
  Guest c = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kPorts, {Output{b.port}}), InstallResult::installed);
  send(a, frame);
  ASSERT_TRUE(next_frame(b));
  ASSERT_EQ(install(a, frame, kPorts, {Output{c.port}}), InstallResult::replaced);
  send(a, frame);
  EXPECT_EQ(next_frame(c), frame);
  ASSERT_EQ(flows().size(), 1U);
  EXPECT_EQ(flows().front().actions, (ActionList{Output{c.port}}));
}

TEST_P(DatapathConformance, AFlowWithoutActionsDropsAndCounts) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kPorts, {}), InstallResult::installed);
  send(a, frame);
  expect_no_upcall(a);
  EXPECT_EQ(flow_stats().at(0).second.packets, 1U);
}

TEST_P(DatapathConformance, RemovalGivesTheLastStatistics) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  FlowInstall flow = flow_for(a, frame, kPorts, {Output{b.port}});
  ASSERT_EQ(install(flow), InstallResult::installed);
  for (int i = 0; i < 4; ++i) {
    send(a, frame);
    ASSERT_TRUE(next_frame(b));
  }
  FlowId absent{1, 2};
  std::vector<FlowId> ids{absent, flow.flow.id};
  std::vector<std::pair<FlowId, FlowStats>> last;
  EXPECT_EQ(datapath_->remove_flows(ids, [&](const FlowId& id, const FlowStats& s) { last.emplace_back(id, s); }), 1U);
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].first, flow.flow.id);
  EXPECT_EQ(last[0].second.packets, 4U);
  EXPECT_EQ(last[0].second.bytes, 4 * frame.size());
  send(a, frame);
  EXPECT_TRUE(next_upcall());
}

TEST_P(DatapathConformance, IdlenessCountsFromTheLastPacket) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kPorts, {Output{b.port}}), InstallResult::installed);
  harness_->pass_time(std::chrono::milliseconds(300));
  FlowStats unused = flow_stats().at(0).second;
  EXPECT_EQ(unused.packets, 0U);
  EXPECT_GE(unused.idle, std::chrono::milliseconds(290));
  send(a, frame);
  ASSERT_TRUE(next_frame(b));
  FlowStats used = flow_stats().at(0).second;
  EXPECT_EQ(used.packets, 1U);
  EXPECT_EQ(used.bytes, frame.size());
  EXPECT_LT(used.idle, unused.idle);
  harness_->pass_time(std::chrono::milliseconds(300));
  EXPECT_GE(flow_stats().at(0).second.idle, std::chrono::milliseconds(280));
}

TEST_P(DatapathConformance, AFullTableSaysSo) {
  open({.max_flows = 4});
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  std::vector<FlowInstall> flows;
  for (uint16_t i = 0; i < 5; ++i) {
    spec.src_port = static_cast<uint16_t>(100 + i);
    flows.push_back(flow_for(a, frames::udp4(spec), kPorts, {Output{b.port}}));
  }
  std::vector<InstallResult> results(5);
  channels_.front()->install(flows, results);
  EXPECT_EQ(std::count(results.begin(), results.end(), InstallResult::installed), 4);
  EXPECT_EQ(results.back(), InstallResult::table_full);
  EXPECT_EQ(datapath_->stats().flows, 4U);
  EXPECT_EQ(datapath_->remove_flows(std::span(&flows[0].flow.id, 1), {}), 1U);
  EXPECT_EQ(install(flows.back()), InstallResult::installed);
}

TEST_P(DatapathConformance, MoreOutputsThanItCanAreUnsupported) {
  open();
  Guest a = guest();
  Guest b = guest();
  Capabilities can = datapath_->capabilities();
  if (can.max_outputs > 1000) GTEST_SKIP() << "no such limit";
  ActionList actions;
  for (size_t i = 0; i < can.max_outputs + 1; ++i) actions.push_back(Output{b.port});
  EXPECT_EQ(install(a, frames::udp4(udp(a, b)), kPorts, actions), InstallResult::unsupported);
  EXPECT_TRUE(flows().empty());
}

TEST_P(DatapathConformance, FlushRemovesFlowsAndNothingElse) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, kPorts, {Output{b.port}}), InstallResult::installed);
  ASSERT_EQ(install(a, frames::arp_request(a.host, b.host), FieldSet::ethernet(), {Output{b.port}}),
            InstallResult::installed);
  datapath_->flush_flows();
  EXPECT_TRUE(flows().empty());
  EXPECT_EQ(datapath_->ports().size(), 2U);
  send(a, frame);
  EXPECT_TRUE(next_upcall());
  EXPECT_EQ(install(a, frame, kPorts, {Output{b.port}}), InstallResult::installed);
}

TEST_P(DatapathConformance, AFlowIsDumpedAsItWasGiven) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes v6 = frames::tagged(frames::udp6(udp(a, b)), 0x6005);
  FieldSet mask = FieldSet::ethernet();
  mask.add({Field::ip_src, Field::ip_ttl, Field::ip_tos});
  ActionList actions{SetEthernet{a.host.mac, b.host.mac}, DecrementTtl{}, CheckMtu{1400},
                     SetEthernet{b.host.mac, a.host.mac}, Output{b.port}};
  FlowInstall flow = flow_for(a, v6, mask, actions);
  ASSERT_EQ(install(flow), InstallResult::installed);
  ASSERT_EQ(flows().size(), 1U);
  Flow got = flows().front();
  EXPECT_EQ(got.id, flow.flow.id);
  EXPECT_EQ(got.key, flow.flow.key) << got.to_string() << "\n" << flow.flow.to_string();
  EXPECT_EQ(got.mask, mask);
  EXPECT_EQ(got.actions, actions) << got.to_string();
}

TEST_P(DatapathConformance, TcpFlagsAreCollected) {
  using namespace wire::tcp;
  open();
  Guest a = guest();
  Guest b = guest();
  PacketBuilder start = PacketBuilder{}.eth(a.host.mac, b.host.mac).ip(a.host.v4, b.host.v4);
  FlowInstall flow = flow_for(a, PacketBuilder(start).tcp(1, 2).build(), kPorts, {Output{b.port}});
  ASSERT_EQ(install(flow), InstallResult::installed);
  EXPECT_EQ(flow_stats().at(0).second.tcp_flags, 0);
  uint8_t all = 0;
  for (uint8_t flags : {kSyn, static_cast<uint8_t>(kAckFlag | kPsh), kAckFlag, static_cast<uint8_t>(kFin | kAckFlag)}) {
    frames::Bytes frame = PacketBuilder(start).tcp(1, 2, flags).build();
    send(a, frame);
    ASSERT_EQ(next_frame(b), frame);
    all |= flags;
    EXPECT_EQ(flow_stats().at(0).second.tcp_flags, all);
  }
  flow.flow.actions = {Output{a.port}};
  ASSERT_EQ(install(flow), InstallResult::replaced);
  EXPECT_EQ(flow_stats().at(0).second.tcp_flags, all);
  kill();
  open();
  FlowStats last;
  datapath_->dump_flows([&](const Flow&, const FlowStats& stats) { last = stats; });
  EXPECT_EQ(last.tcp_flags, all);
  last = {};
  datapath_->remove_flows(std::span(&flow.flow.id, 1), [&](const FlowId&, const FlowStats& stats) { last = stats; });
  EXPECT_EQ(last.tcp_flags, all);
  frames::Bytes udp = PacketBuilder(start).udp(1, 2).payload(40).build();
  expect_rewritten(a, udp, kPorts, {Output{b.port}}, b, udp);
  EXPECT_EQ(flow_stats().at(0).second.tcp_flags, 0);
}

}  // namespace viaduct::flows
