#include "flows/datapath/fake.hpp"

#include <thread>

#include "conformance.hpp"
#include "tunnel_words.hpp"

namespace viaduct::flows {

namespace {

class FakeHarness final : public Harness {
 public:
  std::unique_ptr<Datapath> open(DatapathOptions options) override { return open_fake(kernel_, options); }
  std::string add_interface() override {
    std::string name = "guest" + std::to_string(++interfaces_);
    kernel_->add_interface(name);
    return name;
  }
  void remove_interface(const std::string& interface) override { kernel_->remove_interface(interface); }
  void restore_interface(const std::string& interface) override { kernel_->add_interface(interface); }
  void enslave(const std::string& interface) override { kernel_->enslave(interface); }
  void set_mtu(const std::string& interface, uint32_t mtu) override { kernel_->add_interface(interface, mtu); }
  void send(const std::string& interface, std::span<const uint8_t> frame, const Offload& offload) override {
    kernel_->inject(interface, frame, offload);
  }
  std::optional<WireFrame> receive(const std::string& interface, std::chrono::milliseconds timeout) override {
    std::optional<FakeFrame> frame = kernel_->wait_output(interface, timeout);
    if (!frame) return std::nullopt;
    return WireFrame{std::move(frame->bytes), frame->offload};
  }
  bool has_interface(const std::string& interface) override { return kernel_->has_interface(interface); }
  void add_underlay() override {}
  void send_tunneled(const Tunneled& packet) override {
    kernel_->inject_tunneled({packet.kind, {packet.frame, {}}, packet.tunnel, packet.tos, packet.udp_port});
  }
  std::optional<Tunneled> receive_tunneled(std::chrono::milliseconds timeout) override {
    std::optional<FakeTunneled> packet = kernel_->wait_tunneled(timeout);
    if (!packet) return std::nullopt;
    return Tunneled{.kind = packet->kind,
                    .frame = std::move(packet->frame.bytes),
                    .tunnel = packet->tunnel,
                    .tos = packet->tos,
                    .udp_port = packet->udp_port,
                    .dont_fragment = packet->tunnel.src.family() == IpFamily::v4};
  }
  void pass_time(std::chrono::milliseconds time) override { *passed_ += time; }

 private:
  std::shared_ptr<std::chrono::milliseconds> passed_ = std::make_shared<std::chrono::milliseconds>(0);
  std::shared_ptr<FakeKernel> kernel_ =
      std::make_shared<FakeKernel>([passed = passed_] { return std::chrono::steady_clock::now() + *passed; });
  int interfaces_ = 0;
};

std::unique_ptr<Harness> make_fake(std::string&) { return std::make_unique<FakeHarness>(); }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Fake, DatapathConformance, testing::Values(HarnessFactory{"fake", &make_fake}), harness_name);
INSTANTIATE_TEST_SUITE_P(Fake, TunnelConformance, testing::Values(HarnessFactory{"fake", &make_fake}), harness_name);

namespace {

class FakeDatapathTest : public testing::Test {
 protected:
  FakeDatapathTest() {
    for (const char* name : {"a", "b"}) {
      kernel_->add_interface(name);
      std::error_code error;
      ports_.push_back(datapath_->add_port(name, error).number);
    }
  }

  FlowInstall flow(uint16_t src_port) {
    frames::Udp spec{frames::Host::number(1), frames::Host::number(2)};
    spec.src_port = src_port;
    frames::Bytes frame = frames::udp4(spec);
    FlowKey key = frames::parsed(frame, ports_[0]).key;
    return {Flow::make(key, FieldSet::all(), {Output{ports_[1]}}), key};
  }

  std::shared_ptr<FakeKernel> kernel_ = std::make_shared<FakeKernel>();
  std::unique_ptr<Datapath> datapath_ = open_fake(kernel_, {});
  std::unique_ptr<PacketChannel> channel_ = datapath_->open_channel(0);
  std::vector<PortNumber> ports_;
};

TEST_F(FakeDatapathTest, PortsTakeTurns) {
  frames::Bytes frame = frames::udp4({frames::Host::number(1), frames::Host::number(2)});
  for (int i = 0; i < 10; ++i) kernel_->inject("a", frame);
  for (int i = 0; i < 3; ++i) kernel_->inject("b", frame);
  std::array<Upcall, 6> batch;
  ASSERT_EQ(channel_->poll(batch, std::chrono::milliseconds(0)), 6U);
  for (size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch[i].in_port, ports_[i % 2]) << i;
}

TEST_F(FakeDatapathTest, AWiderMegaflowOverlaps) {
  FlowInstall narrow = flow(1);
  FlowInstall wide{Flow::make(narrow.packet_key, FieldSet::ethernet(), {}), narrow.packet_key};
  std::array<InstallResult, 2> results;
  channel_->install(std::array{wide, narrow}, results);
  EXPECT_EQ(results, (std::array{InstallResult::installed, InstallResult::overlaps}));
}

TEST_F(FakeDatapathTest, InstallsFailWhenTold) {
  kernel_->fail_installs(1);
  std::array<InstallResult, 2> results;
  channel_->install(std::array{flow(1), flow(2)}, results);
  EXPECT_EQ(results, (std::array{InstallResult::error, InstallResult::installed}));
  EXPECT_EQ(datapath_->error_counts().at(0).first, "install.EIO");
}

TEST_F(FakeDatapathTest, ALinkThatIsDownCarriesNothing) {
  kernel_->set_link("a", FakeKernel::Link::down);
  EXPECT_FALSE(kernel_->inject("a", frames::arp_request(frames::Host::number(1), frames::Host::number(2))));
  EXPECT_FALSE(datapath_->ports().at(0).link_up);
}

TEST_F(FakeDatapathTest, ThreadsMayShareIt) {
  std::jthread injector([&] {
    frames::Udp spec{frames::Host::number(1), frames::Host::number(2)};
    for (uint16_t i = 0; i < 2000; ++i) {
      spec.src_port = i;
      kernel_->inject("a", frames::udp4(spec));
    }
  });
  std::jthread control([&] {
    for (int i = 0; i < 200; ++i) {
      datapath_->dump_stats([](const FlowId&, const FlowStats&) {});
      datapath_->ports();
    }
  });
  PortStats stats;
  size_t seen = 0;
  do {
    std::array<Upcall, 32> batch;
    size_t count = channel_->poll(batch, std::chrono::milliseconds(1));
    seen += count;
    for (const Upcall& one : std::span(batch).first(count)) {
      FlowKey key = parse(one.frame, one.in_port, one.offload).key;
      FlowInstall install{Flow::make(key, FieldSet::all(), {Output{ports_[1]}}), key};
      InstallResult result;
      channel_->install(std::span(&install, 1), std::span(&result, 1));
    }
    stats = datapath_->port_stats(ports_[0]).value();
  } while (seen + stats.upcalls_lost < 2000);
  EXPECT_EQ(datapath_->stats().flows, seen);
}

}  // namespace

}  // namespace viaduct::flows
