// Ethernet hardware addresses (EUI-48, IEEE 802). Bytes are kept in the order of the wire.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct {

class MacAddress {
 public:
  using Bytes = std::array<uint8_t, 6>;

  constexpr MacAddress() = default;
  constexpr explicit MacAddress(Bytes bytes) : bytes_(bytes) {}

  // The low 48 bits of `value`; the first byte on the wire is the most significant one.
  static constexpr MacAddress from_uint64(uint64_t value) {
    Bytes bytes{};
    for (int i = 5; i >= 0; --i, value >>= 8) bytes[i] = static_cast<uint8_t>(value);
    return MacAddress(bytes);
  }
  static constexpr MacAddress broadcast() { return from_uint64(0xffff'ffff'ffff); }

  // Six two-digit hexadecimal groups separated by ':' or '-'; nothing else.
  static std::optional<MacAddress> parse(std::string_view text);

  constexpr const Bytes& bytes() const { return bytes_; }
  constexpr uint64_t as_uint64() const {
    uint64_t value = 0;
    for (uint8_t byte : bytes_) value = value << 8 | byte;
    return value;
  }
  // The group bit (IEEE 802, I/G): broadcast counts as multicast.
  constexpr bool is_multicast() const { return (bytes_[0] & 1) != 0; }
  constexpr bool is_broadcast() const { return as_uint64() == 0xffff'ffff'ffff; }
  constexpr bool is_zero() const { return as_uint64() == 0; }
  std::string to_string() const;

  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

 private:
  Bytes bytes_{};
};

}  // namespace viaduct

template <>
struct std::hash<viaduct::MacAddress> {
  size_t operator()(const viaduct::MacAddress& mac) const noexcept {
    return static_cast<size_t>(mac.as_uint64() * 0x9e37'79b9'7f4a'7c15ULL);
  }
};
