#include "routing/underlay/probe_frame.hpp"

#include <algorithm>
#include <optional>

namespace viaduct::routing::underlay {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr uint32_t kMagic = 0x5644'5042;  // "VDPB"

// Offsets in the frame, as drawn in the header file.
enum : size_t {
  kDestination = 0,
  kSource = 6,
  kEthertype = 12,
  kMagicAt = kEthernetBytes,
  kVersion = kEthernetBytes + 4,
  kState = kEthernetBytes + 5,
  kMultiplier = kEthernetBytes + 6,
  kMyDiscriminator = kEthernetBytes + 8,
  kYourDiscriminator = kEthernetBytes + 12,
  kDesired = kEthernetBytes + 16,
  kRequired = kEthernetBytes + 20,
  kSequence = kEthernetBytes + 24,
  kHeardHighest = kEthernetBytes + 32,
  kHeardCount = kEthernetBytes + 40,
  kSentAt = kEthernetBytes + 48,
  kEchoSentAt = kEthernetBytes + 56,
  kEchoDelay = kEthernetBytes + 64,
  kSender = kEthernetBytes + 72,
  kReceiver = kEthernetBytes + 88,
};

template <class Number>
void put(ProbeFrame& frame, size_t at, Number number) {
  for (size_t i = sizeof(Number); i-- > 0; number = static_cast<Number>(uint64_t{number} >> 8)) {
    frame[at + i] = static_cast<uint8_t>(number);
  }
}

template <class Bytes>
void put_bytes(ProbeFrame& frame, size_t at, const Bytes& bytes) {
  std::copy(bytes.begin(), bytes.end(), frame.begin() + static_cast<ptrdiff_t>(at));
}

template <class Number>
Number get(std::span<const uint8_t> frame, size_t at) {
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) number = number << 8 | frame[at + i];
  return static_cast<Number>(number);
}

HostId get_host(std::span<const uint8_t> frame, size_t at) {
  Uuid::Bytes bytes;
  std::copy_n(frame.begin() + static_cast<ptrdiff_t>(at), bytes.size(), bytes.begin());
  return HostId(Uuid(bytes));
}

// What has to hold before any other byte is looked at.
std::optional<ProbeError> framing_error(std::span<const uint8_t> frame) {
  if (frame.size() < kEthernetBytes + 5) return ProbeError::wrong_length;
  if (get<uint16_t>(frame, kEthertype) != kProbeEthertype || get<uint32_t>(frame, kMagicAt) != kMagic) {
    return ProbeError::not_a_probe;
  }
  if (frame[kVersion] != kProbeVersion) return ProbeError::unknown_version;  // whose length may be another
  if (frame.size() != kProbeFrameBytes) return ProbeError::wrong_length;
  return std::nullopt;
}

bool in_limits(std::chrono::microseconds interval) {
  return interval >= kMinProbeInterval && interval <= kMaxProbeInterval;
}

std::optional<ProbeError> value_error(const Probe& probe) {
  if (static_cast<size_t>(probe.state) >= kLivenessStates) return ProbeError::bad_state;
  if (probe.multiplier == 0 || probe.multiplier > kMaxMultiplier) return ProbeError::bad_multiplier;
  if (probe.my_discriminator == 0) return ProbeError::bad_discriminator;
  if (!in_limits(probe.desired_interval) || !in_limits(probe.required_interval)) return ProbeError::bad_interval;
  if (probe.sequence == 0 || probe.heard_count > probe.heard_highest) return ProbeError::bad_sequence;
  if (!probe.sender || !probe.receiver) return ProbeError::bad_host;
  return std::nullopt;
}

}  // namespace

const char* to_string(LivenessState state) {
  constexpr const char* kNames[] = {"admin_down", "down", "init", "up"};
  static_assert(std::size(kNames) == kLivenessStates);
  return kNames[static_cast<size_t>(state)];
}

const char* to_string(ProbeError error) {
  constexpr const char* kNames[] = {"wrong_length", "not_a_probe",    "unknown_version",
                                    "bad_state",    "bad_multiplier", "bad_discriminator",
                                    "bad_interval", "bad_sequence",   "bad_host"};
  static_assert(std::size(kNames) == kProbeErrors);
  return kNames[static_cast<size_t>(error)];
}

MacAddress probe_mac(HostId host) {
  constexpr uint64_t kLocalUnicast = 0x0200'0000'0000, kGroupAndLocal = 0x0300'0000'0000;
  const uint64_t mixed = std::hash<HostId>{}(host)&0xffff'ffff'ffff;
  return MacAddress::from_uint64((mixed & ~kGroupAndLocal) | kLocalUnicast);
}

ProbeFrame encode(const Probe& probe) {
  ProbeFrame frame{};
  put_bytes(frame, kDestination, probe_mac(probe.receiver).bytes());
  put_bytes(frame, kSource, probe_mac(probe.sender).bytes());
  put(frame, kEthertype, kProbeEthertype);
  put(frame, kMagicAt, kMagic);
  put(frame, kVersion, kProbeVersion);
  put(frame, kState, static_cast<uint8_t>(probe.state));
  put(frame, kMultiplier, probe.multiplier);
  put(frame, kMyDiscriminator, probe.my_discriminator);
  put(frame, kYourDiscriminator, probe.your_discriminator);
  put(frame, kDesired, static_cast<uint32_t>(probe.desired_interval.count()));
  put(frame, kRequired, static_cast<uint32_t>(probe.required_interval.count()));
  put(frame, kSequence, probe.sequence);
  put(frame, kHeardHighest, probe.heard_highest);
  put(frame, kHeardCount, probe.heard_count);
  put(frame, kSentAt, probe.sent_at.count());
  put(frame, kEchoSentAt, probe.echo_sent_at.count());
  put(frame, kEchoDelay, probe.echo_delay.count());
  put_bytes(frame, kSender, probe.sender.uuid().bytes());
  put_bytes(frame, kReceiver, probe.receiver.uuid().bytes());
  return frame;
}

std::variant<Probe, ProbeError> decode_probe(std::span<const uint8_t> frame) {
  if (auto error = framing_error(frame)) return *error;
  Probe probe;
  probe.state = static_cast<LivenessState>(frame[kState]);
  probe.multiplier = frame[kMultiplier];
  probe.my_discriminator = get<uint32_t>(frame, kMyDiscriminator);
  probe.your_discriminator = get<uint32_t>(frame, kYourDiscriminator);
  probe.desired_interval = std::chrono::microseconds(get<uint32_t>(frame, kDesired));
  probe.required_interval = std::chrono::microseconds(get<uint32_t>(frame, kRequired));
  probe.sequence = get<uint64_t>(frame, kSequence);
  probe.heard_highest = get<uint64_t>(frame, kHeardHighest);
  probe.heard_count = get<uint64_t>(frame, kHeardCount);
  probe.sent_at = Probe::Microseconds(get<uint64_t>(frame, kSentAt));
  probe.echo_sent_at = Probe::Microseconds(get<uint64_t>(frame, kEchoSentAt));
  probe.echo_delay = Probe::Microseconds(get<uint64_t>(frame, kEchoDelay));
  probe.sender = get_host(frame, kSender);
  probe.receiver = get_host(frame, kReceiver);
  if (auto error = value_error(probe)) return *error;
  return probe;
}

}  // namespace viaduct::routing::underlay
