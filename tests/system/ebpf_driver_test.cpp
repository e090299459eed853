// What is special about the eBPF driver: death and adoption, layouts, classes of masks, the host's silence.
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "ebpf_fixture.hpp"
#include "flows/datapath/ebpf/layout.h"
#include "flows/datapath/tunnel_interface.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {

namespace {

size_t entries(const std::string& path) {
  int fd = bpf_obj_get(path.c_str());
  EXPECT_GE(fd, 0) << path;
  vd_key key{}, next{};
  size_t count = 0;
  for (void* at = nullptr; bpf_map_get_next_key(fd, at, &next) == 0; at = &key, key = next) ++count;
  close(fd);
  return count;
}

frames::Udp between(uint8_t from, uint8_t to) { return {frames::Host::number(from), frames::Host::number(to)}; }

template <class T>
T read_map(const std::string& path, uint32_t key) {
  T value{};
  int fd = bpf_obj_get(path.c_str());
  EXPECT_GE(fd, 0) << path;
  EXPECT_EQ(bpf_map_lookup_elem(fd, &key, &value), 0);
  close(fd);
  return value;
}

char read_setting(const std::string& interface) {
  std::ifstream file("/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6");
  char value = '?';
  file >> value;
  return value;
}

}  // namespace

TEST_F(EbpfTest, AKilledProcessLeavesForwardingBehind) {
  std::string a = harness_->add_interface();
  std::string b = harness_->add_interface();
  frames::Bytes frame = frames::udp4(between(1, 2));
  pid_t child = fork();
  if (child == 0) {
    open();
    PortNumber in = add_port(a);
    install(in, frame, FieldSet::ethernet(), {Output{add_port(b)}});
    ::kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  for (int i = 0; i < 20; ++i) {
    harness_->send(a, frame, {});
    ASSERT_TRUE(harness_->receive(b, kSoon)) << i;
  }
  open();
  EXPECT_EQ(datapath_->ports().size(), 2U);
  EXPECT_EQ(datapath_->stats().flows, 1U);
  EXPECT_EQ(datapath_->stats().hits, 20U);
}

// So that no test of tunnels passes for want of them.
TEST_F(EbpfTest, ThisKernelHasVxlan) {
  open();
  EXPECT_TRUE(datapath_->capabilities().vxlan);
}

TEST_F(EbpfTest, AVxlanPortOfSomebodyElseIsAnError) {
  open();
  ASSERT_TRUE(harness_->run("ip link add other type vxlan external dstport 6677 && ip link set other up"));
  std::error_code error;
  EXPECT_FALSE(datapath_->add_tunnel_port({}, error).number);
  EXPECT_EQ(error, std::errc::address_in_use);
  EXPECT_TRUE(datapath_->ports().empty());
  ASSERT_TRUE(harness_->run("ip link del other"));
  EXPECT_TRUE(datapath_->add_tunnel_port({}, error).number);
  EXPECT_FALSE(error) << error.message();
}

TEST_F(EbpfTest, AUdpPortOfAProcessIsAnError) {
  open();
  int taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(TunnelPortSpec::kVxlanPort);
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::error_code error;
  EXPECT_FALSE(datapath_->add_tunnel_port({}, error).number);
  EXPECT_EQ(error, std::errc::address_in_use);
  EXPECT_FALSE(harness_->has_interface(tunnel_interface(options_.name, TunnelKind::vxlan)));
  close(taken);
}

TEST_F(EbpfTest, AnInterfaceOfThatNameThatIsSomethingElseStays) {
  open();
  std::string name = tunnel_interface(options_.name, TunnelKind::vxlan);
  ASSERT_TRUE(harness_->run("ip link add " + name + " type bridge"));
  std::error_code error;
  EXPECT_FALSE(datapath_->add_tunnel_port({}, error).number);
  EXPECT_EQ(error, std::errc::device_or_resource_busy);
  datapath_->destroy();
  EXPECT_TRUE(harness_->has_interface(name));
}

// Deleted by somebody: the port stays listed, and is made again by its number.
TEST_F(EbpfTest, AVanishedTunnelDeviceIsMadeAgain) {
  open();
  std::error_code error;
  DatapathPort port = datapath_->add_tunnel_port({}, error);
  ASSERT_TRUE(harness_->run("ip link del " + port.interface));
  auto deadline = std::chrono::steady_clock::now() + kSoon;
  while (datapath_->ports().at(0).present && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(datapath_->ports().at(0).present);
  DatapathPort again = datapath_->add_tunnel_port({}, error);
  EXPECT_FALSE(error) << error.message();
  EXPECT_EQ(again.number, port.number);
  EXPECT_TRUE(again.present);
}

TEST_F(EbpfTest, OneProcessPerName) {
  open();
  std::error_code error;
  EXPECT_FALSE(open_ebpf(options_, error));
  EXPECT_EQ(error, std::errc::device_or_resource_busy);
}

TEST_F(EbpfTest, APortOfAnotherDatapathIsBusy) {
  open();
  std::string a = harness_->add_interface();
  PortNumber port = add_port(a);
  DatapathOptions other = options_;
  other.name += "-b";
  std::error_code error;
  std::unique_ptr<Datapath> second = open_ebpf(other, error);
  ASSERT_TRUE(second) << error.message();
  EXPECT_FALSE(second->add_port(a, error).number);
  EXPECT_EQ(error, std::errc::device_or_resource_busy);
  EXPECT_FALSE(datapath_->remove_port(port));
  EXPECT_TRUE(second->add_port(a, error).number);
  EXPECT_FALSE(error) << error.message();
  second->destroy();
}

TEST_F(EbpfTest, AnotherLayoutIsRebuilt) {
  open();
  std::string a = harness_->add_interface();
  std::string b = harness_->add_interface();
  PortNumber in = add_port(a);
  frames::Bytes frame = frames::udp4(between(1, 2));
  ASSERT_EQ(install(in, frame, FieldSet::ethernet(), {Output{add_port(b)}}), InstallResult::installed);
  kill();
  std::string path = pins() + "/config";
  auto config = read_map<vd_config>(path, 0);
  config.layout_version += 1;
  int fd = bpf_obj_get(path.c_str());
  uint32_t zero = 0;
  ASSERT_EQ(bpf_map_update_elem(fd, &zero, &config, BPF_ANY), 0);
  close(fd);
  open();
  EXPECT_EQ(error_count("layout_rebuilt"), 1U);
  EXPECT_TRUE(datapath_->ports().empty());
  EXPECT_EQ(datapath_->stats().flows, 0U);
  // The interface was given back, and can be taken again.
  in = add_port(a);
  harness_->send(a, frame, {});
  std::array<Upcall, 1> upcall;
  EXPECT_EQ(channel_->poll(upcall, kSoon), 1U);
}

TEST_F(EbpfTest, AnotherTableSizeIsRebuilt) {
  open();
  add_port(harness_->add_interface());
  kill();
  options_.max_flows = 77;
  open();
  EXPECT_EQ(error_count("layout_rebuilt"), 1U);
  EXPECT_EQ(datapath_->capabilities().max_flows, 77U);
}

// Matched by class `ports`, though the flow asks for the source port only: each destination port is an entry.
TEST_F(EbpfTest, AFlowHasABoundedNumberOfEntries) {
  options_.max_flows = 1024;
  open();
  PortNumber in = add_port(harness_->add_interface());
  PortNumber out = add_port(harness_->add_interface());
  FieldSet mask = FieldSet::ethernet();
  mask.add(Field::l4_src);
  frames::Udp spec = between(1, 2);
  for (uint16_t i = 0; i < 300; ++i) {
    spec.dst_port = static_cast<uint16_t>(1000 + i);
    ASSERT_EQ(install(in, frames::udp4(spec), mask, {Output{out}}), InstallResult::installed) << i;
  }
  EXPECT_EQ(datapath_->stats().flows, 1U);
  EXPECT_EQ(entries(pins() + "/flows_ports"), 256U);
  kill();
  open();
  EXPECT_EQ(entries(pins() + "/flows_ports"), 256U) << "adopted";
  size_t flows = 0;
  datapath_->dump_flows([&](const Flow& flow, const FlowStats&) {
    ++flows;
    EXPECT_EQ(datapath_->remove_flows(std::span(&flow.id, 1), {}), 1U);
  });
  EXPECT_EQ(flows, 1U);
  EXPECT_EQ(entries(pins() + "/flows_ports"), 0U) << "all of them go with the flow";
}

// As a guest's kernel sends it that trusts its veth to make the CRC.
TEST_F(EbpfTest, AnSctpCrcThatWasLeftOutIsMadeForUserSpace) {
  open();
  std::string a = harness_->add_interface();
  add_port(a);
  frames::Bytes sctp(60, 0x17);
  wire::store32(&sctp[wire::sctp::kChecksum], 0);
  const uint32_t crc = sctp_checksum(sctp);
  auto build = [&] {
    return PacketBuilder{}
        .eth(frames::Host::number(1).mac, frames::Host::number(2).mac)
        .ip("10.0.0.1", "10.0.0.2")
        .protocol(ip_proto::kSctp)
        .payload(sctp)
        .build();
  };
  harness_->send(a, build(), {});
  for (size_t i = 0; i < 4; ++i) sctp[wire::sctp::kChecksum + i] = static_cast<uint8_t>(crc >> 8 * i);
  std::array<Upcall, 1> upcall;
  ASSERT_EQ(channel_->poll(upcall, kSoon), 1U);
  EXPECT_EQ(frames::Bytes(upcall[0].frame.begin(), upcall[0].frame.end()), build());
  EXPECT_EQ(upcall[0].offload, Offload{});
}

TEST_F(EbpfTest, OnePortLeavesRoomForOthers) {
  options_.max_flows = 64;
  open();
  PortNumber greedy = add_port(harness_->add_interface());
  PortNumber modest = add_port(harness_->add_interface());
  FieldSet mask = FieldSet::ethernet();
  mask.add(Field::l4_src);
  frames::Udp spec = between(1, 2);
  size_t had = 0;
  for (uint16_t i = 0; i < 300; ++i) {
    spec.dst_port = static_cast<uint16_t>(1000 + i);
    had += install(greedy, frames::udp4(spec), mask, {Output{modest}}) == InstallResult::installed ? 1 : 0;
  }
  EXPECT_EQ(had, 64U);
  for (uint16_t i = 0; i < 30; ++i) {
    spec.src_port = static_cast<uint16_t>(2000 + i);
    EXPECT_EQ(install(modest, frames::udp4(spec), mask, {Output{greedy}}), InstallResult::installed) << i;
  }
}

TEST_F(EbpfTest, UpcallsOfAWorkerThatIsGoneGiveTheirCreditBack) {
  options_.workers = 4;
  open();
  std::string a = harness_->add_interface();
  PortNumber in = add_port(a);
  frames::Udp spec = between(1, 2);
  for (uint16_t i = 0; i < 100; ++i) {
    spec.src_port = i;
    harness_->send(a, frames::udp4(spec), {});
  }
  kill();
  options_.workers = 1;
  open();
  uint64_t lost = error_count("upcall.worker_gone");
  EXPECT_GT(lost, 0U);
  std::array<Upcall, 128> upcalls;
  size_t served = channel_->poll(upcalls, kSoon);
  EXPECT_EQ(served + lost, 100U);
  auto port = read_map<vd_port>(pins() + "/ports", in.value);
  EXPECT_EQ(port.queued, 0);
  EXPECT_EQ(port.queued_bytes, 0);
}

TEST_F(EbpfTest, TheMostSpecificFlowWins) {
  open();
  std::string a = harness_->add_interface();
  std::string b = harness_->add_interface();
  std::string c = harness_->add_interface();
  PortNumber in = add_port(a);
  frames::Udp spec = between(1, 2);
  FieldSet ports = FieldSet::ethernet();
  ports.add({Field::l4_src, Field::l4_dst});
  ASSERT_EQ(install(in, frames::udp4(spec), FieldSet::ethernet(), {Output{add_port(b)}}), InstallResult::installed);
  ASSERT_EQ(install(in, frames::udp4(spec), ports, {Output{add_port(c)}}), InstallResult::installed);
  harness_->send(a, frames::udp4(spec), {});
  EXPECT_TRUE(harness_->receive(c, kSoon));
  spec.src_port = 77;
  harness_->send(a, frames::udp4(spec), {});
  EXPECT_TRUE(harness_->receive(b, kSoon));
}

// Two masks that are rounded up to the same class meet in one entry: the newer flow has the packet, the older one is
// gone when it had no other.
TEST_F(EbpfTest, ANewerFlowTakesTheEntryOfAnOlder) {
  open();
  std::string a = harness_->add_interface();
  std::string b = harness_->add_interface();
  PortNumber in = add_port(a);
  PortNumber out = add_port(b);
  frames::Bytes frame = frames::udp4(between(1, 2));
  FieldSet newer = FieldSet::ethernet();
  newer.add(Field::ip_proto);
  ASSERT_EQ(install(in, frame, FieldSet::ethernet(), {}), InstallResult::installed);
  ASSERT_EQ(install(in, frame, newer, {Output{out}}), InstallResult::installed);
  harness_->send(a, frame, {});
  EXPECT_TRUE(harness_->receive(b, kSoon));
  EXPECT_EQ(datapath_->stats().flows, 1U);
}

TEST_F(EbpfTest, ClassesWithoutFlowsAreNotAsked) {
  open();
  std::string path = pins() + "/config";
  EXPECT_EQ(read_map<vd_config>(path, 0).classes, 0U);
  PortNumber in = add_port(harness_->add_interface());
  frames::Bytes frame = frames::udp4(between(1, 2));
  install(in, frame, FieldSet::all(), {});
  install(in, frame, FieldSet::ethernet(), {});
  EXPECT_EQ(read_map<vd_config>(path, 0).classes, 1U << kVdExact | 1U << kVdEthernet);
  kill();
  open();
  EXPECT_EQ(read_map<vd_config>(path, 0).classes, 1U << kVdExact | 1U << kVdEthernet);
  datapath_->flush_flows();
  EXPECT_EQ(read_map<vd_config>(path, 0).classes, 0U);
}

TEST_F(EbpfTest, TheHostIsSilentOnItsPorts) {
  open();
  std::string a = harness_->add_interface();
  ASSERT_TRUE(harness_->run("sysctl -qw net.ipv6.conf." + a + ".disable_ipv6=0"));
  PortNumber port = add_port(a);
  EXPECT_EQ(read_setting(a), '1');
  kill();
  open();
  EXPECT_FALSE(datapath_->remove_port(port));
  EXPECT_EQ(read_setting(a), '0');
}

TEST_F(EbpfTest, GuestsInOtherNamespacesAreReachedDirectly) {
  open();
  PortNumber a = add_port(harness_->add_interface());
  EXPECT_NE(read_map<vd_port>(pins() + "/ports", a.value).flags & kVdPortPeer, 0U);
  ASSERT_TRUE(harness_->run("ip link add here type veth peer name there"));
  PortNumber here = add_port("here");
  EXPECT_EQ(read_map<vd_port>(pins() + "/ports", here.value).flags & kVdPortPeer, 0U);
}

TEST_F(EbpfTest, DestroyGivesInterfacesBack) {
  open();
  std::string a = harness_->add_interface();
  add_port(a);
  EXPECT_TRUE(harness_->run("tc qdisc show dev " + a + " | grep -q clsact"));
  channel_.reset();
  datapath_->destroy();
  EXPECT_FALSE(harness_->run("tc qdisc show dev " + a + " | grep -q clsact"));
  EXPECT_FALSE(std::filesystem::exists(pins()));
}

}  // namespace viaduct::flows
