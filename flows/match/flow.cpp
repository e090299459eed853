#include "flows/match/flow.hpp"

#include <cstdio>
#include <cstring>

#include "flows/match/siphash.hpp"

namespace viaduct::flows {

namespace {

// Arbitrary and for ever: another key means another id for every megaflow, so that nothing is adopted after an upgrade.
constexpr uint64_t kKey0 = 0x7669'6164'7563'7430;
constexpr uint64_t kKey1 = 0x6d65'6761'666c'6f77;

void add_address(SipHash128& hash, const IpAddress& address) {
  uint64_t words[2];
  std::memcpy(words, address.storage().data(), sizeof words);
  hash.add(words[0]);
  hash.add(words[1]);
}

std::string hex(uint32_t value) {
  char text[12];
  std::snprintf(text, sizeof text, "0x%04x", value);
  return text;
}

const char* name(Fragment fragment) {
  switch (fragment) {
    case Fragment::none:
      return "no";
    case Fragment::first:
      return "first";
    case Fragment::later:
      break;
  }
  return "later";
}

// "tci=0x100a" is not for people: priority and id, or "none".
std::string tag_text(uint16_t tci) {
  if ((tci & FlowKey::kVlanPresent) == 0) return "none";
  std::string out = std::to_string(tci & 0x0fff);
  if (tci >> 13 != 0) out += "/pcp" + std::to_string(tci >> 13);
  return out;
}

std::string value_text(const FlowKey& key, Field field) {
  switch (field) {
    case Field::in_port:
      return std::to_string(key.in_port.value);
    case Field::eth_src:
      return key.eth_src.to_string();
    case Field::eth_dst:
      return key.eth_dst.to_string();
    case Field::eth_type:
      return hex(key.eth_type);
    case Field::vlan:
      return tag_text(key.vlan_tci);
    case Field::inner_vlan:
      return tag_text(key.inner_vlan_tci);
    case Field::ip_src:
      return key.ip_src.to_string();
    case Field::ip_dst:
      return key.ip_dst.to_string();
    case Field::ip_proto:
      return std::to_string(key.ip_proto);
    case Field::ip_tos:
      return hex(key.ip_tos);
    case Field::ip_ttl:
      return std::to_string(key.ip_ttl);
    case Field::fragment:
      return name(key.fragment);
    case Field::l4_src:
      return std::to_string(key.l4_src);
    case Field::l4_dst:
      return std::to_string(key.l4_dst);
    case Field::tunnel:
      return key.tunnel.present() ? key.tunnel.to_string() : "none";
    case Field::count_:
      break;
  }
  return {};
}

}  // namespace

FlowId FlowId::of(const FlowKey& key, FieldSet mask) {
  SipHash128 hash(kKey0, kKey1);
  hash.add(uint64_t{mask.bits()} << 32 | key.in_port.value);
  hash.add(key.eth_src.as_uint64() << 16 | key.eth_type);
  hash.add(key.eth_dst.as_uint64() << 16 | key.vlan_tci);
  add_address(hash, key.ip_src);
  add_address(hash, key.ip_dst);
  hash.add(uint64_t{static_cast<uint8_t>(key.ip_src.family())} << 56 |
           uint64_t{static_cast<uint8_t>(key.ip_dst.family())} << 48 | uint64_t{key.ip_proto} << 40 |
           uint64_t{key.ip_tos} << 32 | uint64_t{key.ip_ttl} << 24 |
           uint64_t{static_cast<uint8_t>(key.fragment)} << 16 | key.inner_vlan_tci);
  hash.add(uint64_t{key.l4_src} << 16 | key.l4_dst);
  if (mask.has(Field::tunnel)) {  // the ids of all others are as they were before there were tunnels
    hash.add(uint64_t{static_cast<uint8_t>(key.tunnel.src.family())} << 32 | key.tunnel.key);
    add_address(hash, key.tunnel.src);
    add_address(hash, key.tunnel.dst);
  }
  Hash128 result = hash.finish();
  return {result.high, result.low};
}

std::string FlowId::to_string() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

std::string Flow::match_to_string() const {
  std::string out;
  for (unsigned i = 0; i < static_cast<unsigned>(Field::count_); ++i) {
    auto field = static_cast<Field>(i);
    if (!mask.has(field)) continue;
    if (!out.empty()) out += ' ';
    out += FieldSet{field}.to_string() + "=" + value_text(key, field);
  }
  return out.empty() ? "any" : out;
}

std::string Flow::to_string() const {
  return id.to_string() + " " + match_to_string() + " actions=" + flows::to_string(actions.view());
}

}  // namespace viaduct::flows
