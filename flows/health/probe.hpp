// What a health check sends: described by the check, made a frame when the router's address towards the member is known.
//
// Source ports, and the identifiers of echo requests, are of a range that neither guests' kernels (32768 to 60999) nor
// anything else of a router uses, so that answers can be told from what else comes to the router's address.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flows/packet/build.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows::health {

inline constexpr uint16_t kFirstPort = 61'440;
inline constexpr uint16_t kPorts = 4'096;  // to 65535
constexpr bool is_check_port(uint16_t port) { return port >= kFirstPort; }

enum class ProbeKind : uint8_t { tcp, udp, echo };

struct Probe {
  RouterId router;                // whose packet it is
  std::optional<IpAddress> from;  // the address that the check began with; none: the router's towards the member
  IpAddress to;
  ProbeKind kind = ProbeKind::tcp;
  uint16_t from_port = 0;  // echo: the identifier
  uint16_t to_port = 0;    // echo: the sequence number
  uint32_t sequence = 0, acknowledged = 0;
  uint8_t tcp_flags = 0;
  std::vector<uint8_t> payload = {};
};

// `from` is set. Without a destination MAC: the router finds the next hop when it sends it.
FrameBytes make_frame(const Probe& probe, const MacAddress& from_mac);

}  // namespace viaduct::flows::health
