#include <linux/netlink.h>
#include <linux/openvswitch.h>

#include <algorithm>
#include <ctime>

#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/requests.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kBatch = 64;

MessageHead flow_request(const Families& families, uint8_t command, uint16_t flags, int datapath,
                         uint32_t sequence = 1) {
  return {families.flow, command, OVS_FLOW_VERSION, flags, sequence, datapath};
}

FlowId load_id(Bytes bytes) {
  auto word = [&](size_t at) {
    return uint64_t{wire::load32(bytes.data() + at)} << 32 | wire::load32(bytes.data() + at + 4);
  };
  return {word(0), word(8)};
}

}  // namespace

void put_flow_id(MessageBatch& out, const FlowId& id) {
  uint8_t bytes[16];
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(id.high >> (56 - 8 * i));
    bytes[i + 8] = static_cast<uint8_t>(id.low >> (56 - 8 * i));
  }
  out.put(OVS_FLOW_ATTR_UFID, Bytes(bytes));
}

RawFlow parse_flow(Bytes bytes) {
  Attributes attributes;
  attributes.parse(bytes);
  RawFlow out;
  if (Bytes id = attributes[OVS_FLOW_ATTR_UFID]; id.size() == 16) out.id = load_id(id);
  out.key = attributes[OVS_FLOW_ATTR_KEY];
  out.mask = attributes[OVS_FLOW_ATTR_MASK];
  out.actions = attributes[OVS_FLOW_ATTR_ACTIONS];
  if (auto stats = attributes.get<ovs_flow_stats>(OVS_FLOW_ATTR_STATS)) {
    out.packets = stats->n_packets;
    out.bytes = stats->n_bytes;
  }
  out.used = attributes.get<uint64_t>(OVS_FLOW_ATTR_USED);
  out.tcp_flags = attributes.get<uint8_t>(OVS_FLOW_ATTR_TCP_FLAGS).value_or(0);  // absent when it is 0
  return out;
}

FlowStats flow_stats(const RawFlow& flow, std::chrono::steady_clock::time_point installed) {
  FlowStats out{flow.packets, flow.bytes, {}, flow.tcp_flags};
  auto now = std::chrono::steady_clock::now();
  if (flow.used) {
    // steady_clock is CLOCK_MONOTONIC, which the module uses as well, in steps of a jiffy.
    auto used = std::chrono::steady_clock::time_point(std::chrono::milliseconds(*flow.used));
    out.idle = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(now - used));
  } else {
    out.idle = now - installed;
  }
  return out;
}

std::error_code Requests::dump_flows(int datapath, Detail detail, FunctionRef<void(const RawFlow&)> visit) {
  std::error_code error;
  NetlinkSocket socket = NetlinkSocket::open(0, 1 << 20, error);
  if (error) return error;
  MessageBatch batch;
  batch.begin(flow_request(families_, OVS_FLOW_CMD_GET, NLM_F_DUMP, datapath));
  uint32_t flags = detail == Detail::all ? 0 : OVS_UFID_F_OMIT_KEY | OVS_UFID_F_OMIT_MASK | OVS_UFID_F_OMIT_ACTIONS;
  batch.put(OVS_FLOW_ATTR_UFID_FLAGS, flags);
  batch.end();
  return socket.dump(batch, [&](const Message& message) { visit(parse_flow(message.attributes)); });
}

size_t Requests::delete_flows(int datapath, std::span<const FlowId> ids, FunctionRef<void(const RawFlow&)> last,
                              FunctionRef<void(int)> refused) {
  size_t deleted = 0;
  constexpr uint32_t kOmit = OVS_UFID_F_OMIT_KEY | OVS_UFID_F_OMIT_MASK | OVS_UFID_F_OMIT_ACTIONS;
  for (; !ids.empty(); ids = ids.subspan(std::min(ids.size(), kBatch))) {
    std::lock_guard lock(mutex_);
    batch_.clear();
    for (const FlowId& id : ids.first(std::min(ids.size(), kBatch))) {
      batch_.begin(flow_request(families_, OVS_FLOW_CMD_DEL, NLM_F_ECHO, datapath));
      put_flow_id(batch_, id);
      batch_.put(OVS_FLOW_ATTR_UFID_FLAGS, kOmit);
      batch_.end();
    }
    std::error_code error = socket_.transact(batch_, [&](const Message& message) {
      if (message.error != 0) {
        if (message.error != ENOENT) refused(message.error);
      } else if (message.family == families_.flow) {
        ++deleted;
        last(parse_flow(message.attributes));
      }
    });
    if (error) refused(error.value());
  }
  return deleted;
}

size_t Requests::set_actions(int datapath, std::span<const Update> updates) {
  size_t failed = 0;
  for (; !updates.empty(); updates = updates.subspan(std::min(updates.size(), kBatch))) {
    std::lock_guard lock(mutex_);
    batch_.clear();
    for (const Update& update : updates.first(std::min(updates.size(), kBatch))) {
      batch_.begin(flow_request(families_, OVS_FLOW_CMD_SET, 0, datapath));
      put_flow_id(batch_, update.flow.id);
      put_key_and_mask(batch_, update.flow.key, update.flow.mask, update.tags);
      put_actions(batch_, update.flow, update.upcall_id);
      batch_.end();
    }
    std::error_code error = socket_.transact(batch_, [&](const Message& message) { failed += message.error != 0; });
    if (error) failed += batch_.messages();
  }
  return failed;
}

std::error_code Requests::flush_flows(int datapath) {
  return ask(flow_request(families_, OVS_FLOW_CMD_DEL, 0, datapath), [](MessageBatch&) {});
}

}  // namespace viaduct::flows::ovs
