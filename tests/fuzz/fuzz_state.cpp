// Frames with the key of connection state, from whoever can send to the underlay: whatever decodes stays what it is when
// it is encoded again, and a replicator that hears it keeps its promises. Input: frames, each behind two bytes of length.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "flows/replication/replicator.hpp"

namespace {

using namespace viaduct;
using namespace viaduct::flows;

const HostId kSelf(Uuid::from_words(1, 1)), kPeer(Uuid::from_words(1, 2));

void check(bool holds) {
  if (!holds) std::abort();
}

bool claimable(HostId by, const ConnectionUpdate& update) { return by == kPeer && update.key.device.low() % 4 != 3; }

void check_codec(const StateFrame& frame, Time now) {
  const auto again = decode_state_frame(encode(frame, now), now);
  check(std::holds_alternative<StateFrame>(again) && std::get<StateFrame>(again) == frame);
}

// Of a translated connection's ports the even ones are this host's.
std::optional<HostId> holder_of_ports(const ConnectionKey& key, const ConnectionEntry& entry) {
  const bool reverse = key.kind == ConnectionKind::snat_reverse;
  if (!reverse && key.kind != ConnectionKind::snat) return std::nullopt;
  return (reverse ? key.dst_port : entry.port) % 2 == 0 ? kSelf : kPeer;
}

void hear(Replicator& replicator, ConnectionTable& table, StateFrame frame, Time now) {
  frame.sender = kPeer;
  frame.receiver = kSelf;
  const Replicator::Received heard = replicator.receive(frame, kPeer, now);
  const auto* batch = std::get_if<StateBatch>(&frame.content);
  check(heard.answer.has_value() == (batch != nullptr));
  if (heard.answer) check_codec(*heard.answer, now);
  if (batch != nullptr) {
    check(heard.changed.size() <= 2 * batch->updates.size());
    for (const ConnectionUpdate& update : batch->updates) {
      const auto entry = table.find(update.key);
      check(!entry || !entry->owned || holder_of_ports(update.key, *entry) == kSelf);
    }
  }
  for (const StateFrame& sent : replicator.poll(now).frames) check_codec(sent, now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ConnectionTable table({256, 128, 128}, 1);
  Replicator replicator(
      kSelf, 7, table, claimable, [](auto) { return std::vector<HostId>{kPeer}; },
      [](const ConnectionKey& key) { return holder_of_ports(key, {}); }, {});
  replicator.reach({kPeer});
  Time now{std::chrono::hours(1)};
  for (std::span<const uint8_t> input(data, size); input.size() > 2;) {
    const size_t length = std::min<size_t>(input[0] << 8 | input[1], input.size() - 2);
    const auto decoded = decode_state_frame(input.subspan(2, length), now);
    if (const auto* frame = std::get_if<StateFrame>(&decoded)) {
      check_codec(*frame, now);
      hear(replicator, table, *frame, now);
    } else {
      check(!to_string(std::get<StateFrameError>(decoded)).empty());
    }
    input = input.subspan(2 + length);
    now += std::chrono::seconds(1);
  }
  return 0;
}
