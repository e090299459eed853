#include "random_flows.hpp"

namespace viaduct::flows {

IpAddress RandomFlows::address(IpFamily family) {
  if (family == IpFamily::v4) return IpAddress::v4(below(3) == 0 ? 0 : random_());
  IpAddress::Bytes bytes{};
  if (below(4) != 0) {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(below(256));
  }
  return IpAddress::v6(bytes);
}

Tunnel RandomFlows::tunnel() {
  IpFamily family = below(2) == 0 ? IpFamily::v4 : IpFamily::v6;
  auto outer = [&] {
    IpAddress::Bytes bytes{};
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(1 + below(255));
    return IpAddress::from_network(family, bytes.data());
  };
  return {1 + below(Tunnel::kMaxKey), outer(), outer()};
}

void RandomFlows::ip(FlowKey& key) {
  bool v4 = key.eth_type == ethertype::kIpv4;
  IpFamily family = v4 ? IpFamily::v4 : IpFamily::v6;
  key.ip_src = address(family);
  key.ip_dst = address(family);
  key.ip_tos = static_cast<uint8_t>(below(256));
  key.ip_ttl = static_cast<uint8_t>(below(256));
  constexpr uint8_t kProtocols[] = {ip_proto::kTcp,  ip_proto::kUdp,    ip_proto::kSctp,
                                    ip_proto::kIcmp, ip_proto::kIcmpv6, 47};
  key.ip_proto = kProtocols[below(6)];
  key.fragment = static_cast<Fragment>(below(8) < 6 ? 0 : below(3));
  if (key.fragment == Fragment::later) {
    if (!v4) key.ip_proto = 44;
    return;
  }
  bool icmp = key.ip_proto == ip_proto::kIcmp || key.ip_proto == ip_proto::kIcmpv6;
  if (key.ip_proto == 47 || (icmp && v4 != (key.ip_proto == ip_proto::kIcmp))) return;
  key.l4_src = static_cast<uint16_t>(icmp ? 128 + below(10) : below(0x10000));
  key.l4_dst = static_cast<uint16_t>(icmp ? below(3) : below(0x10000));
}

FlowKey RandomFlows::packet() {
  FlowKey key;
  key.in_port = {1 + below(1000)};
  if (below(3) == 0) key.tunnel = tunnel();
  key.eth_src = MacAddress::from_uint64(0x0200'0000'0000 + random_());
  key.eth_dst = below(4) == 0 ? MacAddress::broadcast() : MacAddress::from_uint64(0x0200'0000'0000 + random_());
  uint32_t tags = below(4);
  if (tags >= 2) key.vlan_tci = static_cast<uint16_t>(FlowKey::kVlanPresent | below(0x10000));
  if (tags == 3) key.inner_vlan_tci = static_cast<uint16_t>(FlowKey::kVlanPresent | below(0x10000));
  constexpr uint16_t kTypes[] = {ethertype::kIpv4, ethertype::kIpv4, ethertype::kIpv6,
                                 ethertype::kIpv6, ethertype::kArp,  ethertype::kLlc,
                                 0x88cc,           0x8035,           0x8847};
  key.eth_type = kTypes[below(9)];
  if (key.is_ip()) ip(key);
  if (key.eth_type == ethertype::kArp) {
    key.ip_src = address(IpFamily::v4);
    key.ip_dst = address(IpFamily::v4);
    key.ip_proto = static_cast<uint8_t>(1 + below(2));
  }
  return key;
}

FieldSet RandomFlows::mask(const FlowKey& packet) {
  uint32_t kind = below(4);
  if (kind == 0) return FieldSet::all();
  if (kind == 1) return FieldSet::ethernet();
  FieldSet mask = FieldSet::from_bits(random_());
  if (kind == 2) mask.add(FieldSet::ethernet());
  mask.add({Field::in_port, Field::eth_type});
  if (mask.has(Field::l4_src) || mask.has(Field::l4_dst)) mask.add(Field::ip_proto);
  // Tags that are not matched cannot stand around one that is.
  if (packet.vlan_tci != 0 && mask.has(Field::inner_vlan)) mask.add(Field::vlan);
  return mask;
}

void RandomFlows::translate(const FlowKey& packet, ActionList& out) {
  IpFamily family = packet.eth_type == ethertype::kIpv4 ? IpFamily::v4 : IpFamily::v6;
  if (below(2) == 0) out.push_back(SetIp{address(family), address(family)});
  SetPorts ports{static_cast<uint16_t>(below(65536)), static_cast<uint16_t>(below(65536))};
  if (below(2) == 0) out.push_back(ports);
}

ActionList RandomFlows::actions(const FlowKey& packet) {
  ActionList out;
  uint32_t translation = below(8);  // in front of which output, if any
  auto mac = [&] { return MacAddress::from_uint64(0x0200'0000'0000 + random_()); };
  uint32_t outputs = below(4), decrements = 0, checks = 0;
  for (uint32_t i = 0; i <= outputs; ++i) {
    if (below(2) == 0) out.push_back(SetEthernet{mac(), mac()});
    if (i == translation) translate(packet, out);
    if (below(2) == 0 && decrements++ < 8) out.push_back(DecrementTtl{});
    if (below(2) == 0 && checks++ < 3) out.push_back(CheckMtu{static_cast<uint16_t>(500 + below(9000))});
    if (i == outputs) break;
    if (below(3) == 0)
      out.push_back(TunnelOutput{{1 + below(1000)}, tunnel(), static_cast<uint8_t>(4 * below(64))});
    else
      out.push_back(Output{{1 + below(1000)}});
  }
  return out;
}

}  // namespace viaduct::flows
