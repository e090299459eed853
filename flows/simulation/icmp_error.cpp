// What a router says when it cannot: RFC 1812 4.3, RFC 4443. The error comes from the port where the packet came in, goes
// back out of it to whoever sent it there, and is subject to the router's rate limit.
#include "flows/packet/icmp_error.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

bool to_everybody(const PortView& in, const IpAddress& destination) {
  return std::any_of(in.addresses.begin(), in.addresses.end(),
                     [&](const IpPrefix& own) { return own.broadcast() == destination; });
}

// `make` builds the error from the packet as it came to this router.
template <class Make>
void answer(Walk& walk, IcmpErrorKind kind, const char* what, Make&& make) {
  if (walk.in == nullptr) return;
  const PortView& in = *walk.in;
  const FlowKey& key = walk.entered.key;
  if (!walk.untagged || !key.is_ip() || key.eth_dst != in.mac) return;
  // Whether it may be answered lies partly in what masks do not say.
  walk.singular = true;
  const auto source = in.source_for(key.ip_src);
  if (!source || source->family() != key.ip_src.family() || to_everybody(in, key.ip_dst)) return;
  std::vector<uint8_t> frame = walk.entered_frame();
  const Packet offending = parse(frame, key.in_port, walk.input.packet.offload);
  if (!may_answer_with_error(offending, kind)) return;
  auto error = make(offending, IcmpErrorSender{*source, in.mac, key.eth_src});
  if (!error) return;
  walk.note_device(Stage::icmp_error,
                   [&] { return std::string(what) + ", " + source->to_string() + " > " + key.ip_src.to_string(); });
  walk.emit(in, std::move(*error), EmittedPacket::Limit::icmp_error);
}

const char* text_of(Unreachable what) {
  switch (what) {
    case Unreachable::network:
      return "network unreachable";
    case Unreachable::host:
      return "host unreachable";
    case Unreachable::port:
      return "port unreachable";
    case Unreachable::prohibited:
      return "administratively prohibited";
  }
  return "unreachable";
}

}  // namespace

void answer_unreachable(Walk& walk, Unreachable what) {
  answer(walk, IcmpErrorKind::other, text_of(what),
         [&](const Packet& packet, const IcmpErrorSender& sender) { return make_unreachable(packet, sender, what); });
}

void answer_beyond_scope(Walk& walk) {
  constexpr uint8_t kBeyondScope = 2;
  answer(walk, IcmpErrorKind::other, "beyond scope of source",
         [&](const Packet& packet, const IcmpErrorSender& sender) {
           return make_icmp_error(packet, sender, wire::icmpv6::kUnreachable, kBeyondScope, 0);
         });
}

void answer_time_exceeded(Walk& walk) {
  answer(walk, IcmpErrorKind::other, "time exceeded",
         [](const Packet& packet, const IcmpErrorSender& sender) { return make_time_exceeded(packet, sender); });
}

void answer_too_big(Walk& walk, uint16_t mtu) {
  answer(walk, IcmpErrorKind::packet_too_big, "packet too big",
         [&](const Packet& packet, const IcmpErrorSender& sender) { return make_packet_too_big(packet, sender, mtu); });
}

}  // namespace viaduct::flows::simulation
