// Any bytes as a packet at any port of a fixed network: no crash, and verdicts that keep their word.
//
// Input: one byte for the port, one for the offload and whether it comes by a tunnel, then the frame.
#include <algorithm>
#include <cstdlib>

#include "../scenario/rules.hpp"
#include "flows/simulation/simulate.hpp"
#include "flows/state/connection_table.hpp"
#include "flows/state/nat_blocks.hpp"

namespace {

using namespace viaduct;
using namespace viaduct::flows;
using namespace viaduct::flows::simulation;

void require(bool condition) {
  if (!condition) std::abort();
}

//   p4 is on another host
//   p1 p2 p4 ── green ── r1 ── blue ── p3
//                     ├ up1, default route by ECMP over up1 and x1
//                     └ x1 ── x2 r2 (default back to r1)
//   r1 translates what leaves by up1 and balances 10.0.5.5:80 and [fd00:5::5]:80; p3 opens connections, or takes few.
struct World {
  World() : network(make().compile(0)) {
    const ScenarioNetwork net = make();
    const Time now = at();
    for (int i : {1, 2, 3, 4}) {
      const std::string n = std::to_string(i);
      const MacAddress who = scenario::mac("02:00:00:00:00:0" + n);
      const BridgeId bridge(net.id(i != 3 ? "green" : "blue"));
      macs.learn({bridge, 0, who}, net.port("p" + n), now);
      const std::string subnet = i != 3 ? "1" : "2";
      neighbours.learn({bridge.uuid(), PortId{}, scenario::ip("10.0." + subnet + "." + n)}, who, now);
      neighbours.learn({bridge.uuid(), PortId{}, scenario::ip("fd00:" + subnet + "::" + n)}, who, now);
    }
    for (const char* gateway : {"10.0.9.254", "fd00:9::254"}) {
      neighbours.learn({net.id("r1"), net.port("up1"), scenario::ip(gateway)}, scenario::mac("02:00:00:00:00:99"), now);
    }
  }

  using ScenarioNetwork = scenario::ScenarioNetwork;
  static void add_rules(ScenarioNetwork& net) {
    net.chain("stateful").rule("stateful", scenario::when().returning().accept());
    net.rule("stateful", scenario::when().proto(6).dst_port(1, 1023).accept())
        .rule("stateful", scenario::when().proto(17).reject());
    net.filter("p3", "outbound", "stateful");
    net.chain("out").chain("in");
    net.rule("out", scenario::when().from("10.0.1.0/24").snat("10.0.9.77", 1024, 65535).accept());
    net.rule("out", scenario::when().from("fd00:1::/64").snat("fd00:9::77", 1024, 65535).accept());
    net.rule("in", scenario::when().reverse_snat().accept());
    net.filter("r1", "inbound", "in").filter("r1", "outbound", "out");
    for (const auto& [name, vip, back] :
         {std::tuple("four", "10.0.5.5", "10.0.2.3"), {"six", "fd00:5::5", "fd00:2::3"}}) {
      const std::string pool = name;
      net.load_balancer("r1", "lb-" + pool).pool("lb-" + pool, pool).vip(pool, "vip-" + pool, vip, 80);
      net.member(pool, "member-" + pool, back, 8080);
    }
  }
  static Time at() { return Time(std::chrono::hours(1)); }
  static ScenarioNetwork make() {
    ScenarioNetwork net;
    net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
    net.bridge("blue").guest_port("blue", "p3").router("r1");
    net.link("green", "r1-green", "02:00:00:00:01:fe", {"10.0.1.254/24", "fd00:1::254/64"});
    net.link("blue", "r1-blue", "02:00:00:00:02:fe", {"10.0.2.254/24", "fd00:2::254/64"}).set_mtu("r1-blue", 1280);
    net.uplink("r1", "up1", "02:00:00:00:09:01", {"10.0.9.1/24", "fd00:9::1/64"});
    net.router("r2").link_routers({"r1", "x1", "02:00:00:00:12:01", {"10.12.0.1/30", "fd12::1/126"}},
                                  {"r2", "x2", "02:00:00:00:12:02", {"10.12.0.2/30", "fd12::2/126"}});
    net.route("u4", "r1", "0.0.0.0/0", "up1", "10.0.9.254").route("x4", "r1", "0.0.0.0/0", "x1", "10.12.0.2");
    net.route("u6", "r1", "::/0", "up1", "fd00:9::254").route("x6", "r1", "::/0", "x1", "fd12::2");
    net.route("b4", "r2", "0.0.0.0/0", "x2", "10.12.0.1").route("b6", "r2", "::/0", "x2", "fd12::1");
    net.special_route("hole", "r1", "10.66.0.0/16", topology::NextHop::blackhole);
    net.special_route("no", "r1", "fd67::/16", topology::NextHop::reject);
    net.static_mac("green", "02:00:00:00:00:50", "p2").static_neighbour("green", "10.0.1.50", "02:00:00:00:00:50");
    net.guest_port("green", "p4").spread(2);
    add_rules(net);
    for (const char* port : {"p1", "p2", "p3", "up1"}) net.move(port, 0);
    net.move("p4", 1).change_hosts().mtu = 1300;
    return net;
  }

  Network network;
  MacTable macs{1024, 512};
  NeighbourTable neighbours{1024, 512};
  ConnectionTable connections;
  NatBlocks nat_blocks;
};

// By a key that stands for a port or a bridge, by one that is not known, or from a stranger.
Tunnel tunnel_of(uint8_t byte) {
  static const scenario::ScenarioNetwork net = World::make();
  const uint32_t keys[] = {net.hosts().key_of(net.port("p1")), net.hosts().flood_key(BridgeId(net.id("green")), 0), 7};
  return {keys[byte % 3], net.hosts().address(byte % 5 == 0 ? 9 : 1), net.hosts().address(0)};
}

void check(const Verdict& verdict, const Network& network, const FlowKey& key) {
  const bool arrival = key.tunnel.present() && verdict.drop_reason != DropReason::malformed;
  require(arrival ? verdict.mask == FieldSet{Field::in_port, Field::tunnel}
                  : verdict.mask.contains(FieldSet::ethernet()));
  require(!arrival || verdict.emits.empty());
  require(!verdict.tags.empty());
  require((verdict.outcome == Outcome::forward) == !verdict.actions.empty());
  require(verdict.outcome != Outcome::drop || verdict.drop_reason != DropReason::none);
  const auto* neighbour = std::get_if<NeighbourWanted>(&verdict.wanted);
  require(verdict.outcome != Outcome::park || neighbour == nullptr || !neighbour->port.is_nil());
  require(!verdict.cacheable || verdict.emits.empty());
  require(!verdict.cacheable || verdict.outcome == Outcome::forward || verdict.outcome == Outcome::drop);
  bool output = false;
  for (const Action& action : verdict.actions) {
    const auto* out = std::get_if<Output>(&action);
    const bool away = std::holds_alternative<TunnelOutput>(action);
    require(!away || !key.tunnel.present());
    output = output || away || out != nullptr;
    require(out == nullptr || network.at(out->port) != nullptr);
  }
  require(verdict.outcome != Outcome::forward || output);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const World world;
  if (size < 2) return 0;
  std::vector<uint8_t> frame(data + 2, data + size);
  const std::vector<uint8_t> original = frame;
  Offload offload;
  offload.partial_checksum = (data[1] & 1) != 0;
  if ((data[1] & 6) != 0) {
    offload.gso = static_cast<Offload::Gso>(data[1] >> 1 & 3);
    offload.gso_size = static_cast<uint16_t>(data[1] * 8);
  }
  const bool by_tunnel = (data[1] & 16) != 0;
  Packet packet = parse(frame, by_tunnel ? scenario::ScenarioHosts::kTunnelPort : PortNumber{data[0] % 6U}, offload);
  if (by_tunnel) packet.key.tunnel = tunnel_of(data[0]);
  const StateView state{world.macs, world.neighbours, world.connections, world.nat_blocks};
  const Input input{world.network, state, packet, World::at(), (data[1] & 8) != 0};
  Verdict verdict, traced, next;
  simulate(input, verdict);
  check(verdict, world.network, packet.key);
  require(frame == original);

  Trace trace;
  simulate(input, traced, &trace);
  require(traced.outcome == verdict.outcome && traced.actions == verdict.actions && traced.mask == verdict.mask);
  for (EmittedPacket& emitted : verdict.emits) {
    const Packet made = parse(emitted.frame, PortNumber{});
    require(made.error == DropReason::none);
    simulate_emitted({world.network, state, made, input.now}, emitted.from, next);
    check(next, world.network, made.key);
    require(!next.cacheable);
  }
  return 0;
}
