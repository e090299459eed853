#include <algorithm>

#include "actors/admin/request.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

using schema::ErrorCode;

namespace {

AdminProblem problem(ErrorCode code, std::string message) { return {code, std::move(message), {}}; }

using Content = std::variant<AdminCommand, AdminProblem>;

// Bounded by the endpoint's own patience.
std::chrono::milliseconds timeout_of(uint32_t milliseconds) {
  constexpr uint32_t kDefault = 10'000, kMost = 110'000;
  return std::chrono::milliseconds(milliseconds == 0 ? kDefault : std::min(milliseconds, kMost));
}

Content decode_transact(schema::Transact::Reader from, topology::Cause cause) {
  auto operations = topology::decode_operations(from);
  if (!operations) return problem(ErrorCode::INVALID, operations.error());
  TransactRequest request;
  request.transaction.operations = std::move(*operations);
  request.transaction.dry_run = from.getDryRun();
  request.transaction.cause = std::move(cause);
  request.wait_applied = from.getWaitApplied();
  request.timeout = timeout_of(from.getTimeoutMs());
  return AdminCommand(std::move(request));
}

Content decode_list(schema::ListObjects::Reader from) {
  ListRequest request;
  for (schema::Kind kind : from.getKinds()) {
    auto known = topology::decode(kind);
    if (!known) return problem(ErrorCode::INVALID, "unknown kind number " + std::to_string(static_cast<int>(kind)));
    request.kinds.push_back(*known);
  }
  request.name = from.getName().cStr();
  request.naming = topology::decode(from.getNaming());
  return AdminCommand(std::move(request));
}

std::optional<AdminProblem> decode_addresses(schema::PacketDescription::Reader from, PacketDescription& to) {
  auto source = topology::decode(from.getIpSrc());
  if (!source) return problem(ErrorCode::INVALID, "source: " + source.error());
  auto destination = topology::decode(from.getIpDst());
  if (!destination) return problem(ErrorCode::INVALID, "destination: " + destination.error());
  to.ip_src = *source;
  to.ip_dst = *destination;
  return std::nullopt;
}

std::optional<AdminProblem> decode_packet(schema::PacketDescription::Reader packet, PacketDescription& to) {
  auto frame = packet.getFrame();
  if (frame.size() > flows::kMaxUpcallBytes) {
    return problem(ErrorCode::INVALID, "a frame has at most " + std::to_string(flows::kMaxUpcallBytes) + " bytes");
  }
  to.frame.assign(frame.begin(), frame.end());
  to.eth_src = MacAddress::from_uint64(packet.getEthSrc());
  to.eth_dst = MacAddress::from_uint64(packet.getEthDst());
  to.eth_type = packet.getEthType();
  to.vlan = packet.getVlan();
  if (auto wrong = decode_addresses(packet, to)) return *wrong;
  to.ip_proto = packet.getIpProto();
  to.ttl = packet.getTtl();
  to.tos = packet.getTos();
  to.l4_src = packet.getL4Src();
  to.l4_dst = packet.getL4Dst();
  to.length = packet.getLength();
  to.arp = packet.getArp();
  to.dont_fragment = packet.getDontFragment();
  return std::nullopt;
}

std::optional<AdminProblem> decode_trace(schema::TraceRequest::Reader from, TraceRequest& request) {
  request.port = PortId(topology::decode(from.getPort()));
  return decode_packet(from.getPacket(), request.packet);
}

Content decode_why(schema::WhyRequest::Reader from) {
  WhyRequest request{PortId(topology::decode(from.getPort())), std::nullopt, from.getRelayed()};
  if (from.hasPacket()) {
    if (auto wrong = decode_packet(from.getPacket(), request.packet.emplace())) return *wrong;
  }
  return AdminCommand(std::move(request));
}

Content decode_trace(schema::TraceRequest::Reader from) {
  TraceRequest request;
  request.relayed = from.getRelayed();
  if (auto wrong = decode_trace(from, request)) return *wrong;
  return AdminCommand(std::move(request));
}

Content decode_supposition(schema::Supposition::Reader from) {
  SupposeRequest request;
  if (auto wrong = decode_trace(from.getTrace(), request.trace)) return *wrong;
  const size_t count = from.getChange().getOperations().size();
  if (count > kMaxSupposed) {
    return problem(ErrorCode::INVALID, "a change to suppose has at most " + std::to_string(kMaxSupposed) +
                                           " operations, this has " + std::to_string(count) +
                                           "; leave out what the packet does not meet");
  }
  auto operations = topology::decode_operations(from.getChange());
  if (!operations) return problem(ErrorCode::INVALID, operations.error());
  request.operations = std::move(*operations);
  return AdminCommand(std::move(request));
}

// One of the first `count` values of an enum by its name; empty: none.
template <class Enum>
std::optional<AdminProblem> decode_name(std::string_view what, std::string_view name, int count,
                                        std::optional<Enum>& to) {
  if (name.empty()) return std::nullopt;
  std::string known;
  for (int i = 0; i < count; ++i) {
    if (to_string(static_cast<Enum>(i)) == name) to = static_cast<Enum>(i);
    known += (i == 0 ? "" : ", ") + std::string(to_string(static_cast<Enum>(i)));
  }
  if (to) return std::nullopt;
  return problem(ErrorCode::INVALID,
                 std::string(what) + " '" + std::string(name) + "' does not exist; one of " + known);
}

std::optional<AdminProblem> decode_prefix(std::string_view what, schema::IpPrefix::Reader from,
                                          std::optional<IpPrefix>& to) {
  auto prefix = topology::decode(from);
  if (!prefix) return problem(ErrorCode::INVALID, std::string(what) + ": " + prefix.error());
  to = *prefix;
  return std::nullopt;
}

std::optional<AdminProblem> decode_filter(schema::ConnectionFilter::Reader from, ConnectionFilter& to) {
  if (auto wrong = decode_name("kind", from.getKind().cStr(), static_cast<int>(flows::ConnectionKind::count_), to.kind))
    return wrong;
  if (auto wrong = decode_name("state", from.getState().cStr(), 4, to.state)) return wrong;
  if (from.hasSrc()) {
    if (auto wrong = decode_prefix("source", from.getSrc(), to.src)) return wrong;
  }
  if (from.hasDst()) {
    if (auto wrong = decode_prefix("destination", from.getDst(), to.dst)) return wrong;
  }
  if (from.getProto() != 0) to.proto = from.getProto();
  if (from.getPort() != 0) to.port = from.getPort();
  to.device = topology::decode(from.getDevice());
  return std::nullopt;
}

size_t limit_of(uint32_t limit) {
  constexpr uint32_t kDefault = 1'000, kMost = 100'000;
  return limit == 0 ? kDefault : std::min(limit, kMost);
}

Content decode_connections(schema::ListConnections::Reader from) {
  ConnectionsRequest request{{}, limit_of(from.getLimit()), from.getPairs()};
  if (auto wrong = decode_filter(from.getFilter(), request.filter)) return *wrong;
  return AdminCommand(std::move(request));
}

Content decode_routes(schema::ListRoutes::Reader from) {
  RoutesRequest request{RouterId(topology::decode(from.getRouter())), std::nullopt, limit_of(from.getLimit())};
  const std::string destination = from.getDestination();
  if (!destination.empty()) {
    request.destination = IpAddress::parse(destination);
    if (!request.destination) return problem(ErrorCode::INVALID, "destination: \"" + destination + "\" is no address");
  }
  return AdminCommand(std::move(request));
}

Content decode_facts(schema::ListFacts::Reader from) {
  FactsRequest request{{{}, topology::decode(from.getDevice()), limit_of(from.getLimit())}};
  for (auto table : from.getTables()) request.facts.tables.emplace(table.cStr());
  return AdminCommand(std::move(request));
}

std::optional<AdminProblem> decode_texts(std::string_view what, capnp::List<capnp::Text>::Reader from,
                                         std::vector<std::string>& to) {
  constexpr size_t kMost = 100;
  if (from.size() > kMost) {
    return problem(ErrorCode::INVALID, "at most " + std::to_string(kMost) + " " + std::string(what) + " at once");
  }
  for (auto each : from) to.emplace_back(each.cStr());
  return std::nullopt;
}

Content decode_events(schema::ListEvents::Reader from) {
  EventsRequest request;
  auto& filter = request.filter;
  filter.after = from.getAfter();
  filter.since = WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::nanoseconds(static_cast<int64_t>(std::min<uint64_t>(from.getSince(), INT64_MAX)))));
  filter.limit = limit_of(from.getLimit());
  if (auto wrong = decode_texts("kinds", from.getKinds(), filter.kinds)) return *wrong;
  if (auto wrong = decode_texts("values", from.getValues(), filter.values)) return *wrong;
  return AdminCommand(std::move(request));
}

// Without a name of its own a request gets one, so that each commit can be followed.
topology::Cause decode_cause(schema::AdminRequest::Reader from) {
  topology::Cause cause{from.getRequest().cStr(), from.getBy().cStr()};
  if (!topology::is_request_name(cause.request)) cause.request = Uuid::random().to_string();
  cause.by.resize(std::min(cause.by.size(), topology::kMaxByName));
  return cause;
}

Content decode_command(schema::AdminRequest::Reader from, const topology::Cause& cause) {
  using Which = schema::AdminRequest;
  switch (from.which()) {
    case Which::TRANSACT:
      return decode_transact(from.getTransact(), cause);
    case Which::LIST:
      return decode_list(from.getList());
    case Which::WAIT:
      return AdminCommand(WaitApplied{from.getWait().getRevision(), timeout_of(from.getWait().getTimeoutMs())});
    case Which::STATUS:
      return AdminCommand(StatusRequest{});
    case Which::FLOWS:
      return AdminCommand(
          FlowsRequest{PortId(topology::decode(from.getFlows().getPort())), limit_of(from.getFlows().getLimit())});
    case Which::TRACE:
      return decode_trace(from.getTrace());
    case Which::SET_LOG_LEVEL:
      return AdminCommand(LogLevelRequest{from.getSetLogLevel().getComponent(), from.getSetLogLevel().getLevel()});
    case Which::STATE:
      return AdminCommand(StateRequest{topology::decode(from.getState().getDevice())});
    case Which::FLUSH:
      return AdminCommand(FlushState{topology::decode(from.getFlush().getDevice())});
    case Which::CONNECTIONS:
      return decode_connections(from.getConnections());
    case Which::FLUSH_CONNECTIONS: {
      FlushConnections request;
      if (auto wrong = decode_filter(from.getFlushConnections(), request.filter)) return *wrong;
      return AdminCommand(std::move(request));
    }
    case Which::CONNECTION_STATS:
      return AdminCommand(ConnectionStatsRequest{});
    case Which::ROUTES:
      return decode_routes(from.getRoutes());
    case Which::FACTS:
      return decode_facts(from.getFacts());
    case Which::EVENTS:
      return decode_events(from.getEvents());
    case Which::SUPPOSE:
      return decode_supposition(from.getSuppose());
    case Which::WHY:
      return decode_why(from.getWhy());
    case Which::DROPS:
      return AdminCommand(
          DropsRequest{PortId(topology::decode(from.getDrops().getPort())), limit_of(from.getDrops().getLimit())});
  }
  return problem(ErrorCode::MALFORMED,
                 "this daemon does not know the request; it is older than the tool. Upgrade the daemon");
}

AdminRequest unreadable(const schema::FrameFailure& failure) {
  AdminRequest request;
  request.content = problem(ErrorCode::MALFORMED, std::string(schema::to_string(failure.error)) + ": " + failure.text);
  return request;
}

AdminProblem other_version(schema::AdminRequest::Reader from) {
  return problem(ErrorCode::VERSION, "the tool speaks version " + std::to_string(from.getMajor()) +
                                         ", this daemon version " + std::to_string(schema::PROTOCOL_MAJOR) +
                                         "; use the tool of the daemon's release");
}

}  // namespace

AdminRequest decode_request(const schema::Frame& frame, const AdminToken& token) {
  auto decoded = schema::with_root<schema::AdminRequest>(frame, schema::ReadLimits{}, [&](auto root) {
    AdminRequest request;
    request.id = root.getId();
    auto secret = root.getToken();
    if (root.getMajor() != schema::PROTOCOL_MAJOR) {
      request.content = other_version(root);
    } else if (!token.matches({secret.begin(), secret.size()})) {
      request.content = problem(ErrorCode::UNAUTHORIZED,
                                "wrong token; the daemon's token file is readable for root and the group viaduct");
    } else {
      request.cause = decode_cause(root);
      request.content = decode_command(root, request.cause);
    }
    return request;
  });
  return decoded ? std::move(*decoded) : unreadable(decoded.failure());
}

AdminRequest decode_relayed(const schema::Frame& frame) {
  schema::ReadLimits limits;
  limits.max_bytes = topology::kMaxQuestionBytes;
  auto decoded = schema::with_root<schema::AdminRequest>(frame, limits, [&](auto root) {
    AdminRequest request;
    request.id = root.getId();
    request.cause = decode_cause(root);
    if (root.getMajor() != schema::PROTOCOL_MAJOR) {
      request.content = other_version(root);
    } else if (root.isWhy()) {
      request.content = decode_why(root.getWhy());
    } else if (root.isTrace()) {
      request.content = decode_trace(root.getTrace());
    } else {
      request.content =
          problem(ErrorCode::INVALID,
                  "only why and trace are asked from other hosts; ask this host's own daemon, or upgrade it");
    }
    return request;
  });
  if (!decoded) return unreadable(decoded.failure());
  auto* command = std::get_if<AdminCommand>(&decoded->content);
  if (command == nullptr) return std::move(*decoded);
  if (auto* why = std::get_if<WhyRequest>(command)) why->relayed = true;
  if (auto* trace = std::get_if<TraceRequest>(command)) trace->relayed = true;
  return std::move(*decoded);
}

std::string_view kind_of(const AdminCommand& command) {
  static constexpr std::string_view kNames[] = {"transact",
                                                "list",
                                                "wait",
                                                "status",
                                                "flows",
                                                "trace",
                                                "log",
                                                "state",
                                                "flush",
                                                "connections",
                                                "flush_connections",
                                                "connection_stats",
                                                "suppose",
                                                "routes",
                                                "facts",
                                                "why",
                                                "drops",
                                                "events"};
  static_assert(std::size(kNames) == std::variant_size_v<AdminCommand>);
  return kNames[command.index()];
}

}  // namespace viaduct::actors
