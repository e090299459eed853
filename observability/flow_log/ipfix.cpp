#include "observability/flow_log/ipfix.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace viaduct::observability::flow_log {
namespace {

constexpr uint16_t kVersion = 10;       // RFC 7011 3.1
constexpr uint16_t kTemplateSetId = 2;  // 3.3.2
constexpr size_t kMessageHeader = 16, kSetHeader = 4;
constexpr uint8_t kIcmp = 1, kIcmpv6 = 58;
constexpr uint64_t kEthernetHeader = 14, kVlanTag = 4;

enum FirewallEvent : uint8_t { kCreated = 1, kDeleted = 2, kDenied = 3 };

// IANA's registry "IP Flow Information Export (IPFIX) Entities".
enum Element : uint16_t {
  protocolIdentifier = 4,
  sourceTransportPort = 7,
  sourceIPv4Address = 8,
  ingressInterface = 10,
  destinationTransportPort = 11,
  destinationIPv4Address = 12,
  egressInterface = 14,
  sourceIPv6Address = 27,
  destinationIPv6Address = 28,
  icmpTypeCodeIPv4 = 32,
  sourceMacAddress = 56,
  vlanId = 58,
  ipVersion = 60,
  destinationMacAddress = 80,
  octetTotalCount = 85,
  packetTotalCount = 86,
  forwardingStatus = 89,
  flowEndReason = 136,
  icmpTypeCodeIPv6 = 139,
  flowId = 148,
  flowStartMilliseconds = 152,
  flowEndMilliseconds = 153,
  postNATSourceIPv4Address = 225,
  postNATDestinationIPv4Address = 226,
  postNAPTSourceTransportPort = 227,
  postNAPTDestinationTransportPort = 228,
  firewallEvent = 233,
  postNATSourceIPv6Address = 281,
  postNATDestinationIPv6Address = 282,
  virtualStationInterfaceId = 347,
};

template <size_t N, size_t M>
constexpr std::array<IpfixField, N + M> joined(const std::array<IpfixField, N>& one,
                                               const std::array<IpfixField, M>& other) {
  std::array<IpfixField, N + M> out{};
  std::copy(one.begin(), one.end(), out.begin());
  std::copy(other.begin(), other.end(), out.begin() + N);
  return out;
}

constexpr std::array<IpfixField, 7> kAddressesV4 = {{{sourceIPv4Address, 4},
                                                     {destinationIPv4Address, 4},
                                                     {postNATSourceIPv4Address, 4},
                                                     {postNATDestinationIPv4Address, 4},
                                                     {icmpTypeCodeIPv4, 2},
                                                     {ipVersion, 1},
                                                     {protocolIdentifier, 1}}};
constexpr std::array<IpfixField, 7> kAddressesV6 = {{{sourceIPv6Address, 16},
                                                     {destinationIPv6Address, 16},
                                                     {postNATSourceIPv6Address, 16},
                                                     {postNATDestinationIPv6Address, 16},
                                                     {icmpTypeCodeIPv6, 2},
                                                     {ipVersion, 1},
                                                     {protocolIdentifier, 1}}};
constexpr std::array<IpfixField, 15> kFlow = {{{sourceTransportPort, 2},
                                               {destinationTransportPort, 2},
                                               {postNAPTSourceTransportPort, 2},
                                               {postNAPTDestinationTransportPort, 2},
                                               {ingressInterface, 4},
                                               {egressInterface, 4},
                                               {virtualStationInterfaceId, 16},
                                               {sourceMacAddress, 6},
                                               {destinationMacAddress, 6},
                                               {vlanId, 2},
                                               {flowId, 8},
                                               {forwardingStatus, 1},
                                               {firewallEvent, 1},
                                               {flowStartMilliseconds, 8},
                                               {flowEndMilliseconds, 8}}};
constexpr std::array<IpfixField, 3> kEnd = {{{packetTotalCount, 8}, {octetTotalCount, 8}, {flowEndReason, 1}}};
constexpr auto kFieldsStartV4 = joined(kAddressesV4, kFlow);
constexpr auto kFieldsStartV6 = joined(kAddressesV6, kFlow);
constexpr auto kFieldsEndV4 = joined(kFieldsStartV4, kEnd);
constexpr auto kFieldsEndV6 = joined(kFieldsStartV6, kEnd);

size_t record_bytes(std::span<const IpfixField> fields) {
  size_t sum = 0;
  for (const IpfixField& field : fields) sum += field.bytes;
  return sum;
}

void put(std::vector<uint8_t>& out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i > 0; --i) out.push_back(static_cast<uint8_t>(value >> 8 * (i - 1)));
}
void put_at(std::vector<uint8_t>& out, size_t at, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i > 0; --i) out[at++] = static_cast<uint8_t>(value >> 8 * (i - 1));
}
void put(std::vector<uint8_t>& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

uint64_t milliseconds(std::chrono::system_clock::time_point when) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count());
}

uint64_t ip_bytes(const Record& record, uint64_t packets, uint64_t bytes) {
  const uint64_t headers = packets * (kEthernetHeader + kVlanTag * record.vlan_tags);
  return bytes - std::min(bytes, headers);
}

// In the order of kAddressesV4 and kAddressesV6, and kFlow.
void put_flow(std::vector<uint8_t>& out, const Record& record, uint8_t event, Time last, const Clocks& clocks) {
  const bool icmp = record.protocol == kIcmp || record.protocol == kIcmpv6;
  const auto port = [&](uint16_t value) { put(out, icmp ? 0 : value, 2); };
  put(out, record.before.src.bytes());
  put(out, record.before.dst.bytes());
  put(out, record.after.src.bytes());
  put(out, record.after.dst.bytes());
  put(out, icmp ? record.before.src_port << 8 | (record.before.dst_port & 0xff) : 0, 2);
  put(out, record.ip_version, 1);
  put(out, record.protocol, 1);
  port(record.before.src_port);
  port(record.before.dst_port);
  port(record.after.src_port);
  port(record.after.dst_port);
  put(out, record.ingress_number, 4);
  put(out, record.egress_count == 0 ? 0 : record.egress[0].interface, 4);
  put(out, record.ingress.bytes());
  put(out, record.src_mac.bytes());
  put(out, record.dst_mac.bytes());
  put(out, record.vlan_tags > 0 ? record.vlan : 0, 2);
  put(out, record.serial, 8);
  put(out, record.forwarding_status, 1);
  put(out, event, 1);
  put(out, milliseconds(clocks.at(record.decided)), 8);
  put(out, milliseconds(clocks.at(last)), 8);
}

uint16_t template_of(const Record& record, bool counts) {
  const bool v4 = record.ip_version == 4;
  if (counts) return v4 ? IpfixEncoder::kEndV4 : IpfixEncoder::kEndV6;
  return v4 ? IpfixEncoder::kStartV4 : IpfixEncoder::kStartV6;
}

// Which addresses a record holds is said by its version; both pairs are of it.
bool is_exported(const Record& record) {
  const IpFamily family = record.ip_version == 4 ? IpFamily::v4 : IpFamily::v6;
  if (record.ip_version != 4 && record.ip_version != 6) return false;
  for (const IpAddress* each : {&record.before.src, &record.before.dst, &record.after.src, &record.after.dst}) {
    if (each->family() != family) return false;
  }
  return true;
}

}  // namespace

std::span<const IpfixField> IpfixEncoder::fields_of(uint16_t id) {
  switch (id) {
    case kStartV4:
      return kFieldsStartV4;
    case kEndV4:
      return kFieldsEndV4;
    case kStartV6:
      return kFieldsStartV6;
    case kEndV6:
      return kFieldsEndV6;
    default:
      return {};
  }
}

void IpfixEncoder::limit(size_t message_bytes) { limit_ = std::clamp(message_bytes, kLeastMessage, kMostMessage); }

bool IpfixEncoder::decided(const Record& record, const Clocks& clocks) {
  if (!is_exported(record)) return false;
  if (record.alone) {
    const Ended now{record.serial, 1, record.frame_bytes, record.decided, EndReason::connection_ended, 0};
    add(template_of(record, true), record, &now, clocks);
  } else {
    add(template_of(record, false), record, nullptr, clocks);
  }
  return true;
}

bool IpfixEncoder::ended(const Record& record, const Ended& end, const Clocks& clocks) {
  if (!is_exported(record)) return false;
  add(template_of(record, true), record, &end, clocks);
  return true;
}

void IpfixEncoder::add(uint16_t id, const Record& record, const Ended* end, const Clocks& clocks) {
  if (told_ == Time() || clocks.steady - told_ >= refresh_) add_templates(clocks);
  make_room(record_bytes(fields_of(id)) + kSetHeader, clocks);
  if (set_ != id) begin_set(id);
  const bool denied = record.outcome == Outcome::dropped;
  const uint8_t event = end != nullptr && !record.alone ? kDeleted : denied ? kDenied : kCreated;
  const Time last = end == nullptr ? record.decided : std::max(end->last_used, record.decided);
  put_flow(message_, record, event, last, clocks);
  if (end != nullptr) {
    put(message_, end->packets, 8);
    put(message_, ip_bytes(record, end->packets, end->bytes), 8);
    put(message_, ipfix_value(end->reason), 1);
  }
  put_at(message_, set_at_ + 2, message_.size() - set_at_, 2);
  ++records_;
}

void IpfixEncoder::add_templates(const Clocks& clocks) {
  told_ = clocks.steady;
  for (const uint16_t id : {kStartV4, kEndV4, kStartV6, kEndV6}) {
    const auto fields = fields_of(id);
    make_room(kSetHeader + 4 + 4 * fields.size(), clocks);
    if (set_ != kTemplateSetId) begin_set(kTemplateSetId);
    put(message_, id, 2);
    put(message_, fields.size(), 2);
    for (const IpfixField& field : fields) {
      put(message_, field.element, 2);
      put(message_, field.bytes, 2);
    }
    put_at(message_, set_at_ + 2, message_.size() - set_at_, 2);
  }
}

void IpfixEncoder::make_room(size_t bytes, const Clocks& clocks) {
  if (!message_.empty() && message_.size() + bytes > limit_) finish_message(clocks);
  if (message_.empty()) begin_message();
}

void IpfixEncoder::begin_message() {
  message_.reserve(limit_);
  message_.resize(kMessageHeader);
  set_ = 0;
}

void IpfixEncoder::begin_set(uint16_t id) {
  set_ = id;
  set_at_ = message_.size();
  put(message_, id, 2);
  put(message_, 0, 2);
}

void IpfixEncoder::finish_message(const Clocks& clocks) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clocks.system.time_since_epoch()).count();
  put_at(message_, 0, kVersion, 2);
  put_at(message_, 2, message_.size(), 2);
  put_at(message_, 4, static_cast<uint64_t>(seconds), 4);
  put_at(message_, 8, sequence_, 4);
  put_at(message_, 12, domain_, 4);
  sequence_ += records_;
  done_.push_back({std::move(message_), records_});
  message_ = {};
  records_ = 0;
}

std::vector<IpfixEncoder::Message> IpfixEncoder::take(const Clocks& clocks) {
  if (!message_.empty()) finish_message(clocks);
  return std::exchange(done_, {});
}

}  // namespace viaduct::observability::flow_log
