// One packet on its way through the network: what is known of it so far, and the verdict being written. Internal to
// flows/simulation.
//
// Devices are functions: they get the walk, whose `in` is the port where the packet entered them, and return the port
// by which it leaves, or null when it goes no further (then the verdict says what became of it).
//
// The packet's bytes are never changed: `key` follows the rewrites, and the actions are written when the packet is
// output. A packet that a device sends (an ICMP error quotes the packet as that device saw it) is made from a copy.
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include "flows/packet/headers.hpp"
#include "flows/packet/icmp_error.hpp"
#include "flows/simulation/network_views.hpp"
#include "flows/simulation/simulate.hpp"

namespace viaduct::flows::simulation {

struct Walk {
  const Input& input;
  Verdict& verdict;
  Trace* trace;
  FlowKey key;                      // as the packet is now
  const PortView* in = nullptr;     // where it entered the device that it is in
  const PortView* maker = nullptr;  // the port by which it left the device that made it; null: a packet from outside
  int devices = 0;
  int decrements = 0;           // of TTL, for the actions
  uint16_t mtu = 0;             // the least one passed; 0: none
  bool rewritten = false;       // Ethernet addresses differ from the packet's
  bool untagged = false;        // no VLAN tag, or a lone priority tag (IEEE 802.1Q 6.9.1)
  bool neighbour_talk = false;  // untagged ARP or neighbour discovery: decided packet by packet
  bool singular = false;        // the verdict is for this packet only

  // The router that it passed last, while decrements is not 0: who is asked when it does not fit further on.
  struct Hop {
    const PortView* in = nullptr;
    const PortView* out = nullptr;
    MacAddress src, dst;  // as it came in
  };
  Hop last_router;

  Walk(const Input& input, Verdict& verdict, Trace* trace);

  const Network& network() const { return input.network; }
  void tag(Tag tag) { verdict.tags.push_back(tag); }

  // --- how a walk ends ---------------------------------------------------------------------------
  // All return null, for `return walk.drop(…)` in a device.
  const PortView* drop(DropReason reason);
  const PortView* drop_once(DropReason reason);  // not as a flow
  const PortView* consume(DropReason reason);
  const PortView* park(const NeighbourWanted& wanted);
  // Not as a flow, whatever it becomes.
  void only_this_packet();
  // By an exterior port that is active here, or to another host; may be called several times.
  void output(const PortView& port);
  void output(HostId host, const TunnelPath& path, uint32_t key);

  // --- what happens on the way -------------------------------------------------------------------
  void route_onwards(const PortView& out, const MacAddress& next_hop);
  // The packet as it came to the router that it passed last.
  void return_to_last_router();
  // Packets of more bytes behind the Ethernet header are not like this one; 0: no limit. Before the first output.
  void limit_to(uint16_t bytes);
  void emit(const PortView& from, std::vector<uint8_t> frame, EmittedPacket::Limit limit = EmittedPacket::Limit::none);
  // The packet as it is now, in a buffer of its own.
  std::vector<uint8_t> current_frame() const;

  // `text` is called only when somebody reads the trace.
  template <std::invocable F>
  void note(DeviceKind kind, const Uuid& device, Stage stage, F&& text) {
    if (trace != nullptr) trace->step(kind, device, stage, text());
  }
  template <std::invocable F>
  void note_port(const PortView& port, Stage stage, F&& text) {
    note(DeviceKind::port, port.id.uuid(), stage, text);
  }
  template <std::invocable F>
  void note_device(Stage stage, F&& text) {
    if (trace == nullptr || in == nullptr) return;
    trace->step(in->device == PortDevice::bridge ? DeviceKind::bridge : DeviceKind::router, in->device_id, stage,
                text());
  }

 private:
  // Rewrites and checks before the first one.
  void put_output(const Action& action);
};

// --- between hosts (tunnel.cpp) --------------------------------------------------------------------
void arrive_by_tunnel(Walk& walk);
void send_to_host(Walk& walk, const RemotePort& to);
// A frame that is flooded goes once to each other host with ports of the bridge. Planned before the first output, which
// checks that packets fit into all tunnels that are used.
struct RemoteFlooding {
  const RemoteFlood* hosts = nullptr;
  uint16_t too_small = 0;  // the least room of the tunnels that it does not fit into; 0: it fits into all
};
RemoteFlooding plan_flood(Walk& walk, BridgeId bridge);
void flood_to_hosts(Walk& walk, const RemoteFlooding& flooding);

// --- what does not fit (too_big.cpp) --------------------------------------------------------------
bool forbids_fragments(const Packet& packet);
// Out of `out` in pieces of at most `mtu` bytes, which leave as packets of the router's own.
void send_fragments(Walk& walk, const PortView& out, uint16_t mtu);
// A tunnel takes no more than `room` bytes. Cut, if a router may: true, the verdict is made.
bool cut_for_tunnel(Walk& walk, uint16_t room);
// The sender is told. The walk cannot go on.
void tell_too_big_for_tunnel(Walk& walk, uint16_t room);

// --- devices --------------------------------------------------------------------------------------
const PortView* through_bridge(Walk& walk, const BridgeView& bridge);  // bridge.cpp
const PortView* through_router(Walk& walk, const RouterView& router);  // router.cpp

// --- parts of a bridge ----------------------------------------------------------------------------
// Learns from ARP and neighbour discovery, and answers for those whom the bridge knows. True when that was the answer:
// the packet goes no further. (bridge_arp.cpp)
bool overhear(Walk& walk, const BridgeView& bridge);

// --- parts of a router ----------------------------------------------------------------------------
void receive_arp(Walk& walk, const RouterView& router);                  // router_arp.cpp
void receive_neighbour_discovery(Walk& walk, const RouterView& router);  // router_nd.cpp
void deliver_locally(Walk& walk, const RouterView& router);              // router_local.cpp

// The route that `router` has from `source` to `destination`, or null; noted in mask and tags.
const routing::FibEntry* choose_route(Walk& walk, const RouterView& router, const IpAddress& source,
                                      const IpAddress& destination);

// The MAC of the next hop on the link of `out` (next_hop.cpp).
struct NextHopAnswer {
  enum class Kind : uint8_t { found, unreachable, wanted } kind = Kind::unreachable;
  MacAddress mac;
};
NextHopAnswer resolve_next_hop(Walk& walk, const RouterView& router, const PortView& out, const IpAddress& next_hop);

// Each tells the packet's sender by ICMP, out of the in-port, if that is allowed (icmp_error.cpp).
void answer_unreachable(Walk& walk, Unreachable what);
void answer_beyond_scope(Walk& walk);  // RFC 4443 3.1, code 2
void answer_time_exceeded(Walk& walk);
void answer_too_big(Walk& walk, uint16_t mtu);

// For traces: the name, or the id when there is none.
std::string name_of(const PortView& port);
std::string name_of(const Network& network, HostId host);

}  // namespace viaduct::flows::simulation
