// Which connections an operator means. What is not set fits all.
#pragma once

#include <cstdint>
#include <optional>

#include "flows/state/connection_table.hpp"

namespace viaduct::actors {

struct ConnectionFilter {
  std::optional<flows::ConnectionKind> kind;
  std::optional<uint8_t> proto;
  std::optional<IpPrefix> src, dst;  // of the key
  std::optional<uint16_t> port;      // either one of the key, or the translated one
  std::optional<flows::ConnectionState> state;
  Uuid device;  // nil: any

  bool matches(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry) const {
    return (!kind || key.kind == *kind) && (!proto || key.proto == *proto) && (!src || src->contains(key.src)) &&
           (!dst || dst->contains(key.dst)) &&
           (!port || key.src_port == *port || key.dst_port == *port || entry.port == *port) &&
           (!state || entry.state() == *state) && (device.is_nil() || key.device == device);
  }
  friend bool operator==(const ConnectionFilter&, const ConnectionFilter&) = default;
};

}  // namespace viaduct::actors
