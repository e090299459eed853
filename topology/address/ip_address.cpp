#include "topology/address/ip_address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace viaduct {

IpAddress IpAddress::from_network(IpFamily family, const uint8_t* network_order) {
  IpAddress out;
  out.family_ = family;
  std::memcpy(out.bytes_.data(), network_order, static_cast<size_t>(address_bytes(family)));
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  if (std::strlen(buffer) != text.size()) return std::nullopt;
  Bytes bytes{};
  if (inet_pton(AF_INET, buffer, bytes.data()) == 1) return from_network(IpFamily::v4, bytes.data());
  if (inet_pton(AF_INET6, buffer, bytes.data()) == 1) return v6(bytes);
  return std::nullopt;
}

bool IpAddress::is_any() const { return bytes_ == Bytes{}; }
bool IpAddress::is_multicast() const { return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff; }
bool IpAddress::is_limited_broadcast() const { return is_v4() && v4_host_order() == 0xffff'ffff; }
bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  Bytes one{};
  one[15] = 1;
  return bytes_ == one;
}
bool IpAddress::is_link_local() const {
  return is_v4() ? bytes_[0] == 169 && bytes_[1] == 254 : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

IpAddress IpAddress::solicited_node() const {
  return v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, bytes_[13], bytes_[14], bytes_[15]});
}

MacAddress IpAddress::multicast_mac() const {
  if (is_v4()) {
    return MacAddress({0x01, 0x00, 0x5e, static_cast<uint8_t>(bytes_[1] & 0x7f), bytes_[2], bytes_[3]});
  }
  return MacAddress({0x33, 0x33, bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

IpAddress IpAddress::link_local_of(MacAddress mac) {
  const auto& m = mac.bytes();
  return v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]});
}

std::string IpAddress::to_string() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), buffer, sizeof buffer);
  return buffer;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  auto slash = text.find('/');
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return host(*address);
  std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  bool whole = error == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
  if (!whole || length > static_cast<unsigned>(address->width_bits())) return std::nullopt;
  return IpPrefix(*address, static_cast<int>(length));
}

bool IpPrefix::contains(const IpAddress& address) const {
  if (address.family() != family()) return false;
  int whole = length_ / 8;
  if (std::memcmp(address.storage().data(), address_.storage().data(), static_cast<size_t>(whole)) != 0) return false;
  int rest = length_ % 8;
  if (rest == 0) return true;
  auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((address.storage()[whole] ^ address_.storage()[whole]) & mask) == 0;
}

bool IpPrefix::contains(const IpPrefix& other) const { return other.length_ >= length_ && contains(other.address_); }

IpPrefix IpPrefix::network() const {
  IpAddress::Bytes bytes = address_.storage();
  for (int i = 0; i < 16; ++i) {
    int kept = length_ - i * 8;
    if (kept >= 8) continue;
    bytes[i] = kept <= 0 ? 0 : static_cast<uint8_t>(bytes[i] & (0xff << (8 - kept)));
  }
  return {IpAddress::from_network(family(), bytes.data()), length_};
}

std::optional<IpAddress> IpPrefix::broadcast() const {
  if (family() != IpFamily::v4 || length_ > 30) return std::nullopt;
  return IpAddress::v4(address_.v4_host_order() | (length_ == 0 ? 0xffff'ffffU : (1U << (32 - length_)) - 1));
}

std::string IpPrefix::to_string() const { return address_.to_string() + "/" + std::to_string(length_); }

}  // namespace viaduct
