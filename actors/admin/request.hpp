// An admin request as values, decoded from its frame; and the errors that answer what cannot be one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/admin/token.hpp"
#include "actors/messages.hpp"
#include "observability/journal.hpp"
#include "schema/admin.capnp.h"

namespace viaduct::actors {

struct TransactRequest {
  CommitTransaction transaction;
  bool wait_applied = false;
  std::chrono::milliseconds timeout{10'000};
};
struct ListRequest {
  std::vector<topology::Kind> kinds;  // empty: all
  std::string name;                   // empty: any
  Uuid naming;                        // not nil: only what names this object
};
struct StatusRequest {};
struct FlowsRequest {
  PortId port;
  size_t limit = 1000;
};

// schema/admin.capnp PacketDescription.
struct PacketDescription {
  std::vector<uint8_t> frame;
  MacAddress eth_src, eth_dst;
  uint16_t eth_type = 0;
  uint16_t vlan = 0;
  std::optional<IpAddress> ip_src, ip_dst;
  uint8_t ip_proto = 0, ttl = 0, tos = 0;
  uint16_t l4_src = 0, l4_dst = 0, length = 0;
  bool arp = false, dont_fragment = false;
};
struct TraceRequest {
  PortId port;
  PacketDescription packet;
  bool relayed = false;  // this daemon answers, wherever the port is
};
// A trace, and a change that is not applied.
struct SupposeRequest {
  TraceRequest trace;
  std::vector<topology::Operation> operations;
};
inline constexpr size_t kMaxSupposed = 10'000;  // operations

struct LogLevelRequest {
  std::string component, level;
};
struct StateRequest {
  Uuid device;
};
struct ConnectionsRequest {
  ConnectionFilter filter;
  size_t limit = 1000;
  bool pairs = false;
};
struct ConnectionStatsRequest {};
struct RoutesRequest {
  RouterId router;
  std::optional<IpAddress> destination;
  size_t limit = 1000;
};

struct FactsRequest {
  ReadFacts facts;
};
struct EventsRequest {
  observability::EventFilter filter;
};
struct WhyRequest {
  PortId port;
  std::optional<PacketDescription> packet;
  bool relayed = false;
};
struct DropsRequest {
  PortId port;  // nil: all
  size_t limit = 1000;
};

using AdminCommand =
    std::variant<TransactRequest, ListRequest, WaitApplied, StatusRequest, FlowsRequest, TraceRequest, LogLevelRequest,
                 StateRequest, FlushState, ConnectionsRequest, FlushConnections, ConnectionStatsRequest, SupposeRequest,
                 RoutesRequest, FactsRequest, WhyRequest, DropsRequest, EventsRequest>;

struct AdminProblem {
  schema::ErrorCode code = schema::ErrorCode::INTERNAL;
  std::string message;
  std::vector<topology::Violation> violations;
};

struct AdminRequest {
  uint64_t id = 0;
  topology::Cause cause;
  std::variant<AdminCommand, AdminProblem> content;
};

// Never throws; a request that is not one comes back as the problem to answer with.
AdminRequest decode_request(const schema::Frame& frame, const AdminToken& token);
// Of another host's operator: has no token, and is a why or a trace that is answered here.
AdminRequest decode_relayed(const schema::Frame& frame);
// "transact", "list": the label of metrics and logs.
std::string_view kind_of(const AdminCommand& command);

}  // namespace viaduct::actors
