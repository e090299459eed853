// What the doctor says of a host, by what it sees there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "api/cli/doctor/host_checks.hpp"
#include "tests/unit/cli/fake_daemon.hpp"
#include "tests/unit/cli/fake_host.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr const char* kTokenPath = "/run/viaduct/admin.token";

TEST(DoctorOfKernel, EbpfNeedsANewOneAndTheModuleDoesNot) {
  FakeHost host;
  expect_check(check_kernel(host, ""), Verdict::ok, "Linux 6.1.0-18-amd64");
  host.release = "5.15.0";
  expect_check(check_kernel(host, ""), Verdict::failed, "needs 6.1", "newer kernel");
  expect_check(check_kernel(host, "ovs"), Verdict::warning, "needs 6.1", "openvswitch");
  host.files["/lib/modules/5.15.0/modules.dep"] = {"kernel/net/openvswitch/openvswitch.ko: kernel/x.ko\n", 0};
  expect_check(check_kernel(host, ""), Verdict::warning, "needs 6.1", "openvswitch");
  host.release = "10.0";
  expect_check(check_kernel(host, ""), Verdict::ok, "Linux 10.0");
}

TEST(DoctorOfKernel, SomeDatapath) {
  FakeHost host;
  expect_check(check_datapath(host, "ebpf"), Verdict::ok, "uses ebpf");
  expect_check(check_datapath(host, "fake"), Verdict::warning, "no packet is carried", "datapath.kind");
  expect_check(check_datapath(host, ""), Verdict::ok, "eBPF is possible");
  host.release = "5.10.0";
  expect_check(check_datapath(host, ""), Verdict::failed, "neither", "6.1");
  host.files["/lib/modules/5.10.0/modules.dep"] = {"kernel/net/openvswitch/openvswitch.ko.xz:\n", 0};
  expect_check(check_datapath(host, ""), Verdict::warning, "not loaded", "modprobe openvswitch");
  host.modes["/sys/module/openvswitch"] = {0755, 0};
  expect_check(check_datapath(host, ""), Verdict::ok, "loaded");
}

TEST(DoctorOfKernel, BpfFileSystem) {
  FakeHost host;
  expect_check(check_bpf_file_system(host, ""), Verdict::warning, "none is mounted", "mount -t bpf");
  host.spaces["/sys/fs/bpf"] = {0, 0, 0x62656572, 0};
  expect_check(check_bpf_file_system(host, "ebpf"), Verdict::warning, "none is mounted", "mount -t bpf");
  expect_check(check_bpf_file_system(host, "ovs"), Verdict::skipped, "ovs needs none");
  host.spaces["/sys/fs/bpf"] = {0, 0, 0xcafe4a11, 0};
  expect_check(check_bpf_file_system(host, "ebpf"), Verdict::ok, "/sys/fs/bpf");
}

TEST(DoctorOfKernel, TunnelDevicesTapsAndNamespaces) {
  FakeHost host;
  expect_check(check_tunnel_devices(host), Verdict::skipped, "may be built in");
  host.files["/lib/modules/6.1.0-18-amd64/modules.builtin"] = {"kernel/lib/crc16.ko\n", 0};
  expect_check(check_tunnel_devices(host), Verdict::failed, "no vxlan", "gre");
  host.modes["/sys/module/ip_gre"] = {0755, 0};
  expect_check(check_tunnel_devices(host), Verdict::warning, "no vxlan", "gre");
  host.files["/lib/modules/6.1.0-18-amd64/modules.builtin"] = {"kernel/drivers/net/vxlan/vxlan.ko\n", 0};
  expect_check(check_tunnel_devices(host), Verdict::ok, "vxlan and gre");
  expect_check(check_tun(host), Verdict::warning, "/dev/net/tun", "modprobe tun");
  expect_check(check_network_namespaces(host), Verdict::failed, "none", "CONFIG_NET_NS");
  host.modes["/dev/net/tun"] = host.modes["/proc/self/ns/net"] = {0666, 0};
  expect_check(check_tun(host), Verdict::ok, "/dev/net/tun");
  expect_check(check_network_namespaces(host), Verdict::ok, "there are");
}

TEST(DoctorOfHost, OpenFilesOfTheDaemon) {
  FakeHost host;
  host.directories["/proc"] = {"1", "77", "self", "net"};
  host.files["/proc/1/comm"] = {"systemd\n", 0};
  expect_check(check_limits(host), Verdict::skipped, "no viaductd runs here");
  host.files["/proc/77/comm"] = {"viaductd\n", 0};
  host.files["/proc/77/limits"] = {
      "Max processes   10 10 processes\nMax open files            1024      524288    files\n", 0};
  expect_check(check_limits(host), Verdict::ok, "viaductd 77: 1024 open files");
  host.directories["/proc/77/fd"] = std::vector<std::string>(1000, "1");
  expect_check(check_limits(host), Verdict::warning, "1000 of 1024 files are open", "LimitNOFILE");
  host.files["/proc/77/limits"].text = "Max open files            256      524288    files\n";
  expect_check(check_limits(host), Verdict::warning, "256 open files are allowed", "LimitNOFILE");
  host.files["/proc/77/limits"].text = "Max open files            unlimited      unlimited    files\n";
  expect_check(check_limits(host), Verdict::ok, "any number");
}

TEST(DoctorOfHost, Clock) {
  FakeHost host;
  host.its_clock = {true, true, std::chrono::microseconds(12'345)};
  expect_check(check_clock(host), Verdict::ok, "at most 12 ms off");
  host.its_clock.synchronised = false;
  expect_check(check_clock(host), Verdict::warning, "not synchronised", "chrony");
  host.its_clock.known = false;
  expect_check(check_clock(host), Verdict::skipped, "does not say");
}

TEST(DoctorOfHost, TheTokenIsNobodyElses) {
  FakeHost host;
  expect_check(check_token(host, kTokenPath), Verdict::failed, "there is no", "systemctl start");
  host.modes[kTokenPath] = {0, EACCES};
  expect_check(check_token(host, kTokenPath), Verdict::skipped, "Permission denied");
  for (uint32_t mode : {0600U, 0640U, 0400U, 0440U}) {
    host.modes[kTokenPath] = {mode, 0};
    expect_check(check_token(host, kTokenPath), Verdict::ok, "has mode 0");
  }
  host.modes[kTokenPath] = {0644, 0};
  expect_check(check_token(host, kTokenPath), Verdict::failed, "mode 0644: everybody here may read it",
               "restart viaductd");
  host.modes[kTokenPath] = {0660, 0};
  expect_check(check_token(host, kTokenPath), Verdict::failed, "mode 0660: its group may change it",
               "restart viaductd");
}

TEST(DoctorOfHost, ConfigurationIsJudgedByTheDaemonsProgram) {
  FakeHost host;
  const std::string path = "/etc/viaduct/viaductd.toml", line = "viaductd --config " + path + " --check-config";
  expect_check(check_configuration(host, path), Verdict::ok, "as by default");
  host.files[path] = {"roles = 7\n", 0};
  expect_check(check_configuration(host, path), Verdict::skipped, "cannot be asked");
  host.programs[line] = {2, path + ":1:9: roles: must be a list\n", {}};
  expect_check(check_configuration(host, path), Verdict::failed, ":1:9: roles", "--check-config");
  host.programs[line] = {0, "", {}};
  expect_check(check_configuration(host, path), Verdict::ok, path.c_str());
  host.files[path] = {"", EACCES};
  expect_check(check_configuration(host, path), Verdict::skipped, "Permission denied");
}

TEST(DoctorOfHost, RoomForTheState) {
  FakeHost host;
  expect_check(check_state_space(host, {}), Verdict::skipped, "/var/lib/viaduct: No such file");
  host.spaces["/srv/v"] = {100 * kGiB, 10 * kGiB, 0, 0};
  const ConfigTexts config{{"state_dir", "/srv/v"}};
  expect_check(check_state_space(host, config), Verdict::ok, "10240 MiB of 102400 MiB free");
  host.spaces["/srv/v"].free_bytes = kGiB / 2;
  expect_check(check_state_space(host, config), Verdict::warning, "512 MiB", "make room");
  host.spaces["/srv/v"].free_bytes = kGiB / 8;
  expect_check(check_state_space(host, config), Verdict::failed, "128 MiB", "make room");
  host.spaces["/srv/v"] = {kGiB / 8, kGiB / 10, 0, 0};
  expect_check(check_state_space(host, config), Verdict::ok, "102 MiB of 128 MiB free");
}

TEST(DoctorOfHost, Certificates) {
  FakeHost host;
  expect_check(check_certificates(host, {}), Verdict::skipped, "none are configured");
  const ConfigTexts config{{"tls.ca", "/tls/ca"}, {"tls.certificate", "/tls/c"}, {"tls.key", "/tls/k"}};
  host.files["/tls/ca"] = host.files["/tls/c"] = {"PEM", 0};
  host.files["/tls/k"] = {"", EACCES};
  expect_check(check_certificates(host, config), Verdict::skipped, "/tls/k: Permission denied");
  host.files["/tls/k"] = {"PEM", 0};
  host.its_credentials.ends = {{"CN=node-1", host.now() + std::chrono::hours(24 * 365)}};
  expect_check(check_certificates(host, config), Verdict::ok, "CN=node-1 is valid until 20");
  host.its_credentials.ends.push_back({"CN=our-ca", host.now() + std::chrono::hours(24 * 5)});
  expect_check(check_certificates(host, config), Verdict::warning, "CN=our-ca", "viaduct certs host");
  host.its_credentials.problems = {{"/tls/k: others may read or write it", "run: chmod 600 /tls/k"}};
  expect_check(check_certificates(host, config), Verdict::failed, "others may read", "chmod 600");
}

TEST(DoctorsReaderOfToml, TakesTextsByTheirFullKeys) {
  const ConfigTexts texts = config_texts(
      "state_dir = '/srv/v' # here\n  # run_dir = \"/x\"\nroles = [\"agent\"]\ntls.ca = \"a\\\"b\"\n[tls]\n key = "
      "\"k\"\n[etcd] \nprefix= \"/v/\"\nopen = \"no end\n");
  EXPECT_EQ(texts,
            (ConfigTexts{{"state_dir", "/srv/v"}, {"tls.ca", "a\"b"}, {"tls.key", "k"}, {"etcd.prefix", "/v/"}}));
}

TEST(DoctorsReaderOfToml, HidesSecrets) {
  const std::string shown = without_secrets(
      "[etcd]\nuser = \"viaduct\"\npassword_file = \"/etc/p\"\npassword = \"Sesame1\"\n  api_token=\"Sesame2\"\n"
      "# password = \"Sesame3\"\nlogin = { Password = \"Sesame4\" }\nsecret = \"\"\"\nSesame5\nSesame6\"\"\"\nlast = "
      "1\n");
  EXPECT_THAT(shown, Not(HasSubstr("Sesame")));
  EXPECT_THAT(shown, AllOf(HasSubstr("user = \"viaduct\"\npassword_file = \"/etc/p\"\n"), HasSubstr("last = 1\n"),
                           HasSubstr("password = \"(not told)\"\n")));
}

// The real one: what every Linux has.
TEST(ThisHost, IsSeenWithoutRights) {
  const auto host = this_host();
  EXPECT_THAT(host->read("/proc/self/comm").text, HasSubstr("cli_test"));
  EXPECT_EQ(host->read("/no/such/file").error, ENOENT);
  EXPECT_EQ(host->facts("/").error, 0);
  EXPECT_EQ(host->facts("/no/such/file").error, ENOENT);
  EXPECT_GT(host->space("/").total_bytes, 0U);
  EXPECT_EQ(host->space("/proc").type, 0x9fa0U);
  EXPECT_THAT(host->names_in("/proc/self"), testing::Contains("comm"));
  EXPECT_THAT(host->names_in("/no/such/directory"), testing::IsEmpty());
  const auto interfaces = host->interfaces();
  auto lo = std::ranges::find(interfaces, "lo", &InterfaceFacts::name);
  ASSERT_NE(lo, interfaces.end());
  EXPECT_GT(lo->mtu, 0U);
  EXPECT_NE(host->kernel_release(), "");
  expect_check(check_network_namespaces(*host), Verdict::ok, "there are");
}

TEST(ThisHost, JudgesCertificatesAsTheDaemonDoes) {
  const std::string directory = testing::TempDir() + "viaduct-doctor-" + std::to_string(::getpid());
  const Tool tool;
  ASSERT_EQ(tool({"certs", "init", directory}).code, 0);
  ASSERT_EQ(tool({"certs", "host", "node-1", "--dir", directory, "--days", "9"}).code, 0);
  const ConfigTexts config{{"tls.ca", directory + "/ca.pem"},
                           {"tls.certificate", directory + "/node-1.pem"},
                           {"tls.key", directory + "/node-1.key"}};
  expect_check(check_certificates(*this_host(), config), Verdict::warning, "node-1 is valid until", "in time");
  std::filesystem::permissions(directory + "/node-1.key", std::filesystem::perms(0644));
  expect_check(check_certificates(*this_host(), config), Verdict::failed, "others may read or write it", "chmod 600");
  std::filesystem::remove_all(directory);
}

TEST(ChildProcess, IsHeardAndEnds) {
  const ProgramOutcome said = run_program({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(said.status, 3);
  EXPECT_EQ(said.output, "out\nerr\n");
  EXPECT_EQ(said.problem, "");
  EXPECT_THAT(run_program({"/no/such/program"}).problem, HasSubstr("/no/such/program: No such file"));
  EXPECT_THAT(run_program({"sh", "-c", "kill -9 $$"}).problem, HasSubstr("signal 9"));
  EXPECT_EQ(run_program({"cat"}).status, 0) << "nobody types";
  ProgramLimits limits;
  limits.time = std::chrono::milliseconds(50);
  EXPECT_EQ(run_program({"tail", "-f", "/dev/null"}, limits).problem, "it took too long");
  EXPECT_EQ(run_program({"sh", "-c", "exec tail -f /dev/null >/dev/null 2>&1"}, limits).problem, "it took too long");
  limits = {std::chrono::seconds(20), 1000};
  const ProgramOutcome loud = run_program({"yes"}, limits);
  EXPECT_EQ(loud.output.size(), 1000U);
  EXPECT_THAT(loud.problem, HasSubstr("more than 1000 bytes"));
}

}  // namespace
}  // namespace viaduct::api::cli
