// Flow records in few words.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "flows/table/flow_index.hpp"

namespace viaduct::flows {

using Index = FlowIndex<std::string>;
using Record = FlowRecord<std::string>;

inline FlowId flow_id(uint64_t number) { return {number, number * 0x9e37'79b9'7f4a'7c15ULL}; }
inline RouterId router_id(uint64_t number) { return RouterId(Uuid::from_words(5, number)); }

inline Record record(uint64_t number, uint32_t port, std::initializer_list<uint64_t> tags = {}) {
  Record out;
  out.id = flow_id(number);
  out.in_port = {port};
  for (uint64_t tag : tags) out.tags.push_back({tag});
  out.attachment = "flow " + std::to_string(number);
  return out;
}
inline Record routed(uint64_t number, uint64_t router, std::string_view address) {
  Record out = record(number, 1);
  out.routed.push_back({router_id(router), IpAddress::parse(address).value()});
  return out;
}

}  // namespace viaduct::flows
