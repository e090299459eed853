// The rules of each kind of object, one file a kind. Each looks at one object in the snapshot that the transaction would
// make, and reports all that is wrong with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "topology/reference.hpp"
#include "topology/snapshot.hpp"
#include "topology/violation.hpp"

namespace viaduct::topology::rules {

class Inspection {
 public:
  Inspection(const Snapshot& current, const Snapshot& next) : current_(current), next_(next) {}

  const Snapshot& current() const { return current_; }
  const Snapshot& next() const { return next_; }
  // What a message calls another object. The next report mentions it.
  std::string label(const Object& object);
  std::string label(const ObjectRef& ref);  // that may be missing
  void report(BrokenRule rule, const ObjectRef& object, std::string_view field, std::string message, std::string cure);
  // Each once; in the order in which they were found.
  std::vector<Violation> take() { return std::move(violations_); }

 private:
  const Snapshot& current_;
  const Snapshot& next_;
  std::vector<Violation> violations_;
  std::vector<Mention> mentions_;
};

void check(const Host& host, Inspection& inspection);
void check(const Bridge& bridge, Inspection& inspection);
void check(const Router& router, Inspection& inspection);
void check(const Port& port, Inspection& inspection);
void check(const Route& route, Inspection& inspection);
void check(const StaticMac& entry, Inspection& inspection);
void check(const StaticNeighbour& entry, Inspection& inspection);
void check(const TunnelZone& zone, Inspection& inspection);
void check(const TunnelZoneHost& member, Inspection& inspection);
void check(const Chain& chain, Inspection& inspection);
void check(const Rule& rule, Inspection& inspection);
void check(const PortGroup& group, Inspection& inspection);
void check(const PortGroupPort& member, Inspection& inspection);
void check(const IpGroup& group, Inspection& inspection);
void check(const IpGroupAddress& member, Inspection& inspection);
void check(const LoadBalancer& balancer, Inspection& inspection);
void check(const Pool& pool, Inspection& inspection);
void check(const PoolMember& member, Inspection& inspection);
void check(const Vip& vip, Inspection& inspection);
void check(const HealthMonitor& monitor, Inspection& inspection);
void check(const BgpPeer& peer, Inspection& inspection);
void check(const BgpNetwork& network, Inspection& inspection);

constexpr uint16_t kMaxVlan = 4094;                           // IEEE 802.1Q: 4095 is reserved
constexpr size_t kMaxRulePorts = 1024, kMaxNatTargets = 256;  // of one rule
constexpr size_t kMaxPrefixRules = 256;                       // of one filter of a BGP peer

// --- parts of them ---------------------------------------------------------------------------------

// reference.cpp: what is named must be there; nil names nothing. And what the object belongs to must be named.
void check_named(Reference reference, const Uuid& target, const ObjectRef& ref, Inspection& inspection);
void check_parent(Reference reference, const Uuid& target, const ObjectRef& ref, Inspection& inspection);

// address.cpp: what a router port's own addresses, MAC and MTU must be.
void check_router_side(const Port& port, Inspection& inspection);
// rule_condition.cpp, rule_nat.cpp
void check_condition(const Rule& rule, Inspection& inspection);
void check_nat(const Rule& rule, Inspection& inspection);
// load_balancer.cpp: the VIPs of the balancer, once its router or what that reaches changed.
void check_vips_of(LoadBalancerId balancer, Inspection& inspection);
// segment.cpp: the port with the others of its router, and of the segment that it is linked to.
void check_neighbours_of(const Port& port, Inspection& inspection);
// segment.cpp: once a router of which a port got other addresses.
void check_subnets_of(RouterId router, Inspection& inspection);
// bgp.cpp: the AS number of a router; where its peers are, once its ports have other addresses or links.
void check_as_number(const Router& router, Inspection& inspection);
void check_peers_of(RouterId router, Inspection& inspection);
// link.cpp
void check_link(const Port& port, Inspection& inspection);
// address.cpp
void check_hardware_address(MacAddress mac, const ObjectRef& object, Inspection& inspection);
// Why a station cannot have this address; empty: it can.
std::string_view reason_not_unicast(const IpAddress& address);
void check_prefix(const IpPrefix& prefix, std::string_view field, const ObjectRef& ref, Inspection& inspection);
// Whether another station on the port's link can have this address: a host's in one of its subnets, or IPv6 link-local.
bool is_on_link(const IpAddress& address, const Port& port);
// "10.0.0.1/24, fd00::1/64"
std::string addresses_of(const Port& port);

// text.cpp
void check_name(std::string_view text, std::string_view field, const ObjectRef& object, Inspection& inspection);
// As Linux has them (dev_valid_name), and printable.
bool is_interface_name(std::string_view name);

inline std::string_view family_name(IpFamily family) { return family == IpFamily::v4 ? "IPv4" : "IPv6"; }
inline IpFamily other_family(IpFamily family) { return family == IpFamily::v4 ? IpFamily::v6 : IpFamily::v4; }

}  // namespace viaduct::topology::rules
