// BGP: a router's AS number, its peers and what it announces.
#include <algorithm>
#include <array>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr uint32_t kMaxKeepAlive = 3600, kMinHoldTime = 3, kMaxHoldTime = 7200, kMaxConnectRetry = 3600;  // seconds
constexpr size_t kMaxPasswordBytes = 80;  // as TCP takes them (TCP_MD5SIG_MAXKEYLEN)

// RFC 7607, RFC 6793 (9) and RFC 7300.
constexpr std::array<uint32_t, 3> kReservedAsNumbers = {0, 23'456, 0xffff'ffff};

bool is_reserved(uint32_t as_number) {
  return std::find(kReservedAsNumbers.begin(), kReservedAsNumbers.end(), as_number) != kReservedAsNumbers.end();
}
void check_as_number(uint32_t as_number, const ObjectRef& ref, Inspection& inspection) {
  if (!is_reserved(as_number)) return;
  inspection.report(BrokenRule::as_number_not_allowed, ref, "as_number",
                    "The AS number " + std::to_string(as_number) + " is reserved.",
                    "Use 1 to 4294967294 but 23456, as it is assigned to you, or a private one (RFC 6996).");
}

// What peers and networks belong to; null: the router is not there.
const Router* check_router(Reference reference, RouterId id, const ObjectRef& ref, Inspection& inspection) {
  check_parent(reference, id.uuid(), ref, inspection);
  const Router* router = inspection.next().find(id);
  if (router != nullptr && router->as_number == 0) {
    inspection.report(BrokenRule::as_number_missing, ref, "router",
                      inspection.label(Object(*router)) + " has no AS number, and so it speaks no BGP.",
                      "Give the router an as_number first or in the same transaction.");
  }
  return router;
}

// --- peers -----------------------------------------------------------------------------------------

void check_seconds(std::string_view field, uint32_t value, uint32_t least, uint32_t greatest, const ObjectRef& ref,
                   Inspection& inspection) {
  if (value >= least && value <= greatest) return;
  inspection.report(BrokenRule::timing_out_of_range, ref, field, std::to_string(value) + " s is out of range.",
                    "Use " + std::to_string(least) + " to " + std::to_string(greatest) + ".");
}

void check_timers(const BgpPeer& peer, const ObjectRef& ref, Inspection& inspection) {
  check_seconds("keep_alive", peer.keep_alive, 1, kMaxKeepAlive, ref, inspection);
  check_seconds("hold_time", peer.hold_time, kMinHoldTime, kMaxHoldTime, ref, inspection);
  check_seconds("connect_retry", peer.connect_retry, 1, kMaxConnectRetry, ref, inspection);
  if (peer.keep_alive < peer.hold_time) return;
  inspection.report(BrokenRule::timing_out_of_range, ref, "keep_alive",
                    "A keepalive every " + std::to_string(peer.keep_alive) + " s comes too late for a hold time of " +
                        std::to_string(peer.hold_time) + " s.",
                    "Make it less than hold_time; a third is usual.");
}

// Violations are shown and logged: they do not quote it.
void check_password(const BgpPeer& peer, const ObjectRef& ref, Inspection& inspection) {
  const auto allowed = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '`'; };
  if (peer.password.size() <= kMaxPasswordBytes && std::all_of(peer.password.begin(), peer.password.end(), allowed)) {
    return;
  }
  inspection.report(
      BrokenRule::password_invalid, ref, "password", "Not every BGP speaker could take that password.",
      "Use at most " + std::to_string(kMaxPasswordBytes) + " printable ASCII characters without spaces and quotes.");
}

void check_rule(const PrefixRule& rule, std::string_view field, const ObjectRef& ref, Inspection& inspection) {
  check_prefix(rule.prefix, field, ref, inspection);
  const std::string lengths = std::to_string(rule.min_length) + " to " + std::to_string(rule.max_length);
  const int width = rule.prefix.address().width_bits();
  if (rule.min_length > rule.max_length) {
    inspection.report(BrokenRule::range_empty, ref, field,
                      "No prefix of " + rule.prefix.to_string() + " has a length of " + lengths + ".",
                      "Write the lesser length first.");
  } else if (rule.min_length < rule.prefix.length() || rule.max_length > width) {
    inspection.report(BrokenRule::range_out_of_bounds, ref, field,
                      "Prefixes within " + rule.prefix.to_string() + " do not have all of the lengths " + lengths + ".",
                      "Use lengths of " + std::to_string(rule.prefix.length()) + " to " + std::to_string(width) + ".");
  }
}

void check_filter(const std::vector<PrefixRule>& filter, std::string_view field, const ObjectRef& ref,
                  Inspection& inspection) {
  if (filter.size() > kMaxPrefixRules) {
    inspection.report(BrokenRule::too_many_entries, ref, field, "It has " + std::to_string(filter.size()) + " rules.",
                      "Use at most " + std::to_string(kMaxPrefixRules) + ": join neighbouring prefixes.");
    return;
  }
  for (const PrefixRule& rule : filter) check_rule(rule, field, ref, inspection);
}

void check_sole_address(const BgpPeer& peer, const ObjectRef& ref, Inspection& inspection) {
  inspection.next().for_each_at(IndexKey::bgp_peer_of(peer.router, peer.address), [&](const Object& other) {
    if (id_of(other) == peer.id.uuid()) return;
    inspection.report(BrokenRule::address_in_use, ref, "address",
                      peer.address.to_string() + " is that of " + inspection.label(other) + " of the same router too.",
                      "Change or delete one of them.");
  });
}

// Why no session can be to that address, wherever it is.
std::string_view reason_not_peer(const IpAddress& address) {
  if (const auto reason = reason_not_unicast(address); !reason.empty()) return reason;
  if (address.is_v6() && address.is_link_local()) return "a link-local address, which does not say on which link";
  return {};
}

// What the ports of a router say of an address.
struct Whereabouts {
  const Port* own = nullptr;     // has the address itself
  const Port* link = nullptr;    // the address is on its link
  const Port* linked = nullptr;  // so it is on this one's, but that leads to another device
};
Whereabouts find_address(const IpAddress& address, RouterId router, const Snapshot& snapshot) {
  Whereabouts found;
  snapshot.for_each_port_of(router.uuid(), [&](const Port& port) {
    const bool own = std::any_of(port.addresses.begin(), port.addresses.end(),
                                 [&](const IpPrefix& prefix) { return prefix.address() == address; });
    if (own) found.own = &port;
    if (is_on_link(address, port)) (port.is_interior() ? found.linked : found.link) = &port;
  });
  return found;
}

void check_link_of(const BgpPeer& peer, const Whereabouts& found, const ObjectRef& ref, Inspection& inspection) {
  if (peer.multihop != 0 || found.link != nullptr) return;
  if (found.linked != nullptr) {
    inspection.report(BrokenRule::prefix_does_not_hold_address, ref, "address",
                      peer.address.to_string() + " is in a subnet of " + inspection.label(Object(*found.linked)) +
                          ", which is linked to a port of another device: BGP is spoken through ports that are, or can "
                          "be, bound to an interface.",
                      "Use an address in a subnet of such a port, or set multihop.");
    return;
  }
  inspection.report(
      BrokenRule::prefix_does_not_hold_address, ref, "address",
      peer.address.to_string() + " is no host in a subnet of a port of " +
          inspection.label(ObjectRef{Kind::router, peer.router.uuid()}) + ".",
      "Give a port of the router an address in the peer's subnet, or set multihop to the TTL that reaches "
      "it.");
}

void check_place(const BgpPeer& peer, const ObjectRef& ref, Inspection& inspection) {
  if (!reason_not_peer(peer.address).empty()) return;
  const Whereabouts found = find_address(peer.address, peer.router, inspection.next());
  if (found.own == nullptr) return check_link_of(peer, found, ref, inspection);
  inspection.report(BrokenRule::address_not_allowed, ref, "address",
                    peer.address.to_string() + " is the router's own, on " + inspection.label(Object(*found.own)) + ".",
                    "Use the address of the peer.");
}

// --- networks --------------------------------------------------------------------------------------

// Why no router announces the prefix. A wider one, as the default route, may hold such prefixes.
std::string_view reason_not_announced(const IpPrefix& prefix) {
  struct Special {
    std::string_view prefix, reason;
  };
  static constexpr auto kSpecial = std::to_array<Special>({
      {"0.0.0.0/8", "\"this network\" (RFC 1122, 3.2.1.3)"},
      {"127.0.0.0/8", "loopback"},
      {"169.254.0.0/16", "link-local"},
      {"224.0.0.0/4", "multicast"},
      {"255.255.255.255/32", "the broadcast address"},
      {"::/128", "the unspecified address"},
      {"::1/128", "loopback"},
      {"::ffff:0:0/96", "IPv4-mapped (RFC 4291, 2.5.5.2)"},
      {"fe80::/10", "link-local"},
      {"ff00::/8", "multicast"},
  });
  const auto found = std::find_if(kSpecial.begin(), kSpecial.end(), [&](const Special& special) {
    return IpPrefix::parse(special.prefix)->contains(prefix);
  });
  return found == kSpecial.end() ? std::string_view() : found->reason;
}

}  // namespace

void check_as_number(const Router& router, Inspection& inspection) {
  if (router.as_number != 0) return check_as_number(router.as_number, ref_of(router), inspection);
  const Router* before = inspection.current().find(router.id);
  if (before == nullptr || before->as_number == 0) return;  // then its peers and networks say so
  const auto count = [&](Reference reference) {
    return inspection.next().count_at(IndexKey::referrers_of(reference, router.id.uuid()));
  };
  const size_t peers = count(Reference::bgp_peer_router), networks = count(Reference::bgp_network_router);
  if (peers + networks == 0) return;
  inspection.report(BrokenRule::as_number_missing, ref_of(router), "as_number",
                    "It has " + std::to_string(peers) + " BGP peers and " + std::to_string(networks) +
                        " BGP networks, which need its AS number.",
                    "Delete these first; to end the sessions alone, set admin_up of the peers to false.");
}

void check_peers_of(RouterId router, Inspection& inspection) {
  inspection.next().for_each_bgp_peer_of(router,
                                         [&](const BgpPeer& peer) { check_place(peer, ref_of(peer), inspection); });
}

void check(const BgpPeer& peer, Inspection& inspection) {
  const ObjectRef ref = ref_of(peer);
  check_name(peer.name, "name", ref, inspection);
  check_as_number(peer.as_number, ref, inspection);
  check_timers(peer, ref, inspection);
  check_password(peer, ref, inspection);
  check_filter(peer.import_filter, "import_filter", ref, inspection);
  check_filter(peer.export_filter, "export_filter", ref, inspection);
  if (const auto reason = reason_not_peer(peer.address); !reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "address",
                      peer.address.to_string() + " is " + std::string(reason) + ".",
                      "Use the peer's IPv4 or global IPv6 unicast address.");
  }
  if (check_router(Reference::bgp_peer_router, peer.router, ref, inspection) == nullptr) return;
  check_sole_address(peer, ref, inspection);
  check_place(peer, ref, inspection);
}

void check(const BgpNetwork& network, Inspection& inspection) {
  const ObjectRef ref = ref_of(network);
  check_router(Reference::bgp_network_router, network.router, ref, inspection);
  check_prefix(network.prefix, "prefix", ref, inspection);
  if (const auto reason = reason_not_announced(network.prefix); !reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "prefix",
                      network.prefix.to_string() + " is " + std::string(reason) + ": nobody routes it.",
                      "Announce a unicast prefix.");
  }
  inspection.next().for_each_at(IndexKey::bgp_network_of(network.router, network.prefix), [&](const Object& other) {
    if (id_of(other) == network.id.uuid()) return;
    inspection.report(
        BrokenRule::network_in_use, ref, "prefix",
        network.prefix.to_string() + " is announced by the router already, as " + inspection.label(other) + ".",
        "Change or delete one of them.");
  });
}

}  // namespace viaduct::topology::rules
