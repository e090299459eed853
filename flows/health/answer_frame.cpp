#include <algorithm>

#include "flows/health/answer.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::health {

namespace {

constexpr uint16_t kEthertype = 0x88b5;   // IEEE 802: local experimental ethertype 1
constexpr uint32_t kMagic = 0x5644'4843;  // "VDHC"
constexpr uint8_t kVersion = 1;
constexpr uint8_t kLocalMac = 0x02;  // nobody reads the addresses, but kernels want some

// Offsets in the frame, as drawn in the header file.
enum : size_t {
  kMagicAt = wire::eth::kBytes,
  kVersionAt = kMagicAt + 4,
  kKind = kMagicAt + 5,
  kOf = kMagicAt + 6,
  kFamily = kMagicAt + 7,
  kRouter = kMagicAt + 8,
  kFrom = kMagicAt + 24,
  kTo = kMagicAt + 40,
  kFromPort = kMagicAt + 56,
  kToPort = kMagicAt + 58,
  kSequence = kMagicAt + 60,
  kAcknowledged = kMagicAt + 64,
  kFlags = kMagicAt + 68,
  kCode = kMagicAt + 69,
  kHere = kMagicAt + 70,
  kLength = kMagicAt + 72,
  kPayload = kMagicAt + 76,
};
static_assert(kPayload + kMaxPayload == kMaxAnswerFrame);

void put_address(std::vector<uint8_t>& frame, size_t at, const IpAddress& address) {
  std::copy(address.storage().begin(), address.storage().end(), frame.begin() + static_cast<ptrdiff_t>(at));
}

// What must hold before any other byte is looked at.
std::optional<AnswerError> framing_error(std::span<const uint8_t> frame) {
  if (frame.size() <= kVersionAt) return AnswerError::wrong_length;
  const bool ours =
      wire::load16(frame.data() + wire::eth::kType) == kEthertype && wire::load32(frame.data() + kMagicAt) == kMagic;
  if (!ours) return AnswerError::not_an_answer;
  if (frame[kVersionAt] != kVersion) return AnswerError::unknown_version;
  if (frame.size() < kPayload) return AnswerError::wrong_length;
  const size_t here = wire::load16(frame.data() + kHere);
  return here > kMaxPayload || frame.size() != kPayload + here ? std::optional(AnswerError::wrong_length)
                                                               : std::nullopt;
}

bool in_range(std::span<const uint8_t> frame) {
  return frame[kKind] <= static_cast<uint8_t>(Answer::Kind::no_neighbour) &&
         frame[kOf] <= static_cast<uint8_t>(ProbeKind::echo) && (frame[kFamily] == 4 || frame[kFamily] == 6) &&
         is_check_port(wire::load16(frame.data() + kToPort)) &&
         wire::load32(frame.data() + kLength) >= wire::load16(frame.data() + kHere);
}

}  // namespace

std::string_view to_string(AnswerError error) {
  switch (error) {
    case AnswerError::wrong_length:
      return "wrong_length";
    case AnswerError::not_an_answer:
      return "not_an_answer";
    case AnswerError::unknown_version:
      return "unknown_version";
    case AnswerError::bad_value:
      break;
  }
  return "bad_value";
}

std::vector<uint8_t> encode(const Answer& answer) {
  std::vector<uint8_t> frame(kPayload + answer.payload.size());
  frame[wire::eth::kDst] = frame[wire::eth::kSrc] = kLocalMac;
  frame[wire::eth::kDst + 5] = 1;
  wire::store16(frame.data() + wire::eth::kType, kEthertype);
  wire::store32(frame.data() + kMagicAt, kMagic);
  frame[kVersionAt] = kVersion;
  frame[kKind] = static_cast<uint8_t>(answer.kind);
  frame[kOf] = static_cast<uint8_t>(answer.of);
  frame[kFamily] = static_cast<uint8_t>(answer.from.family());
  std::copy_n(answer.router.uuid().bytes().begin(), sizeof(Uuid::Bytes), frame.begin() + kRouter);
  put_address(frame, kFrom, answer.from);
  put_address(frame, kTo, answer.to);
  wire::store16(frame.data() + kFromPort, answer.from_port);
  wire::store16(frame.data() + kToPort, answer.to_port);
  wire::store32(frame.data() + kSequence, answer.sequence);
  wire::store32(frame.data() + kAcknowledged, answer.acknowledged);
  frame[kFlags] = answer.tcp_flags;
  frame[kCode] = answer.code;
  wire::store16(frame.data() + kHere, static_cast<uint16_t>(answer.payload.size()));
  wire::store32(frame.data() + kLength, answer.payload_bytes);
  std::copy(answer.payload.begin(), answer.payload.end(), frame.begin() + kPayload);
  return frame;
}

std::variant<Answer, AnswerError> decode_answer(std::span<const uint8_t> frame) {
  if (const auto error = framing_error(frame)) return *error;
  if (!in_range(frame)) return AnswerError::bad_value;
  Answer out;
  Uuid::Bytes router;
  std::copy_n(frame.begin() + kRouter, router.size(), router.begin());
  out.router = RouterId(Uuid(router));
  out.kind = static_cast<Answer::Kind>(frame[kKind]);
  out.of = static_cast<ProbeKind>(frame[kOf]);
  const auto family = static_cast<IpFamily>(frame[kFamily]);
  out.from = IpAddress::from_network(family, frame.data() + kFrom);
  out.to = IpAddress::from_network(family, frame.data() + kTo);
  out.from_port = wire::load16(frame.data() + kFromPort);
  out.to_port = wire::load16(frame.data() + kToPort);
  out.sequence = wire::load32(frame.data() + kSequence);
  out.acknowledged = wire::load32(frame.data() + kAcknowledged);
  out.tcp_flags = frame[kFlags];
  out.code = frame[kCode];
  out.payload_bytes = wire::load32(frame.data() + kLength);
  out.payload.assign(frame.begin() + kPayload, frame.end());
  return out;
}

}  // namespace viaduct::flows::health
