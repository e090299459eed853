// IPv4 and IPv6 addresses and prefixes, one type for both families.
//
// An address is a family and 16 bytes in network order; an IPv4 address uses the first four, the rest are zero.
// The families never compare equal: 0.0.0.0 is not ::, and ::ffff:1.2.3.4 stays an IPv6 address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "topology/address/mac_address.hpp"

namespace viaduct {

enum class IpFamily : uint8_t { v4 = 4, v6 = 6 };

class IpAddress {
 public:
  using Bytes = std::array<uint8_t, 16>;

  constexpr IpAddress() = default;  // 0.0.0.0
  static constexpr IpAddress v4(uint32_t host_order) {
    IpAddress out;
    for (int i = 3; i >= 0; --i, host_order >>= 8) out.bytes_[i] = static_cast<uint8_t>(host_order);
    return out;
  }
  static constexpr IpAddress v6(const Bytes& network_order) {
    IpAddress out;
    out.family_ = IpFamily::v6;
    out.bytes_ = network_order;
    return out;
  }
  static constexpr IpAddress any(IpFamily family) { return family == IpFamily::v4 ? IpAddress{} : v6({}); }
  // `network_order` holds at least address_bytes(family) bytes.
  static IpAddress from_network(IpFamily family, const uint8_t* network_order);
  // Dotted quad (four decimal parts) or RFC 4291 text; no zone, no prefix length.
  static std::optional<IpAddress> parse(std::string_view text);

  constexpr IpFamily family() const { return family_; }
  constexpr bool is_v4() const { return family_ == IpFamily::v4; }
  constexpr bool is_v6() const { return family_ == IpFamily::v6; }
  // 4 or 16 bytes, network order.
  std::span<const uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  constexpr const Bytes& storage() const { return bytes_; }
  constexpr uint32_t v4_host_order() const {
    return uint32_t{bytes_[0]} << 24 | uint32_t{bytes_[1]} << 16 | uint32_t{bytes_[2]} << 8 | bytes_[3];
  }
  constexpr int width_bits() const { return is_v4() ? 32 : 128; }
  // Bit 0 is the most significant.
  constexpr bool bit(int index) const { return (bytes_[index / 8] >> (7 - index % 8) & 1) != 0; }

  bool is_any() const;                // 0.0.0.0, ::
  bool is_multicast() const;          // 224.0.0.0/4, ff00::/8
  bool is_limited_broadcast() const;  // 255.255.255.255
  bool is_loopback() const;           // 127.0.0.0/8, ::1
  bool is_link_local() const;         // 169.254.0.0/16, fe80::/10
  // ff02::1:ffXX:XXXX of an IPv6 address (RFC 4291, 2.7.1).
  IpAddress solicited_node() const;
  // The Ethernet group address of a multicast address (RFC 1112 6.4, RFC 2464 7).
  MacAddress multicast_mac() const;
  // fe80:: with the modified EUI-64 of `mac` (RFC 4291, appendix A).
  static IpAddress link_local_of(MacAddress mac);

  std::string to_string() const;  // RFC 5952 for IPv6

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  IpFamily family_ = IpFamily::v4;
  Bytes bytes_{};
};

constexpr int address_bytes(IpFamily family) { return family == IpFamily::v4 ? 4 : 16; }

// An address with a prefix length. As the address of an interface it keeps the host part (10.0.0.1/24); as the
// destination of a route it is used in network() form (10.0.0.0/24).
class IpPrefix {
 public:
  constexpr IpPrefix() = default;  // 0.0.0.0/0
  // `length` is at most address.width_bits().
  constexpr IpPrefix(IpAddress address, int length) : address_(address), length_(static_cast<uint8_t>(length)) {}
  static constexpr IpPrefix host(IpAddress address) { return {address, address.width_bits()}; }
  static constexpr IpPrefix any(IpFamily family) { return {IpAddress::any(family), 0}; }
  // "address/length"; a bare address is a host prefix.
  static std::optional<IpPrefix> parse(std::string_view text);

  constexpr const IpAddress& address() const { return address_; }
  constexpr IpFamily family() const { return address_.family(); }
  constexpr int length() const { return length_; }
  constexpr bool is_host() const { return length_ == address_.width_bits(); }
  bool contains(const IpAddress& address) const;
  bool contains(const IpPrefix& other) const;
  bool overlaps(const IpPrefix& other) const { return contains(other) || other.contains(*this); }
  IpPrefix network() const;  // host bits cleared
  bool has_host_bits() const { return network().address_ != address_; }
  // All host bits set; only IPv4 prefixes of at most 30 bits have one (RFC 3021 for /31).
  std::optional<IpAddress> broadcast() const;
  std::string to_string() const;  // "10.0.0.1/24"

  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;

 private:
  IpAddress address_;
  uint8_t length_ = 0;
};

}  // namespace viaduct

template <>
struct std::hash<viaduct::IpAddress> {
  size_t operator()(const viaduct::IpAddress& ip) const noexcept {
    uint64_t high, low;
    std::memcpy(&high, ip.storage().data(), 8);
    std::memcpy(&low, ip.storage().data() + 8, 8);
    uint64_t mixed = (high ^ static_cast<uint64_t>(ip.family())) * 0x9e37'79b9'7f4a'7c15ULL;
    return static_cast<size_t>((mixed ^ mixed >> 29 ^ low) * 0xbf58'476d'1ce4'e5b9ULL);
  }
};
template <>
struct std::hash<viaduct::IpPrefix> {
  size_t operator()(const viaduct::IpPrefix& prefix) const noexcept {
    return std::hash<viaduct::IpAddress>{}(prefix.address()) * 131 + static_cast<size_t>(prefix.length());
  }
};
