// The set of FlowKey fields that a decision has read: a megaflow's mask. A field is matched whole or not at all, so
// the number of distinct masks is bounded by the program and not by the traffic (no tuple-space explosion).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "flows/packet/flow_key.hpp"

namespace viaduct::flows {

enum class Field : uint8_t {
  in_port,
  eth_src,
  eth_dst,
  eth_type,
  vlan,
  inner_vlan,
  ip_src,
  ip_dst,
  ip_proto,
  ip_tos,
  ip_ttl,
  fragment,
  l4_src,
  l4_dst,
  tunnel,
  count_,
};

class FieldSet {
 public:
  constexpr FieldSet() = default;
  constexpr FieldSet(std::initializer_list<Field> fields) {
    for (Field field : fields) add(field);
  }
  static constexpr FieldSet from_bits(uint32_t bits) {
    FieldSet out;
    out.bits_ = bits & ((1U << static_cast<unsigned>(Field::count_)) - 1);
    return out;
  }
  static constexpr FieldSet all() { return from_bits(~0U); }
  // What every flow matches: where the packet came in and its Ethernet header.
  static constexpr FieldSet ethernet() {
    return {Field::in_port, Field::eth_src, Field::eth_dst, Field::eth_type, Field::vlan};
  }

  constexpr void add(Field field) { bits_ |= 1U << static_cast<unsigned>(field); }
  constexpr void add(FieldSet other) { bits_ |= other.bits_; }
  constexpr bool has(Field field) const { return (bits_ >> static_cast<unsigned>(field) & 1) != 0; }
  constexpr bool contains(FieldSet other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr uint32_t bits() const { return bits_; }
  // `key` with every field outside the set zeroed: equal for all packets of one megaflow.
  FlowKey apply(const FlowKey& key) const;
  std::string to_string() const;  // "in_port,eth_src,…"

  friend constexpr auto operator<=>(const FieldSet&, const FieldSet&) = default;

 private:
  uint32_t bits_ = 0;
};

}  // namespace viaduct::flows
