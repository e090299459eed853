// A megaflow: which packets, and what becomes of them.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "flows/match/action.hpp"
#include "flows/match/field_set.hpp"
#include "flows/packet/flow_key.hpp"

namespace viaduct::flows {

// 128 bits computed from the masked key and the mask, so that the same megaflow has the same id in every worker and
// in every life of the daemon (Open vSwitch: UFID).
struct FlowId {
  uint64_t high = 0;
  uint64_t low = 0;
  static FlowId of(const FlowKey& masked_key, FieldSet mask);
  std::string to_string() const;  // 32 hexadecimal digits
  friend constexpr auto operator<=>(const FlowId&, const FlowId&) = default;
};

struct Flow {
  FlowId id;
  FlowKey key;  // already masked
  FieldSet mask;
  ActionList actions;

  static Flow make(const FlowKey& key, FieldSet mask, const ActionList& actions) {
    FlowKey masked = mask.apply(key);
    return {FlowId::of(masked, mask), masked, mask, actions};
  }
  bool matches(const FlowKey& packet) const { return mask.apply(packet) == key; }
  std::string match_to_string() const;  // "in_port=1 eth_type=0x0800 …", "any" when nothing is matched
  std::string to_string() const;        // one line: id, match, actions
};

}  // namespace viaduct::flows

template <>
struct std::hash<viaduct::flows::FlowId> {
  size_t operator()(const viaduct::flows::FlowId& id) const noexcept { return id.low; }
};
