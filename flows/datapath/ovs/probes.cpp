// What this kernel can do, found by trying.
#include <linux/netlink.h>
#include <linux/openvswitch.h>

#include "flows/datapath/ovs/requests.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr PortNumber kProbePort{0xfffe};  // the module allows it; ports are numbered from 1 up
constexpr size_t kUsualUpcallBytes = 1280;
constexpr size_t kSmallFrameBytes = 64;

// How many messages a buffer of the size of `kTried` admits: one more or one less, depending on whether the kernel
// compares before or after it has added the new one (6.1.147 changed it).
size_t admitted_by_eight() {
  constexpr size_t kTried = 8;
  std::error_code error;
  MessageBatch message;
  message.begin({});
  message.end();
  NetlinkSocket sender = NetlinkSocket::open(0, 1 << 18, error);
  NetlinkSocket sample = NetlinkSocket::open(0, 1 << 18, error);
  if (error || sender.send_to(sample.id(), message)) return kTried;
  size_t bytes = sample.waiting_bytes();
  if (bytes == 0) return kTried;
  NetlinkSocket receiver = NetlinkSocket::open(0, kTried * bytes, error);
  if (error) return kTried;
  for (size_t i = 0; i < 2 * kTried; ++i) {
    if (sender.send_to(receiver.id(), message)) break;
  }
  return receiver.waiting_bytes() / bytes;
}

}  // namespace

bool Requests::accepts(int datapath, const Action& action) {
  FlowKey key;
  key.in_port = kProbePort;
  key.eth_type = ethertype::kIpv4;
  Flow flow = Flow::make(key, {Field::in_port, Field::eth_type}, {action});
  std::error_code error =
      ask({families_.flow, OVS_FLOW_CMD_NEW, OVS_FLOW_VERSION, NLM_F_CREATE, 1, datapath}, [&](auto& out) {
        put_flow_id(out, flow.id);
        put_key_and_mask(out, flow.key, flow.mask);
        put_actions(out, flow, socket_.id());
        out.put(OVS_FLOW_ATTR_PROBE, Bytes{});  // a refusal is no line in the kernel's log
      });
  delete_flows(
      datapath, std::span(&flow.id, 1), [](const RawFlow&) {}, [](int) {});
  return !error;
}

ActionSupport Requests::probe_actions(int datapath) {
  return {.decrement_ttl = accepts(datapath, DecrementTtl{}), .check_length = accepts(datapath, CheckMtu{1500})};
}

size_t Requests::measure_small_upcall(int datapath) {
  std::error_code error;
  NetlinkSocket receiver = NetlinkSocket::open(0, 1 << 20, error);
  if (error) return kUsualUpcallBytes;
  uint8_t frame[kSmallFrameBytes] = {2};
  wire::store16(frame + wire::eth::kType, 0x88b5);  // IEEE: for local experiments
  error = ask({families_.packet, OVS_PACKET_CMD_EXECUTE, OVS_PACKET_VERSION, 0, 1, datapath}, [&](auto& out) {
    out.put(OVS_PACKET_ATTR_PACKET, Bytes(frame));
    put_packet_key(out, OVS_PACKET_ATTR_KEY, {});
    size_t actions = out.open_nest(OVS_PACKET_ATTR_ACTIONS);
    size_t upcall = out.open_nest(OVS_ACTION_ATTR_USERSPACE);
    out.put(OVS_USERSPACE_ATTR_PID, receiver.id());
    out.close_nest(upcall);
    out.close_nest(actions);
  });
  size_t measured = receiver.waiting_bytes();
  return error || measured == 0 ? kUsualUpcallBytes : measured;
}

CreditSize Requests::measure_credit(int datapath) {
  size_t small = measure_small_upcall(datapath);
  return {small, (kPortCredit + 8 - admitted_by_eight()) * small};
}

}  // namespace viaduct::flows::ovs
