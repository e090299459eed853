#include "flows/datapath/ebpf/record.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <utility>

#include "flows/match/apply.hpp"

namespace viaduct::flows::ebpf {

namespace {

constexpr size_t kIpBytes = 16;

static_assert(offsetof(vd_key, in_port) == kVdTunnelKeyBytes && sizeof(vd_tunnel) == kVdTunnelKeyBytes);
static_assert(offsetof(vd_key, ip_src) == kVdTunnelKeyBytes + kVdEthernetKeyBytes);
static_assert(offsetof(vd_key, l4_src) == kVdTunnelKeyBytes + kVdAddressesKeyBytes);
static_assert(offsetof(vd_key, ip_ttl) == kVdTunnelKeyBytes + kVdPortsKeyBytes);
static_assert(sizeof(vd_key) == kVdTunnelKeyBytes + kVdExactKeyBytes);
static_assert(offsetof(vd_key, ip_dst) == offsetof(vd_key, ip_src) + kIpBytes && sizeof(vd_flow) == 224);
static_assert(sizeof(vd_port) == 64 && sizeof(vd_config) == 64);

constexpr FieldSet kEthernetFields{Field::in_port,    Field::eth_src,  Field::eth_dst,  Field::eth_type, Field::vlan,
                                   Field::inner_vlan, Field::ip_proto, Field::fragment, Field::tunnel};
constexpr FieldSet kAddressFields{Field::ip_src, Field::ip_dst, Field::ip_tos};
constexpr FieldSet kPortFields{Field::l4_src, Field::l4_dst};

// Addresses and ports are set once, so their values are not in the recipe again.
enum Op : uint8_t { kOpSetEthernet = 1, kOpDecrementTtl, kOpCheckMtu, kOpSetIp, kOpSetPorts };

// Appends to vd_flow::recipe; refuses when it is full.
class RecipeWriter {
 public:
  explicit RecipeWriter(vd_flow& record) : record_(record) {}
  bool put(const void* bytes, size_t count) {
    if (record_.recipe_bytes + count > kVdRecipeBytes) return false;
    std::memcpy(record_.recipe + record_.recipe_bytes, bytes, count);
    record_.recipe_bytes = static_cast<uint8_t>(record_.recipe_bytes + count);
    return true;
  }
  bool put(uint8_t op) { return put(&op, 1); }

 private:
  vd_flow& record_;
};

struct Compiler {
  vd_flow& record;
  const FlowKey& packet;
  TakenOutputs& taken;
  RecipeWriter recipe{record};

  bool operator()(const SetEthernet& set) {
    if (record.outputs != 0) return false;
    record.flags |= kVdSetEthernet;
    std::copy(set.dst.bytes().begin(), set.dst.bytes().end(), record.ethernet);
    std::copy(set.src.bytes().begin(), set.src.bytes().end(), record.ethernet + 6);
    return recipe.put(kOpSetEthernet) && recipe.put(record.ethernet, sizeof record.ethernet);
  }
  bool operator()(const SetIp& set) {
    if (record.outputs != 0 || (record.flags & kVdSetIp) != 0) return false;
    record.flags |= kVdSetIp;
    std::copy(set.src.bytes().begin(), set.src.bytes().end(), record.ip);
    std::copy(set.dst.bytes().begin(), set.dst.bytes().end(), record.ip + kIpBytes);
    return recipe.put(kOpSetIp);
  }
  bool operator()(const SetPorts& set) {
    // SCTP's CRC is beyond the program.
    if (record.outputs != 0 || (record.flags & kVdSetPorts) != 0 || packet.ip_proto == ip_proto::kSctp) return false;
    record.flags |= kVdSetPorts;
    record.ports[0] = set.src;
    record.ports[1] = set.dst;
    return recipe.put(kOpSetPorts);
  }
  bool operator()(const DecrementTtl&) {
    if (record.outputs != 0 || !packet.is_ip() || record.dec_ttl == kMaxDecrementTtl) return false;
    ++record.dec_ttl;
    return recipe.put(kOpDecrementTtl);
  }
  bool operator()(const CheckMtu& check) {
    if (record.outputs != 0 || check.mtu == 0) return false;
    if (record.mtu == 0 || check.mtu < record.mtu) record.mtu = check.mtu;
    return recipe.put(kOpCheckMtu) && recipe.put(&check.mtu, sizeof check.mtu);
  }
  bool operator()(const TunnelOutput& output) {
    if (record.outputs == kVdMaxOutputs) return false;
    std::optional<uint16_t> index = taken.take(output);
    if (index) record.output[record.outputs++] = static_cast<uint16_t>(kVdTunnelOutput | *index);
    return index.has_value();
  }
  bool operator()(const Output& output) {
    if (record.outputs == kVdMaxOutputs || output.port.value == 0 || output.port.value >= kVdMaxPorts) return false;
    record.output[record.outputs++] = static_cast<uint16_t>(output.port.value);
    return true;
  }
};

MacAddress mac_at(const uint8_t* bytes) {
  MacAddress::Bytes out;
  std::copy_n(bytes, out.size(), out.begin());
  return MacAddress(out);
}

IpAddress ip_at(const uint8_t* bytes, uint16_t eth_type) {
  return IpAddress::from_network(eth_type == ethertype::kIpv6 ? IpFamily::v6 : IpFamily::v4, bytes);
}

// The packets of a class's flow have addresses of the family of their type: parsed ones always do.
bool representable(const FlowKey& key, FieldSet mask) {
  IpFamily family = key.eth_type == ethertype::kIpv6 ? IpFamily::v6 : IpFamily::v4;
  return (!mask.has(Field::ip_src) || key.ip_src.family() == family) &&
         (!mask.has(Field::ip_dst) || key.ip_dst.family() == family);
}

}  // namespace

vd_class class_of(FieldSet mask, Entry entry) {
  auto of = [entry](vd_class plain) {
    return entry == Entry::plain ? plain : static_cast<vd_class>(kVdTunnelClass + plain);
  };
  FieldSet fields = kEthernetFields;
  if (fields.contains(mask)) return of(kVdEthernet);
  fields.add(kAddressFields);
  if (fields.contains(mask)) return of(kVdAddresses);
  fields.add(kPortFields);
  return of(fields.contains(mask) ? kVdPorts : kVdExact);
}

size_t key_bytes(vd_class of) {
  constexpr std::array<size_t, kVdTunnelClass> kBytes{kVdEthernetKeyBytes, kVdAddressesKeyBytes, kVdPortsKeyBytes,
                                                      kVdExactKeyBytes};
  return of < kVdTunnelClass ? kBytes[of] : kVdTunnelKeyBytes + kBytes[of - kVdTunnelClass];
}

size_t key_offset(vd_class of) { return of < kVdTunnelClass ? kVdTunnelKeyBytes : 0; }

vd_key to_kernel(const FlowKey& key, vd_class of) {
  vd_key out{};
  if (of >= kVdTunnelClass) out.tunnel = to_kernel(key.tunnel);
  out.in_port = key.in_port.value;
  std::copy(key.eth_src.bytes().begin(), key.eth_src.bytes().end(), out.eth_src);
  std::copy(key.eth_dst.bytes().begin(), key.eth_dst.bytes().end(), out.eth_dst);
  out.eth_type = key.eth_type < 0x600 ? ethertype::kLlc : key.eth_type;
  out.vlan_tci = key.vlan_tci;
  out.inner_vlan_tci = key.inner_vlan_tci;
  out.ip_proto = key.ip_proto;
  out.fragment = static_cast<uint8_t>(key.fragment);
  std::copy(key.ip_src.bytes().begin(), key.ip_src.bytes().end(), out.ip_src);
  std::copy(key.ip_dst.bytes().begin(), key.ip_dst.bytes().end(), out.ip_dst);
  out.ip_tos = key.ip_tos;
  out.l4_src = key.l4_src;
  out.l4_dst = key.l4_dst;
  out.ip_ttl = key.ip_ttl;
  size_t end = key_offset(of) + key_bytes(of);
  std::memset(reinterpret_cast<uint8_t*>(&out) + end, 0, sizeof out - end);
  return out;
}

FlowKey from_kernel(const vd_key& key, FieldSet mask) {
  FlowKey out;
  out.tunnel = from_kernel(key.tunnel);
  out.in_port = PortNumber{key.in_port};
  out.eth_src = mac_at(key.eth_src);
  out.eth_dst = mac_at(key.eth_dst);
  out.eth_type = key.eth_type;
  out.vlan_tci = key.vlan_tci;
  out.inner_vlan_tci = key.inner_vlan_tci;
  out.ip_proto = key.ip_proto;
  out.fragment = static_cast<Fragment>(key.fragment);
  out.ip_src = ip_at(key.ip_src, key.eth_type);
  out.ip_dst = ip_at(key.ip_dst, key.eth_type);
  out.ip_tos = key.ip_tos;
  out.l4_src = key.l4_src;
  out.l4_dst = key.l4_dst;
  out.ip_ttl = key.ip_ttl;
  return mask.apply(out);
}

std::optional<vd_flow> compile(const FlowInstall& install, TakenOutputs& outputs) {
  const Flow& flow = install.flow;
  if (!representable(install.packet_key, flow.mask)) return std::nullopt;
  if (!applicable(flow.actions.view(), install.packet_key)) return std::nullopt;
  vd_flow record{};
  record.id_high = flow.id.high;
  record.id_low = flow.id.low;
  record.mask = flow.mask.bits();
  Compiler compiler{record, install.packet_key, outputs};
  for (const Action& action : flow.actions) {
    if (!std::visit(compiler, action)) return std::nullopt;
  }
  // Rewrites that nothing leaves after would be lost from the recipe's meaning: such a flow is not one.
  if (record.outputs == 0 && record.recipe_bytes != 0) return std::nullopt;
  return record;
}

std::optional<ActionList> decompile(const vd_flow& record, uint16_t eth_type, const TunnelOutputs& outputs) {
  if (record.recipe_bytes > kVdRecipeBytes || record.outputs > kVdMaxOutputs) return std::nullopt;
  ActionList out;
  const uint8_t* end = record.recipe + record.recipe_bytes;
  for (const uint8_t* at = record.recipe; at != end;) {
    uint8_t op = *at++;
    if (op == kOpSetEthernet && end - at >= 12) {
      out.push_back(SetEthernet{mac_at(at + 6), mac_at(at)});
      at += 12;
    } else if (op == kOpSetIp) {
      out.push_back(SetIp{ip_at(record.ip, eth_type), ip_at(record.ip + kIpBytes, eth_type)});
    } else if (op == kOpSetPorts) {
      out.push_back(SetPorts{record.ports[0], record.ports[1]});
    } else if (op == kOpDecrementTtl) {
      out.push_back(DecrementTtl{});
    } else if (op == kOpCheckMtu && end - at >= 2) {
      CheckMtu check;
      std::memcpy(&check.mtu, at, sizeof check.mtu);
      out.push_back(check);
      at += 2;
    } else {
      return std::nullopt;
    }
  }
  for (size_t i = 0; i < record.outputs; ++i) {
    if ((record.output[i] & kVdTunnelOutput) == 0) {
      out.push_back(Output{PortNumber{record.output[i]}});
      continue;
    }
    std::optional<TunnelOutput> tunnel = outputs.at(record.output[i] & (kVdTunnelOutput - 1));
    if (!tunnel) return std::nullopt;
    out.push_back(*tunnel);
  }
  return out;
}

std::optional<Flow> to_flow(const vd_key& key, const vd_flow& record, const TunnelOutputs& outputs) {
  FieldSet mask = FieldSet::from_bits(record.mask);
  std::optional<ActionList> actions = decompile(record, key.eth_type, outputs);
  if (!actions || mask.bits() != record.mask) return std::nullopt;
  Flow flow{{record.id_high, record.id_low}, from_kernel(key, mask), mask, std::move(*actions)};
  if (flow.id != FlowId::of(flow.key, mask)) return std::nullopt;
  return flow;
}

bool same_actions(const vd_flow& a, const vd_flow& b) {
  return std::equal(a.ip, std::end(a.ip), b.ip) && std::equal(a.ports, std::end(a.ports), b.ports) &&
         a.outputs == b.outputs && a.recipe_bytes == b.recipe_bytes &&
         std::equal(a.output, a.output + a.outputs, b.output) &&
         std::equal(a.recipe, a.recipe + a.recipe_bytes, b.recipe);
}

}  // namespace viaduct::flows::ebpf
