// Agents and cluster nodes as they are on several hosts: each an actor system of its own, TLS between them. Their database
// is one in memory.
#include <random>

#include <caf/openssl/all.hpp>

#include "actors/agent/cluster_link.hpp"
#include "cluster_node.hpp"
#include "live_network.hpp"

namespace viaduct::actors::cluster_test {
namespace {

using namespace topology::testing;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct NodeHost {
  NodeHost(store::Store& nsdb, const std::string& name, const identity::CredentialFiles& files,
           std::shared_ptr<const Identity> identity)
      : config(LiveNetwork::transport(files)), node(system, nsdb, {name, std::move(identity), seconds(2)}) {
    auto published = caf::openssl::publish(GatewayActor(node.gateway), 0, "127.0.0.1", true);
    EXPECT_TRUE(published) << system.render(published.error());
    port = *published;
  }
  ActorConfig config;
  caf::actor_system system{config};
  ClusterNode node;
  uint16_t port = 0;
};

// Its mirror and its publisher only write down what they get.
struct AgentHost {
  AgentHost(const std::string& name, HostId host, const identity::CredentialFiles& files,
            std::shared_ptr<const Identity> who, const std::vector<uint16_t>& ports, const std::string& instance = "i")
      : config(LiveNetwork::transport(files)), identity(std::move(who)) {
    mirror = system.spawn([this](TopologyMirrorActor::pointer me) -> TopologyMirrorActor::behavior_type {
      return {[](const ReportStatus&) { return observability::ActorStatus{}; },
              [me](const Shutdown&) { me->quit(); },
              [this](const FeedFrame& feed) {
                auto batch = topology::decode_feed(*feed.frame);
                EXPECT_TRUE(batch) << batch.error();
                batches.add(*batch);
                return FeedApplied{batch->revision, false};
              },
              [](const CachedFeed&) { return FeedApplied{}; },
              [](const BindingsChanged&) {},
              [](const ReadMirror&) { return MirrorPosition{}; },
              [](const ReadTopology&) { return SnapshotPtr(); },
              [](const HostPaths&) {},
              [](const OwnHealth&) {},
              [](const RoutesLearned&) {},
              [](const SpeakersChanged&) {}};
    });
    publisher = system.spawn([this](StatePublisherActor::pointer me) -> StatePublisherActor::behavior_type {
      return {[](const ReportStatus&) { return observability::ActorStatus{}; },
              [me](const Shutdown&) { me->quit(); },
              [](const NewsWaits&) {},
              [](const OwnLocations&) {},
              [](const OwnInterfaces&) {},
              [](const NatLeases&) {},
              [](const HealthClaims&) {},
              [](const RoutesLearned&) {},
              [this](const SessionChanged& changed) { sessions.add(changed); },
              [](const Tick&) {}};
    });
    ClusterLinkLinks links{{host, 0, name}, instance, mirror, publisher, probe, {}};
    for (uint16_t port : ports) links.nodes.push_back({"127.0.0.1", port});
    links.reconnect_min = milliseconds(20);
    links.reconnect_max = milliseconds(200);
    links.identity = identity;
    links.connect = connect_with_tls();
    link = spawn_cluster_link(system, links);
  }
  ~AgentHost() { stop(); }
  void stop() {
    if (!link) return;
    for (const auto& actor : {caf::actor_cast<caf::actor>(link), caf::actor_cast<caf::actor>(mirror),
                              caf::actor_cast<caf::actor>(publisher)}) {
      self->send(actor, Shutdown{});
      self->wait_for(actor);
    }
    link = nullptr;
  }
  ClusterReport report() {
    ClusterReport out;
    self->request(link, kPatience, ReportCluster{})
        .receive([&](const ClusterReport& report) { out = report; }, [](const caf::error&) {});
    return out;
  }
  bool joined() { return report().state == "joined"; }
  bool joins() {
    return eventually([&] { return joined(); });
  }
  // The first reason that holds for this link.
  std::string refused() {
    std::string why;
    eventually([&] { return !(why = report().last_error).empty(); });
    return why;
  }

  ActorConfig config;
  caf::actor_system system{config};
  std::shared_ptr<const Identity> identity;
  observability::Registry registry;
  observability::ClusterLinkProbe probe{registry};
  Journal<topology::FeedBatch> batches;
  Journal<SessionChanged> sessions;
  TopologyMirrorActor mirror;
  StatePublisherActor publisher;
  ClusterLinkActor link;
  caf::scoped_actor self{system};
};

class TransportTest : public ::testing::Test {
 protected:
  std::unique_ptr<NodeHost> node(const std::string& name) {
    auto files = network.files(name, kClusterRole);
    return node(name, files);
  }
  std::unique_ptr<NodeHost> node(const std::string& name, const identity::CredentialFiles& files) {
    return std::make_unique<NodeHost>(*nsdb, name, files, network.identity(files));
  }
  std::unique_ptr<AgentHost> agent(const std::string& name, uint64_t host, const std::vector<uint16_t>& ports) {
    return agent(name, host, ports, network.files(name, kAgentRole));
  }
  std::unique_ptr<AgentHost> agent(const std::string& name, uint64_t host, const std::vector<uint16_t>& ports,
                                   const identity::CredentialFiles& files, const std::string& instance = "i") {
    return std::make_unique<AgentHost>(name, id<HostId>(host), files, network.identity(files), ports, instance);
  }

  LiveNetwork network;
  MemoryNsdb nsdb;
};

TEST_F(TransportTest, AnAgentJoinsIsFedAndWrites) {
  auto db1 = node("db1");
  auto h1 = agent("h1", 101, {db1->port});
  ASSERT_TRUE(h1->joins()) << h1->report().last_error;
  EXPECT_EQ(h1->report().node_name, "db1");
  EXPECT_TRUE(h1->batches.wait_for(1).front().complete);
  auto port = bridge_port(11, 1);
  port.host = id<HostId>(101);
  port.interface = "tap11";
  auto revision = write(*nsdb, {bridge(1), port});
  EXPECT_TRUE(eventually([&] { return h1->batches.wait_for(2).back().revision >= revision; }));
  auto session = h1->sessions.wait_for(1).back();
  topology::StateWrite state{
      {{{id<HostId>(101), {}, 0, topology::FloodKey{id<BridgeId>(1), 7}}, topology::StateWrite::Mode::claim}},
      {},
      false};
  // The state tables hear of the bridge on another way than the agent, and refuse what they have not heard of.
  EXPECT_TRUE(eventually([&] {
    SessionWrite answer;
    h1->self->request(session.session, kPatience, SessionWrite{session.secret, topology::encode_state_write(state)})
        .receive([&](const SessionWrite& got) { answer = got; },
                 [&](const caf::error& error) { ADD_FAILURE() << h1->system.render(error); });
    auto written = topology::decode_state_written(answer.frame);
    return written && written->error.empty() && nsdb->range({"/state/flood/"})->entries.size() == 1;
  }));
}

// What two gateways of the Internet's table have told is one frame of many megabytes for an agent that comes.
TEST_F(TransportTest, AnAgentThatComesGetsFullTablesOfRoutes) {
  constexpr uint16_t kParts = 256;
  constexpr uint32_t kPrefixesOfPart = 3'125;
  auto guests = router_port(11, 1, "10.0.1.1/24"), uplink = router_port(12, 1, "10.9.0.1/24");
  guests.host = id<HostId>(101);
  guests.interface = "tap11";
  uplink.host = id<HostId>(102);
  uplink.interface = "eth1";
  write(*nsdb, {router(1), guests, uplink});
  for (const char* gateway : {"10.9.0.2", "10.9.0.3"}) {
    store::Transaction told;
    for (uint16_t part = 0; part < kParts; ++part) {
      topology::LearnedRoutes routes{uplink.id, ip(gateway), part};
      for (uint32_t i = 0; i < kPrefixesOfPart; ++i) {
        routes.prefixes.push_back(IpPrefix(IpAddress::v4(0x1400'0000 + ((part * kPrefixesOfPart + i) << 8)), 24));
      }
      const topology::StateEntry entry{uplink.host, id<RouterId>(1).uuid(), 0, std::move(routes)};
      told.puts.push_back({topology::state_key(entry), store::to_value(topology::encode_state(entry).bytes)});
    }
    ASSERT_TRUE(nsdb->commit(told));
  }
  auto db1 = node("db1");
  auto h1 = agent("h1", 101, {db1->port});
  ASSERT_TRUE(h1->joins()) << h1->report().last_error;
  size_t prefixes = 0;
  const auto batches = h1->batches.wait_for(1);
  ASSERT_FALSE(batches.empty());
  for (const auto& item : batches.front().items) {
    if (topology::state_table(item->key) != "learned_routes") continue;
    const auto entry = topology::decode_state(store::as_bytes(*item->value));
    ASSERT_TRUE(entry) << entry.error();
    prefixes += std::get<topology::LearnedRoutes>(entry->fact).prefixes.size();
  }
  EXPECT_EQ(prefixes, 2 * kParts * kPrefixesOfPart);
}

TEST_F(TransportTest, WhenItsNodeStopsAnAgentGoesToTheNextOne) {
  auto db1 = node("db1"), db2 = node("db2");
  auto h1 = agent("h1", 101, {db1->port, db2->port});
  ASSERT_TRUE(h1->joins());
  ASSERT_EQ(h1->report().node_name, "db1");
  auto stopped = std::chrono::steady_clock::now();
  db1.reset();
  ASSERT_TRUE(eventually([&] { return h1->joined() && h1->report().node_name == "db2"; })) << h1->report().last_error;
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, seconds(5));
  auto sessions = h1->sessions.wait_for(3);
  ASSERT_GE(sessions.size(), 3);
  EXPECT_TRUE(sessions[0].session);
  EXPECT_FALSE(sessions[1].session) << "the publisher was told that nobody hears it";
  EXPECT_TRUE(sessions.back().session);
}

TEST_F(TransportTest, StrangersAreRefusedWithTheReason) {
  auto db1 = node("db1");
  struct Case {
    const char* what;
    identity::CredentialFiles files;
    std::string name;
    const char* reason;
  };
  auto revoked = network.files("bad", kAgentRole);
  auto foreign = network.foreign_files("h1", kAgentRole);
  const Case cases[] = {
      {"another authority", foreign, "h1", "unknown ca"},
      {"expired", network.files("h1", kAgentRole, -10), "h1", "expired"},
      {"of another host", network.files("h2", kAgentRole), "h1", "certificate is of host h2"},
      {"a cluster node that is no agent", network.files("h1", kClusterRole), "h1", "certificate"},
  };
  for (const Case& each : cases) {
    auto stranger = agent(each.name, 101, {db1->port}, each.files);
    EXPECT_THAT(stranger->refused(), HasSubstr(each.reason)) << each.what;
    EXPECT_FALSE(stranger->joined());
  }
  EXPECT_EQ(db1->node.count("viaduct_gateway_sessions"), 0);
  EXPECT_TRUE(agent("h1", 101, {db1->port})->joins());
}

TEST_F(TransportTest, ARevokedCertificateIsRefused) {
  auto bad = network.files("bad", kAgentRole);
  network.write("revoked", identity::to_string(network.identity(bad)->own().fingerprint) + "\n");
  auto files = network.files("db1", kClusterRole);
  files.revoked = network.path("revoked");
  auto db1 = node("db1", files);
  EXPECT_THAT(agent("bad", 101, {db1->port}, bad)->refused(), HasSubstr("revoked"));
  EXPECT_TRUE(agent("good", 102, {db1->port})->joins());
}

TEST_F(TransportTest, ANodeThatIsNoneIsNotSpokenTo) {
  auto foreign = node("db1", network.foreign_files("db1", kClusterRole));
  EXPECT_THAT(agent("h1", 101, {foreign->port})->refused(), HasSubstr("certificate"));
  auto only_agent = node("h2", network.files("h2", kAgentRole));
  EXPECT_THAT(agent("h1", 101, {only_agent->port})->refused(), HasSubstr("certificate"));
  EXPECT_EQ(foreign->node.count("viaduct_gateway_sessions") + only_agent->node.count("viaduct_gateway_sessions"), 0);
}

TEST_F(TransportTest, TwoHostsOfOneNameAndTwoOfOneIdAreTold) {
  auto db1 = node("db1");
  auto h1 = agent("h1", 101, {db1->port});
  ASSERT_TRUE(h1->joins());
  EXPECT_THAT(agent("h1", 102, {db1->port})->refused(), HasSubstr("cannot be registered"));
  EXPECT_THAT(agent("h1", 101, {db1->port}, network.files("h1", kAgentRole), "a copy")->refused(),
              HasSubstr("is in use"));
  EXPECT_TRUE(h1->joined());
}

// Certificates are of names; whose an id is, only the database knows.
TEST_F(TransportTest, NobodyTakesAnotherHostsId) {
  auto db1 = node("db1");
  {
    auto h1 = agent("h1", 101, {db1->port});
    ASSERT_TRUE(h1->joins());
  }
  nsdb.pass(seconds(11));
  EXPECT_THAT(agent("h2", 101, {db1->port})->refused(), HasSubstr("is registered as h1"));
  caf::scoped_actor self(db1->system);
  self->request(db1->node.store, kPatience, ReadTopology{})
      .receive([](const SnapshotPtr& snapshot) { EXPECT_EQ(snapshot->find(id<HostId>(101))->name, "h1"); },
               [](const caf::error&) { ADD_FAILURE(); });
}

// --- SIGHUP ----------------------------------------------------------------------------------------

TEST_F(TransportTest, AnAgentGoesToTheNodesThatAreNamedNow) {
  auto db1 = node("db1"), db2 = node("db2");
  auto h1 = agent("h1", 101, {db1->port});
  ASSERT_TRUE(h1->joins());
  auto reconfigure = [&](std::vector<NodeAddress> nodes) {
    h1->self->send(h1->link, ReconfigureLink{std::move(nodes), milliseconds(20), milliseconds(200), h1->identity});
  };
  reconfigure({{"127.0.0.1", db2->port}, {"127.0.0.1", db1->port}});
  EXPECT_EQ(h1->report().node_name, "db1") << "it is named still";
  EXPECT_TRUE(h1->joined());
  reconfigure({{"127.0.0.1", db2->port}});
  EXPECT_TRUE(eventually([&] { return h1->joined() && h1->report().node_name == "db2"; })) << h1->report().last_error;
}

TEST_F(TransportTest, WhoeverIsRevokedMeanwhileIsNotLetInAgain) {
  auto files = network.files("db1", kClusterRole);
  auto db1 = node("db1", files);
  auto bad = network.files("bad", kAgentRole);
  EXPECT_TRUE(agent("bad", 101, {db1->port}, bad)->joins());
  network.write("revoked", identity::to_string(network.identity(bad)->own().fingerprint) + "\n");
  files.revoked = network.path("revoked");
  caf::anon_send(db1->node.gateway, NewIdentity{network.identity(files)});
  EXPECT_THAT(agent("bad", 101, {db1->port}, bad)->refused(), HasSubstr("revoked"));
  EXPECT_TRUE(agent("bad", 101, {db1->port})->joins()) << "with a new certificate";
}

// --- what else may come to the port ---------------------------------------------------------------

TEST_F(TransportTest, GarbageAndClientsWithoutACertificateHarmNobody) {
  auto db1 = node("db1");
  auto h1 = agent("h1", 101, {db1->port});
  ASSERT_TRUE(h1->joins());
  std::mt19937 random(3);
  std::vector<Socket> open;
  for (int i = 0; i < 50; ++i) {
    open.push_back(connect_to(db1->port));
    std::string noise(1 + random() % 2'000, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    if (i % 3 == 0) noise = "GET / HTTP/1.1\r\n\r\n";
    send(open.back().get(), noise.data(), noise.size(), MSG_NOSIGNAL);
  }
  ActorConfig plain_config;
  caf::actor_system plain(plain_config);
  EXPECT_FALSE(plain.middleman().remote_actor<GatewayActor>("127.0.0.1", db1->port)) << "no TLS at all";
  open.clear();
  auto h2 = agent("h2", 102, {db1->port});
  EXPECT_TRUE(h2->joins());
  EXPECT_TRUE(h1->joined());
}

// They cost the node some work each, but it does not wait for any of them.
TEST_F(TransportTest, AThousandConnectionsThatSayNothingDoNotKeepOthersOut) {
  auto db1 = node("db1");
  std::vector<Socket> idle;
  for (int i = 0; i < 1'000; ++i) idle.push_back(connect_to(db1->port));
  EXPECT_TRUE(agent("h1", 101, {db1->port})->joins());
}

// --- frozen ones ----------------------------------------------------------------------------------

TEST_F(TransportTest, ANodeThatIsFrozenIsNoticedOnBothSides) {
  auto db1 = node("db1"), db2 = node("db2");
  Relay relay(db1->port);
  auto h1 = agent("h1", 101, {relay.port, db2->port});
  ASSERT_TRUE(h1->joins());
  ASSERT_EQ(h1->report().node_name, "db1");
  auto frozen = std::chrono::steady_clock::now();
  relay.freeze(true);
  ASSERT_TRUE(eventually([&] { return h1->report().node_name == "db2" && h1->joined(); })) << h1->report().last_error;
  EXPECT_LT(std::chrono::steady_clock::now() - frozen, ActorConfig::kSilence + seconds(3));
  EXPECT_TRUE(eventually([&] { return db1->node.count("viaduct_gateway_sessions") == 0; }));
  EXPECT_LT(std::chrono::steady_clock::now() - frozen, ActorConfig::kSilence + seconds(5));
}

// A node that accepts and says nothing, and one that does not even accept, as behind a switch that is off.
TEST_F(TransportTest, NodesThatDoNotAnswerDoNotKeepAnAgentFromTheOthers) {
  uint16_t silent = 0, full = 0;
  Socket accepts = listen_somewhere(silent), accepts_nobody = listen_somewhere(full, 0);
  std::vector<Socket> fill;
  auto address = loopback(full);
  for (int i = 0; i < 4; ++i) {
    fill.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    [[maybe_unused]] int begun = connect(fill.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  auto db1 = node("db1");
  auto begin = std::chrono::steady_clock::now();
  auto h1 = agent("h1", 101, {full, silent, db1->port});
  EXPECT_TRUE(h1->joins()) << h1->report().last_error;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20));
}

// The connection that froze was never ended by anybody: the next one to the same address is a new one.
TEST_F(TransportTest, ANodeThatWasFrozenWhileAnAgentConnectedIsUsedAgain) {
  auto db1 = node("db1");
  Relay relay(db1->port);
  relay.freeze(true);
  auto h1 = agent("h1", 101, {relay.port});
  EXPECT_NE(h1->refused(), "");
  relay.freeze(false);
  EXPECT_TRUE(h1->joins()) << h1->report().last_error;
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
