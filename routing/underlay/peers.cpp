#include "routing/underlay/peers.hpp"

#include <algorithm>
#include <optional>

namespace viaduct::routing::underlay {
namespace {

constexpr uint32_t kMaxPacketBytes = 65'535;  // of an IPv4 packet; loopback's MTU is larger

using topology::TunnelType;
using topology::TunnelZone;
using topology::TunnelZoneHost;

std::string kind_text(Carrier carrier) {
  return std::string(carrier.kind == TunnelType::vxlan ? "VXLAN" : "GRE") +
         (carrier.family == IpFamily::v4 ? " over IPv4" : " over IPv6");
}

// What to do without it.
std::string cure_of(Carrier carrier) {
  if (carrier == Carrier{TunnelType::gre, IpFamily::v6}) {
    return "give the zone's hosts IPv4 addresses, or use a zone of type vxlan";
  }
  const bool vxlan = carrier.kind == TunnelType::vxlan;
  return std::string("load the kernel module ") + (vxlan ? "vxlan" : "ip_gre") + " (under Open vSwitch also " +
         (vxlan ? "vport-vxlan" : "vport-gre") +
         "), of Debian's package linux-image-amd64, or use a zone of another type";
}

// What this host needs to use a zone at all.
struct UsableZone {
  const TunnelZone* zone;
  IpAddress own;
  uint32_t mtu = 0;  // of the interface with the address
  Carrier carrier() const { return {zone->type, own.family()}; }
};

class PeerFinder {
 public:
  explicit PeerFinder(const PeerFacts& facts) : facts_(facts) {
    for (const TunnelZone& zone : facts.zones) zones_.emplace(zone.id, &zone);
    for (const LocalAddress& local : facts.local) locals_.emplace(local.address, &local);
    for (const TunnelZoneHost& member : facts.members) {
      if (zones_.contains(member.zone)) hosts_[member.host].emplace(member.zone, member.address);
    }
  }

  Peers find() {
    judge_own_zones();
    for (const auto& [host, zones] : hosts_) {
      if (host != facts_.self) judge_peer(host, zones);
    }
    std::stable_sort(out_.problems.begin(), out_.problems.end(), [](const Problem& a, const Problem& b) {
      return std::pair(a.zone, a.host) < std::pair(b.zone, b.host);
    });
    return std::move(out_);
  }

 private:
  using ZoneAddresses = std::map<TunnelZoneId, IpAddress>;

  std::string name(HostId host) const {
    const auto found = facts_.names.find(host);
    return "host " + (found == facts_.names.end() ? host.to_string() : "'" + found->second + "'");
  }
  std::string name(TunnelZoneId zone) const { return "tunnel zone '" + zones_.at(zone)->name + "'"; }
  void problem(TunnelZoneId zone, HostId host, std::string text) {
    out_.problems.push_back({zone, host, std::move(text)});
  }

  bool has_others(TunnelZoneId zone) const {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [&](const auto& entry) { return entry.first != facts_.self && entry.second.contains(zone); });
  }

  // A zone without other hosts can have no problem yet.
  void judge_own_zones() {
    const auto own = hosts_.find(facts_.self);
    if (own == hosts_.end()) return;
    for (const auto& [zone, address] : own->second) {
      if (has_others(zone)) judge_own_zone(*zones_.at(zone), address);
    }
  }
  void judge_own_zone(const TunnelZone& zone, const IpAddress& address) {
    const Carrier carrier{zone.type, address.family()};
    const auto local = locals_.find(address);
    if (local == locals_.end()) {
      return problem(zone.id, facts_.self,
                     name(facts_.self) + " has the address " + address.to_string() + " in " + name(zone.id) +
                         ", but none of its interfaces has it: add it to an interface, or correct the zone's entry");
    }
    if (const auto missing = facts_.unavailable.find(carrier); missing != facts_.unavailable.end()) {
      return problem(zone.id, facts_.self,
                     "the datapath of " + name(facts_.self) + " has no " + kind_text(carrier) + ", which " +
                         name(zone.id) + " needs (" + missing->second + "): " + cure_of(carrier));
    }
    if (!local->second->up) {
      problem(zone.id, facts_.self,
              "the interface " + local->second->interface + " of " + name(facts_.self) + ", with its address in " +
                  name(zone.id) + ", is down: set it up, or see to its cable");
    }
    usable_.emplace(zone.id, UsableZone{&zone, address, local->second->mtu});
  }

  void judge_peer(HostId host, const ZoneAddresses& zones) {
    const auto own = hosts_.find(facts_.self);
    bool shared = false;
    std::optional<PeerPath> path;
    for (const auto& [zone, address] : zones) {  // lowest id first
      if (own == hosts_.end() || !own->second.contains(zone)) continue;
      shared = true;
      if (!judge_peer_address(zone, host, own->second.at(zone), address)) continue;
      out_.sources[host].insert(address);
      if (const auto usable = usable_.find(zone); usable != usable_.end() && !path)
        path = try_zone(host, usable->second, address);
    }
    if (!shared) no_shared_zone(host, zones);
    if (path) out_.paths.emplace(host, *path);
  }
  void no_shared_zone(HostId host, const ZoneAddresses& zones) {
    const TunnelZoneId zone = zones.begin()->first;
    problem(zone, facts_.self,
            name(facts_.self) + " is in no tunnel zone with " + name(host) + ": give it an address in " + name(zone));
  }
  bool judge_peer_address(TunnelZoneId zone, HostId host, const IpAddress& own, const IpAddress& address) {
    if (own.family() != address.family()) {
      problem(zone, host,
              "in " + name(zone) + ", " + name(host) + " has " + address.to_string() + " and " + name(facts_.self) +
                  " " + own.to_string() + ": all addresses of a zone must be of one family, correct one of them");
      return false;
    }
    if (const auto local = locals_.find(address); local != locals_.end()) {
      problem(zone, host,
              "the address " + address.to_string() + " of " + name(host) + " in " + name(zone) + " is on interface " +
                  local->second->interface + " of " + name(facts_.self) + ": two hosts have it, correct one of them");
      return false;
    }
    return true;
  }

  std::optional<PeerPath> try_zone(HostId host, const UsableZone& usable, const IpAddress& address) {
    const Carrier carrier = usable.carrier();
    const TunnelZoneId zone = usable.zone->id;
    if (const auto lacks = facts_.peer_unavailable.find(host);
        lacks != facts_.peer_unavailable.end() && lacks->second.contains(carrier)) {
      problem(zone, host,
              "the datapath of " + name(host) + " has no " + kind_text(carrier) + ", which " + name(zone) +
                  " needs; there: " + cure_of(carrier));
      return std::nullopt;
    }
    uint32_t underlay = usable.mtu;
    if (const auto route = facts_.route_mtu.find({usable.own, address}); route != facts_.route_mtu.end()) {
      underlay = std::min(underlay, route->second);
    }
    PeerPath path{zone, carrier.kind, usable.own, address, inner_mtu(carrier, underlay)};
    if (path.mtu < kMinInnerMtuV6) too_narrow(host, path, underlay);
    return path.mtu == 0 ? std::nullopt : std::optional(path);
  }
  void too_narrow(HostId host, const PeerPath& path, uint32_t underlay) {
    problem(path.zone, host,
            "packets from " + name(facts_.self) + " to " + name(host) + " in " + name(path.zone) + " may have " +
                std::to_string(underlay) + " bytes, too few for " + kind_text(path.carrier()) +
                (path.mtu == 0 ? "" : " with IPv6 inside") + ": raise the MTU of that network to at least " +
                std::to_string(kMinInnerMtuV6 + overhead_bytes(path.carrier())));
  }

  const PeerFacts& facts_;
  std::map<TunnelZoneId, const TunnelZone*> zones_;
  std::map<IpAddress, const LocalAddress*> locals_;
  std::map<HostId, ZoneAddresses> hosts_;
  std::map<TunnelZoneId, UsableZone> usable_;
  Peers out_;
};

}  // namespace

uint16_t inner_mtu(Carrier carrier, uint32_t underlay_mtu) {
  const uint32_t fits = std::min(underlay_mtu, kMaxPacketBytes);
  const uint32_t overhead = overhead_bytes(carrier);
  return fits < overhead + kMinInnerMtu ? 0 : static_cast<uint16_t>(fits - overhead);
}

Peers find_peers(const PeerFacts& facts) { return PeerFinder(facts).find(); }

}  // namespace viaduct::routing::underlay
