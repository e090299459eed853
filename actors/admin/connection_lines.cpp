#include "actors/admin/connection_lines.hpp"

#include <capnp/message.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "actors/agent/connection_ageing.hpp"
#include "flows/packet/flow_key.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using topology::Kind;
using topology::ObjectRef;

namespace {

constexpr size_t kTopPorts = 10;

auto order_of(const ConnectionKey& key) {
  return std::tie(key.device, key.kind, key.proto, key.src, key.src_port, key.dst, key.dst_port);
}
bool in_order(const ConnectionLine& a, const ConnectionLine& b) { return order_of(a.key) < order_of(b.key); }

void name_device(ConnectionLine& line, const topology::Snapshot& snapshot) {
  for (Kind kind : {Kind::bridge, Kind::router, Kind::load_balancer}) {
    const ObjectRef ref{kind, line.key.device};
    if (snapshot.find(ref) == nullptr) continue;
    line.device = ref;
    line.device_name = name_or_id(snapshot, ref);
    return;
  }
}

// The first `limit` of all that come; never more than twice as many are held.
class First {
 public:
  explicit First(size_t limit) : limit_(limit) {}
  void add(ConnectionLine line) {
    lines_.push_back(std::move(line));
    if (lines_.size() >= 2 * limit_) cut();
  }
  std::vector<ConnectionLine> take() {
    cut();
    std::sort(lines_.begin(), lines_.end(), in_order);
    return std::move(lines_);
  }

 private:
  void cut() {
    if (lines_.size() <= limit_) return;
    std::nth_element(lines_.begin(), lines_.begin() + static_cast<ptrdiff_t>(limit_), lines_.end(), in_order);
    lines_.resize(limit_);
  }
  const size_t limit_;
  std::vector<ConnectionLine> lines_;
};

double idle(const ConnectionEntry& entry, flows::Time now) {
  return std::max(0.0, std::chrono::duration<double>(now - entry.last_seen).count());
}

// Each with its other half behind it, once.
std::vector<ConnectionLine> paired(std::vector<ConnectionLine> lines, const AgentState& state, flows::Time now) {
  std::vector<ConnectionLine> out;
  std::set<std::string> shown;
  for (ConnectionLine& line : lines) {
    if (!shown.insert(line.key.to_string()).second) continue;
    const auto partner = partner_of(line.key, line.entry);
    out.push_back(std::move(line));
    const auto other = partner ? state.connections.find(*partner) : std::nullopt;
    if (other && shown.insert(partner->to_string()).second) {
      out.push_back({*partner, *other, {}, {}, idle(*other, now)});
    }
  }
  return out;
}

std::string protocol_name(uint8_t proto) {
  switch (proto) {
    case flows::ip_proto::kTcp:
      return "tcp";
    case flows::ip_proto::kUdp:
      return "udp";
    case flows::ip_proto::kSctp:
      return "sctp";
    case flows::ip_proto::kIcmp:
      return "icmp";
    case flows::ip_proto::kIcmpv6:
      return "icmpv6";
    default:
      return std::to_string(proto);
  }
}

std::string flags_text(uint8_t seen) {
  static constexpr std::pair<uint8_t, std::string_view> kFlags[] = {
      {flows::seen::kSyn, "SYN"}, {flows::seen::kAck, "ACK"}, {flows::seen::kFin, "FIN"}, {flows::seen::kRst, "RST"}};
  std::string out;
  for (const auto& [bit, name] : kFlags) {
    if ((seen & bit) != 0) out += (out.empty() ? "" : " ") + std::string(name);
  }
  return out.empty() && seen != 0 ? "packets" : out;
}

bool translates(ConnectionKind kind) { return kind != ConnectionKind::track; }

void encode(const ConnectionLine& line, schema::ConnectionLine::Builder to) {
  to.setKind(std::string(to_string(line.key.kind)));
  to.setProtocol(protocol_name(line.key.proto));
  to.setSource(line.key.src.to_string());
  to.setSourcePort(line.key.src_port);
  to.setDestination(line.key.dst.to_string());
  to.setDestinationPort(line.key.dst_port);
  if (!line.device.id.is_nil()) topology::encode(line.device, to.initDevice());
  to.setDeviceName(line.device_name);
  if (translates(line.key.kind)) {
    if (line.key.kind != ConnectionKind::fragment) to.setAddress(line.entry.address.to_string());
    to.setPort(line.entry.port);
  }
  to.setState(std::string(to_string(line.entry.state())));
  to.setIdleSeconds(line.idle_seconds);
  to.setOwner(line.entry.owned ? "here" : "elsewhere");
  to.setSeenForward(flags_text(line.entry.seen_forward));
  to.setSeenBack(flags_text(line.entry.seen_back));
}

template <class Fill>
schema::Frame reply(uint64_t id, Fill&& fill) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::AdminReply>();
  root.setId(id);
  fill(root);
  return schema::Frame::of(message);
}

void encode(const ConnectionTotals::Counts& counts, capnp::List<schema::ConnectionCount>::Builder to) {
  for (unsigned i = 0; i < to.size(); ++i) {
    to[i].setName(counts[i].first);
    to[i].setCount(counts[i].second);
  }
}

ConnectionTotals::Counts fullest(const std::unordered_map<uint64_t, uint64_t>& accounts,
                                 const topology::Snapshot& snapshot) {
  ConnectionTotals::Counts out;
  snapshot.for_each(Kind::port, [&](const topology::Object& object) {
    const auto& port = std::get<topology::Port>(object);
    const auto found = accounts.find(std::hash<PortId>{}(port.id));
    if (found != accounts.end()) out.emplace_back(name_or_id(snapshot, topology::ref_of(object)), found->second);
  });
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
  if (out.size() > kTopPorts) out.resize(kTopPorts);
  return out;
}

}  // namespace

ConnectionLines connection_lines(const ConnectionsRequest& request, const topology::Snapshot& snapshot,
                                 const AgentState& state, flows::Time now) {
  ConnectionLines out;
  First first(request.limit);
  state.connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    if (!request.filter.matches(key, entry)) return;
    ++out.total;
    first.add({key, entry, {}, {}, idle(entry, now)});
  });
  out.lines = first.take();
  if (request.pairs) out.lines = paired(std::move(out.lines), state, now);
  for (ConnectionLine& line : out.lines) name_device(line, snapshot);
  return out;
}

schema::Frame connections_reply(uint64_t id, const ConnectionLines& lines) {
  return reply(id, [&](schema::AdminReply::Builder root) {
    auto list = root.initConnections();
    list.setTotal(lines.total);
    auto to = list.initConnections(static_cast<unsigned>(lines.lines.size()));
    for (unsigned i = 0; i < to.size(); ++i) encode(lines.lines[i], to[i]);
  });
}

schema::Frame flushed_reply(uint64_t id, uint64_t entries) {
  return reply(id, [&](schema::AdminReply::Builder root) { root.setFlushedConnections(entries); });
}

ConnectionTotals connection_totals(const topology::Snapshot& snapshot, const AgentState& state) {
  ConnectionTotals out;
  ConnectionCensus census;
  std::unordered_map<uint64_t, uint64_t> accounts;
  state.connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    census.add(key, entry);
    ++accounts[entry.port_account];
    ++out.entries;
  });
  for (size_t i = 0; i < ConnectionCensus::kKinds; ++i) {
    out.kinds.emplace_back(to_string(static_cast<ConnectionKind>(i)), census.kinds[i]);
  }
  for (size_t proto = 0; proto < ConnectionCensus::kProtocols; ++proto) {
    for (size_t at = 0; at < ConnectionCensus::kStates; ++at) {
      if (census.connections[proto][at] == 0) continue;
      out.states.emplace_back(std::string(ConnectionCensus::kProtocolNames[proto]) + " " +
                                  std::string(to_string(static_cast<flows::ConnectionState>(at))),
                              census.connections[proto][at]);
    }
  }
  out.ports = fullest(accounts, snapshot);
  out.capacity = state.connections.capacity();
  out.table_full = state.connections.refused();
  out.port_share = state.connections.over_port_share();
  out.tenant_share = state.connections.over_tenant_share();
  return out;
}

schema::Frame connection_stats_reply(uint64_t id, const ConnectionTotals& totals) {
  return reply(id, [&](schema::AdminReply::Builder root) {
    auto to = root.initConnectionStats();
    to.setEntries(totals.entries);
    to.setCapacity(totals.capacity);
    encode(totals.kinds, to.initKinds(static_cast<unsigned>(totals.kinds.size())));
    encode(totals.states, to.initStates(static_cast<unsigned>(totals.states.size())));
    encode(totals.ports, to.initPorts(static_cast<unsigned>(totals.ports.size())));
    to.setRefusedTableFull(totals.table_full);
    to.setRefusedPortShare(totals.port_share);
    to.setRefusedTenantShare(totals.tenant_share);
  });
}

}  // namespace viaduct::actors
