// Records as IPFIX messages (RFC 7011) of IANA's information elements (RFC 7012); no element of an enterprise.
//
// Four templates: a flow of IPv4 or IPv6 that is decided (kStartV4, kStartV6), and one that has ended, or a packet decided alone
// (kEndV4, kEndV6), which have counts, too. What is neither IPv4 nor IPv6 is not exported. Templates go before the first records and
// again whenever `refresh` has passed (RFC 7011 8.4: UDP). The sequence number counts data records, also those of a message that could
// not be sent, so that a collector sees what is missing (3.1).
//
// Meanings that are ours: firewallEvent is 1 (created), 2 (deleted) or 3 (denied); flowId is the record's serial, and pairs both
// records; ingressInterface and egressInterface are the datapath's port numbers, 0 for another host; virtualStationInterfaceId is the
// UUID of the ingress port; octetTotalCount is without Ethernet headers (bytes less 14 a packet, and 4 for each VLAN tag).
// Rules have no element: they are in the file only.
//
// Threads: one. No sockets, no clocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "observability/flow_log/record.hpp"

namespace viaduct::observability::flow_log {

struct IpfixField {
  uint16_t element;
  uint16_t bytes;
};

class IpfixEncoder {
 public:
  enum Template : uint16_t { kStartV4 = 256, kEndV4, kStartV6, kEndV6 };
  static constexpr size_t kLeastMessage = 484;   // a packet of 512 bytes (RFC 7011 10.3.3), of IPv4
  static constexpr size_t kMostMessage = 1'452;  // what 1,500 bytes hold, of IPv6

  IpfixEncoder(uint32_t domain, std::chrono::seconds refresh) : domain_(domain), refresh_(refresh) {}

  // The most that a message may have from now on; within the two limits above.
  void limit(size_t message_bytes);
  // False: neither IPv4 nor IPv6, nothing to export.
  bool decided(const Record& record, const Clocks& clocks);
  bool ended(const Record& record, const Ended& end, const Clocks& clocks);
  // Ends the message that is being filled; all messages since the last call, oldest first.
  struct Message {
    std::vector<uint8_t> bytes;
    uint32_t records = 0;
  };
  std::vector<Message> take(const Clocks& clocks);
  // Who listens may have changed: templates go with the next record.
  void forget_templates() { told_ = {}; }

  static std::span<const IpfixField> fields_of(uint16_t id);

 private:
  void add(uint16_t id, const Record& record, const Ended* end, const Clocks& clocks);
  void begin_set(uint16_t id);
  void begin_message();
  void finish_message(const Clocks& clocks);
  void add_templates(const Clocks& clocks);
  void make_room(size_t bytes, const Clocks& clocks);

  const uint32_t domain_;
  const std::chrono::seconds refresh_;
  size_t limit_ = kLeastMessage;
  uint32_t sequence_ = 0;  // data records in all messages before this one
  uint32_t records_ = 0;   // in this one
  uint16_t set_ = 0;       // its last set; 0: none
  size_t set_at_ = 0;
  Time told_ = {};  // templates
  std::vector<uint8_t> message_;
  std::vector<Message> done_;
};

}  // namespace viaduct::observability::flow_log
