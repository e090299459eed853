// What the tests of packets share: bytes from hexadecimal text, and a seeded generator of well-formed frames.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "flows/packet/packet.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {

using Bytes = std::vector<uint8_t>;

inline constexpr PortNumber kPort{7};

inline Bytes from_hex(std::string_view text) {
  auto digit = [](char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return out;
}

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline MacAddress mac(std::string_view text) { return MacAddress::parse(text).value(); }

inline PacketBuilder v4() {
  return PacketBuilder{}.eth("02:00:00:00:00:01", "02:00:00:00:00:02").ip("10.0.0.1", "10.0.0.2");
}
inline PacketBuilder v6() {
  return PacketBuilder{}.eth("02:00:00:00:00:01", "02:00:00:00:00:02").ip("2001:db8::1", "2001:db8::2");
}

// Well-formed frames of every kind that the parser knows, chosen by a seed.
class FrameGenerator {
 public:
  explicit FrameGenerator(uint32_t seed) : random_(seed) {}

  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

  Bytes next() {
    bool four = below(2) == 0;
    PacketBuilder builder = four ? v4() : v6();
    for (uint32_t tags = below(3); tags > 0; --tags) {
      builder.vlan(static_cast<uint16_t>(below(4096)), static_cast<uint8_t>(below(8)),
                   below(2) == 0 ? ethertype::kVlan : ethertype::kQinQ);
    }
    builder.ttl(static_cast<uint8_t>(below(256))).tos(static_cast<uint8_t>(below(256))).identification(below(65536));
    four ? add_v4_parts(builder) : add_v6_parts(builder);
    add_l4(builder);
    builder.payload(below(8) == 0 ? below(9000) : below(200));
    if (below(4) == 0) builder.pad_to(60 + below(20));
    return builder.build();
  }

 private:
  void add_v4_parts(PacketBuilder& builder) {
    static constexpr uint8_t kOptions[] = {0x94, 4, 0, 0, 1, 1, 7, 7, 4, 1, 2, 3, 4};
    if (below(3) == 0) builder.ip_options(std::span(kOptions).first(below(2) == 0 ? 4 : sizeof kOptions));
    if (below(6) == 0) builder.fragment(8 * size_t{below(3)}, true);
  }
  void add_v6_parts(PacketBuilder& builder) {
    static constexpr uint8_t kTypes[] = {0, 43, 51, 60};
    static constexpr uint8_t kBody[32] = {};
    for (uint32_t count = below(3) == 0 ? below(6) : 0; count > 0; --count) {
      builder.extension(kTypes[below(4)], std::span(kBody).first(below(sizeof kBody)));
    }
    if (below(6) == 0) builder.fragment(8 * size_t{below(3)}, true);
  }
  void add_l4(PacketBuilder& builder) {
    static constexpr uint8_t kTcpOptions[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    auto a = static_cast<uint16_t>(below(65536)), b = static_cast<uint16_t>(below(65536));
    switch (below(5)) {
      case 0:
      case 1:
        builder.tcp(a, b, static_cast<uint8_t>(below(64)), below(~0U), below(~0U));
        if (below(2) == 0) builder.tcp_options(kTcpOptions);
        break;
      case 2:
        builder.udp(a, b);
        break;
      case 3:
        builder.icmp_echo_request(a, b);
        break;
      default:
        builder.protocol(static_cast<uint8_t>(200 + below(50)));
    }
  }

  std::mt19937 random_;
};

// A copy of a packet's bytes at the end of their own allocation, so that AddressSanitizer sees a read behind them.
inline Bytes exact(std::span<const uint8_t> bytes) { return Bytes(bytes.begin(), bytes.end()); }

}  // namespace viaduct::flows
