// Frames with the probe's key, from whoever can send to the underlay: whatever decodes stays what it is when it is encoded
// again, and a table that hears it keeps its promises.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "routing/underlay/liveness_table.hpp"

namespace {

using namespace viaduct;
using namespace viaduct::routing::underlay;

const HostId kSelf(Uuid::from_words(1, 1)), kPeer(Uuid::from_words(1, 2));
const IpAddress kAddress = IpAddress::v4(0x0a00'0002);

void check(bool holds) {
  if (!holds) std::abort();
}

void check_codec(const Probe& probe) {
  const ProbeFrame again = encode(probe);
  const auto decoded = decode_probe(again);
  check(std::holds_alternative<Probe>(decoded) && std::get<Probe>(decoded) == probe);
}

// One probe causes at most two (silence just found, then the answer), and the next deadline is never far.
void hear(LivenessTable& table, Probe probe, Time& now) {
  probe.sender = kPeer;
  probe.receiver = kSelf;
  LivenessActions actions;
  table.receive(probe, kAddress, now, actions);
  check(actions.send.size() <= 2);
  for (const Probe& sent : actions.send) check_codec(sent);
  const Time due = table.next_deadline().value();
  check(due >= now && due <= now + kMaxProbeInterval);
  now = due;
  table.tick(now, actions);
  for (const Probe& sent : actions.send) check_codec(sent);
  table.for_each([](HostId, const LivenessStats& stats) {
    for (const auto& loss : {stats.loss_to_us, stats.loss_to_peer}) check(!loss || (*loss >= 0 && *loss <= 1));
    check(!stats.round_trip || stats.round_trip->count() >= 0);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  uint32_t next = 0;
  LivenessTable table(kSelf, [&next] { return ++next; });  // the first number is our discriminator: 1
  Time now{std::chrono::hours(1)};
  table.set_peers({{kPeer, {kAddress}}}, now);
  for (std::span<const uint8_t> input(data, size); !input.empty();) {
    const auto frame = input.first(std::min(input.size(), kProbeFrameBytes));
    const auto decoded = decode_probe(frame);
    if (const auto* probe = std::get_if<Probe>(&decoded)) {
      check_codec(*probe);
      hear(table, *probe, now);
    } else {
      check(to_string(std::get<ProbeError>(decoded)) != nullptr);
    }
    input = input.subspan(frame.size());
  }
  return 0;
}
