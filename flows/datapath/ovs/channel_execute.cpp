#include <linux/openvswitch.h>

#include <algorithm>

#include "flows/datapath/ovs/channel.hpp"
#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/match/apply.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr size_t kBatchBytes = 1 << 19;  // so that one system call does not copy megabytes

std::optional<OutputTarget> target_of(const Action& action) {
  if (const auto* output = std::get_if<Output>(&action)) return OutputTarget{output->port};
  if (const auto* output = std::get_if<TunnelOutput>(&action)) return OutputTarget{output->port, output};
  return std::nullopt;
}

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
  std::array<OutputTarget, kMaxOutputs> targets;
  size_t outputs = 0;
  auto output_collected = [&] {
    if (outputs > 0) output(packet, std::span(targets).first(outputs), index);
    outputs = 0;
  };
  if (packet.frame.size() < wire::eth::kBytes) return refuse(index, "execute.too_short");
  for (const Action& action : packet.actions) {
    if (std::optional<OutputTarget> to = target_of(action)) {
      if (outputs == targets.size()) output_collected();
      targets[outputs++] = *to;
      continue;
    }
    output_collected();
    if (apply(std::span(&action, 1), packet.frame, packet.offload, kNowhere) != ApplyResult::done) {
      return refuse(index, "execute.not_applicable");
    }
  }
  output_collected();
}

void OvsChannel::output(const PacketOut& packet, std::span<const OutputTarget> targets, size_t index) {
  std::array<OutputTarget, kMaxOutputs> there;
  size_t count = 0;
  for (const OutputTarget& to : targets) {
    if (state_->ports.interface_index(to.port) != 0) {
      there[count++] = to;
    } else {
      refuse(index, "execute.no_such_port");
    }
  }
  if (packet.offload != Offload{}) {
    for (const OutputTarget& to : std::span(there).first(count)) send_offloaded(packet, to, index);
  } else if (count > 0) {
    put_packet(packet.frame, packet.in_port, std::span(there).first(count), index);
  }
}

// The module takes no offloads. A port's interface does, but for a tunnel's the outer header would be missing there: it
// gets finished packets, each of one segment.
void OvsChannel::send_offloaded(const PacketOut& packet, const OutputTarget& to, size_t index) {
  if (to.tunnel == nullptr) {
    std::error_code error = raw_.send(state_->ports.interface_index(to.port), packet.frame, packet.offload);
    if (error) refuse(index, "execute.raw." + std::string(strerrorname_np(error.value())));
    return;
  }
  std::vector<uint8_t> copy(packet.frame.begin(), packet.frame.end());
  Packet whole = parse(copy, packet.in_port, packet.offload);
  auto put = [&](std::span<uint8_t> frame) { put_packet(frame, packet.in_port, std::span(&to, 1), index); };
  if (packet.offload.gso == Offload::Gso::none) {
    complete_partial_checksum(whole);
    put(copy);
  } else if (segment(whole, put) == 0) {
    refuse(index, "execute.not_applicable");
  }
}

void OvsChannel::put_packet(std::span<const uint8_t> frame, PortNumber in_port, std::span<const OutputTarget> targets,
                            size_t index) {
  if (frame.size() > kMaxAttributeBytes) return refuse(index, "execute.too_long");
  if (batch_.size() + frame.size() > kBatchBytes) flush_batch();
  batch_.begin({state_->families.packet, OVS_PACKET_CMD_EXECUTE, OVS_PACKET_VERSION, 0,
                static_cast<uint32_t>(index + 1), state_->datapath});
  batch_.put(OVS_PACKET_ATTR_PACKET, Bytes(frame));
  put_packet_key(batch_, OVS_PACKET_ATTR_KEY, in_port);
  put_outputs(batch_, OVS_PACKET_ATTR_ACTIONS, targets);
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
