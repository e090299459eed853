// Identifiers. Every object of the topology has a UUID; its type says of what, so a bridge's id cannot be passed
// where a port's is meant.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct {

// 128 bits, printed as RFC 4122 text. The all-zero value means "none".
class Uuid {
 public:
  using Bytes = std::array<uint8_t, 16>;

  constexpr Uuid() = default;
  constexpr explicit Uuid(Bytes bytes) : bytes_(bytes) {}
  static constexpr Uuid from_words(uint64_t high, uint64_t low) {
    Bytes bytes{};
    for (int i = 7; i >= 0; --i, high >>= 8, low >>= 8) {
      bytes[i] = static_cast<uint8_t>(high);
      bytes[i + 8] = static_cast<uint8_t>(low);
    }
    return Uuid(bytes);
  }
  static Uuid random();  // version 4, from the kernel's random source
  static std::optional<Uuid> parse(std::string_view text);

  constexpr bool is_nil() const { return *this == Uuid{}; }
  constexpr explicit operator bool() const { return !is_nil(); }
  constexpr const Bytes& bytes() const { return bytes_; }
  uint64_t high() const { return word(0); }
  uint64_t low() const { return word(8); }
  std::string to_string() const;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  uint64_t word(int at) const {
    uint64_t value;
    std::memcpy(&value, bytes_.data() + at, 8);
    return __builtin_bswap64(value);
  }
  Bytes bytes_{};
};

// A Uuid that knows of what kind its object is.
template <class Kind>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(Uuid uuid) : uuid_(uuid) {}
  static Id random() { return Id(Uuid::random()); }
  static std::optional<Id> parse(std::string_view text) {
    auto uuid = Uuid::parse(text);
    return uuid ? std::optional<Id>(Id(*uuid)) : std::nullopt;
  }
  constexpr const Uuid& uuid() const { return uuid_; }
  constexpr bool is_nil() const { return uuid_.is_nil(); }
  constexpr explicit operator bool() const { return !is_nil(); }
  std::string to_string() const { return uuid_.to_string(); }
  friend constexpr auto operator<=>(const Id&, const Id&) = default;

 private:
  Uuid uuid_;
};

using HostId = Id<struct HostKind>;
using BridgeId = Id<struct BridgeKind>;
using RouterId = Id<struct RouterKind>;
using PortId = Id<struct PortKind>;
using RouteId = Id<struct RouteKind>;
using StaticMacId = Id<struct StaticMacKind>;
using StaticNeighbourId = Id<struct StaticNeighbourKind>;
using TunnelZoneId = Id<struct TunnelZoneKind>;
using TunnelZoneHostId = Id<struct TunnelZoneHostKind>;
using ChainId = Id<struct ChainKind>;
using RuleId = Id<struct RuleKind>;
using PortGroupId = Id<struct PortGroupKind>;
using PortGroupPortId = Id<struct PortGroupPortKind>;
using IpGroupId = Id<struct IpGroupKind>;
using IpGroupAddressId = Id<struct IpGroupAddressKind>;
using LoadBalancerId = Id<struct LoadBalancerKind>;
using PoolId = Id<struct PoolKind>;
using PoolMemberId = Id<struct PoolMemberKind>;
using VipId = Id<struct VipKind>;
using HealthMonitorId = Id<struct HealthMonitorKind>;
using BgpPeerId = Id<struct BgpPeerKind>;
using BgpNetworkId = Id<struct BgpNetworkKind>;

}  // namespace viaduct

template <>
struct std::hash<viaduct::Uuid> {
  size_t operator()(const viaduct::Uuid& uuid) const noexcept {
    uint64_t high, low;
    std::memcpy(&high, uuid.bytes().data(), 8);
    std::memcpy(&low, uuid.bytes().data() + 8, 8);
    uint64_t mixed = (high * 0x9e37'79b9'7f4a'7c15ULL) ^ low;  // ids made by hand differ in few bits
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8'feb8'6659'fd93ULL;
    return static_cast<size_t>(mixed ^ (mixed >> 32));
  }
};
template <class Kind>
struct std::hash<viaduct::Id<Kind>> {
  size_t operator()(const viaduct::Id<Kind>& id) const noexcept { return std::hash<viaduct::Uuid>{}(id.uuid()); }
};
