// Connection state between hosts as it stands in a tunnel: an Ethernet frame with the ethertype that IEEE 802 leaves to
// local experiments (0x88B6), under a tunnel key that no port ever has, holding "VDFS", a version, and one message of
// schema/flow_state.capnp.
//
// A frame is decoded whole or refused with the reason; nothing in it is believed that the reader can check.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "flows/state/connection_table.hpp"
#include "topology/address/id.hpp"

namespace viaduct::flows {

inline constexpr uint16_t kStateEthertype = 0x88b6;  // IEEE 802: local experimental ethertype 2
inline constexpr uint32_t kStateKey = 0xff'fffe;     // of the tunnel
inline constexpr uint8_t kStateTos = 0xb8;           // of the outer header: EF (RFC 3246); packets wait for it
// Of a batch: with both headers it fits into 1,280 bytes, which every IPv6 path takes.
inline constexpr size_t kMaxUpdates = 4;
inline constexpr size_t kMaxEnds = 4;  // of an update
inline constexpr size_t kMaxAcknowledged = 64;
inline constexpr size_t kMaxAsked = 32;  // ports

// Whose a connection is, as the sender of an update says. An entry is its owner's, all others have copies; what is
// translated belongs to who holds the lease of the ports.
enum class Ownership : uint8_t {
  unsaid,
  senders,    // the owner speaks
  receivers,  // the ports have become the receiver's, and the connection with them: of its snat_reverse entry, for both
  refused,    // the answer to that: the ports are another connection's by now
  count_,
};

struct ConnectionUpdate {
  ConnectionKey key;
  ConnectionEntry entry;  // last_seen is of the reader's clock
  bool ended = false;
  std::vector<PortId> ends = {};  // at most kMaxEnds; none: unknown
  Ownership ownership = Ownership::unsaid;
  friend bool operator==(const ConnectionUpdate&, const ConnectionUpdate&) = default;
};

struct StateBatch {
  uint64_t sequence = 0;
  std::vector<ConnectionUpdate> updates;  // at most kMaxUpdates
  friend bool operator==(const StateBatch&, const StateBatch&) = default;
};
struct StateAcknowledgement {
  uint64_t of_life = 0;
  std::vector<uint64_t> sequences;  // at most kMaxAcknowledged
  friend bool operator==(const StateAcknowledgement&, const StateAcknowledgement&) = default;
};
// The sender needs what the receiver knows of connections that enter or leave at these ports: they have moved.
struct StateQuestion {
  uint64_t number = 0;
  std::vector<PortId> ports;  // at most kMaxAsked
  friend bool operator==(const StateQuestion&, const StateQuestion&) = default;
};
// The sender has what it asked for.
struct StateHandedOver {
  uint64_t number = 0;
  friend bool operator==(const StateHandedOver&, const StateHandedOver&) = default;
};
struct StateFrame {
  HostId sender, receiver;
  uint64_t life = 0;
  std::variant<StateBatch, StateAcknowledgement, StateQuestion, StateHandedOver> content;
  friend bool operator==(const StateFrame&, const StateFrame&) = default;
};

enum class StateFrameError : uint8_t {
  not_a_state_frame,  // another ethertype or magic, or cut
  unknown_version,
  malformed,     // what Cap'n Proto says
  bad_host,      // nil
  bad_life,      // 0
  bad_sequence,  // 0
  too_many,      // updates, acknowledgements or ports
  count_,
};
std::string_view to_string(StateFrameError error);

// `now`: entries say how long they have been idle.
std::vector<uint8_t> encode(const StateFrame& frame, Time now);
// Updates of kinds, protocols or families that mean nothing here are left out.
std::variant<StateFrame, StateFrameError> decode_state_frame(std::span<const uint8_t> bytes, Time now);

}  // namespace viaduct::flows
