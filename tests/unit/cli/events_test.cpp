// events, with canned answers and golden output; and what a change is known by.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"
#include "topology/codec.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Events : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};
};

observability::Event port_down() {
  observability::Event event;
  event.id = 17;
  event.at = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'790'000'000'007));
  event.kind = "port.inactive";
  event.level = "info";
  event.host = "node-1";
  event.message = "port inactive";
  event.fields = {{"interface", "tap1"}, {"reason", "the link \x1b[31m\xc2\x9bis down"}, {"nothing", ""}};
  return event;
}

void one_of_more(schema::AdminRequest::Reader, schema::AdminReply::Builder reply) {
  auto list = reply.initEvents();
  topology::encode(port_down(), list.initEvents(1)[0]);
  list.setMore(true);
  list.setNext(17);
}

TEST_F(Events, AreALineEach) {
  daemon.answer(schema::AdminRequest::EVENTS, one_of_more);
  EXPECT_EQ(tool({"events"}).out,
            "2026-09-21T14:13:20.007Z  node-1  port.inactive  port inactive  interface=tap1  "
            "reason='the link \\x1b[31m\\x9bis down'\n"
            "there were earlier ones: --limit shows more, --since, --kind and --about choose among them\n");
  const Json json = tool({"events", "--json"}).json();
  EXPECT_EQ(json["more"], true);
  EXPECT_EQ(json["events"][0]["fields"]["interface"], "tap1");
  EXPECT_EQ(json["events"][0]["at"], "2026-09-21T14:13:20.007Z");
  EXPECT_EQ(json["events"][0]["id"], 17);
}

TEST_F(Events, AreAskedForByKindValueTimeAndPort) {
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  ASSERT_EQ(tool({"port", "create", "vm1", "--bridge", "blue"}).code, 0);
  const std::string port = tool({"port", "show", "vm1", "--json"}).json()["id"];
  daemon.answer(schema::AdminRequest::EVENTS,
                [&](schema::AdminRequest::Reader request, schema::AdminReply::Builder reply) {
                  const auto events = request.getEvents();
                  EXPECT_EQ(events.getAfter(), 0u);
                  EXPECT_EQ(events.getLimit(), 5u);
                  EXPECT_GT(events.getSince(), 0u);
                  ASSERT_EQ(events.getKinds().size(), 2u);
                  EXPECT_EQ(events.getKinds()[1], "tunnel.down");
                  ASSERT_EQ(events.getValues().size(), 2u);
                  EXPECT_EQ(events.getValues()[0], "node-1");
                  EXPECT_EQ(std::string(events.getValues()[1].cStr()), port);
                  reply.initEvents();
                });
  EXPECT_THAT(tool({"events", "--kind", "port", "--kind", "tunnel.down", "--about", "node-1", "--port", "vm1",
                    "--since", "15m", "--limit", "5"})
                  .out,
              HasSubstr("no such event"));
}

TEST_F(Events, AreNotAskedForInVain) {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"--kind", "nonsense"},
                                                                                     {"--kind", "por"},
                                                                                     {"--kind", ""},
                                                                                     {"--since", "tomorrow"},
                                                                                     {"--since", "5w"},
                                                                                     {"--since", "99999d"}}) {
    const Outcome outcome = tool({"events", wrong[0], wrong[1]});
    EXPECT_EQ(outcome.code, 2) << wrong[1];
    EXPECT_THAT(outcome.err, HasSubstr("cure")) << wrong[1];
  }
  EXPECT_EQ(tool({"events", "--port", "nobody"}).code, 1);
}

TEST_F(Events, EachCommandIsARequestOfItsOwn) {
  std::vector<std::string> requests;
  daemon.answer(schema::AdminRequest::TRANSACT,
                [&](schema::AdminRequest::Reader request, schema::AdminReply::Builder reply) {
                  requests.emplace_back(request.getRequest().cStr());
                  EXPECT_TRUE(topology::is_request_name(requests.back()));
                  reply.initCommitted();
                });
  tool({"bridge", "create", "blue"});
  tool({"bridge", "create", "green"});
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_NE(requests[0], requests[1]);
}

}  // namespace
}  // namespace viaduct::api::cli
