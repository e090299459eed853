#include "flows/health/probe.hpp"

#include "flows/packet/headers.hpp"
#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows::health {

namespace {

// Of a SYN: answers come in small segments, which every path takes (RFC 9293 3.7.1: the least that all must take).
constexpr uint8_t kMaximumSegment[] = {2, 4, 536 >> 8, 536 & 0xff};

void add_tcp(const Probe& probe, PacketBuilder& out) {
  out.tcp(probe.from_port, probe.to_port, probe.tcp_flags, probe.sequence, probe.acknowledged);
  if ((probe.tcp_flags & wire::tcp::kSyn) != 0) out.tcp_options(kMaximumSegment);
}

}  // namespace

FrameBytes make_frame(const Probe& probe, const MacAddress& from_mac) {
  PacketBuilder out;
  out.eth(from_mac, MacAddress{}).ip(*probe.from, probe.to);
  switch (probe.kind) {
    case ProbeKind::tcp:
      add_tcp(probe, out);
      break;
    case ProbeKind::udp:
      out.udp(probe.from_port, probe.to_port);
      break;
    case ProbeKind::echo:
      out.icmp_echo_request(probe.from_port, probe.to_port);
      break;
  }
  return out.payload(probe.payload).build();
}

}  // namespace viaduct::flows::health
