// One packet on its way through the network: what is known of it so far, and the verdict being written. Internal to
// flows/simulation.
//
// Devices are functions: they get the walk, whose `in` is the port where the packet entered them, and return the port
// by which it leaves, or null when it goes no further (then the verdict says what became of it).
//
// The packet's bytes are never changed: `key` follows the rewrites, and the actions are written when the packet is
// output. A packet that a device sends (an ICMP error quotes the packet as that device saw it) is made from a copy.
//
// Rules and translations also look at what is behind the key: the ports of a later fragment, as its first one had them,
// the identifier of an ICMP query, the packet that an ICMP error quotes. know_connection() fetches these when they are
// first asked for; no flow can match them, so such a packet's verdict is its own.
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include "flows/packet/headers.hpp"
#include "flows/packet/icmp_error.hpp"
#include "flows/packet/icmp_quote.hpp"
#include "flows/simulation/network_views.hpp"
#include "flows/simulation/simulate.hpp"

namespace viaduct::flows::simulation {

// A packet as it is at some point of its way.
struct Headers {
  FlowKey key;
  uint16_t icmp_id = 0;            // in use when the packet is an ICMP query
  std::optional<IcmpQuote> quote;  // when it is an ICMP error
};

// Which connection a packet belongs to: its addresses and ports; of an ICMP query, the identifier as both ports; of an
// ICMP error, those that an answer to the quoted packet would have.
struct Tuple {
  uint8_t proto = 0;
  uint16_t src_port = 0, dst_port = 0;
  IpAddress src, dst;
  Tuple reversed() const { return {proto, dst_port, src_port, dst, src}; }
  friend bool operator==(const Tuple&, const Tuple&) = default;
};

struct Walk {
  const Input& input;
  Verdict& verdict;
  Trace* trace;
  FlowKey key;           // as the packet is now
  uint16_t icmp_id = 0;  // likewise; see know_connection()
  std::optional<IcmpQuote> quote;
  Headers entered;                // as it came to the device that it is in
  Headers original;               // as it came here, once its connection is known
  const PortView* in = nullptr;   // where it entered the device that it is in
  const PortView* out = nullptr;  // by which it is to leave it, once that is known
  // For drops: what it is at, when not the device that it is in; the rule that it has met; the host that it is for.
  struct Place {
    DeviceKind kind = DeviceKind::none;
    Uuid id;
  };
  Place at;
  ChainId rule_chain;
  const topology::Rule* rule = nullptr;  // of the network
  HostId other_host;
  std::optional<IpAddress> next_hop;
  const PortView* maker = nullptr;  // the port by which it left the device that made it; null: a packet from outside
  int devices = 0;
  int decrements = 0;           // of TTL, for the actions
  uint16_t mtu = 0;             // the least one passed; 0: none
  bool rewritten = false;       // Ethernet addresses differ from the packet's
  bool untagged = false;        // no VLAN tag, or a lone priority tag (IEEE 802.1Q 6.9.1)
  bool neighbour_talk = false;  // untagged ARP or neighbour discovery: decided packet by packet
  bool singular = false;        // the verdict is for this packet only

  // --- connections and rules ---
  const PortView* first = nullptr;  // the exterior port where it entered the virtual network; null: made by a device
  bool connection_known = false;    // know_connection() was here
  bool has_icmp_id = false;
  bool borrowed_ports = false;         // a later fragment, with the ports of its first one
  bool destination_rewritten = false;  // since it entered this device
  bool tracked = false;                // a rule asked whether it is a return packet
  std::optional<Direction> direction;  // the answer
  int chains = 0;                      // entered

  // The router that it passed last, while decrements is not 0: who is asked when it does not fit further on.
  struct Hop {
    const PortView* in = nullptr;
    const PortView* out = nullptr;
    Headers entered;
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
  const PortView* park(const Wanted& wanted);
  // Not as a flow, whatever it becomes.
  void only_this_packet();
  // By an exterior port that is active here, or to another host; may be called several times.
  void output(const PortView& port);
  void output(HostId host, const TunnelPath& path, uint32_t key);
  void output_to_speaker(const PortView& port);

  // --- what happens on the way -------------------------------------------------------------------
  void route_onwards(const PortView& out, const MacAddress& next_hop);
  // The packet as it came to the router that it passed last.
  void return_to_last_router();
  // Packets of more bytes behind the Ethernet header are not like this one; 0: no limit. Before the first output.
  void limit_to(uint16_t bytes);
  void emit(const PortView& from, std::vector<uint8_t> frame, EmittedPacket::Limit limit = EmittedPacket::Limit::none);
  // The packet, in a buffer of its own: as it is now, or as it came to the device that it is in.
  std::vector<uint8_t> current_frame() const { return frame_of({key, icmp_id, quote}); }
  std::vector<uint8_t> entered_frame() const { return frame_of(entered); }
  void enter(const PortView& port);
  void stand_at(const PortView& port) { at = {DeviceKind::port, port.id.uuid()}; }
  // Before ports, identifiers or quotes are looked at.
  void know_connection();
  // It has what belongs to its layer 4: it is whole, a first fragment, or known by its first one.
  bool has_layer4() const { return key.fragment != Fragment::later || borrowed_ports; }

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
  DropSite drop_site() const;
  // What goes no further opens nothing, and keeps nothing alive.
  void forget_connections();
  void know_fragment();
  std::vector<uint8_t> frame_of(const Headers& headers) const;
  // Rewrites and checks before the first one.
  void put_output(const Action& action);
  void put_rewrites();
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

// --- connections (connections.cpp) ----------------------------------------------------------------
// Nothing for what has no addresses, or is a later fragment of which the first was not seen. Notes in the mask what it
// looked at.
std::optional<Tuple> tuple_of(Walk& walk);
ConnectionKey key_of(ConnectionKind kind, const Uuid& device, const Tuple& tuple);
// Looks in the table; the flow depends on the answer.
std::optional<ConnectionEntry> find_connection(Walk& walk, const ConnectionKey& key);
// An answer to what `device` has sent on under another source: to its own address, perhaps, and not for itself.
bool is_translated(Walk& walk, const Uuid& device);
// What the packet opens, with the sharer's account and the time filled in.
void open_connection(Walk& walk, const ConnectionKey& key, ConnectionEntry entry, Direction direction);
// A packet that goes the other way than one that was seen before, or is made by a device.
bool is_return(Walk& walk);
// The packet leaves the virtual network at a port of `device`: what comes back there is its answer, if a rule has asked.
void track(Walk& walk, const Uuid& device);

// When the walk is over: whom the connections that it opens or uses concern (state_peers.cpp).
void name_peers(Walk& walk);

// --- rules (chain.cpp, condition.cpp) -------------------------------------------------------------
struct RuleContext {
  const PortView* in = nullptr;   // where it entered the device
  const PortView* out = nullptr;  // by which it will leave it, where that is known
  Uuid device;                    // whose translations are meant
};
bool matches(Walk& walk, const topology::Condition& condition, const RuleContext& context);
enum class Filtered : uint8_t { accept, drop, reject };
// A nil chain accepts. drop: the verdict is made; reject: the caller says it to the sender.
Filtered apply_chain(Walk& walk, ChainId chain, const RuleContext& context);
// After reject: routers tell the sender, bridges drop in silence.
const PortView* refuse_by_rule(Walk& walk, PortDevice device);

// --- translation (nat.cpp) ------------------------------------------------------------------------
enum class Translated : uint8_t {
  done,
  not_applicable,  // the rule does not count
  failed,          // the verdict is made
};
Translated translate(Walk& walk, const topology::Rule& rule, const RuleContext& context);
// As `entry` of `key` says, which the packet was found by, or which has just been opened for it.
void apply_translation(Walk& walk, const ConnectionKey& key, const ConnectionEntry& entry);
// Opens the pair of `key` for this packet, and translates it. False, and nothing has happened, when the answers could not
// be told from those of another connection.
bool open_pair(Walk& walk, const ConnectionKey& key, const ConnectionEntry& entry);
// A free port for the packet's source in the target's range, among those leased here (nat_ports.cpp).
struct PortChoice {
  enum class Kind : uint8_t { found, exhausted, wanted } kind = Kind::exhausted;
  IpAddress address;
  uint16_t port = 0;
  NatBlockWanted want;
};
PortChoice choose_source(Walk& walk, const Uuid& device, const topology::NatTarget& target, const Tuple& tuple);

// --- load balancing (load_balancer.cpp) -----------------------------------------------------------
enum class Balanced : uint8_t {
  not_concerned,
  done,    // translated: the router's rules are not asked
  failed,  // the verdict is made
};
// What comes to a router with this load balancer, and what leaves it. A nil one balances nothing.
Balanced balance(Walk& walk, LoadBalancerId balancer);
Balanced unbalance(Walk& walk, LoadBalancerId balancer);

// --- health checks (health_check.cpp) -------------------------------------------------------------
// An answer to the router's own address: true, and the verdict is made. Before the router's rules, which are for what it
// forwards.
bool take_check_answer(Walk& walk, const RouterView& router);
// A packet that a router has made without knowing the next hop: a check.
bool is_check(const Walk& walk);
// The port by which it leaves; null when the verdict is made.
const PortView* send_check(Walk& walk, const RouterView& router);

// --- routing protocols (routing_talk.cpp) ---------------------------------------------------------
// From a peer to the speaker of the port where it entered: true, and the verdict is made. Before any rule: what the network
// does with packets must not end what it is told by.
bool hand_to_speaker(Walk& walk, const PortView& port);
// What the speaker of this port sends leaves by the port.
void leave_speaker(Walk& walk, const PortView& port);
// ARP and neighbour discovery that the router has taken in concern its speaker too.
void tell_speaker(Walk& walk);

// --- devices --------------------------------------------------------------------------------------
const PortView* through_bridge(Walk& walk, const BridgeView& bridge);  // bridge.cpp
const PortView* through_router(Walk& walk, const RouterView& router);  // router.cpp
// A packet that the router of `port` has made, and sends by it: false when the router's own rules have made the verdict.
bool filter_own(Walk& walk, const PortView& port);

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
