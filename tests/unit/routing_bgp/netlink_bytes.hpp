// FPM frames, byte by byte: written from rtnetlink(7), not with the decoder's own words.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "topology/address/ip_address.hpp"

namespace viaduct::routing::bgp {

using ByteString = std::vector<uint8_t>;

// Numbers in this machine's order, as netlink has them.
template <class T>
void put(ByteString& out, T value) {
  for (size_t i = 0; i < sizeof value; ++i) out.push_back(reinterpret_cast<const uint8_t*>(&value)[i]);
}
inline void put16(ByteString& out, uint16_t value) { put(out, value); }
inline void put32(ByteString& out, uint32_t value) { put(out, value); }
inline ByteString operator+(ByteString a, const ByteString& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline ByteString u32(uint32_t value) {
  ByteString out;
  put32(out, value);
  return out;
}
inline ByteString bytes(const IpAddress& address) { return {address.bytes().begin(), address.bytes().end()}; }

inline ByteString attribute(uint16_t type, const ByteString& value) {
  ByteString out;
  put16(out, static_cast<uint16_t>(value.size() + 4));
  put16(out, type);
  out = out + value;
  while (out.size() % 4 != 0) out.push_back(0);
  return out;
}
// struct rtnexthop and its attributes.
inline ByteString leg(const ByteString& attributes) {
  ByteString out;
  put16(out, static_cast<uint16_t>(8 + attributes.size()));
  put16(out, 0);
  put32(out, 2);
  return out + attributes;
}

struct RouteBytes {
  uint8_t family = 2, length = 24, protocol = 186, table = 254, type = 1;
};
inline ByteString rtmsg(const RouteBytes& route, const ByteString& attributes) {
  return ByteString{route.family, route.length, 0, 0, route.table, route.protocol, 0, route.type, 0, 0, 0, 0} +
         attributes;
}
inline ByteString nhmsg(uint8_t family, const ByteString& attributes) {
  return ByteString{family, 0, 11, 0, 0, 0, 0, 0} + attributes;
}
inline ByteString message(uint16_t type, const ByteString& body) {
  ByteString out = u32(static_cast<uint32_t>(16 + body.size()));
  put16(out, type);
  put16(out, 0x501);
  return out + u32(0) + u32(0) + body;
}
inline ByteString frame_of(const ByteString& messages) {
  const size_t size = messages.size() + 4;
  return ByteString{1, 1, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)} + messages;
}
inline ByteString frame(uint16_t type, const ByteString& body) { return frame_of(message(type, body)); }

inline constexpr uint16_t kNewRoute = 24, kDelRoute = 25, kNewNextHop = 104, kDelNextHop = 105;

}  // namespace viaduct::routing::bgp
