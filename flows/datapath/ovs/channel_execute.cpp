#include <linux/openvswitch.h>

#include <algorithm>

#include "flows/datapath/ovs/channel.hpp"
#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/match/apply.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kBatchBytes = 1 << 19;  // so that one system call does not copy megabytes

constexpr auto kNowhere = [](const OutputTarget&, std::span<uint8_t>, const Offload&) {};

}  // namespace

size_t OvsChannel::execute(std::span<PacketOut> packets) {
  size_t refused = 0;
  while (!packets.empty()) {
    size_t count = std::min(packets.size(), kBatch);
    refused_.fill(false);
    batch_.clear();
    for (size_t i = 0; i < count; ++i) execute_one(packets[i], i);
    flush_batch();
    refused += static_cast<size_t>(std::count(refused_.begin(), refused_.end(), true));
    packets = packets.subspan(count);
  }
  return refused;
}

// Rewriting here and not by the kernel's actions: it needs no kernel that has them, and a list without a rewrite
// between two outputs is one message.
void OvsChannel::execute_one(PacketOut& packet, size_t index) {
  std::array<PortNumber, kMaxOutputs> ports;
  size_t outputs = 0;
  auto output_collected = [&] {
    if (outputs > 0) output(packet, std::span(ports).first(outputs), index);
    outputs = 0;
  };
  if (packet.frame.size() < wire::eth::kBytes) return refuse(index, "execute.too_short");
  for (const Action& action : packet.actions) {
    if (const auto* out = std::get_if<Output>(&action)) {
      if (outputs == ports.size()) output_collected();
      ports[outputs++] = out->port;
      continue;
    }
    output_collected();
    if (apply(std::span(&action, 1), packet.frame, packet.offload, kNowhere) != ApplyResult::done) {
      return refuse(index, "execute.not_applicable");
    }
  }
  output_collected();
}

void OvsChannel::output(const PacketOut& packet, std::span<const PortNumber> ports, size_t index) {
  std::array<PortNumber, kMaxOutputs> there;
  size_t count = 0;
  for (PortNumber port : ports) {
    if (state_->ports.interface_index(port) != 0) {
      there[count++] = port;
    } else {
      refuse(index, "execute.no_such_port");
    }
  }
  if (packet.offload != Offload{}) {
    for (PortNumber port : std::span(there).first(count)) {
      std::error_code error = raw_.send(state_->ports.interface_index(port), packet.frame, packet.offload);
      if (error) refuse(index, "execute.raw." + std::string(strerrorname_np(error.value())));
    }
    return;
  }
  if (packet.frame.size() > kMaxAttributeBytes) return refuse(index, "execute.too_long");
  if (count == 0) return;
  if (batch_.size() + packet.frame.size() > kBatchBytes) flush_batch();
  batch_.begin({state_->families.packet, OVS_PACKET_CMD_EXECUTE, OVS_PACKET_VERSION, 0,
                static_cast<uint32_t>(index + 1), state_->datapath});
  batch_.put(OVS_PACKET_ATTR_PACKET, Bytes(packet.frame));
  put_packet_key(batch_, OVS_PACKET_ATTR_KEY, packet.in_port);
  put_outputs(batch_, OVS_PACKET_ATTR_ACTIONS, std::span(there).first(count));
  batch_.end();
}

void OvsChannel::refuse(size_t index, std::string_view why) {
  refused_[index] = true;
  state_->errors.add(why);
}

void OvsChannel::flush_batch() {
  auto answer = [&](const Message& message) {
    if (message.error == 0 || message.sequence == 0 || message.sequence > kBatch) return;
    refused_[message.sequence - 1] = true;
    state_->errors.add_errno("execute", message.error);
  };
  std::error_code error = socket_.transact(batch_, answer);
  if (error) {
    refused_.fill(true);
    state_->errors.add_errno("execute.send", error.value());
  }
  batch_.clear();
}

}  // namespace viaduct::flows::ovs
