// C2: every field of a condition, for a packet that has it and one that has not, straight and inverted.
#include "rules.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using topology::Condition;

class Conditions : public TwoSubnets {
 protected:
  Conditions() {
    for (int n = 1; n <= 4; ++n) announce(guest(n));
    net.port_group("ones", {"p1"}).port_group("inner", {"r1-green"}).port_group("outer", {"r1-blue"});
    net.ip_group("sources", {guest(1).ip.to_string()}).ip_group("targets", {guest(3).ip.to_string()});
    net.chain("c");
    net.rule("c", when().drop());
    net.filter("r1", "outbound", "c");
  }
  // From guest 1 to guest 3 through the router.
  PacketBuilder builder() const { return packet(guest(1), kGreenMac, guest(3).ip); }
  Frame yes() const { return builder().tos(0x20).udp(1'000, 53).payload(20).build(); }

  bool dropped(const Condition& condition, const std::string& port, const Frame& frame) {
    net.change<topology::Rule>("c 10", [&](topology::Rule& rule) { rule.condition = condition; });
    driver.apply(net);
    const bool gone = ports_of(driver.send(port, frame)) == "nothing";
    EXPECT_EQ(gone, driver.verdict().drop_reason == DropReason::dropped_by_rule);
    return gone;
  }
  // `set` gives the condition's field, and inverts it when told so.
  void field(const std::string& name, const std::function<void(Condition&, bool)>& set, const std::string& other_port,
             const Frame& other) {
    SCOPED_TRACE(name);
    Condition straight, inverted;
    set(straight, false);
    set(inverted, true);
    EXPECT_TRUE(dropped(straight, "p1", yes()));
    EXPECT_FALSE(dropped(straight, other_port, other)) << "the other packet";
    EXPECT_FALSE(dropped(inverted, "p1", yes())) << "inverted";
    EXPECT_TRUE(dropped(inverted, other_port, other)) << "the other packet, inverted";
    straight.inverted = true;
    EXPECT_FALSE(dropped(straight, "p1", yes())) << "the whole inverted";
    EXPECT_TRUE(dropped(straight, other_port, other)) << "the other packet, the whole inverted";
  }
  Frame from_two(uint16_t port = 1'000) const {
    return packet(guest(2), kGreenMac, guest(4).ip).udp(port, 53).payload(20).build();
  }
  Frame from_four() const { return packet(guest(4), kBlueMac, guest(2).ip).udp(1'000, 53).payload(20).build(); }
  ScenarioNetwork net = network();
};

TEST_P(Conditions, C2_ports_and_groups) {
  field(
      "port group",
      [&](Condition& c, bool no) {
        c.port_group = {PortGroupId(net.id("ones")), no};
      },
      "p2", from_two());
  field(
      "in-port group",
      [&](Condition& c, bool no) {
        c.in_port_group = {PortGroupId(net.id("inner")), no};
      },
      "p4", from_four());
  field(
      "out-port group",
      [&](Condition& c, bool no) {
        c.out_port_group = {PortGroupId(net.id("outer")), no};
      },
      "p4", from_four());
  field(
      "in-ports",
      [&](Condition& c, bool no) {
        c.in_ports.value = std::vector<PortId>{net.port("up1"), net.port("r1-green")};
        c.in_ports.inverted = no;
      },
      "p4", from_four());
  field(
      "out-ports",
      [&](Condition& c, bool no) {
        c.out_ports.value = std::vector<PortId>{net.port("r1-blue")};
        c.out_ports.inverted = no;
      },
      "p4", from_four());
  field(
      "traversed device",
      [&](Condition& c, bool no) {
        c.traversed_device = {net.id("p1"), no};
      },
      "p2", from_two());
}

TEST_P(Conditions, C2_addresses) {
  const std::string host = v4() ? "/32" : "/128";
  field(
      "source",
      [&](Condition& c, bool no) {
        c.ip_src = {prefix(guest(1).ip.to_string() + host), no};
      },
      "p2", from_two());
  field(
      "destination prefix",
      [&](Condition& c, bool no) {
        c.ip_dst = {prefix(pick("10.0.2.0/24", "fd00:2::/64")), no};
      },
      "p4", from_four());
  field(
      "source group",
      [&](Condition& c, bool no) {
        c.ip_src_group = {IpGroupId(net.id("sources")), no};
      },
      "p2", from_two());
  field(
      "destination group",
      [&](Condition& c, bool no) {
        c.ip_dst_group = {IpGroupId(net.id("targets")), no};
      },
      "p2", from_two());
  field(
      "Ethernet source, masked",
      [&](Condition& c, bool no) {
        // As the router sees it, whose port has taken the frame in.
        c.eth_src = {topology::MacMatch{mac("02:00:00:00:00:01"), mac("ff:ff:ff:ff:ff:03")}, no};
      },
      "p2", from_two());
}

TEST_P(Conditions, C2_protocols) {
  const Frame tcp = builder().tos(0x20).tcp(1'000, 53).payload(20).build();
  field(
      "protocol",
      [](Condition& c, bool no) {
        c.ip_proto = {flows::ip_proto::kUdp, no};
      },
      "p1", tcp);
  field(
      "type of service",
      [](Condition& c, bool no) {
        c.ip_tos = {0x20, no};
      },
      "p1", builder().tos(0x24).udp(1'000, 53).payload(20).build());
  const auto ports = [](Condition& c) {
    c.ip_proto.value = flows::ip_proto::kUdp;
    c.fragments = topology::FragmentPolicy::header;
  };
  SCOPED_TRACE("ranges");
  Condition source, destination;
  ports(source);
  ports(destination);
  source.l4_src.value = topology::PortRange{900, 1'100};
  destination.l4_dst.value = topology::PortRange{53, 53};
  for (Condition* range : {&source, &destination}) {
    EXPECT_TRUE(dropped(*range, "p1", yes()));
    EXPECT_FALSE(dropped(*range, "p1", builder().udp(1'101, 54).payload(20).build()));
    EXPECT_FALSE(dropped(*range, "p1", tcp));
  }
  destination.l4_dst.inverted = true;
  EXPECT_FALSE(dropped(destination, "p1", yes()));
  EXPECT_TRUE(dropped(destination, "p1", builder().udp(1'101, 54).payload(20).build()));
  Condition icmp;
  icmp.ip_proto.value = v4() ? flows::ip_proto::kIcmp : flows::ip_proto::kIcmpv6;
  icmp.l4_src.value = v4() ? topology::PortRange{8, 8} : topology::PortRange{128, 128};
  EXPECT_TRUE(dropped(icmp, "p1", ping(guest(1), kGreenMac, guest(3).ip))) << "ICMP: the type";
  icmp.l4_src.inverted = true;
  EXPECT_FALSE(dropped(icmp, "p1", ping(guest(1), kGreenMac, guest(3).ip)));
}

TEST_P(Conditions, C2_ports_of_whatever_has_them) {
  const Frame udp = yes(), tcp = builder().tcp(1'000, 53).payload(20).build();
  const Frame echo = ping(guest(1), kGreenMac, guest(3).ip);
  const Frame gre = builder().protocol(47).payload(20).build();
  Condition port;
  port.l4_dst.value = topology::PortRange{53, 53};
  port.fragments = topology::FragmentPolicy::header;
  Condition not_udp = port, not_port = port, low = port;
  not_udp.ip_proto = {flows::ip_proto::kUdp, true};
  not_port.l4_dst.inverted = true;
  low.l4_dst.value = topology::PortRange{0, 255};  // an echo's code is 0, and no port
  EXPECT_TRUE(dropped(port, "p1", udp));
  EXPECT_TRUE(dropped(port, "p1", tcp));
  EXPECT_FALSE(dropped(port, "p1", builder().udp(1'000, 54).payload(20).build()));
  EXPECT_FALSE(dropped(not_udp, "p1", udp));
  EXPECT_TRUE(dropped(not_udp, "p1", tcp));
  EXPECT_FALSE(dropped(not_port, "p1", udp));
  EXPECT_TRUE(dropped(not_port, "p1", builder().tcp(1'000, 54).payload(20).build()));
  for (const Condition& each : {port, not_udp, not_port, low}) {
    EXPECT_FALSE(dropped(each, "p1", echo));
    EXPECT_FALSE(dropped(each, "p1", gre));
  }
}

// A rule for ports at a port leaves the guests' neighbour discovery alone.
TEST_P(Conditions, C2_ports_and_neighbour_discovery) {
  net.filter("r1", "outbound", "").filter("p1", "inbound", "c");
  Condition all;
  all.l4_dst.value = topology::PortRange{0, 65'535};
  all.fragments = topology::FragmentPolicy::header;
  EXPECT_TRUE(dropped(all, "p1", yes()));
  EXPECT_FALSE(dropped(all, "p1", who_has(guest(1), guest(2).ip)));
}

TEST_P(Conditions, C2_fragments) {
  const auto fragment = [&](bool first) {
    PacketBuilder one = builder();
    one.identification(5).fragment(first ? 0 : 64, first);
    return first ? one.udp(1'000, 53).payload(56).build() : one.protocol(17).payload(40).build();
  };
  struct Row {
    topology::FragmentPolicy policy;
    bool whole, first, later;
  };
  for (const Row& row : {Row{topology::FragmentPolicy::any, true, true, true},
                         Row{topology::FragmentPolicy::nonheader, false, false, true},
                         Row{topology::FragmentPolicy::unfragmented, true, false, false}}) {
    Condition condition;
    condition.fragments = row.policy;
    EXPECT_EQ(dropped(condition, "p1", yes()), row.whole);
    EXPECT_EQ(dropped(condition, "p1", fragment(true)), row.first);
    EXPECT_EQ(dropped(condition, "p1", fragment(false)), row.later);
  }
  Condition header;
  header.fragments = topology::FragmentPolicy::header;
  EXPECT_FALSE(dropped(
      header, "p2",
      packet(guest(2), kGreenMac, guest(4).ip).identification(6).fragment(64, false).protocol(17).payload(40).build()))
      << "a later fragment of which the first was not seen";
  EXPECT_TRUE(dropped(header, "p1", fragment(true)));
}

TEST_P(Conditions, C2_vlans_and_ethernet_types_at_a_port) {
  net.filter("r1", "outbound", "").filter("p1", "inbound", "c");
  Frame tagged = packet(guest(1), guest(2).mac.to_string().c_str(), guest(2).ip).udp(1, 2).payload(20).build();
  const Frame untagged = tagged;
  const uint8_t tag[] = {0x81, 0x00, 0x20, 0x0a};
  tagged.insert(tagged.begin() + 12, tag, tag + 4);
  Condition vlan, none, type;
  vlan.vlan = 10;
  none.untagged = true;
  type.eth_type.value = v4() ? 0x0800 : 0x86dd;
  EXPECT_TRUE(dropped(vlan, "p1", tagged));
  EXPECT_FALSE(dropped(vlan, "p1", untagged));
  EXPECT_FALSE(dropped(none, "p1", tagged));
  EXPECT_TRUE(dropped(none, "p1", untagged));
  EXPECT_TRUE(dropped(type, "p1", untagged));
  if (v4()) {
    EXPECT_FALSE(dropped(type, "p1", who_has(guest(1), guest(2).ip))) << "ARP is another type";
  }
}

INSTANTIATE_TEST_SUITE_P(C2, Conditions, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
