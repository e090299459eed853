// A packet in words, as `viaduct trace` takes it.
//
//   icmp to 10.0.2.10                                   echo request
//   tcp from 10.0.1.10 to 10.0.2.10 dport 80 ttl 3
//   udp to fd00:2::10 sport 53 dport 5353 length 200 df
//   ip proto 47 to 10.0.2.10 tos 0x10
//   arp for 10.0.1.1                                    who-has; nd for fd00:1::1 solicits a neighbour
//   hex 0200000000010200…                               exactly these bytes
//
// Everywhere: smac, dmac, vlan. What is left out, the daemon fills from live state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/client/outcome.hpp"
#include "schema/admin.capnp.h"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::api {

struct PacketDescription {
  std::vector<uint8_t> frame;
  std::optional<MacAddress> source_mac, destination_mac;
  std::optional<IpAddress> source, destination;
  uint16_t vlan = 0;
  uint8_t protocol = 0;  // 0: echo request
  uint8_t ttl = 0;       // 0: the daemon's default
  uint8_t tos = 0;
  uint16_t source_port = 0, destination_port = 0;
  uint16_t length = 0;  // of the whole frame; 0: as short as it can be
  enum class Resolution : uint8_t { none, arp_or_nd } resolution = Resolution::none;
  enum class Fragmentation : uint8_t { allowed, forbidden } fragmentation = Fragmentation::allowed;

  friend bool operator==(const PacketDescription&, const PacketDescription&) = default;
};

Result<PacketDescription> parse_packet(const std::vector<std::string>& words);
void write_packet(const PacketDescription& packet, schema::PacketDescription::Builder builder);

// For the help and for completion.
const std::vector<std::string>& packet_words();

}  // namespace viaduct::api
