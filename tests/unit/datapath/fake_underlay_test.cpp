#include "flows/datapath/fake_underlay.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "flows/datapath/fake.hpp"
#include "frames.hpp"

namespace viaduct::flows {

namespace {

// A host with one guest and a tunnel port.
struct FakeHost {
  explicit FakeHost(uint8_t number) : address(IpAddress::v4(0xc000'0200U + number)) {
    kernel->add_interface("guest");
    std::error_code error;
    guest = datapath->add_port("guest", error).number;
    tunnel = datapath->add_tunnel_port({}, error).number;
  }
  void install(PortNumber in_port, const frames::Bytes& frame, const Tunnel& from, const ActionList& actions) {
    frames::Bytes copy = frame;
    FlowKey key = frames::parsed(copy, in_port).key;
    key.tunnel = from;
    FieldSet mask = FieldSet::ethernet();
    mask.add(Field::tunnel);
    FlowInstall flow{Flow::make(key, mask, actions), key};
    InstallResult result;
    channel->install(std::span(&flow, 1), std::span(&result, 1));
    EXPECT_EQ(result, InstallResult::installed);
  }
  TunnelOutput to(const FakeHost& other, uint32_t key) const { return {tunnel, {key, address, other.address}}; }

  IpAddress address;
  std::shared_ptr<FakeKernel> kernel = std::make_shared<FakeKernel>();
  std::unique_ptr<Datapath> datapath = open_fake(kernel, {});
  std::unique_ptr<PacketChannel> channel = datapath->open_channel(0);
  PortNumber guest, tunnel;
};

class FakeUnderlayTest : public testing::Test {
 protected:
  FakeUnderlayTest() {
    underlay_.connect(a_.address, a_.kernel);
    underlay_.connect(b_.address, b_.kernel);
  }
  size_t send(FakeHost& from, const TunnelOutput& output) {
    frames::Bytes frame = frame_;
    Action action = output;
    PacketOut packet{frame, {}, {}, std::span(&action, 1)};
    return from.channel->execute(std::span(&packet, 1));
  }
  std::optional<Upcall> upcall(FakeHost& host) {
    Upcall one;
    return host.channel->poll(std::span(&one, 1), std::chrono::milliseconds(0)) == 1 ? std::optional(one)
                                                                                     : std::nullopt;
  }

  FakeUnderlay underlay_;
  FakeHost a_{1}, b_{2};
  frames::Bytes frame_ = frames::udp4({frames::Host::number(1), frames::Host::number(2)});
};

TEST_F(FakeUnderlayTest, WhatLeavesByATunnelPortArrivesByOne) {
  EXPECT_EQ(send(a_, a_.to(b_, 7)), 0U);
  std::optional<Upcall> arrived = upcall(b_);
  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->in_port, b_.tunnel);
  EXPECT_EQ(arrived->tunnel, (Tunnel{7, a_.address, b_.address}));
  EXPECT_EQ(frames::Bytes(arrived->frame.begin(), arrived->frame.end()), frame_);
  EXPECT_EQ(underlay_.stats().delivered, 1U);
}

TEST_F(FakeUnderlayTest, FlowsOfBothHostsCarryAPacketThereAndBack) {
  a_.install(a_.guest, frame_, {}, {a_.to(b_, 7)});
  b_.install(b_.tunnel, frame_, {7, a_.address, b_.address}, {Output{b_.guest}, b_.to(a_, 8)});
  a_.install(a_.tunnel, frame_, {8, b_.address, a_.address}, {Output{a_.guest}});
  a_.kernel->inject("guest", frame_);
  EXPECT_EQ(b_.kernel->take_output("guest").size(), 1U);
  EXPECT_EQ(a_.kernel->take_output("guest").size(), 1U);
  // Another key is another flow's.
  b_.kernel->inject_tunneled({TunnelKind::vxlan, {frame_, {}}, {9, a_.address, b_.address}, 0});
  EXPECT_TRUE(upcall(b_));
}

TEST_F(FakeUnderlayTest, APathThatIsDownCarriesNothingOneWay) {
  underlay_.set_path(a_.address, b_.address, FakeUnderlay::Path::down);
  send(a_, a_.to(b_, 7));
  EXPECT_FALSE(upcall(b_));
  EXPECT_EQ(underlay_.stats().path_down, 1U);
  send(b_, b_.to(a_, 7));
  EXPECT_TRUE(upcall(a_));
  underlay_.set_path(a_.address, b_.address, FakeUnderlay::Path::up);
  send(a_, a_.to(b_, 7));
  EXPECT_TRUE(upcall(b_));
}

TEST_F(FakeUnderlayTest, EveryLossHasAReason) {
  FakeHost stranger(3);
  send(a_, a_.to(stranger, 7));
  EXPECT_EQ(underlay_.stats().no_host, 1U);
  TunnelOutput forged = a_.to(b_, 7);
  forged.tunnel.src = b_.address;
  send(a_, forged);
  EXPECT_EQ(underlay_.stats().wrong_source, 1U);
  b_.datapath->remove_port(b_.tunnel);
  send(a_, a_.to(b_, 7));
  EXPECT_EQ(underlay_.stats().no_port, 1U);
  underlay_.disconnect(b_.address);
  send(a_, a_.to(b_, 7));
  EXPECT_EQ(underlay_.stats().no_host, 2U);
}

// Each host forwards what the other sends, from two threads at once: nobody waits for anybody's lock.
TEST_F(FakeUnderlayTest, HostsMaySendToEachOtherFromTwoThreads) {
  constexpr int kPackets = 2000;
  a_.install(a_.guest, frame_, {}, {a_.to(b_, 7)});
  b_.install(b_.guest, frame_, {}, {b_.to(a_, 8)});
  b_.install(b_.tunnel, frame_, {7, a_.address, b_.address}, {Output{b_.guest}, b_.to(a_, 8)});
  a_.install(a_.tunnel, frame_, {8, b_.address, a_.address}, {Output{a_.guest}});
  {
    std::jthread one([&] {
      for (int i = 0; i < kPackets; ++i) a_.kernel->inject("guest", frame_);
    });
    std::jthread other([&] {
      for (int i = 0; i < kPackets; ++i) b_.kernel->inject("guest", frame_);
    });
  }
  EXPECT_EQ(b_.kernel->take_output("guest").size(), size_t{kPackets});
  EXPECT_EQ(a_.kernel->take_output("guest").size(), size_t{2 * kPackets});
  EXPECT_EQ(underlay_.stats().delivered, 3ULL * kPackets);
}

TEST_F(FakeUnderlayTest, WithoutAWireThePacketsWait) {
  a_.kernel->set_wire({});
  send(a_, a_.to(b_, 7));
  std::vector<FakeTunneled> waiting = a_.kernel->take_tunneled();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.front().tunnel, (Tunnel{7, a_.address, b_.address}));
  EXPECT_EQ(waiting.front().frame.bytes, frame_);
}

}  // namespace

}  // namespace viaduct::flows
