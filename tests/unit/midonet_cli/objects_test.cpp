// Every object that this version has: created, listed, shown, changed, deleted, by the topology's real rules.
#include <algorithm>

#include "api/midonet_cli/parser.hpp"
#include "api/midonet_cli/tokenizer.hpp"
#include "tests/unit/midonet_cli/session.hpp"

namespace viaduct::api::midonet_cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

// What a script of an old user's leaves, with aliases, so that the lines say which is which.
struct Objects : ::testing::Test {
  Session run{Aliases::Mode::given};
};

TEST_F(Objects, Bridges) {
  EXPECT_EQ(run("create bridge name web tenant t1"), "bridge0");
  EXPECT_EQ(run("create chain name in"), "chain0");
  EXPECT_EQ(run("add bridge name 'two words' state down infilter chain0"), "bridge1");
  EXPECT_EQ(run("list bridge name web"), "bridge bridge0 name web state up");
  EXPECT_EQ(run("show bridge1"), "bridge bridge1 name two words state down infilter chain0");
  EXPECT_EQ(run("bridge bridge1 show name"), "two words");
  EXPECT_EQ(run("bridge bridge0 show tenant"), "t1");
  EXPECT_EQ(run("bridge bridge0 show infilter"), "");
  EXPECT_EQ(run("bridge bridge1 show infilter"), "chain chain0 name in");
  EXPECT_THAT(run("show bridge bridge0 id"), MatchesRegex("[0-9a-f-]{36}"));
  EXPECT_EQ(run("bridge bridge0 set name www state down outfilter chain name in"), "");
  EXPECT_EQ(run("list bridge state down outfilter chain0"), "bridge bridge0 name www state down outfilter chain0");
  EXPECT_EQ(run("clear bridge bridge0 outfilter name"), "");
  EXPECT_EQ(run("bridge0"), "bridge bridge0 state down");
  EXPECT_EQ(run("delete bridge bridge0"), "");
  EXPECT_EQ(run("list bridge"), "bridge bridge1 name two words state down infilter chain0");
  EXPECT_THAT(run.why("show bridge bridge0"), HasSubstr("no alias bridge0"));
  EXPECT_EQ(run("create bridge"), "bridge2");  // numbers are not given again
}

TEST_F(Objects, PortsAndLinks) {
  run("create bridge name b");
  run("create router name r");
  EXPECT_EQ(run("bridge bridge0 add port vlan 7"), "bridge0:port0");
  EXPECT_EQ(run("bridge bridge0 add port"), "bridge0:port1");
  EXPECT_EQ(run("router router0 add port address 10.0.0.1 net 10.0.0.0/24 mac 02:00:00:00:00:09"), "router0:port0");
  EXPECT_EQ(run("router router0 add port addresses 10.0.1.1/24,2001:db8::1/64"), "router0:port1");
  EXPECT_EQ(run("bridge bridge0 list port vlan 7"), "port port0 device bridge0 state up plugged no vlan 7");
  EXPECT_EQ(run("router router0 port port0 show"),
            "port port0 device router0 state up plugged no mac 02:00:00:00:00:09 address 10.0.0.1 net 10.0.0.0/24");
  EXPECT_EQ(run("router0:port1 show addresses"), "10.0.1.1/24,2001:db8::1/64");
  run("router0:port0 set peer bridge0:port1");
  EXPECT_EQ(run("bridge0:port1 show peer"),
            "port router0:port0 device router0 state up plugged no mac 02:00:00:00:00:09 address 10.0.0.1 net "
            "10.0.0.0/24 peer bridge0:port1");
  EXPECT_THAT(run.why("bridge0:port1 set peer router0:port1"), HasSubstr("linked with"));
  run("router0:port0 clear peer");
  EXPECT_EQ(run("bridge0:port1 show peer"), "");
  run("bridge0:port1 set peer router router0 port port1 vlan 0 state down");
  EXPECT_THAT(run("list port peer router0:port1"),
              HasSubstr("device bridge0 state down plugged no vlan 0 peer router0:port1"));

  // The older form changes the first IPv4 address, and no other.
  run("router0:port1 set address 10.0.1.2");
  EXPECT_EQ(run("router0:port1 show addresses"), "10.0.1.2/24,2001:db8::1/64");
  run("router0:port1 set address 10.9.0.1 net 10.9.0.0/16");
  EXPECT_EQ(run("router0:port1 show addresses net"), "10.9.0.1/16,2001:db8::1/64\n10.9.0.0/16");
  EXPECT_THAT(run.why("router0:port1 set address 172.16.0.1"), HasSubstr("does not have the address"));
  EXPECT_THAT(run.why("router0 add port address 10.0.0.1"), HasSubstr("there is no net"));

  // Of any port, by what it is.
  EXPECT_THAT(run.why("port " + run("router0:port0 show id") + " set vlan 3"),
              HasSubstr("'vlan' is nothing that a router port has"));
  run("port bridge0:port0 delete");
  EXPECT_THAT(run.why("bridge bridge0 port port0 show"), HasSubstr("no alias port0"));
}

TEST_F(Objects, RoutersAndRoutes) {
  run("create chain name c");
  EXPECT_EQ(run("create router name r asn 65000 infilter chain0 forward-chain chain0 local-redirect-chain chain0"),
            "router0");
  EXPECT_EQ(
      run("list router"),
      "router router0 name r state up infilter chain0 asn 65000 local-redirect-chain chain0 forward-chain chain0");
  run("router0 clear infilter forward-chain local-redirect-chain");
  run("router0 set name edge asn 65001");
  EXPECT_EQ(run("show router router0"), "router router0 name edge state up asn 65001");
  run("router0 add port address 10.0.0.1 net 10.0.0.0/24");
  EXPECT_EQ(run("router0 add route type normal src 0.0.0.0/0 dst 0.0.0.0/0 gw 10.0.0.254 port router0:port0 weight 10"),
            "router0:route0");
  EXPECT_EQ(run("router0 add route type blackhole src 10.1.2.3 dst 192.168.0.0/16"), "router0:route1");
  EXPECT_EQ(run("router0 list route type blackhole"),
            "route route1 type blackhole src 10.1.2.3 dst 192.168.0.0/16 weight 0 learned false");
  EXPECT_EQ(run("show router0:route0"),
            "route route0 type normal src 0.0.0.0/0 dst 0.0.0.0/0 gw 10.0.0.254 port router0:port0 weight 10 learned "
            "false");
  EXPECT_THAT(run("router0 route list type local"), HasSubstr("dst 10.0.0.1"));
  EXPECT_THAT(run.why("router0:route0 set weight 3"), HasSubstr("a route cannot be changed | delete it"));
  run("router0:route0 delete");
  EXPECT_EQ(run("router0 list route type normal"), "");
}

TEST_F(Objects, Bgp) {
  run("create router asn 65000");
  run("router0 add port address 10.0.0.1 net 10.0.0.0/24");
  EXPECT_EQ(run("router0 add bgp-network net 203.0.113.0/24"), "router0:net0");
  EXPECT_EQ(run("router0 list bgp-network"), "net net0 net 203.0.113.0/24");
  EXPECT_EQ(run("router0 add bgp-peer asn 65001 address 10.0.0.2 hold-time 90 password secret"), "router0:peer0");
  EXPECT_THAT(run("router0 bgp-peer list"), StartsWith("peer peer0 asn 65001 address 10.0.0.2"));
  EXPECT_THAT(run("router0 bgp-peer list"), Not(HasSubstr("secret")));
  EXPECT_EQ(run("router0:peer0 show password hold-time"), "secret\n90");
  run("router0:peer0 set keep-alive 20 hold-time 60");
  EXPECT_EQ(run("router0:peer0 show keep-alive hold-time password"), "20\n60\nsecret");
  run("router0:peer0 delete");
  run("delete router0:net0");
  EXPECT_EQ(run("router0 list bgp-peer") + run("router0 list bgp-network"), "");
}

TEST_F(Objects, ChainsAndRules) {
  run("create chain name main");
  run("create chain name other");
  run("create port-group name pg");
  run("create bridge");
  run("bridge0 add port");
  EXPECT_EQ(run("chain name main add rule type accept proto 6 src 10.0.0.0/8 dst !10.1.2.3 dst-port 80-90 "
                "src-port !1024 flow return-flow"),
            "chain0:rule0");
  EXPECT_EQ(
      run("chain0 list rule"),
      "rule rule0 inverted no src 10.0.0.0/8 dst !10.1.2.3 proto 6 src-port !1024 dst-port 80-90 flow return-flow "
      "fragment-policy header no-vlan false match-nw-dst-rewritten false pos 1 type accept");
  run("chain0 add rule pos 2 type jump jump-to chain1 ethertype 0x800 hw-src 02:00:00:00:00:01 hw-src-mask "
      "ffff.ffff.0000");
  EXPECT_THAT(run("chain0:rule1 show"),
              HasSubstr("hw-src 02:00:00:00:00:00 hw-src-mask ffff.ffff.0000 ethertype 2048"));
  EXPECT_EQ(run("chain0:rule1 show jump-to"), "chain chain1 name other");
  run("chain0 add rule type drop in-ports bridge0:port0 port-group !pgroup0");
  EXPECT_THAT(run("chain0 list rule type drop"), HasSubstr("port-group !pgroup0 in-ports bridge0:port0"));
  EXPECT_THAT(run("chain0 list rule type drop"), HasSubstr("pos 1"));
  EXPECT_THAT(run("chain0 list rule port-group !pgroup0"), HasSubstr("type drop"));
  EXPECT_EQ(run("chain0 list rule port-group pgroup0"), "");
  run("chain0 add rule type dnat action accept target 10.0.0.5:8080 dst 203.0.113.5 proto 6 dst-port 80");
  run("chain0 add rule type snat action return target 203.0.113.1-203.0.113.9:1024-65535");
  run("chain0 add rule type rev_snat action continue");
  EXPECT_THAT(run("chain0 list rule type dnat"), HasSubstr("type dnat action accept target 10.0.0.5:8080"));
  EXPECT_THAT(run("chain0 list rule type snat"), HasSubstr("target 203.0.113.1-203.0.113.9:1024-65535"));
  EXPECT_THAT(run("chain0 list rule type rev_snat"), HasSubstr("action continue"));
  EXPECT_THAT(run.why("chain0:rule0 set proto 17"), HasSubstr("a rule cannot be changed"));
  EXPECT_THAT(run.why("chain0 set name x"), HasSubstr("a chain cannot be changed"));
  EXPECT_THAT(run.why("chain1 rule rule0 show"), HasSubstr("no alias rule0"));
  const std::string rule = run("chain0:rule0 show id");
  EXPECT_THAT(run.why("chain1 rule " + rule + " delete"), HasSubstr("it is another's"));
  run("chain0 rule " + rule + " delete");
  EXPECT_EQ(run("chain0 list rule type accept"), "");
  run("delete chain name main");
  EXPECT_EQ(run("list chain"), "chain chain1 name other");
}

TEST_F(Objects, Groups) {
  run("create bridge");
  run("bridge0 add port");
  EXPECT_EQ(run("create port-group name pg stateful true"), "pgroup0");
  EXPECT_EQ(run("port-group pgroup0 add member port bridge0:port0"), "port-group pgroup0 port bridge0:port0");
  EXPECT_EQ(run("port-group pgroup0 list member"), "port-group pgroup0 port bridge0:port0");
  EXPECT_EQ(run("list port-group"), "pgroup pgroup0 name pg stateful true");
  run("pgroup0 set stateful false name other");
  EXPECT_EQ(run("show port-group name other"), "pgroup pgroup0 name other stateful false");
  run("port-group pgroup0 delete member port bridge0:port0");
  EXPECT_EQ(run("pgroup0 list member"), "");
  run("delete pgroup0");

  EXPECT_EQ(run("create ip-address-group name g"), "ipg0");
  EXPECT_EQ(run("ip-address-group ipg0 add ip address 10.0.0.1"), "address 10.0.0.1");
  EXPECT_EQ(run("ipg0 add ipv6 address 2001:db8::1"), "address 2001:db8::1");
  EXPECT_THAT(run.why("ipg0 add ipv4 address 2001:db8::1"), HasSubstr("add it with ipv6"));
  EXPECT_EQ(run("ipg0 list ipv4"), "address 10.0.0.1");
  std::string both = run("ipg0 list ip");
  EXPECT_EQ(std::ranges::count(both, '\n'), 1) << both;
  run("ipg0 ip address 2001:db8::1 delete");
  EXPECT_EQ(run("ipg0 list ip"), "address 10.0.0.1");
  EXPECT_THAT(run.why("ipg0 set name x"), HasSubstr("cannot be changed"));
  run("delete ip-address-group name g");
}

TEST_F(Objects, HostsZonesAndBindings) {
  const topology::Host host{*HostId::parse("11111111-1111-4111-8111-111111111111"), 0, "h1"};
  ASSERT_TRUE(run.daemon.commit(host));
  EXPECT_EQ(run("list host"),
            "host host0 name h1 alive false flooding-proxy-weight 1 container-weight 1 container-limit no-limit "
            "enforce-container-limit false");
  run("create bridge");
  run("bridge0 add port");
  EXPECT_THAT(run.why("host host0 add binding port bridge0:port0 interface tap1"), HasSubstr("in no tunnel zone"));
  EXPECT_EQ(run("create tunnel-zone name tz type vxlan"), "tzone0");
  EXPECT_EQ(run("tunnel-zone tzone0 add member host host0 address 192.0.2.1"),
            "zone tzone0 host host0 address 192.0.2.1");
  EXPECT_EQ(run("tunnel-zone tzone0 list member"), "zone tzone0 host host0 address 192.0.2.1");
  EXPECT_THAT(run.why("tzone0 set type gre"), HasSubstr("type: It has 1 host"));
  run("tzone0 set name zone");
  EXPECT_EQ(run("list tunnel-zone"), "tzone tzone0 name zone type vxlan");
  EXPECT_EQ(run("host host0 add binding port bridge0:port0 interface tap1"),
            "host host0 interface tap1 port bridge0:port0");
  EXPECT_EQ(run("host name h1 binding list"), "host host0 interface tap1 port bridge0:port0");
  EXPECT_EQ(run("host host0 binding interface tap1 show"), "binding host host0 interface tap1 port bridge0:port0");
  EXPECT_EQ(run("host host0 list interface"), "");
  EXPECT_THAT(run.why("host0 add interface iface x"), HasSubstr("an interface is not created below a host"));
  EXPECT_THAT(run.why("host0 delete"), HasSubstr("bound to it"));
  run("host host0 delete binding port bridge0:port0");
  EXPECT_EQ(run("host0 list binding"), "");
  run("tzone0 member host host0 delete");
  EXPECT_EQ(run("tzone0 list member"), "");
  run("delete tunnel-zone name zone");
  run("host0 set container-limit no-limit");  // as it is
  run("host0 set flooding-proxy-weight 2");
  EXPECT_THAT(run("host0 show"), HasSubstr("flooding-proxy-weight 2"));
  EXPECT_THAT(run.why("host0 set name x"), HasSubstr("name is not for you to set"));
  run("delete host0");
}

TEST_F(Objects, LoadBalancers) {
  run("create router name r");
  run("router0 add port address 203.0.113.1 net 203.0.113.0/24");
  EXPECT_EQ(run("create load-balancer state up"), "lb0");
  EXPECT_EQ(run("create health-monitor type TCP delay 2 timeout 1 max-retries 3 state down"), "hm0");
  EXPECT_EQ(run("list health-monitor"), "hm hm0 delay 2 timeout 1 max-retries 3 state down type TCP");
  run("hm0 set state up delay 5");
  EXPECT_EQ(run("lb0 create pool lb-method ROUND_ROBIN health-monitor hm0"), "lb0:pool0");
  EXPECT_EQ(run("load-balancer lb0 pool pool0 create vip address 203.0.113.9 protocol-port 80 persistence SOURCE_IP"),
            "lb0:pool0:vip0");
  EXPECT_EQ(run("lb0:pool0 create member address 10.0.0.5 protocol-port 8080 weight 2 state down"), "lb0:pool0:pm0");
  EXPECT_EQ(run("lb0:pool0 list member"),
            "pm pm0 address 10.0.0.5 protocol-port 8080 weight 2 state down status INACTIVE");
  run("lb0:pool0:pm0 set state up weight 3");
  EXPECT_THAT(run("show lb0:pool0:pm0"), HasSubstr("weight 3 state up"));
  EXPECT_THAT(run.why("lb0:pool0:pm0 set address 10.0.0.6"), HasSubstr("stays as it is"));
  run("router name r set load-balancer lb0");
  EXPECT_EQ(run("list load-balancer"), "lb lb0 router router0 state up");
  EXPECT_THAT(run.why("lb0 clear router"), HasSubstr("router is not for you to set"));
  EXPECT_EQ(run("lb0 list vip"),
            "vip vip0 load-balancer lb0 address 203.0.113.9 protocol-port 80 persistence SOURCE_IP state up");
  EXPECT_THAT(run.why("lb0 create vip address 1.2.3.4"), HasSubstr("a VIP is not created below a load balancer"));
  run("lb0:pool0:vip0 set persistence NONE");
  EXPECT_THAT(run("lb0:pool0:vip0 show"), Not(HasSubstr("persistence")));
  EXPECT_THAT(run("health-monitor hm0 list pool"),
              HasSubstr("load-balancer lb0 health-monitor hm0 lb-method ROUND_ROBIN "
                        "protocol TCP state up"));
  run("lb0:pool0 clear health-monitor");
  run("lb0:pool0 delete vip vip0");
  run("lb0:pool0:pm0 delete");
  run("lb0:pool0 delete");
  run("router0 clear load-balancer");
  run("delete lb0");
  run("delete hm0");
  EXPECT_EQ(run("list load-balancer") + run("list health-monitor"), "");
}

TEST_F(Objects, TheSystemsState) {
  EXPECT_EQ(run("show system-state"), "system_state state ACTIVE availability READWRITE");
  EXPECT_EQ(run("show system-state availability"), "READWRITE");
}

TEST_F(Objects, EveryFieldOfTheTableIsDescribed) {
  const std::function<void(const Object&)> visit = [&](const Object& object) {
    for (const Field& field : object.fields) {
      EXPECT_FALSE(describe(field).empty()) << object.title << " " << field.name;
      EXPECT_FALSE(field.member.empty()) << object.title << " " << field.name;
      if (field.is_reference() && field.of != "pool") {
        EXPECT_NE(find_collection(root(), field.of), nullptr) << object.title << " " << field.name;
      }
    }
    for (const Collection& each : object.collections) {
      EXPECT_TRUE(each.parent.empty() || has_ids(each)) << each.name;
      EXPECT_EQ(find_verb(each.name) == nullptr || find_verb(each.name)->name != each.name, true) << each.name;
      visit(*each.of);
    }
  };
  visit(root());
  EXPECT_THAT(run("describe"), HasSubstr("tunnel-zone"));
  EXPECT_THAT(run("describe router port"), HasSubstr("net                       ADDRESS[/LENGTH]"));
  EXPECT_THAT(run("help"), HasSubstr("del[ete] OBJECT"));
  EXPECT_THAT(run("help set"), HasSubstr("Usage: OBJECT set FIELD VALUE"));
  EXPECT_THAT(run("help chain rule"), HasSubstr("(types dnat snat)"));
  EXPECT_THAT(run.why("help nonsense"), HasSubstr("no help on 'nonsense'"));
}

TEST(MidonetExamples, OfTheHelpAreCommands) {
  for (const VerbName& verb : verbs()) {
    std::istringstream lines{std::string(verb.examples)};
    for (std::string line; std::getline(lines, line);) {
      auto command = parse(*split_words(line));
      EXPECT_TRUE(command) << line;
      EXPECT_TRUE(command && command->verb == verb.verb) << line;
    }
  }
}

TEST(MidonetScripts, HaveUuids) {
  Session run;  // as -e and pipes
  const std::string bridge = run("create bridge name b");
  EXPECT_THAT(bridge, MatchesRegex("[0-9a-f-]{36}"));
  const std::string port = run("bridge " + bridge + " add port");
  EXPECT_EQ(run("list port"), "port " + port + " device " + bridge + " state up plugged no vlan 0");
  const std::string other = run("create router name r");
  const std::string peer = run("router " + other + " add port address 10.0.0.1 net 10.0.0.0/24 peer " + port);
  EXPECT_THAT(run("port " + port + " show peer"), HasSubstr("port " + peer + " device " + other));
  EXPECT_EQ(run("list port peer " + peer),
            "port " + port + " device " + bridge + " state up plugged no vlan 0 peer " + peer);
  run("port " + port + " delete");
  EXPECT_EQ(run("sett acme"), "tenant_id: acme");
  const std::string own = run("create bridge name own");
  EXPECT_EQ(run("list bridge"), "bridge " + own + " name own state up");
  EXPECT_EQ(run("cleart"), "tenant_id: None");
  EXPECT_THAT(run("list bridge"), HasSubstr(bridge));
  EXPECT_THAT(run.why("bridge bridge0 show"), HasSubstr("there is no alias bridge0"));
  EXPECT_EQ(run("# a comment") + run(""), "");
}

TEST(MidonetScripts, HaveDocumentsAsJson) {
  Session run(Aliases::Mode::known, Output::json);
  const Json made = Json::parse(run("create bridge name b"));
  EXPECT_EQ(made.at("name"), "b");
  EXPECT_EQ(Json::parse(run("list bridge")), Json::array({made}));
  EXPECT_EQ(Json::parse(run("bridge name b show name infilter")), (Json{{"name", "b"}, {"infilter", nullptr}}));
  EXPECT_EQ(Json::parse(run("bridge name b set state down")).at("adminStateUp"), false);
}

}  // namespace
}  // namespace viaduct::api::midonet_cli::testing
