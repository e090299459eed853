// What is particular to Open vSwitch when a daemon dies and another takes over: the kernel's objects name sockets that
// are gone.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "flows/datapath/ovs/netlink_socket.hpp"
#include "flows/datapath/ovs/ovs_datapath.hpp"
#include "flows/datapath/ovs/upcall_sockets.hpp"
#include "ovs_harness.hpp"

namespace viaduct::flows {

class OvsRestart : public DatapathConformance {
 protected:
  FlowInstall routed(const Guest& from, const Guest& to) {
    return flow_for(from, frames::udp4(udp(from, to)), FieldSet::ethernet(),
                    {SetEthernet{from.host.mac, to.host.mac}, DecrementTtl{}, CheckMtu{1400}, Output{to.port}});
  }
  frames::Bytes expired(const Guest& from, const Guest& to) {
    frames::Udp spec = udp(from, to);
    spec.ttl = 1;
    return frames::udp4(spec);
  }
  void expect_expired_upcall(const Guest& from, const Guest& to) {
    send(from, expired(from, to));
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall);
    EXPECT_EQ(upcall->reason, UpcallReason::ttl_expired);
    EXPECT_EQ(upcall->bytes, expired(from, to));
  }
};

TEST_P(OvsRestart, FlowsOfAWorkerThatIsNoMoreAreToldTheNewSocket) {
  open({.workers = 2});
  Guest a = guest();
  Guest b = guest();
  FlowInstall flow = routed(a, b);
  InstallResult result;
  channels_[1]->install(std::span(&flow, 1), std::span(&result, 1));
  ASSERT_EQ(result, InstallResult::installed);
  kill();
  open({.workers = 1});
  expect_expired_upcall(a, b);
  EXPECT_EQ(flows().at(0).actions, flow.flow.actions);
  EXPECT_EQ(datapath_->stats().lost, 0U);
}

TEST_P(OvsRestart, SocketsHaveTheSameIdsInEveryLife) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(routed(a, b)), InstallResult::installed);
  kill();
  std::error_code error;
  auto squatter = ovs::NetlinkSocket::open(ovs::upcall_id(kOvsDatapath, a.port, 0, 0), 1 << 18, error);
  ASSERT_FALSE(error) << error.message();
  send(a, expired(a, b));
  EXPECT_TRUE(eventually([&] { return squatter.waiting_bytes() > 0; })) << "the flow names the id that is computed";
}

// ovs-dpctl, as operators use it to look, switches the datapath's upcalls to its own way when it opens it.
TEST_P(OvsRestart, ToolsOfOpenVswitchDoNotKeepTheUpcalls) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(routed(a, b)), InstallResult::installed);
  ASSERT_EQ(std::system("ovs-dpctl dump-flows >/dev/null 2>&1"), 0);
  datapath_->dump_stats([](const FlowId&, const FlowStats&) {});  // as the flow controller does once a second
  expect_expired_upcall(a, b);
}

TEST_P(OvsRestart, AnIdThatIsTakenIsReplacedInPortsAndFlows) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(routed(a, b)), InstallResult::installed);
  kill();
  std::error_code error;
  auto squatter = ovs::NetlinkSocket::open(ovs::upcall_id(kOvsDatapath, a.port, 0, 0), 1 << 18, error);
  ASSERT_FALSE(error) << error.message();
  open();
  expect_expired_upcall(a, b);
  expect_no_upcall(a);
  EXPECT_EQ(squatter.waiting_bytes(), 0U);
}

TEST_P(OvsRestart, TheOldDaemonMayStillBeThere) {
  open();
  Guest a = guest();
  Guest b = guest();
  ASSERT_EQ(install(routed(a, b)), InstallResult::installed);
  auto old = std::move(datapath_);
  auto old_channels = std::move(channels_);
  channels_.clear();
  open();
  expect_expired_upcall(a, b);
  old_channels.clear();
  old.reset();
  expect_expired_upcall(a, b);
}

TEST_P(OvsRestart, FlowsOfAnotherProgramAreDeletedAndCounted) {
  open();
  Guest a = guest();
  Guest b = guest();
  FlowInstall strange = routed(a, b);
  strange.flow.id = {1, 2};
  ASSERT_EQ(install(strange), InstallResult::installed);
  ASSERT_EQ(install(b, frames::udp4(udp(b, a)), FieldSet::ethernet(), {Output{a.port}}), InstallResult::installed);
  kill();
  open();
  EXPECT_EQ(flows().size(), 1U);
  EXPECT_EQ(datapath_->stats().flows, 1U);
  auto errors = datapath_->error_counts();
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0], (std::pair<std::string, uint64_t>("flow_not_understood", 1)));
}

// A daemon in a process of its own is killed while its guests talk. Not one packet of a known flow is lost, and the
// next daemon serves misses.
TEST_P(OvsRestart, KillingTheDaemonLosesNothing) {
  open();
  Guest a = guest();
  Guest b = guest();
  kill();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  pid_t daemon = fork();
  ASSERT_GE(daemon, 0);
  if (daemon == 0) {
    open();
    bool installed = install(routed(a, b)) == InstallResult::installed;
    [[maybe_unused]] ssize_t written = write(ready[1], installed ? "y" : "n", 1);
    std::array<Upcall, 8> batch;
    while (true) channels_[0]->poll(batch, std::chrono::seconds(1));
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  constexpr int kPackets = 300;
  for (int i = 0; i < kPackets; ++i) {
    if (i == 100) ::kill(daemon, SIGKILL);
    if (i == 200) open();
    send(a, frames::udp4(udp(a, b)));
    ASSERT_TRUE(next_frame(b)) << i;
  }
  ASSERT_EQ(waitpid(daemon, nullptr, 0), daemon);
  close(ready[0]);
  close(ready[1]);
  EXPECT_EQ(flow_stats().at(0).second.packets, static_cast<uint64_t>(kPackets));
  expect_expired_upcall(a, b);
  expect_no_upcall(b);
}

INSTANTIATE_TEST_SUITE_P(Ovs, OvsRestart, testing::Values(HarnessFactory{"ovs", &make_ovs_harness}), harness_name);

}  // namespace viaduct::flows
