// support-bundle: what is in it, what is not, and what becomes of parts that fail.
#include "api/cli/bundle/bundle.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "api/cli/bundle/http_get.hpp"
#include "tests/unit/cli/fake_daemon.hpp"
#include "tests/unit/cli/fake_host.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "open.Sesame";
constexpr const char* kConfigPath = "/etc/viaduct/viaductd.toml";

// A server that gives one answer to one request.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/metrics"; }
  std::string request;  // once the client is served

 private:
  void serve(const std::string& answer) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      request.append(buffer, static_cast<size_t>(got));
    }
    if (!answer.empty()) ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (answer.empty()) ::recv(fd, buffer, sizeof buffer, 0);  // silent until the client goes
    ::close(fd);
  }

  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

struct BundleOf : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};
  FakeHost host;
  std::ostringstream out, err;
  std::istringstream in;

  Bundle gathered() {
    auto variable = [](const char*) { return std::optional<std::string>(); };
    Environment environment{out, err, in, Terminal::batch, variable};
    Session session(environment);
    session.settings().address = tool.address;
    session.settings().token_file = tool.token_file;
    session.settings().timeout_seconds = 0.2;
    return gather(session, host, kConfigPath);
  }
  static const BundlePart& part(const Bundle& bundle, const std::string& name) {
    auto at = std::ranges::find(bundle.parts, name, &BundlePart::name);
    EXPECT_NE(at, bundle.parts.end()) << name;
    return *at;
  }
  void add_peer() {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"router", "create", "r1", "--as-number", "65000"},
                                               {"bgp-peer", "create", "tor", "--router", "r1", "--ip", "203.0.113.9",
                                                "--as-number", "65001", "--multihop", "4", "--password", kPassword}})
      EXPECT_EQ(tool(words).code, 0);
  }
};

TEST_F(BundleOf, AHostThatIsWell) {
  add_peer();
  const OneAnswer metrics("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nviaduct_flows 3\n");
  daemon.answer(schema::AdminRequest::STATUS, [&](auto, schema::AdminReply::Builder reply) {
    reply.initStatus().setVersion("0.1.0");
    reply.getStatus().setMetricsUrl(metrics.url());
  });
  daemon.answer(schema::AdminRequest::CONNECTIONS, [](auto, auto reply) { reply.initConnections().setTotal(7); });
  host.files[kConfigPath] = {"[etcd]\npassword = \"x\"\nprefix = \"/v/\"\n", 0};
  host.programs["ip -d -s link"] = {0, "1: lo\n", {}};
  host.programs["dmesg"] = {0, "[1] openvswitch: loaded\n[2] somebody's secret\n[3] BPF verifier\n", {}};
  host.programs["journalctl --no-pager -u viaductd -n 5000"] = {
      0, std::string("password=") + kPassword + " wrong\n", {}};
  const Bundle bundle = gathered();
  EXPECT_THAT(part(bundle, "topology.yaml").text,
              AllOf(HasSubstr("bgp-peers"), HasSubstr("password is set, and not told")));
  EXPECT_EQ(part(bundle, "metrics.txt").text, "viaduct_flows 3\n");
  EXPECT_EQ(Json::parse(part(bundle, "connections.json").text)["total"], 7);
  EXPECT_EQ(Json::parse(part(bundle, "doctor.json").text)["checks"][0]["result"], "ok");
  EXPECT_EQ(part(bundle, "viaductd.toml").text, "[etcd]\npassword = \"(not told)\"\nprefix = \"/v/\"\n");
  EXPECT_EQ(part(bundle, "ip-link.txt").text, "1: lo\n");
  EXPECT_EQ(part(bundle, "kernel.log").text, "[1] openvswitch: loaded\n[3] BPF verifier\n");
  EXPECT_EQ(part(bundle, "viaductd.log").text, "password=(not told) wrong\n");
  EXPECT_EQ(part(bundle, "ip-rule.txt").problem, "ip: No such file or directory");
  EXPECT_TRUE(bundle.secrets_are_known);
  EXPECT_EQ(bundle.hidden, 1U);
  for (const BundlePart& one : bundle.parts)
    EXPECT_THAT(one.text + one.problem, AllOf(Not(HasSubstr(kPassword)), Not(HasSubstr("secret of the test"))));
}

TEST_F(BundleOf, WhatIsAskedForIsLimited) {
  gathered();
  std::string all;
  for (const std::string& request : daemon.requests()) all += request + '\n';
  EXPECT_THAT(all, AllOf(HasSubstr("flows = (limit = 1000)"), HasSubstr("connections = (limit = 1000"),
                         Not(HasSubstr("transact")), Not(HasSubstr("flush"))));
}

TEST_F(BundleOf, OneRequestThatFailsDoesNotEndTheOthers) {
  daemon.answer(schema::AdminRequest::FLOWS, [](auto, schema::AdminReply::Builder reply) {
    reply.initError().setCode(schema::ErrorCode::UNAVAILABLE);
    reply.getError().setMessage("flow_controller restarts");
  });
  const Bundle bundle = gathered();
  EXPECT_THAT(part(bundle, "flows.json").problem, HasSubstr("flow_controller restarts"));
  EXPECT_EQ(part(bundle, "state.json").problem, "");
  EXPECT_NE(part(bundle, "state.json").text, "");
}

TEST_F(BundleOf, WithoutADaemonTheRestIsThere) {
  tool.address = "127.0.0.1:1";
  host.programs["ip rule"] = {0, "0: from all\n", {}};
  host.programs["dmesg"] = {1, "dmesg: Operation not permitted\n", {}};
  const Bundle bundle = gathered();
  EXPECT_FALSE(bundle.secrets_are_known);
  for (const char* name : {"status.json", "topology.yaml", "routes.json"})
    EXPECT_THAT(part(bundle, name).problem, HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(part(bundle, "ip-rule.txt").text, "0: from all\n");
  EXPECT_EQ(part(bundle, "kernel.log").problem, "dmesg ended with status 1: dmesg: Operation not permitted");
  EXPECT_THAT(part(bundle, "doctor.txt").text, HasSubstr("failed   daemon:"));
}

TEST_F(BundleOf, ASilentDaemonIsNotWaitedForAgainAndAgain) {
  daemon.stay_silent();
  const auto before = std::chrono::steady_clock::now();
  const Bundle bundle = gathered();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_NE(part(bundle, "status.json").problem, "");
  EXPECT_EQ(part(bundle, "routes.json").problem, part(bundle, "status.json").problem);
  EXPECT_LE(daemon.connections(), 3) << "the doctor's, the bundle's";
}

TEST_F(BundleOf, AnArchiveForItsOwnerAlone) {
  add_peer();
  const std::filesystem::path directory = testing::TempDir() + "viaduct-bundle-" + std::to_string(::getpid());
  std::filesystem::create_directory(directory);
  const std::string file = (directory / "b.tar.gz").string();
  const Outcome made = tool({"support-bundle", "-o", file, "--config", "/no/such.toml"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out,
              AllOf(HasSubstr("  status.json: "), HasSubstr("  viaductd.toml: not there: /no/such.toml: No such"),
                    HasSubstr(file + ": no passwords, tokens or keys are in it\n")));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(run_program({"tar", "-xzf", file, "-C", directory.string(), "--strip-components=1"}).output, "");
  std::ifstream manifest(directory / "manifest.json");
  const Json listed = Json::parse(manifest);
  for (const Json& one : listed["parts"]) {
    const std::filesystem::path path = directory / one["name"].get<std::string>();
    EXPECT_EQ(std::filesystem::exists(path) ? std::filesystem::file_size(path) : 0, one["bytes"].get<size_t>()) << one;
  }
  EXPECT_NE(run_program({"grep", "-r", kPassword, directory.string()}).status, 0) << "no password in any file";
  size_t names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names += entry.is_directory() ? 1 : 0;
  EXPECT_EQ(names, 0U) << "nothing is left of the making";
  const Outcome json = tool({"support-bundle", "-o", file, "--json"});
  EXPECT_EQ(json.json()["file"], file) << "a second one takes its place";
  EXPECT_EQ(json.json()["secrets_known"], true);
  std::filesystem::remove_all(directory);
  const Outcome nowhere = tool({"support-bundle", "-o", "/no/such/directory/b.tar.gz"});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.err, AllOf(HasSubstr("/no/such/directory/b.tar.gz: No such file"), HasSubstr("cure:")));
}

TEST(BundleSecrets, AreTakenOutWhereverTheyStand) {
  std::string text = "a hunter2 hunter2, abc abc";
  EXPECT_EQ(hide({"hunter2", "abc", ""}, text), 2U);
  EXPECT_EQ(text, "a (not told) (not told), abc abc") << "what is shorter than four would hide half the text";
}

TEST(HttpGet, OneDocument) {
  OneAnswer server("HTTP/1.0 200 OK\r\n\r\nbody\n");
  auto text = http_get(server.url(), std::chrono::seconds(5));
  ASSERT_TRUE(text) << text.failure().message;
  EXPECT_EQ(*text, "body\n");
  EXPECT_THAT(server.request, testing::StartsWith("GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:"));
}

TEST(HttpGet, WhatIsNone) {
  const auto problem = [](const std::string& url) {
    auto text = http_get(url, std::chrono::milliseconds(200));
    return text ? "got " + *text : text.failure().message;
  };
  EXPECT_THAT(problem("https://127.0.0.1/"), HasSubstr("no http:// address"));
  EXPECT_THAT(problem("http://192.0.2.1:80/metrics"), HasSubstr("loopback"));
  EXPECT_THAT(problem("http://127.0.0.1:1/metrics"), HasSubstr("refused"));
  EXPECT_THAT(problem(OneAnswer("HTTP/1.1 404 Not Found\r\n\r\n").url()), HasSubstr("it answers HTTP/1.1 404"));
  EXPECT_THAT(problem(OneAnswer("SSH-2.0\r\n\r\n").url()), HasSubstr("that is no HTTP"));
  EXPECT_THAT(problem(OneAnswer("HTTP/1.1 200 OK\r\n").url()), HasSubstr("that is no HTTP"));
  EXPECT_THAT(problem(OneAnswer("").url()), HasSubstr("it took too long"));
}

}  // namespace
}  // namespace viaduct::api::cli
