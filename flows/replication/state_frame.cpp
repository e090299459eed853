#include "flows/replication/state_frame.hpp"

#include <capnp/message.h>

#include "flows/packet/headers.hpp"
#include "flows/replication/state_codec.hpp"
#include "schema/flow_state.capnp.h"
#include "schema/frame.hpp"

namespace viaduct::flows {

namespace {

constexpr uint32_t kMagic = 0x5644'4653;  // "VDFS"
constexpr uint8_t kVersion = 1;
constexpr size_t kPreludeBytes = wire::eth::kBytes + 8;  // Ethernet, magic, version, three zeros
constexpr size_t kMaxMessageBytes = 4'096;

using Decoded = std::variant<StateFrame, StateFrameError>;

Decoded get(schema::FlowStateFrame::Reader from, Time now) {
  StateFrame out{HostId(decode(from.getSender())), HostId(decode(from.getReceiver())), from.getLife(), {}};
  if (out.sender.is_nil() || out.receiver.is_nil()) return StateFrameError::bad_host;
  if (out.life == 0) return StateFrameError::bad_life;
  if (from.isHanded()) {
    out.content = StateHandedOver{from.getHanded().getToReceiver()};
    return out;
  }
  if (from.isAsk()) {
    StateQuestion question{from.getAsk().getOfSender(), {}};
    const auto ports = from.getAsk().getPorts();
    if (ports.size() > kMaxAsked) return StateFrameError::too_many;
    for (const auto port : ports) question.ports.emplace_back(decode(port));
    out.content = std::move(question);
    return out;
  }
  if (from.isBatch()) {
    StateBatch batch{from.getBatch().getSequence(), {}};
    if (batch.sequence == 0) return StateFrameError::bad_sequence;
    const auto updates = from.getBatch().getUpdates();
    if (updates.size() > kMaxUpdates) return StateFrameError::too_many;
    for (const auto update : updates) {
      if (auto known = decode(update, now)) batch.updates.push_back(std::move(*known));
    }
    out.content = std::move(batch);
    return out;
  }
  if (!from.isAcknowledge()) return StateFrameError::malformed;
  StateAcknowledgement acknowledgement{from.getAcknowledge().getOfLife(), {}};
  const auto sequences = from.getAcknowledge().getSequences();
  if (sequences.size() > kMaxAcknowledged) return StateFrameError::too_many;
  for (const uint64_t sequence : sequences) acknowledgement.sequences.push_back(sequence);
  out.content = std::move(acknowledgement);
  return out;
}

void put(const StateBatch& batch, Time now, schema::FlowStateFrame::Builder root) {
  auto to = root.initBatch();
  to.setSequence(batch.sequence);
  auto updates = to.initUpdates(static_cast<unsigned>(batch.updates.size()));
  for (unsigned i = 0; i < updates.size(); ++i) encode(batch.updates[i], now, updates[i]);
}

void put(const StateAcknowledgement& acknowledgement, Time, schema::FlowStateFrame::Builder root) {
  auto to = root.initAcknowledge();
  to.setOfLife(acknowledgement.of_life);
  auto sequences = to.initSequences(static_cast<unsigned>(acknowledgement.sequences.size()));
  for (unsigned i = 0; i < sequences.size(); ++i) sequences.set(i, acknowledgement.sequences[i]);
}

void put(const StateQuestion& question, Time, schema::FlowStateFrame::Builder root) {
  auto to = root.initAsk();
  to.setOfSender(question.number);
  auto ports = to.initPorts(static_cast<unsigned>(question.ports.size()));
  for (unsigned i = 0; i < ports.size(); ++i) encode(question.ports[i].uuid(), ports[i]);
}

void put(const StateHandedOver& handed, Time, schema::FlowStateFrame::Builder root) {
  root.initHanded().setToReceiver(handed.number);
}

MacAddress mac_of(HostId host) {
  constexpr uint64_t kLocal = 0x0200'0000'0000, kGroup = 0x0100'0000'0000;
  return MacAddress::from_uint64(((host.uuid().low() & 0xffff'ffff'ffff) | kLocal) & ~kGroup);
}

}  // namespace

std::string_view to_string(StateFrameError error) {
  switch (error) {
    case StateFrameError::not_a_state_frame:
      return "not_a_state_frame";
    case StateFrameError::unknown_version:
      return "unknown_version";
    case StateFrameError::malformed:
      return "malformed";
    case StateFrameError::bad_host:
      return "bad_host";
    case StateFrameError::bad_life:
      return "bad_life";
    case StateFrameError::bad_sequence:
      return "bad_sequence";
    case StateFrameError::too_many:
      return "too_many";
    case StateFrameError::count_:
      break;
  }
  return "unknown";
}

std::vector<uint8_t> encode(const StateFrame& frame, Time now) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::FlowStateFrame>();
  encode(frame.sender.uuid(), root.initSender());
  encode(frame.receiver.uuid(), root.initReceiver());
  root.setLife(frame.life);
  std::visit([&](const auto& content) { put(content, now, root); }, frame.content);
  const schema::Frame content = schema::Frame::of(message);
  std::vector<uint8_t> out(kPreludeBytes + content.bytes.size());
  wire::store_mac(out.data() + wire::eth::kDst, mac_of(frame.receiver));
  wire::store_mac(out.data() + wire::eth::kSrc, mac_of(frame.sender));
  wire::store16(out.data() + wire::eth::kType, kStateEthertype);
  wire::store32(out.data() + wire::eth::kBytes, kMagic);
  out[wire::eth::kBytes + 4] = kVersion;
  std::copy(content.bytes.begin(), content.bytes.end(), out.begin() + kPreludeBytes);
  return out;
}

Decoded decode_state_frame(std::span<const uint8_t> bytes, Time now) {
  if (bytes.size() < kPreludeBytes || wire::load16(bytes.data() + wire::eth::kType) != kStateEthertype ||
      wire::load32(bytes.data() + wire::eth::kBytes) != kMagic) {
    return StateFrameError::not_a_state_frame;
  }
  if (bytes[wire::eth::kBytes + 4] != kVersion) return StateFrameError::unknown_version;
  // Ethernet may have padded it: what is no whole word is no part of the message.
  const std::span<const uint8_t> message = bytes.subspan(kPreludeBytes, (bytes.size() - kPreludeBytes) / 8 * 8);
  schema::ReadLimits limits;
  limits.max_bytes = kMaxMessageBytes;
  auto decoded = schema::with_root<schema::FlowStateFrame>(message, limits, [&](auto root) { return get(root, now); });
  if (!decoded) return StateFrameError::malformed;
  return std::move(*decoded);
}

}  // namespace viaduct::flows
