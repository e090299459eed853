// Connections that this host knows: who answers whom, and what their addresses were translated to.
//
// One connection is a few entries, each a key that packets of one direction have at one device and what it means there:
//
//   kind           key: a packet's addresses and ports ...           entry
//   track          as a return packet enters the virtual network     "this is a return packet"; device: where it enters
//   snat           as a packet comes to the device                   its source becomes address and port
//   snat_reverse   as the answer comes to the device                 its destination becomes address and port
//   dnat           as a packet comes to the device                   its destination becomes address and port
//   dnat_reverse   as the answer comes to the device                 its source becomes address and port
//   sticky         client to VIP, without the client's port          the pool member: address and port
//   fragment       source, destination, protocol; the IP identifi-   the ports that the first fragment of that packet has
//                  cation stands for the ports
//
// ICMP queries have their identifier in both ports, protocols without ports have zeros. snat and dnat come in pairs with
// their reverse, which lives exactly as long. Protocols: devices.md 1.6, 1.7.
//
// Time: an entry ends when it was idle for as long as its protocol and state allow; the connections' actor looks. Both
// directions keep it alive, also by flows in the kernel, whose statistics say when they last had a packet and which TCP
// flags they have seen. RST or FIN only make the time-out shorter, so that a forged one, in a window or not, ends nothing
// that goes on (RFC 5961): a connection is over when it is silent.
//
// Threads as in state_tables.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "flows/match/tag.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::flows {

enum class ConnectionKind : uint8_t { track, snat, snat_reverse, dnat, dnat_reverse, sticky, fragment, count_ };
std::string_view to_string(ConnectionKind kind);

struct ConnectionKey {
  ConnectionKind kind = ConnectionKind::track;
  uint8_t proto = 0;
  uint16_t src_port = 0, dst_port = 0;
  IpAddress src, dst;  // of one family
  Uuid device;
  std::string to_string() const;  // "snat tcp 10.0.0.1:80 > 10.0.0.2:81 at 1234…"
  friend bool operator==(const ConnectionKey&, const ConnectionKey&) = default;
};
Tag tag_of(const ConnectionKey& key);
struct ConnectionKeyHash {
  size_t operator()(const ConnectionKey& key) const noexcept { return tag_of(key).value; }
};

enum class Direction : uint8_t { forward, back };

// Bits of ConnectionEntry::seen: TCP's flags (RFC 9293 3.1), and one for any packet.
namespace seen {
inline constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10, kPacket = 0x80;
}
constexpr bool says_end(uint8_t tcp_flags) { return (tcp_flags & (seen::kFin | seen::kRst)) != 0; }

enum class ConnectionState : uint8_t {
  opening,      // nothing has come back
  established,  // both sides have spoken
  closing,      // TCP: both have said FIN
  closed,       // TCP: one has said RST
};
std::string_view to_string(ConnectionState state);

struct ConnectionEntry {
  IpAddress address;  // as the table above says; unused: any
  uint16_t port = 0;
  uint8_t seen_forward = 0, seen_back = 0;
  bool owned = true;    // made here, or given over to this host; false: a copy of another host's
  uint32_t tenant = 0;  // who pays: see Account
  uint64_t port_account = 0;
  Time last_seen;
  ConnectionState state() const;
  friend bool operator==(const ConnectionEntry&, const ConnectionEntry&) = default;
};

// Whose share of the table an entry takes: the port where the connection entered the virtual network, and its tenant.
struct Account {
  uint64_t port = 0;    // hash of the port's id; 0: a device's own
  uint32_t tenant = 0;  // hash of the tenant's name; 0: the operator
  friend bool operator==(const Account&, const Account&) = default;
};

// How long an entry may be idle. The defaults: RFC 5382 5, RFC 4787 4.3, RFC 5508 3.2, and what other systems do.
struct ConnectionTimeouts {
  std::chrono::seconds tcp_opening{60};
  std::chrono::seconds tcp_established{7'440};
  std::chrono::seconds tcp_closing{120};
  std::chrono::seconds tcp_closed{10};
  std::chrono::seconds udp_opening{30};
  std::chrono::seconds udp_established{300};
  std::chrono::seconds icmp{60};
  std::chrono::seconds other{600};
  std::chrono::seconds sticky{3'600};
  std::chrono::seconds fragment{30};  // RFC 8200 4.5 gives reassembly 60 s, Linux 30 s
  std::chrono::seconds of(const ConnectionKey& key, const ConnectionEntry& entry) const;
};

struct ConnectionLimits {
  size_t capacity = 65'536;  // entries
  size_t per_port = 16'384;
  size_t per_tenant = 32'768;
};

enum class OpenResult : uint8_t {
  added,
  same,     // it was there and means the same
  taken,    // it was there and means something else: nothing changed; sticky and fragment entries change
  refused,  // the table or the share of the port or tenant is full: counted
};

class ConnectionTable {
 public:
  explicit ConnectionTable(const ConnectionLimits& limits = {}, uint64_t seed = 0);
  std::optional<ConnectionEntry> find(const ConnectionKey& key) const;
  OpenResult open(const ConnectionKey& key, const ConnectionEntry& entry);
  // A packet of the connection, with these TCP flags (0: unknown, or not TCP). A SYN without ACK begins a connection anew
  // that was closing. True when that changed which flags it has seen, and so perhaps its state.
  bool touch(const ConnectionKey& key, Direction direction, uint8_t tcp_flags, Time at);
  // Makes an entry this host's own, or a copy of another's. False when there is none.
  bool set_owned(const ConnectionKey& key, bool owned);
  bool erase(const ConnectionKey& key);
  // Erases what has been idle since before `deadline`: no race with a worker that has just seen it.
  bool erase_if_older(const ConnectionKey& key, Time deadline);
  using Visit = std::function<void(const ConnectionKey&, const ConnectionEntry&)>;
  void for_each(const Visit& visit) const;
  // The same, a part at a time: `buckets` (of five entries, on average when full) from number `from` on. Returns where to
  // go on; 0: that was the end.
  size_t visit_some(size_t from, size_t buckets, const Visit& visit) const;
  size_t size() const;
  size_t capacity() const;
  uint64_t refused() const;            // for want of room
  uint64_t over_port_share() const;    // the port has no more
  uint64_t over_tenant_share() const;  // the tenant has no more
  uint64_t of_port(uint64_t port_account) const;
  uint64_t of_tenant(uint32_t tenant) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// The other half of a pair: what its answer, or what it answers, is looked up by. Nothing for kinds that have none.
std::optional<ConnectionKey> partner_of(const ConnectionKey& key, const ConnectionEntry& entry);
// The entry of that other half.
ConnectionEntry partner_entry(const ConnectionKey& key, const ConnectionEntry& entry);

}  // namespace viaduct::flows
