#include "actors/admin/trace_run.hpp"

#include "actors/admin/describe_packet.hpp"

namespace viaduct::actors {

namespace sim = flows::simulation;

namespace {

constexpr uint16_t kMaxDepth = 4;
constexpr size_t kMaxCaused = 16;

std::string outcome_name(sim::Outcome outcome) {
  switch (outcome) {
    case sim::Outcome::forward:
      return "forward";
    case sim::Outcome::drop:
      return "drop";
    case sim::Outcome::consumed:
      return "consumed";
    case sim::Outcome::park:
      return "park";
  }
  return "unknown";
}

struct Tracer {
  const sim::Network& network;
  const flows::StateView view;
  const flows::Time now;
  TraceResult& result;
  size_t caused = 0;

  // The packets that a packet causes, depth first.
  void follow(const std::vector<sim::EmittedPacket>& emits, uint16_t depth) {
    for (const auto& emit : emits) {
      if (depth > kMaxDepth || ++caused > kMaxCaused) return;
      std::vector<uint8_t> frame = emit.frame;
      flows::Packet packet = flows::parse(frame, {});
      sim::Verdict verdict;
      result.trace.depth = depth;
      result.trace.step(sim::DeviceKind::port, emit.from.uuid(), sim::Stage::emit, describe(packet));
      sim::simulate_emitted({network, view, packet, now}, emit.from, verdict, &result.trace);
      auto next = std::move(verdict.emits);
      follow(next, static_cast<uint16_t>(depth + 1));
    }
  }
};

// What a packet would change; a trace does not.
void note_connections(const sim::Verdict& verdict, sim::Trace& trace) {
  for (const auto& key : verdict.closes) {
    trace.step(sim::DeviceKind::none, {}, sim::Stage::connection, "would end " + key.to_string());
  }
  for (const auto& open : verdict.opens) {
    trace.step(sim::DeviceKind::none, {}, sim::Stage::connection, "would open " + open.key.to_string());
  }
}

std::string name_of(const sim::Network& network, flows::PortNumber number) {
  const auto* port = network.at(number);
  return port == nullptr ? "port number " + std::to_string(number.value) : port->name;
}

}  // namespace

std::optional<std::vector<uint8_t>> frame_of(const TraceRequest& request, const topology::Snapshot& snapshot,
                                             const sim::Network& network, const AgentState& state, std::string& error) {
  const topology::Port* port = snapshot.find(request.port);
  if (port == nullptr) {
    error = "no port " + request.port.to_string();
    return std::nullopt;
  }
  const sim::PortView* view = network.port(request.port);
  if (view == nullptr || !view->number) {
    error = "port " + port->name +
            " is not active on this host; `viaduct status` says why. Bind it first, or "
            "trace from a bound port";
    return std::nullopt;
  }
  return make_frame(request.packet, *port, snapshot, state, error);
}

TraceResult trace_frame(const std::vector<uint8_t>& frame, const sim::PortView& port, const sim::Network& network,
                        const AgentState& state, flows::Time now) {
  TraceResult result;
  std::vector<uint8_t> bytes = frame;
  flows::Packet packet = flows::parse(bytes, port.number);
  result.description = describe(packet);
  sim::Verdict verdict;
  Tracer tracer{network, state.view(), now, result};
  sim::simulate({network, tracer.view, packet, now}, verdict, &result.trace);
  result.outcome = outcome_name(verdict.outcome);
  if (verdict.outcome == sim::Outcome::drop) result.drop_reason = flows::to_string(verdict.drop_reason);
  result.actions = flows::to_string(verdict.actions.view());
  result.match = verdict.cacheable ? flows::Flow::make(packet.key, verdict.mask, verdict.actions).match_to_string()
                                   : "none: this packet is for user space only";
  for (const auto& action : verdict.actions) {
    if (const auto* output = std::get_if<flows::Output>(&action)) {
      result.outputs.push_back(name_of(network, output->port));
    } else if (const auto* away = std::get_if<flows::TunnelOutput>(&action)) {
      result.outputs.push_back("the host at " + away->tunnel.dst.to_string());
    }
  }
  note_connections(verdict, result.trace);
  auto emits = std::move(verdict.emits);
  tracer.follow(emits, 1);
  return result;
}

TraceResult run_trace(const TraceRequest& request, const topology::Snapshot& snapshot, const AgentState& state) {
  TraceResult result;
  auto network = state.network.load();
  auto frame = frame_of(request, snapshot, *network, state, result.error);
  if (!frame) return result;
  return trace_frame(*frame, *network->port(request.port), *network, state, std::chrono::steady_clock::now());
}

}  // namespace viaduct::actors
