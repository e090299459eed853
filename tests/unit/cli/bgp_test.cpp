// BGP peers and networks against a daemon with the real rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "open.Sesame!";

// Router edge of AS 65000 with port up (192.0.2.1/24).
struct BgpCommands : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  void SetUp() override {
    done({"router", "create", "edge", "--as-number", "65000", "--advertise-nat", "true"});
    done({"port", "create", "up", "--router", "edge", "--address", "192.0.2.1/24"});
  }
  void done(std::vector<std::string> arguments) {
    const Outcome outcome = tool(std::move(arguments));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  Outcome create_peer(std::string name, std::vector<std::string> fields) {
    fields.insert(fields.begin(), {"bgp-peer", "create", std::move(name), "--router", "edge"});
    return tool(std::move(fields));
  }
  Outcome apply(const std::string& text, std::vector<std::string> more = {}) {
    tool.input = text;
    more.insert(more.begin(), {"apply", "-f", "-", "--yes"});
    return tool(std::move(more));
  }
  topology::BgpPeer peer() {
    std::optional<topology::BgpPeer> found;
    const auto snapshot = daemon.snapshot();
    snapshot.for_each(topology::Kind::bgp_peer,
                      [&](const topology::Object& object) { found = std::get<topology::BgpPeer>(object); });
    return found.value();
  }
};

TEST_F(BgpCommands, APeerByHand) {
  EXPECT_EQ(create_peer("tor", {"--ip", "192.0.2.9", "--as-number", "4200000001", "--bfd", "true", "--password",
                                kSecret, "--import-filter", "permit 10.0.0.0/8 ge 16 le 24", "--import-filter",
                                "deny 0.0.0.0/0 le 32", "--export-filter", "permit 198.51.100.0/24, deny ::/0"})
                .code,
            0);
  const topology::BgpPeer made = peer();
  EXPECT_EQ(made.as_number, 4'200'000'001);
  EXPECT_EQ(made.password, kSecret);
  EXPECT_EQ(made.keep_alive, 60U) << "what is not named is as the schema says";
  EXPECT_TRUE(made.graceful_restart);
  EXPECT_THAT(made.import_filter, ElementsAre(topology::PrefixRule{*IpPrefix::parse("10.0.0.0/8"), 16, 24, true},
                                              topology::PrefixRule{*IpPrefix::parse("0.0.0.0/0"), 0, 32, false}));
  EXPECT_THAT(made.export_filter, ElementsAre(topology::PrefixRule{*IpPrefix::parse("198.51.100.0/24"), 24, 24, true},
                                              topology::PrefixRule{*IpPrefix::parse("::/0"), 0, 0, false}));
  done({"bgp-peer", "set", "tor", "--keep-alive", "3", "--hold-time", "9", "--import-filter", "none"});
  EXPECT_EQ(peer().hold_time, 9U);
  EXPECT_TRUE(peer().import_filter.empty());
  EXPECT_EQ(peer().password, kSecret) << "a change of something else keeps it";
  done({"bgp-peer", "delete", "tor"});
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bgp_peer), 0U);
}

TEST_F(BgpCommands, APasswordIsNeverShown) {
  const Outcome created = create_peer("tor", {"--ip", "192.0.2.9", "--as-number", "65001", "--password", kSecret});
  create_peer("open", {"--ip", "192.0.2.8", "--as-number", "65001"});
  const Outcome show = tool({"bgp-peer", "show", "tor"}), list = tool({"bgp-peer", "list"});
  EXPECT_THAT(show.out, HasSubstr("  password        set\n"));
  EXPECT_THAT(tool({"bgp-peer", "show", "open"}).out, HasSubstr("  password        -\n"));
  EXPECT_THAT(list.out, HasSubstr("PASSWORD"));
  const Outcome json = tool({"bgp-peer", "show", "tor", "--json"});
  EXPECT_EQ(json.json()["password"], "set");
  EXPECT_EQ(tool({"bgp-peer", "show", "open", "--json"}).json()["password"], nullptr);
  const Outcome router = tool({"router", "show", "edge", "--json"});
  EXPECT_EQ(router.json()["bgp_peers"].size(), 2U);
  const Outcome refused = tool({"bgp-peer", "set", "tor", "--password", std::string(kSecret) + " and a space"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("password_invalid"));
  for (const Outcome& said : {created, show, list, json, router, refused, tool({"bgp-peer", "list", "--json"}),
                              tool({"bgp-peer", "set", "tor", "--password", "other", "--json"})})
    EXPECT_THAT(said.out + said.err, Not(HasSubstr(kSecret)));
  EXPECT_EQ(peer().name.empty(), false);
}

TEST_F(BgpCommands, RoutersAndNetworks) {
  done({"bgp-network", "create", "--router", "edge", "--prefix", "198.51.100.0/24"});
  done({"bgp-network", "create", "--router", "edge", "--prefix", "::/0"});
  create_peer("tor", {"--ip", "192.0.2.9", "--as-number", "65001"});
  EXPECT_THAT(tool({"router", "show", "edge"}).out,
              AllOf(HasSubstr("as_number       65000\n"), HasSubstr("advertise_nat   true\n"),
                    HasSubstr("\nbgp-peers:\nNAME  ADDRESS    AS NUMBER"), HasSubstr("\nbgp-networks:\nPREFIX")));
  const Json router = tool({"router", "show", "edge", "--json"}).json();
  EXPECT_EQ(router["as_number"], 65000);
  EXPECT_EQ(router["bgp_networks"].size(), 2U);
  EXPECT_THAT(tool({"bgp-network", "list", "--router", "edge"}).out, HasSubstr("198.51.100.0/24"));
  const Outcome cleared = tool({"router", "set", "edge", "--as-number", "none"});
  EXPECT_EQ(cleared.code, 1);
  EXPECT_THAT(cleared.err, AllOf(HasSubstr("as_number_missing"), HasSubstr("1 BGP peers and 2 BGP networks")));
  EXPECT_THAT(tool({"router", "delete", "edge"}).out, HasSubstr("bgp-peer"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bgp_network), 0U);
}

TEST_F(BgpCommands, RefusalsSayWhatToDo) {
  const Outcome far = create_peer("far", {"--ip", "203.0.113.9", "--as-number", "65001"});
  EXPECT_EQ(far.code, 1);
  EXPECT_THAT(far.err, AllOf(HasSubstr("prefix_does_not_hold_address"), HasSubstr("or set multihop")));
  EXPECT_EQ(create_peer("far", {"--ip", "203.0.113.9", "--as-number", "65001", "--multihop", "4"}).code, 0);
  EXPECT_EQ(create_peer("none", {"--ip", "192.0.2.9", "--as-number", "0"}).code, 2);
  const Outcome rule =
      create_peer("tor", {"--ip", "192.0.2.9", "--as-number", "65001", "--import-filter", "allow 10.0.0.0/8"});
  EXPECT_EQ(rule.code, 2);
  EXPECT_THAT(rule.err, HasSubstr("--import-filter: 'allow 10.0.0.0/8' is not a rule, as in permit 10.0.0.0/8"));
}

// Of a host without speakers.
void fill_nothing(schema::AdminRequest::Reader, schema::AdminReply::Builder reply) { reply.initStatus(); }

TEST_F(BgpCommands, SessionsAreAskedForWhereThePortIs) {
  daemon.answer(schema::AdminRequest::STATUS, fill_nothing);
  const Outcome all = tool({"bgp"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out,
              AllOf(HasSubstr("no port of this host speaks BGP\n"), HasSubstr("on the hosts that these are bound"),
                    HasSubstr("viaduct bgp-peer list and viaduct port list say")));
  const Outcome edge = tool({"bgp", "--router", "edge"});
  EXPECT_EQ(edge.code, 0);
  EXPECT_THAT(edge.out, AllOf(HasSubstr("no port of this host speaks BGP for router edge\n"),
                              HasSubstr("viaduct port list --router edge say")));
  EXPECT_EQ(tool({"port", "list", "--router", "edge"}).code, 0) << "as it says";
  EXPECT_EQ(tool({"bgp", "--json"}).json(), (Json{{"sessions", Json::array()}, {"problems", Json::array()}}));
}

TEST_F(BgpCommands, ARouterThatIsNotThereIsNamed) {
  daemon.answer(schema::AdminRequest::STATUS, fill_nothing);
  for (const auto& command : {std::vector<std::string>{"bgp", "--router", "nosuch"}, {"bgp", "routes", "nosuch"}}) {
    const Outcome outcome = tool(command);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("router"), HasSubstr("nosuch")));
  }
}

TEST_F(BgpCommands, RoutesAreAskedForByAnAddress) {
  const size_t before = daemon.requests().size();
  const Outcome text = tool({"bgp", "routes", "--to", "nonsense"});
  EXPECT_EQ(text.code, 2);
  EXPECT_THAT(text.err, AllOf(HasSubstr("--to 'nonsense' is no address"), HasSubstr("--to 198.51.100.1")));
  const Outcome prefix = tool({"bgp", "routes", "--to", "2001:db8::/32"});
  EXPECT_EQ(prefix.code, 2);
  EXPECT_THAT(prefix.err, AllOf(HasSubstr("--to '2001:db8::/32' is a prefix"), HasSubstr("--to 2001:db8::1")));
  EXPECT_EQ(daemon.requests().size(), before) << "nobody was asked";
}

TEST_F(BgpCommands, WhereThereIsNoAgentHostsWithOneAreNamed) {
  topology::Host host;
  host.id = HostId(Uuid::from_words(1, 1));
  host.name = "gw-1";
  daemon.commit(host);
  daemon.answer(schema::AdminRequest::ROUTES, [](auto, schema::AdminReply::Builder reply) {
    auto error = reply.initError();
    error.setCode(schema::ErrorCode::UNAVAILABLE);
    error.setMessage("this host has no agent role, and therefore no datapath: ask a host that has (viaduct --address)");
  });
  const Outcome outcome = tool({"bgp", "routes"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("ask a host that has"), HasSubstr("hosts with an agent: gw-1, node-1\n"),
                                 Not(HasSubstr("try again"))));
  daemon.answer(schema::AdminRequest::ROUTES, [](auto, schema::AdminReply::Builder reply) {
    auto error = reply.initError();
    error.setCode(schema::ErrorCode::UNAVAILABLE);
    error.setMessage("the routes are being counted");
  });
  EXPECT_THAT(tool({"bgp", "routes"}).err, HasSubstr("try again in a moment"));
}

constexpr const char* kDocument = R"(
routers:
  - name: edge
    as-number: 65000
    bgp-peers:
      - name: tor
        ip: 192.0.2.9
        as-number: 65001
        password: open.Sesame!
        import-filter: [permit 10.0.0.0/8 le 24, deny 0.0.0.0/0]
      - {name: far, ip: "2001:db8::9", as-number: 65000, multihop: 3}
    bgp-networks:
      - {prefix: 198.51.100.0/24}
bgp-networks:
  - {router: edge, prefix: 0.0.0.0/0}
)";

TEST_F(BgpCommands, ApplyTwiceChangesNothing) {
  const Outcome first = apply(kDocument);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("  + bgp-peer tor of router edge\n"), HasSubstr("      password: set\n"),
                               HasSubstr("import_filter: permit 10.0.0.0/8 le 24, deny 0.0.0.0/0\n"),
                               HasSubstr("  + bgp-network 0.0.0.0/0 of router edge\n"), Not(HasSubstr(kSecret))));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bgp_peer), 2U);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bgp_network), 2U);
  EXPECT_THAT(apply(kDocument).out, HasSubstr("nothing to do"));
}

TEST_F(BgpCommands, ApplyChangesAPassword) {
  ASSERT_EQ(apply(kDocument).code, 0);
  std::string other = kDocument;
  other.replace(other.find(kSecret), std::string(kSecret).size(), "0ther");
  const Outcome changed = apply(other);
  EXPECT_THAT(changed.out,
              AllOf(HasSubstr("  ~ bgp-peer tor of router edge\n      password: set -> set, another one\n"),
                    HasSubstr("0 to create, 1 to update"), Not(HasSubstr("0ther"))));
  const auto snapshot = daemon.snapshot();
  std::vector<std::string> passwords;
  snapshot.for_each(topology::Kind::bgp_peer, [&](const topology::Object& object) {
    passwords.push_back(std::get<topology::BgpPeer>(object).password);
  });
  EXPECT_THAT(passwords, testing::UnorderedElementsAre("0ther", ""));
  EXPECT_THAT(
      apply("routers: [{name: edge, bgp-peers: [{name: tor, ip: 192.0.2.9, as-number: 65001, password: ~}]}]").out,
      HasSubstr("password: set -> none"));
  const Outcome json = apply(kDocument, {"--json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_THAT(json.out, Not(HasSubstr(kSecret)));
}

TEST_F(BgpCommands, ApplyPrunes) {
  ASSERT_EQ(apply(kDocument).code, 0);
  const Outcome pruned = apply("routers: [{name: edge, ports: [{name: up}]}]", {"--prune"});
  EXPECT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_THAT(pruned.out, AllOf(HasSubstr("  - bgp-peer tor of router edge"), HasSubstr("  - bgp-network 0.0.0.0/0")));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bgp_peer), 0U);
}

}  // namespace
}  // namespace viaduct::api::cli
