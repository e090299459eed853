// What the flow log says of a flow: one record when a packet has been decided, one more when the flow that was made for it ends.
//
// Records are of fixed size and hold nothing on the heap, so that a packet worker can hand them on; names are looked up by who
// writes them. Texts are views of constants of the program.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::observability::flow_log {

using Time = std::chrono::steady_clock::time_point;

enum class Outcome : uint8_t { forwarded, dropped };
std::string_view to_string(Outcome outcome);

enum class EndReason : uint8_t {
  idle,              // no packet for flow_idle_timeout
  changed,           // what it depended on: the topology, a learned address, a connection
  table_full,        // it made room for another one
  connection_ended,  // its connection said FIN or RST; later packets make a flow anew
  merged,            // never told: the flow was there already, under another record's name
};
std::string_view to_string(EndReason reason);
// flowEndReason, RFC 5102 5.11.3: 1 idle, 3 end of flow, 4 forced, 5 lack of resources.
uint8_t ipfix_value(EndReason reason);

// Of ICMP the ports are type and code. In ARP the addresses are those of the protocol.
struct Tuple {
  IpAddress src, dst;
  uint16_t src_port = 0, dst_port = 0;
  friend bool operator==(const Tuple&, const Tuple&) = default;
};

// Where the packet leaves: a port of this host, or one of another host.
struct Egress {
  Uuid port;               // nil: not known here, or none (a BGP speaker)
  uint32_t interface = 0;  // its number in the datapath; 0: on another host
  Uuid host = {};          // that other host
  uint32_t key = 0;        // by which it finds the port
};

struct Record {
  static constexpr size_t kEgresses = 4;  // of a flood the first ones
  static constexpr size_t kDevices = 6;

  uint64_t serial = 0;  // of the flow in the log, the same when it ends
  bool alone = false;   // decided for this packet only: no flow, and no end
  Outcome outcome = Outcome::forwarded;
  uint8_t forwarding_status = 0;  // IPFIX element 89: status in the two upper bits, reason below
  uint8_t ip_version = 0;         // 4, 6; 0: neither
  uint8_t protocol = 0;
  uint8_t vlan_tags = 0;
  uint16_t ether_type = 0;
  uint16_t vlan = 0, inner_vlan = 0;  // identifiers, where there is such a tag
  Time decided = {};
  uint64_t flow_high = 0, flow_low = 0;  // the flow's id in the datapath
  MacAddress src_mac = {}, dst_mac = {};
  Tuple before, after;          // translation
  uint32_t matched = 0;         // fields that the flow matches, bits in the order of Options::fields
  uint32_t frame_bytes = 0;     // of the packet, with its Ethernet header
  Uuid ingress = {};            // port; nil: by a tunnel
  uint32_t ingress_number = 0;  // in the datapath
  Uuid from_host = {};          // that sent it through the tunnel; nil: it did not come by one, or from nobody known
  uint16_t egress_count = 0, device_count = 0;
  std::array<Egress, kEgresses> egress = {};
  std::array<Uuid, kDevices> devices = {};  // as far as they are known, in the packet's order: first, routers, last
  // of what is dropped
  std::string_view reason = {};
  std::string_view place_kind = {};
  Uuid place = {}, chain = {}, rule = {};
  uint32_t position = 0;  // of the rule in its chain

  void add(const Egress& to) {
    if (egress_count < kEgresses) egress[egress_count] = to;
    ++egress_count;
  }
  void add_device(const Uuid& device) {
    if (device.is_nil() || (device_count > 0 && device_count <= kDevices && devices[device_count - 1] == device))
      return;
    if (device_count < kDevices) devices[device_count++] = device;
  }
};

// A flow of the log that is no more. Packets and bytes are the datapath's, which knows nothing of the packet that the flow was made for;
// bytes with Ethernet headers.
struct Ended {
  uint64_t serial = 0;
  uint64_t packets = 0, bytes = 0;
  Time last_used = {};
  EndReason reason = EndReason::idle;
  uint64_t into = 0;  // merged: the record under whose name the flow goes on
};

// Two clocks at one moment: records have the steady one, readers want the other.
struct Clocks {
  Time steady;
  std::chrono::system_clock::time_point system;
  static Clocks now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }
  std::chrono::system_clock::time_point at(Time when) const {
    return system + std::chrono::duration_cast<std::chrono::system_clock::duration>(when - steady);
  }
};

// What a port is called; empty when it is gone already.
struct PortNames {
  std::string name, tenant;
};

}  // namespace viaduct::observability::flow_log
