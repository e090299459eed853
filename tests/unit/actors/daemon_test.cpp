// The whole daemon in this process, on a fake kernel that outlives it. The test is the guests, and the operator.
#include <arpa/inet.h>
#include <fcntl.h>

#include <fstream>
#include <random>

#include "actor_bench.hpp"
#include "actors/daemons/assembly.hpp"
#include "admin_client.hpp"
#include "agent_bench.hpp"
#include "observability/log.hpp"
#include "tests/unit/cluster/live_network.hpp"
#include "tests/unit/store/temporary_directory.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {
namespace {

using schema::AdminReply;
using testing::HasSubstr;

class DaemonTest : public testing::Test {
 protected:
  DaemonTest() {
    for (const char* name : {"fake0", "fake1"}) kernel->add_interface(name);
    config.state_dir = (directory.path() / "state").string();
    config.run_dir = (directory.path() / "run").string();
    config.datapath.kind = "fake";
    config.datapath.workers = 2;
    config.admin.port = 0;
    config.metrics.port = 0;
    config.rest.port = 0;
    config.host.name = "here";
    config.datapath.flow_idle_timeout = std::chrono::seconds(300);
  }
  std::string start() {
    std::string error;
    daemon = Daemon::start(
        config, [this](int code) { ended.add(code); }, error,
        [this](const Config& given, std::string&) {
          return flows::open_fake(kernel, {given.datapath.name, 2, given.datapath.max_flows});
        });
    return error;
  }
  int stop() {
    size_t before = ended.size();
    daemon->stop();
    auto codes = ended.wait_for(before + 1);
    daemon.reset();
    return codes.size() > before ? codes.back() : -1;
  }
  std::string text_of(const std::string& path) {
    std::string text;
    std::ifstream(path) >> text;
    return text;
  }
  std::string token() { return text_of(config.run_dir + "/admin.token"); }

  // One request on a connection of its own; `read` sees the reply.
  template <class Fill, class Read>
  void call(Fill fill, Read read) {
    AdminClient client(daemon->admin_port());
    ASSERT_TRUE(client.send(admin_request(token(), fill)));
    auto reply = client.receive();
    ASSERT_TRUE(reply);
    auto done = schema::with_root<AdminReply>(*reply, {}, [&](AdminReply::Reader root) {
      if (root.isError()) ADD_FAILURE() << root.getError().getMessage().cStr();
      read(root);
      return true;
    });
    EXPECT_TRUE(done);
  }
  // A bridge with fake0 and fake1 on it.
  void commit_bridge() {
    topology::Bridge bridge{BridgeId(Uuid::from_words(7, 1)), 0, "green", "", true};
    std::vector<topology::Operation> operations{topology::Create{bridge}};
    for (uint64_t i = 0; i < 2; ++i) {
      topology::Port port;
      port.id = PortId(Uuid::from_words(8, i + 1));
      port.name = "p" + std::to_string(i + 1);
      port.bridge = bridge.id;
      port.host = *HostId::parse(text_of(config.state_dir + "/host-id"));
      port.interface = "fake" + std::to_string(i);
      operations.push_back(topology::Create{port});
    }
    transact(operations);
  }
  void transact(const std::vector<topology::Operation>& operations) {
    call(
        [&](auto root) {
          auto request = root.initTransact();
          topology::encode_operations(operations, request);
          request.setWaitApplied(true);
        },
        [](auto reply) {
          ASSERT_TRUE(reply.isCommitted());
          EXPECT_TRUE(reply.getCommitted().getApplied());
        });
  }
  // What enters by a port of the bridge is let through when it is no answer: it is tracked.
  void filter_what_enters() {
    topology::Chain chain{ChainId(Uuid::from_words(9, 1)), 0, "in", ""};
    topology::Rule rule;
    rule.id = RuleId(Uuid::from_words(9, 2));
    rule.chain = chain.id;
    rule.position = 1;
    rule.condition.forward_flow = true;
    rule.action = topology::RuleAction::accept;
    topology::Bridge bridge{BridgeId(Uuid::from_words(7, 1)), 0, "green", "", true};
    bridge.inbound_filter = chain.id;
    transact({topology::Create{chain}, topology::Create{rule}, topology::Update{bridge}});
  }
  bool crosses() {
    kernel->inject("fake0", udp(1, 2));
    auto out = kernel->wait_output("fake1", kPatience);
    return out && out->bytes == udp(1, 2);
  }
  double metric_of(const std::string& name) {
    std::string url = daemon->metrics_url();
    auto colon = url.rfind(':');
    AdminClient http(static_cast<uint16_t>(std::stoi(url.substr(colon + 1))));
    const std::string get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    http.send({reinterpret_cast<const uint8_t*>(get.data()), get.size()});
    std::istringstream lines(http.receive_all());
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name)) sum += std::stod(line.substr(line.rfind(' ')));
    }
    return sum;
  }

  topology::store::testing::TemporaryDirectory directory;
  std::shared_ptr<flows::FakeKernel> kernel = std::make_shared<flows::FakeKernel>();
  Config config;
  Journal<int> ended;
  std::unique_ptr<Daemon> daemon;
};

TEST_F(DaemonTest, WhatAnOperatorAsksForIsWhatPacketsMeet) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  EXPECT_TRUE(crosses());
  // What the host says of its ports makes revisions too.
  EXPECT_TRUE(eventually([&] {
    bool settled = false;
    call([](auto root) { root.setStatus(); },
         [&](auto reply) {
           auto status = reply.getStatus();
           settled = status.getCommittedRevision() == status.getAppliedRevision();
         });
    return settled;
  }));
  call([](auto root) { root.setStatus(); },
       [](auto reply) {
         auto status = reply.getStatus();
         EXPECT_EQ(status.getHostName(), "here");
         EXPECT_EQ(status.getDatapath(), "fake");
         ASSERT_EQ(status.getPorts().size(), 2);
         for (auto port : status.getPorts()) EXPECT_TRUE(port.getActive()) << port.getReason().cStr();
         EXPECT_GE(status.getActors().size(), 7);
         for (auto actor : status.getActors()) EXPECT_EQ(actor.getState(), "running") << actor.getName().cStr();
       });
  call([](auto root) { root.initState(); },
       [](auto reply) { EXPECT_GE(reply.getState().getEntries().size(), 1) << "vm1 was learned"; });
  call([](auto root) { root.initFlows(); }, [](auto reply) { EXPECT_EQ(reply.getFlows().getTotal(), 1); });
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, ARestartFindsTopologyLearnedStateAndFlows) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  ASSERT_TRUE(crosses());
  ASSERT_EQ(stop(), 0);
  EXPECT_TRUE(crosses()) << "the kernel forwards while no daemon runs";

  ASSERT_EQ(start(), "");
  EXPECT_TRUE(eventually([&] {
    uint64_t adopted = 0;
    call([](auto root) { root.setStatus(); }, [&](auto reply) { adopted = reply.getStatus().getAdoptedFlows(); });
    return adopted == 1;
  }));
  auto misses = kernel->stats().misses;
  EXPECT_TRUE(crosses());
  EXPECT_EQ(kernel->stats().misses, misses);
  call([](auto root) { root.initState(); },
       [](auto reply) { EXPECT_GE(reply.getState().getEntries().size(), 1) << "vm1 is still known"; });
  call([](auto root) { root.initList(); },
       [](auto reply) { EXPECT_EQ(reply.getObjects().getObjects().size(), 4) << "host, bridge, two ports"; });
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, ConnectionsOutliveARestartUntilAnOperatorEndsThem) {
  auto connections = [&] {
    uint64_t total = 0;
    call([](auto root) { root.initConnections(); }, [&](auto reply) { total = reply.getConnections().getTotal(); });
    return total;
  };
  ASSERT_EQ(start(), "");
  commit_bridge();
  filter_what_enters();
  ASSERT_TRUE(crosses());
  EXPECT_EQ(connections(), 1U);
  ASSERT_EQ(stop(), 0);
  ASSERT_EQ(start(), "");
  EXPECT_EQ(connections(), 1U);
  EXPECT_TRUE(eventually([&] {
    uint64_t adopted = 0;
    call([](auto root) { root.setStatus(); }, [&](auto reply) { adopted = reply.getStatus().getAdoptedFlows(); });
    return adopted == 1;
  })) << "its flow is proven by the connection";
  call([](auto root) { root.initFlushConnections().setKind("track"); },
       [](auto reply) { EXPECT_EQ(reply.getFlushedConnections(), 1U); });
  EXPECT_EQ(connections(), 0U);
  call([](auto root) { root.initFlows(); },
       [](auto reply) { EXPECT_EQ(reply.getFlows().getTotal(), 0U) << "the answer says that they are gone"; });
  EXPECT_EQ(metric_of("viaduct_connections_flushed_total"), 1);
  EXPECT_TRUE(crosses());
  call([](auto root) { root.setConnectionStats(); },
       [](auto reply) {
         EXPECT_EQ(reply.getConnectionStats().getEntries(), 1U);
         EXPECT_EQ(reply.getConnectionStats().getCapacity(), 262'144U);
       });
  EXPECT_EQ(stop(), 0);
}

// The bridge's chain gives each connection another source: 203.0.113.9, from `first_port` on.
class NatDaemonTest : public DaemonTest {
 protected:
  void translate(uint16_t first_port, uint16_t last_port) {
    topology::Chain chain{ChainId(Uuid::from_words(9, 1)), 0, "post", ""};
    topology::Rule rule;
    rule.id = RuleId(Uuid::from_words(9, 2));
    rule.chain = chain.id;
    rule.nat = topology::NatKind::snat;
    rule.condition.fragments = topology::FragmentPolicy::header;
    rule.targets = {{address, address, first_port, last_port, 0}};
    topology::Bridge bridge{BridgeId(Uuid::from_words(7, 1)), 0, "green", "", true, chain.id, {}};
    call(
        [&](auto root) {
          auto transact = root.initTransact();
          topology::encode_operations({topology::Create{chain}, topology::Create{rule}, topology::Update{bridge}},
                                      transact);
          transact.setWaitApplied(true);
        },
        [](auto reply) { ASSERT_TRUE(reply.isCommitted()); });
  }
  void offer(uint16_t source) { kernel->inject("fake0", udp(1, mac_of(2), ip_of(2), source)); }
  // The port that the connection gets; -1: none.
  int port_of_connection(uint16_t source) {
    offer(source);
    auto out = kernel->wait_output("fake1", kPatience);
    if (!out) return -1;
    const auto packet = flows::parse(out->bytes, {});
    EXPECT_EQ(packet.key.ip_src, address);
    return packet.key.l4_src;
  }
  std::vector<std::string> leased() {
    std::vector<std::string> out;
    call([](auto root) { root.initState(); },
         [&](auto reply) {
           for (auto line : reply.getState().getEntries()) {
             if (line.getTable() == "nat_block") out.emplace_back(line.getValue().cStr());
           }
         });
    return out;
  }

  const IpAddress address = scenario::ip("203.0.113.9");
};

// The packet that opens a connection waits for ports; the next life has the same ports.
TEST_F(NatDaemonTest, PortsForTranslationAreLeasedAndFoundAgain) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  translate(1024, 65'535);
  const int first = port_of_connection(5000);
  ASSERT_GE(first, 1024);
  EXPECT_TRUE(eventually([&] { return metric_of("viaduct_nat_blocks_leased") == 1; })) << "counted behind the packet";
  const auto before = leased();
  EXPECT_THAT(before, testing::SizeIs(1));
  ASSERT_EQ(stop(), 0);
  ASSERT_EQ(start(), "");
  EXPECT_EQ(port_of_connection(5001) / 64, first / 64) << "the lease goes on";
  EXPECT_EQ(leased(), before);
  EXPECT_EQ(stop(), 0);
}

// One block, and one remote end.
TEST_F(NatDaemonTest, WhenThePortsAreUsedUpItSaysWhereAndWhatHelps) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  translate(1024, 1087);
  for (uint16_t i = 0; i < 64; ++i) ASSERT_GE(port_of_connection(static_cast<uint16_t>(5000 + i)), 1024) << i;
  EXPECT_THAT(leased(), testing::ElementsAre("ports 1024 to 1087"));
  offer(6000);
  EXPECT_TRUE(
      eventually([&] { return metric_of("viaduct_dropped_packets_total{reason=\"nat_ports_exhausted\"}") == 1; }));
  EXPECT_EQ(metric_of("viaduct_nat_exhausted_total"), 1);
  std::vector<std::string> problems;
  call([](auto root) { root.setStatus(); },
       [&](auto reply) {
         for (auto problem : reply.getStatus().getProblems()) problems.emplace_back(problem.cStr());
       });
  EXPECT_THAT(problems, testing::ElementsAre(testing::AllOf(
                            testing::StartsWith("bridge green, 203.0.113.9 (chain post): no ports are left"),
                            HasSubstr("add addresses"))));
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, AnInterfaceThatComesLaterIsUsedWithoutBeingAsked) {
  kernel->remove_interface("fake1");
  ASSERT_EQ(start(), "");
  commit_bridge();
  kernel->add_interface("fake1");
  EXPECT_TRUE(eventually([&] {
    kernel->inject("fake0", udp(1, 2));
    return !kernel->take_output("fake1").empty();
  }));
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, ATraceTellsWhatWouldHappenAndChangesNothing) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  Frame frame = udp(1, 2);
  call(
      [&](auto root) {
        auto trace = root.initTrace();
        topology::encode(Uuid::from_words(8, 1), trace.initPort());
        trace.initPacket().setFrame(kj::ArrayPtr<const uint8_t>(frame.data(), frame.size()));
      },
      [](auto reply) {
        EXPECT_EQ(reply.getTrace().getOutcome(), "forward");
        ASSERT_EQ(reply.getTrace().getOutputs().size(), 1);
        EXPECT_EQ(reply.getTrace().getOutputs()[0], "p2");
      });
  call([](auto root) { root.initState(); }, [](auto reply) { EXPECT_EQ(reply.getState().getEntries().size(), 0); });
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, AStrangerGetsNothingAndCannotDisturb) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  {
    AdminClient client(daemon->admin_port());
    client.send(admin_request("wrong", [](auto root) { root.setStatus(); }));
    auto reply = client.receive();
    ASSERT_TRUE(reply);
    auto code = schema::with_root<AdminReply>(*reply, {}, [](auto root) { return root.getError().getCode(); });
    ASSERT_TRUE(code);
    EXPECT_EQ(*code, schema::ErrorCode::UNAUTHORIZED);
  }
  std::mt19937 random(11);
  AdminClient client(daemon->admin_port());
  double expected = 0;
  for (int i = 0; i < 1'000; ++i) {
    schema::Frame noise;
    noise.bytes.resize(8 * (random() % 40 + 1));
    for (uint8_t& byte : noise.bytes) byte = static_cast<uint8_t>(random());
    noise.bytes[3] = 0x7f;  // more segments than there are bytes: never a message
    ASSERT_TRUE(client.send(noise));
    auto reply = client.receive();
    ASSERT_TRUE(reply) << i;
    auto code = schema::with_root<AdminReply>(*reply, {}, [](auto root) { return root.getError().getCode(); });
    ASSERT_TRUE(code);
    EXPECT_EQ(*code, schema::ErrorCode::MALFORMED);
    ++expected;
  }
  EXPECT_EQ(metric_of("viaduct_admin_malformed_total"), expected);
  EXPECT_TRUE(crosses());
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, WhatKeepsItFromStartingIsSaid) {
  ASSERT_EQ(start(), "");
  {
    auto first = std::move(daemon);
    EXPECT_THAT(start(), HasSubstr("nsdb")) << "another daemon has the state";
    EXPECT_EQ(daemon, nullptr);
    auto state = config.state_dir;
    config.state_dir = (directory.path() / "other").string();
    config.admin.port = first->admin_port();
    EXPECT_THAT(start(), HasSubstr("another viaductd may be running"));
    EXPECT_EQ(daemon, nullptr);
    daemon = std::move(first);
    config.state_dir = state;
  }
  EXPECT_EQ(stop(), 0);
  config.admin.port = 0;
  config.state_dir = "/proc/nowhere";
  EXPECT_THAT(start(), HasSubstr("cannot create /proc/nowhere"));
}

TEST_F(DaemonTest, ANewConfigurationIsTakenAsFarAsItCanChangeLive) {
  ASSERT_EQ(start(), "");
  namespace log = observability::log;
  Config wanted = config;
  wanted.log.levels = "info,metrics=error";
  wanted.underlay.copy_dscp = true;
  wanted.underlay.probe_interval = std::chrono::milliseconds(300);
  wanted.admin.port = 1;
  ConfigChange change = daemon->reconfigure(wanted);
  EXPECT_EQ(names_of(change.live), "log.levels, underlay.copy_dscp, underlay.probe_interval");
  EXPECT_EQ(names_of(change.restart), "admin.port");
  EXPECT_EQ(log::level(log::Component::metrics), log::Level::error);
  change = daemon->reconfigure(config);
  EXPECT_EQ(names_of(change.live), "log.levels, underlay.copy_dscp, underlay.probe_interval") << "back again";
  EXPECT_EQ(log::level(log::Component::metrics), log::Level::info);
  EXPECT_EQ(stop(), 0);
}

// Cluster nodes and agents on several hosts: each is called as its certificate says, unless it is told otherwise.
TEST_F(DaemonTest, ANodeIsCalledAsItsCertificateSays) {
  cluster_test::LiveNetwork network;
  auto files = network.files("db1.example", {true, true});
  uint16_t port = 0;
  { auto free = cluster_test::listen_somewhere(port); }
  config.host.name.clear();
  config.cluster.listen = "127.0.0.1:" + std::to_string(port);
  config.tls = {files.ca, files.certificate, files.key, ""};
  ASSERT_EQ(start(), "");
  call([](auto root) { root.setStatus(); },
       [](auto reply) { EXPECT_EQ(reply.getStatus().getHostName(), "db1.example"); });
  EXPECT_EQ(names_of(daemon->reconfigure(config).restart), "");
  EXPECT_EQ(stop(), 0);
  config.tls.key = config.tls.certificate;
  EXPECT_THAT(start(), HasSubstr("key"));
}

TEST_F(DaemonTest, ADaemonThatIsDroppedStopsByItself) {
  ASSERT_EQ(start(), "");
  commit_bridge();
  daemon.reset();
  EXPECT_THAT(ended.wait_for(1), testing::ElementsAre(0));
}

}  // namespace
}  // namespace viaduct::actors
