// The liveness probe as it stands in a tunnel: an Ethernet frame of fixed length with the ethertype that IEEE 802 leaves to
// local experiments (0x88B5), under the tunnel key kProbeKey, which no port ever has. It goes through the same tunnel as
// guests' frames, so it proves what they need.
//
// All numbers are in network order. Offsets from the Ethernet payload:
//
//   0  magic "VDPB"         4  version (1)       5  state            6  multiplier     7  reserved (0; not read)
//   8  my discriminator    12  your discriminator
//  16  desired interval    20  required interval, microseconds
//  24  sequence            32  heard: highest sequence              40  heard: how many
//  48  sent at             56  echo: sent at     64  echo: delay    microseconds; of the sender's, opaque to the receiver
//  72  sender, host id     88  receiver, host id                   104  end
//
// A decoder takes exactly this length and nothing out of range; another version is refused as such.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "topology/address/id.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::routing::underlay {

inline constexpr uint16_t kProbeEthertype = 0x88b5;  // IEEE 802: local experimental ethertype 1
inline constexpr uint8_t kProbeVersion = 1;
inline constexpr uint8_t kProbeTos = 0xc0;  // of the outer header: CS6, network control (RFC 4594 3.1)
inline constexpr size_t kProbePayloadBytes = 104;
inline constexpr size_t kProbeFrameBytes = 14 + kProbePayloadBytes;
// What a probe may say of its sender's pace; limits how long a lie can keep a dead peer up.
inline constexpr std::chrono::microseconds kMinProbeInterval{10'000};
inline constexpr std::chrono::microseconds kMaxProbeInterval{10'000'000};
inline constexpr uint8_t kMaxMultiplier = 20;

// RFC 5880 4.1, same numbers.
enum class LivenessState : uint8_t { admin_down, down, init, up };
inline constexpr size_t kLivenessStates = 4;
const char* to_string(LivenessState state);

struct Probe {
  using Microseconds = std::chrono::duration<uint64_t, std::micro>;

  HostId sender, receiver;
  LivenessState state = LivenessState::down;
  uint8_t multiplier = 3;           // intervals of silence until the sender counts as dead; 1 to kMaxMultiplier
  uint32_t my_discriminator = 0;    // of this life of the sender; never 0
  uint32_t your_discriminator = 0;  // of the receiver, as last heard; 0: not heard yet
  std::chrono::microseconds desired_interval{1'000'000};   // at which the sender sends, at least kMinProbeInterval
  std::chrono::microseconds required_interval{1'000'000};  // faster than which the receiver must not send
  uint64_t sequence = 0;                                   // 1, 2, 3, … under one discriminator
  uint64_t heard_highest = 0;                              // of the receiver's sequence numbers
  uint64_t heard_count = 0;                                // how many different ones
  Microseconds sent_at{0};
  Microseconds echo_sent_at{0};  // of the probe `heard_highest`
  Microseconds echo_delay{0};    // from hearing it to sending this
  friend bool operator==(const Probe&, const Probe&) = default;
};

enum class ProbeError : uint8_t {
  wrong_length,
  not_a_probe,  // other ethertype or magic
  unknown_version,
  bad_state,
  bad_multiplier,
  bad_discriminator,  // the sender's is 0
  bad_interval,
  bad_sequence,  // 0, or more heard than sent
  bad_host,      // nil
};
inline constexpr size_t kProbeErrors = 9;
const char* to_string(ProbeError error);

// Locally administered, made of the host's id; who it is the payload says.
MacAddress probe_mac(HostId host);
using ProbeFrame = std::array<uint8_t, kProbeFrameBytes>;
// `probe` is within the limits above.
ProbeFrame encode(const Probe& probe);
std::variant<Probe, ProbeError> decode_probe(std::span<const uint8_t> frame);

}  // namespace viaduct::routing::underlay
