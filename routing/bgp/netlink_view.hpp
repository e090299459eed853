// Reading netlink bytes that may contradict themselves: nothing here reads outside what it was given.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace viaduct::routing::bgp {

using Bytes = std::span<const uint8_t>;

// A fixed struct at the beginning; nothing: too short.
template <class T>
std::optional<T> read_header(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T out;
  std::memcpy(&out, bytes.data(), sizeof out);
  return out;
}

constexpr size_t aligned(size_t size) { return (size + 3) & ~size_t{3}; }
inline Bytes rest_after(Bytes bytes, size_t size) { return bytes.subspan(std::min(aligned(size), bytes.size())); }

struct Attribute {
  uint16_t type = 0;  // without flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER)
  Bytes value;
  std::optional<uint32_t> u32() const { return value.size() == 4 ? read_header<uint32_t>(value) : std::nullopt; }
};

// Calls `visit(Attribute)` for each; false: a length is wrong (those before it have been visited).
template <class Visit>
bool for_each_attribute(Bytes bytes, Visit visit) {
  struct Header {
    uint16_t length, type;
  };
  while (!bytes.empty()) {
    const auto header = read_header<Header>(bytes);
    if (!header || header->length < sizeof(Header) || header->length > bytes.size()) return false;
    visit(Attribute{static_cast<uint16_t>(header->type & 0x3fff),
                    bytes.subspan(sizeof(Header), header->length - sizeof(Header))});
    bytes = rest_after(bytes, header->length);
  }
  return true;
}

}  // namespace viaduct::routing::bgp
