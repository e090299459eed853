#include <atomic>

#include "conformance.hpp"

namespace viaduct::flows {

TEST_P(DatapathConformance, AddingAPortTwiceGivesTheSameNumber) {
  open();
  Guest a = guest();
  Guest b = guest();
  EXPECT_NE(a.port, b.port);
  std::error_code error;
  EXPECT_EQ(datapath_->add_port(a.interface, error).number, a.port);
  EXPECT_FALSE(error);
  EXPECT_EQ(datapath_->ports().size(), 2U);
}

TEST_P(DatapathConformance, APortSaysWhatItsInterfaceIs) {
  open();
  Guest a = guest();
  ASSERT_TRUE(eventually([&] { return datapath_->ports().at(0).link_up; }));
  DatapathPort port = datapath_->ports().at(0);
  EXPECT_EQ(port.number, a.port);
  EXPECT_EQ(port.interface, a.interface);
  EXPECT_EQ(port.mtu, 1500U);
  EXPECT_TRUE(port.present);
}

TEST_P(DatapathConformance, AnAbsentInterfaceIsRefused) {
  open();
  std::error_code error;
  EXPECT_FALSE(datapath_->add_port("vt-absent", error).number);
  EXPECT_EQ(error, std::errc::no_such_device);
}

TEST_P(DatapathConformance, AMemberOfALinuxBridgeIsRefused) {
  open();
  std::string interface = harness_->add_interface();
  harness_->enslave(interface);
  std::error_code error;
  EXPECT_FALSE(datapath_->add_port(interface, error).number);
  EXPECT_EQ(error, std::errc::device_or_resource_busy);
}

TEST_P(DatapathConformance, RemovingAPortIsIdempotent) {
  open();
  Guest a = guest();
  EXPECT_FALSE(datapath_->remove_port(a.port));
  EXPECT_TRUE(datapath_->ports().empty());
  EXPECT_FALSE(datapath_->remove_port(a.port));
  EXPECT_FALSE(datapath_->port_stats(a.port));
}

TEST_P(DatapathConformance, RemovingAPortDeletesTheFlowsThatComeInByIt) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(a, frames::udp4(udp(a, b)), FieldSet::ethernet(), {Output{b.port}}), InstallResult::installed);
  ASSERT_EQ(install(b, frames::udp4(udp(b, a)), FieldSet::ethernet(), {Output{a.port}}), InstallResult::installed);
  EXPECT_FALSE(datapath_->remove_port(a.port));
  std::vector<Flow> left = flows();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.front().key.in_port, b.port);
}

TEST_P(DatapathConformance, ANumberIsNotReusedWhileFlowsReferToIt) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(a, frames::udp4(udp(a, b)), FieldSet::ethernet(), {Output{b.port}}), InstallResult::installed);
  EXPECT_FALSE(datapath_->remove_port(b.port));
  Guest c = guest();
  EXPECT_NE(c.port, b.port);
}

TEST_P(DatapathConformance, AVanishedInterfaceStaysListedAndKeepsItsNumber) {
  open();
  Guest a = guest();
  harness_->remove_interface(a.interface);
  ASSERT_TRUE(eventually([&] {
    std::vector<DatapathPort> ports = datapath_->ports();
    return ports.size() == 1 && !ports.front().present;
  }));
  harness_->restore_interface(a.interface);
  std::error_code error;
  DatapathPort again = datapath_->add_port(a.interface, error);
  EXPECT_FALSE(error) << error.message();
  EXPECT_EQ(again.number, a.port);
  EXPECT_TRUE(again.present);
  expect_no_upcall(a);
}

TEST_P(DatapathConformance, InterfacesThatComeAndGoGiveAHint) {
  open();
  std::atomic<int> hints = 0;
  datapath_->on_interface_change([&] { ++hints; });
  std::string interface = harness_->add_interface();
  EXPECT_TRUE(eventually([&] { return hints > 0; }));
  int before = hints;
  harness_->remove_interface(interface);
  EXPECT_TRUE(eventually([&] { return hints > before; }));
  datapath_->on_interface_change({});
}

TEST_P(DatapathConformance, TrafficIsCountedPerPort) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ASSERT_EQ(install(a, frame, FieldSet::ethernet(), {Output{b.port}}), InstallResult::installed);
  for (int i = 0; i < 3; ++i) {
    send(a, frame);
    ASSERT_TRUE(next_frame(b));
  }
  EXPECT_EQ(execute(frame, {Output{b.port}}), 0U);
  ASSERT_TRUE(next_frame(b));
  std::optional<PortStats> in = datapath_->port_stats(a.port);
  std::optional<PortStats> out = datapath_->port_stats(b.port);
  ASSERT_TRUE(in && out);
  EXPECT_EQ(in->rx_packets, 3U);
  EXPECT_EQ(in->rx_bytes, 3 * frame.size());
  EXPECT_EQ(out->tx_packets, 4U);
  EXPECT_EQ(out->tx_bytes, 4 * frame.size());
  EXPECT_EQ(in->upcalls, 0U);
}

}  // namespace viaduct::flows
