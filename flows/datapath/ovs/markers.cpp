#include <linux/netlink.h>
#include <linux/openvswitch.h>

#include "flows/datapath/ovs/requests.hpp"

namespace viaduct::flows::ovs {

namespace {

// No packet comes in by it. The port's number stands where the source address would.
constexpr PortNumber kMarkerPort{0xfffd};
constexpr FieldSet kMarkerMask{Field::in_port, Field::eth_src};
constexpr std::string_view kPrefix = "viaduct port ";
constexpr uint32_t kNobody = 1;  // the module wants a port id; nothing is ever sent to it

FlowKey marker_key(PortNumber number) {
  FlowKey key;
  key.in_port = kMarkerPort;
  key.eth_src = MacAddress::from_uint64(number.value);
  return key;
}

}  // namespace

FlowId marker_id(PortNumber number) { return FlowId::of(marker_key(number), kMarkerMask); }

std::error_code Requests::put_marker(int datapath, PortNumber number, const std::string& interface) {
  std::string text = std::string(kPrefix) + interface;
  auto put = [&](uint8_t command, uint16_t flags) {
    MessageHead head{families_.flow, command, OVS_FLOW_VERSION, flags, 1, datapath};
    return ask(head, [&](MessageBatch& out) {
      put_flow_id(out, marker_id(number));
      put_key_and_mask(out, marker_key(number), kMarkerMask);
      size_t actions = out.open_nest(OVS_FLOW_ATTR_ACTIONS);
      size_t upcall = out.open_nest(OVS_ACTION_ATTR_USERSPACE);
      out.put(OVS_USERSPACE_ATTR_PID, kNobody);
      out.put(OVS_USERSPACE_ATTR_USERDATA, Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
      out.close_nest(upcall);
      out.close_nest(actions);
    });
  };
  std::error_code error = put(OVS_FLOW_CMD_NEW, NLM_F_CREATE);
  return error == std::errc::file_exists ? put(OVS_FLOW_CMD_SET, 0) : error;
}

void Requests::delete_marker(int datapath, PortNumber number) {
  FlowId id = marker_id(number);
  delete_flows(
      datapath, std::span(&id, 1), [](const RawFlow&) {}, [](int) {});
}

std::optional<Marker> parse_marker(const RawFlow& flow) {
  if (decode_in_port(flow.key) != kMarkerPort) return std::nullopt;
  auto key = decode_key(flow.key, flow.mask);
  Bytes actions = flow.actions;
  auto upcall = next_attribute(actions);
  Attributes nest;
  if (!key || !upcall || upcall->type != OVS_ACTION_ATTR_USERSPACE || !nest.parse(upcall->value)) return std::nullopt;
  Bytes data = nest[OVS_USERSPACE_ATTR_USERDATA];
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (!text.starts_with(kPrefix)) return std::nullopt;
  return Marker{{static_cast<uint32_t>(key->key.eth_src.as_uint64())}, std::string(text.substr(kPrefix.size()))};
}

}  // namespace viaduct::flows::ovs
