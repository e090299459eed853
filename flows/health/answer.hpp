// What came back of a health check. It arrives where the member is, and is told to the host that checks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "flows/health/probe.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows::health {

struct Answer {
  enum class Kind : uint8_t {
    packet,       // of the member: a TCP segment, a datagram, an echo reply
    unreachable,  // ICMP: the probe did not get there; code: ICMP's
    no_neighbour  // the router has no next hop for the probe
  };
  RouterId router;  // that the probe came from
  Kind kind = Kind::packet;
  ProbeKind of = ProbeKind::tcp;
  IpAddress from, to;                   // the member, and the router's address
  uint16_t from_port = 0, to_port = 0;  // as Probe's to_port and from_port
  uint32_t sequence = 0, acknowledged = 0;
  uint8_t tcp_flags = 0;
  uint8_t code = 0;
  uint32_t payload_bytes = 0;         // behind the TCP header
  std::vector<uint8_t> payload = {};  // its beginning
  friend bool operator==(const Answer&, const Answer&) = default;
};
inline constexpr size_t kMaxPayload = 64;  // a status line's beginning

// Whether a packet to a router's own address may be an answer, by what its FlowKey says: only then the rest is looked at.
bool may_be_answer(const FlowKey& key);
// Nothing for what is no answer of a member, is a fragment, or has a wrong checksum. `packet` is as the router got it.
std::optional<Answer> parse_answer(const Packet& packet, RouterId router);
// "There is no next hop", about a probe; nothing for what is none.
std::optional<Answer> no_neighbour_for(const Packet& probe, RouterId router);

// Between hosts: an Ethernet frame with the ethertype 0x88B5 under a tunnel key that no port ever has. Numbers are in
// network order; offsets from the Ethernet payload:
//
//   0  magic "VDHC"     4  version (1)     5  kind     6  of         7  address family, 4 or 6
//   8  router          24  from           40  to (16 bytes each; IPv4 in the first four)
//  56  from port       58  to port        60  sequence              64  acknowledged
//  68  TCP flags       69  code           70  bytes of payload here 72  payload's length     76  payload
//
// A decoder takes exactly as many bytes as that says, and nothing out of range.
inline constexpr uint32_t kAnswerKey = 0xff'fffd;
inline constexpr uint8_t kAnswerTos = 0xc0;  // of the outer header: CS6, network control (RFC 4594 3.1)
inline constexpr size_t kMaxAnswerFrame = 14 + 76 + kMaxPayload;
std::vector<uint8_t> encode(const Answer& answer);
enum class AnswerError : uint8_t { wrong_length, not_an_answer, unknown_version, bad_value };
std::string_view to_string(AnswerError error);
std::variant<Answer, AnswerError> decode_answer(std::span<const uint8_t> frame);

}  // namespace viaduct::flows::health
