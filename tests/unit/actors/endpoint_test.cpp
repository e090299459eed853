#include "actors/admin/endpoint.hpp"

#include "actor_bench.hpp"
#include "actors/admin/replies.hpp"
#include "admin_client.hpp"
#include "agent_bench.hpp"

namespace viaduct::actors {
namespace {

// The admin actor behind it says "done" to everything.
class EndpointTest : public ActorTest {
 protected:
  EndpointTest() {
    EndpointLinks links{[this] { return make_admin(); },
                        [this](std::string_view name) { restarts.add(std::string(name)); }, probe};
    EndpointOptions options;
    options.port = 0;
    options.max_connections = 4;
    options.max_request_bytes = 4096;
    options.idle_timeout = std::chrono::seconds(1);
    start = spawn_endpoint(system, links, options);
    EXPECT_EQ(start.error, "");
  }
  ~EndpointTest() override {
    caf::anon_send(start.actor, Shutdown{});
    self->wait_for(start.actor);
  }
  AdminActor make_admin() {
    AdminActor made = system.spawn([this](AdminActor::pointer me) -> AdminActor::behavior_type {
      return {
          [](const ReportStatus&) { return observability::ActorStatus{}; }, [me](const Shutdown&) { me->quit(); },
          [this](const AdminCall& call) {
            calls.add(call.request->bytes.size());
            return AdminAnswer{std::make_shared<const schema::Frame>(done_reply(calls.size()))};
          },
          [](const RelayedCall&) -> caf::result<AdminAnswer> { return caf::make_error(caf::sec::invalid_argument); }};
    });
    admins.add(made);
    return made;
  }
  static schema::Frame some_request() {
    return admin_request("", [](auto root) { root.setStatus(); });
  }
  double malformed(std::string_view reason) { return metric(registry, "viaduct_admin_malformed_total", reason); }

  observability::Registry registry;
  observability::AdminProbe probe{registry};
  Journal<AdminActor> admins;
  Journal<std::string> restarts;
  Journal<size_t> calls;
  EndpointStart start;
};

TEST_F(EndpointTest, RequestsOfOneConnectionAreAnsweredInOrder) {
  AdminClient client(start.port);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.send(some_request()));
  std::vector<schema::Frame> replies;
  for (uint64_t i = 1; i <= 10; ++i) EXPECT_EQ(client.receive(), done_reply(i));
}

TEST_F(EndpointTest, ARequestMayComeByteByByte) {
  AdminClient client(start.port);
  std::vector<uint8_t> bytes;
  schema::append_framed(some_request(), bytes);
  for (uint8_t byte : bytes) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.receive(), done_reply(1));
}

TEST_F(EndpointTest, AFrameThatIsTooBigClosesTheConnectionBeforeItIsRead) {
  AdminClient client(start.port);
  const uint8_t prelude[] = {'V', 'D', 'T', '1', 0, 0, 0, 0x7f};
  ASSERT_TRUE(client.send(prelude));
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(malformed("too_big"), 1);
}

TEST_F(EndpointTest, AnotherProtocolIsRefused) {
  AdminClient client(start.port);
  const std::string http = "GET / HTTP/1.1\r\n\r\n";
  client.send({reinterpret_cast<const uint8_t*>(http.data()), http.size()});
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(malformed("wrong_magic"), 1);
}

TEST_F(EndpointTest, OneConnectionTooManyIsClosedAndTheOthersGoOn) {
  std::vector<std::unique_ptr<AdminClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<AdminClient>(start.port));
    clients.back()->send(some_request());
    EXPECT_TRUE(clients.back()->receive());
  }
  EXPECT_TRUE(AdminClient(start.port).closed());
  EXPECT_EQ(malformed("too_many_connections"), 1);
  clients[0]->send(some_request());
  EXPECT_TRUE(clients[0]->receive());
  clients.clear();
  EXPECT_TRUE(eventually([&] {
    AdminClient again(start.port);
    return again.send(some_request()) && again.receive().has_value();
  })) << "there is room again";
}

TEST_F(EndpointTest, ACrowdOfSmallRequestsClosesTheConnection) {
  AdminClient client(start.port);
  std::vector<uint8_t> crowd;
  schema::Frame tiny;
  tiny.bytes.assign(8, 0);
  for (int i = 0; i < 1'000; ++i) schema::append_framed(tiny, crowd);
  client.send(crowd);
  while (client.receive()) {
  }
  EXPECT_GE(malformed("too_many_requests"), 1);
  EXPECT_LT(calls.size(), 1'000);
}

TEST_F(EndpointTest, AConnectionThatStopsInTheMiddleIsClosedInTheEnd) {
  AdminClient client(start.port);
  std::vector<uint8_t> bytes;
  schema::append_framed(some_request(), bytes);
  ASSERT_TRUE(client.send(std::span(bytes).first(bytes.size() / 2)));
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(malformed("slow"), 1);
}

TEST_F(EndpointTest, AnAdminActorThatDiesIsReplaced) {
  {
    AdminClient client(start.port);
    client.send(some_request());
    EXPECT_TRUE(client.receive());
  }
  self->send_exit(admins.wait_for(1)[0], caf::exit_reason::kill);
  ASSERT_EQ(admins.wait_for(2).size(), 2);
  EXPECT_THAT(restarts.wait_for(1), testing::ElementsAre("admin"));
  EXPECT_TRUE(eventually([&] {
    AdminClient client(start.port);
    return client.send(some_request()) && client.receive().has_value();
  }));
}

TEST_F(EndpointTest, APortThatIsTakenIsAnErrorWithACure) {
  EndpointOptions options;
  options.port = start.port;
  auto second = spawn_endpoint(system, {[this] { return make_admin(); }, [](std::string_view) {}, probe}, options);
  EXPECT_THAT(second.error, testing::HasSubstr("another viaductd may be running"));
  caf::anon_send(second.actor, Shutdown{});
  self->wait_for(second.actor);
}

}  // namespace
}  // namespace viaduct::actors
