// Records of tests, with everything in them.
#pragma once

#include <chrono>
#include <string_view>

#include "observability/flow_log/record.hpp"

namespace viaduct::observability::flow_log::testing {

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
inline Uuid id(uint64_t number) { return Uuid::from_words(0x1111'0000'0000'4000, 0x8000'0000'0000'0000 | number); }

// 2026-11-23T12:00:00.25Z when the steady clock says 1000 s.
inline Clocks noon() {
  return {Time(std::chrono::seconds(1'000)),
          std::chrono::system_clock::time_point(std::chrono::milliseconds(1'795'435'200'250))};
}

// Of TCP from a client to a VIP, sent on to a member.
inline Record v4() {
  Record record;
  record.serial = 0x1234;
  record.forwarding_status = 64;
  record.ip_version = 4;
  record.protocol = 6;
  record.ether_type = 0x0800;
  record.decided = noon().steady;
  record.flow_high = 1;
  record.flow_low = 0xabc;
  record.src_mac = MacAddress::from_uint64(0x0200'0000'0001);
  record.dst_mac = MacAddress::from_uint64(0x0200'0000'0002);
  record.before = {ip("10.0.0.1"), ip("10.0.0.100"), 40'000, 80};
  record.after = {ip("10.0.0.1"), ip("10.0.1.5"), 40'000, 8'080};
  record.matched = 0b101;
  record.frame_bytes = 74;
  record.ingress = id(1);
  record.ingress_number = 3;
  record.add(Egress{id(2), 4});
  record.add_device(id(10));
  record.add_device(id(11));
  return record;
}

inline Record v6_dropped() {
  Record record;
  record.serial = 0x55;
  record.outcome = Outcome::dropped;
  record.forwarding_status = 130;
  record.ip_version = 6;
  record.protocol = 58;
  record.ether_type = 0x86dd;
  record.vlan_tags = 1;
  record.vlan = 7;
  record.decided = noon().steady;
  record.before = record.after = {ip("fd00:1::10"), ip("fd00:2::10"), 128, 0};
  record.frame_bytes = 122;
  record.ingress = id(1);
  record.ingress_number = 3;
  record.reason = "dropped_by_rule";
  record.place_kind = "router";
  record.place = id(11);
  record.chain = id(20);
  record.rule = id(21);
  record.position = 2;
  return record;
}

inline Ended end_of(const Record& record, uint64_t packets, uint64_t bytes, std::chrono::milliseconds after,
                    EndReason reason = EndReason::idle) {
  return {record.serial, packets, bytes, record.decided + after, reason, 0};
}

}  // namespace viaduct::observability::flow_log::testing
