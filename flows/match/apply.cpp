#include "flows/match/apply.hpp"

#include <optional>

#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"

namespace viaduct::flows {

namespace {

struct Applier {
  std::span<uint8_t> frame;
  const Offload& offload;
  OutputSink sink;
  std::optional<Packet> parsed;  // only TTL needs it

  ApplyResult operator()(const SetEthernet& set) const {
    wire::store_mac(frame.data() + wire::eth::kSrc, set.src);
    wire::store_mac(frame.data() + wire::eth::kDst, set.dst);
    return ApplyResult::done;
  }
  ApplyResult operator()(const DecrementTtl&) {
    if (!parsed) parsed = parse(frame, {}, offload);
    switch (decrement_ttl(*parsed)) {
      case TtlResult::decremented:
        return ApplyResult::done;
      case TtlResult::expired:
        return ApplyResult::ttl_expired;
      case TtlResult::not_ip:
        break;
    }
    return ApplyResult::malformed;
  }
  ApplyResult operator()(const CheckMtu&) const { return ApplyResult::done; }
  ApplyResult operator()(const Output& output) const {
    sink({output.port, nullptr}, frame, offload);
    return ApplyResult::done;
  }
  ApplyResult operator()(const TunnelOutput& output) const {
    sink({output.port, &output}, frame, offload);
    return ApplyResult::done;
  }
};

}  // namespace

ApplyResult apply(std::span<const Action> actions, std::span<uint8_t> frame, const Offload& offload, OutputSink sink) {
  if (frame.size() < wire::eth::kBytes) return ApplyResult::malformed;
  Applier applier{frame, offload, sink, std::nullopt};
  for (const Action& action : actions) {
    ApplyResult result = std::visit(applier, action);
    if (result != ApplyResult::done) return result;
  }
  return ApplyResult::done;
}

}  // namespace viaduct::flows
