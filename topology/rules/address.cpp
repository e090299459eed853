// Addresses by themselves: of router ports, gateways, BGP peers and static entries.
#include <algorithm>
#include <array>

#include "topology/builder.hpp"
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr uint16_t kMinMtuV4 = 68;    // RFC 791, 3.2
constexpr uint16_t kMinMtuV6 = 1280;  // RFC 8200, 5

bool is_v4_mapped(const IpAddress& address) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.is_v6() && std::equal(kMapped.begin(), kMapped.end(), address.storage().begin());
}

// IPv4: network and broadcast address (not of /31, RFC 3021); IPv6: the subnet-router anycast address (RFC 4291 2.6.1,
// not of /127, RFC 6164).
std::string_view reason_not_in_subnet(const IpPrefix& prefix) {
  if (prefix.length() >= prefix.address().width_bits() - 1) return {};
  if (!prefix.has_host_bits()) return prefix.address().is_v4() ? "the network address" : "the anycast address";
  if (prefix.broadcast() == prefix.address()) return "the broadcast address";
  return {};
}

void check_own_address(const IpPrefix& prefix, const ObjectRef& ref, Inspection& inspection) {
  const std::string text = prefix.to_string();
  if (const auto reason = reason_not_unicast(prefix.address()); !reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "addresses", text + " is " + std::string(reason) + ".",
                      "Use a unicast address.");
  } else if (const auto what = reason_not_in_subnet(prefix); !what.empty()) {
    inspection.report(BrokenRule::prefix_does_not_hold_address, ref, "addresses",
                      text + " is " + std::string(what) + " of its subnet.",
                      "Write the port's own address in front of the prefix length.");
  }
}

void check_mtu(const Port& port, const ObjectRef& ref, Inspection& inspection) {
  if (port.mtu == 0) return;
  const bool has_v6 = std::any_of(port.addresses.begin(), port.addresses.end(),
                                  [](const IpPrefix& prefix) { return prefix.family() == IpFamily::v6; });
  const uint16_t least = has_v6 ? kMinMtuV6 : kMinMtuV4;
  if (port.mtu >= least) return;
  inspection.report(BrokenRule::mtu_out_of_range, ref, "mtu", std::to_string(port.mtu) + " bytes are too few.",
                    "Use 0 for no limit, or at least " + std::to_string(least) + (has_v6 ? " for IPv6." : "."));
}

}  // namespace

std::string_view reason_not_unicast(const IpAddress& address) {
  if (address.is_any()) return "the unspecified address";
  if (address.is_multicast()) return "a multicast address";
  if (address.is_loopback()) return "a loopback address";
  if (address.is_limited_broadcast()) return "the broadcast address";
  if (address.is_v4() && address.storage()[0] == 0) return "an address of \"this network\" (RFC 1122, 3.2.1.3)";
  if (is_v4_mapped(address)) return "an IPv4-mapped address (RFC 4291, 2.5.5.2)";
  return {};
}

void check_prefix(const IpPrefix& prefix, std::string_view field, const ObjectRef& ref, Inspection& inspection) {
  if (!prefix.has_host_bits()) return;
  inspection.report(BrokenRule::prefix_has_host_bits, ref, field,
                    prefix.to_string() + " has bits behind its prefix length.",
                    "Write " + prefix.network().to_string() + ".");
}

bool is_on_link(const IpAddress& gateway, const Port& port) {
  if (gateway.is_v6() && gateway.is_link_local()) return true;
  return std::any_of(port.addresses.begin(), port.addresses.end(), [&](const IpPrefix& prefix) {
    if (!prefix.contains(gateway)) return false;
    const bool is_network =
        prefix.length() < prefix.address().width_bits() - 1 && gateway == prefix.network().address();
    return prefix.broadcast() != gateway && !(gateway.is_v4() && is_network);
  });
}

std::string addresses_of(const Port& port) {
  std::string out;
  for (const IpPrefix& prefix : port.addresses) out += (out.empty() ? "" : ", ") + prefix.to_string();
  return out.empty() ? "no addresses" : out;
}

void check_hardware_address(MacAddress mac, const ObjectRef& object, Inspection& inspection) {
  if (mac.is_zero()) {
    inspection.report(BrokenRule::mac_missing, object, "mac", "It has no MAC address.", "Give it one.");
  } else if (mac.is_multicast()) {
    inspection.report(BrokenRule::mac_invalid, object, "mac", mac.to_string() + " is a group address.",
                      "Use a unicast address: the lowest bit of the first byte is 0.");
  }
}

void check_router_side(const Port& port, Inspection& inspection) {
  const ObjectRef ref = ref_of(port);
  check_hardware_address(port.mac, ref, inspection);
  check_mtu(port, ref, inspection);
  if (port.addresses.size() > kMaxAddresses) {
    inspection.report(BrokenRule::too_many_addresses, ref, "addresses",
                      "It has " + std::to_string(port.addresses.size()) + " addresses.",
                      "Use at most " + std::to_string(kMaxAddresses) + ", or more ports.");
    return;
  }
  for (auto at = port.addresses.begin(); at != port.addresses.end(); ++at) {
    check_own_address(*at, ref, inspection);
    const bool twice = std::any_of(port.addresses.begin(), at,
                                   [&](const IpPrefix& other) { return other.address() == at->address(); });
    if (!twice) continue;
    inspection.report(BrokenRule::address_in_use, ref, "addresses", at->address().to_string() + " is there twice.",
                      "Name it once.");
  }
}

}  // namespace viaduct::topology::rules
