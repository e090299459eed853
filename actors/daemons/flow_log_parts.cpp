#include "actors/daemons/flow_log_parts.hpp"

#include "flows/simulation/network_views.hpp"

namespace viaduct::actors {

namespace flow_log = observability::flow_log;
using flows::simulation::Network;

namespace {

constexpr uint16_t kIpfixPort = 4739;  // IANA's
constexpr size_t kMoreEnds = 65'536;   // of flows that come and go between two looks of the writer

flow_log::WriterOptions options_of(const Config& config) {
  const Config::FlowLog& from = config.flow_log;
  flow_log::WriterOptions options;
  options.file = from.file;
  if (!from.ipfix.empty()) {
    const HostPort to = parse_host_port(from.ipfix, kIpfixPort).value();  // checked as it was read
    options.collector = flow_log::CollectorAddress{IpAddress::parse(to.host).value(), to.port};
  }
  options.domain = from.ipfix_domain;
  options.template_refresh = from.ipfix_templates;
  options.max_rate = from.max_rate;
  options.max_tracked = config.datapath.max_flows + kMoreEnds;
  return options;
}

flow_log::JsonContext context_of(const std::string& host, FlowLogNames& names) {
  flow_log::JsonContext context;
  context.host = host;
  for (unsigned i = 0; i < static_cast<unsigned>(flows::Field::count_); ++i) {
    context.fields.push_back(flows::FieldSet{static_cast<flows::Field>(i)}.to_string());
  }
  context.names = [&names](const Uuid& port) { return names.names(port); };
  return context;
}

flow_log::Sources sources_of(AgentState& state, WorkerPool& workers, FlowLogNames& names, flow_log::Probe& probe) {
  flow_log::Sources sources;
  for (size_t i = 0; i < workers.size(); ++i) {
    sources.records.push_back(
        [ring = workers.worker(i).flow_log()](std::span<flow_log::Record> out) { return ring->try_pop(out); });
  }
  sources.ends = [&state, &probe] {
    uint64_t lost = 0;
    auto ends = state.flow_log->ends.take(lost);
    probe.lost(flow_log::Loss::ring_full, lost);
    return ends;
  };
  sources.complete = [&names](flow_log::Record& record) { names.complete(record); };
  return sources;
}

}  // namespace

std::unique_ptr<FlowLogInlet> flow_log_inlet(const Config& config, observability::Registry& registry) {
  const Config::FlowLog& from = config.flow_log;
  if (from.file.empty() && from.ipfix.empty()) return nullptr;
  return std::make_unique<FlowLogInlet>(FlowLogSettings{from.sample, from.sample_drops, from.per_connection},
                                        config.datapath.max_flows + kMoreEnds, registry);
}

const Network& FlowLogNames::network() {
  const Network& now = network_.get();
  if (seen_ == &now) return now;
  seen_ = &now;
  remote_.clear();
  now.locations().remote.for_each([this](PortId id, const flows::simulation::RemotePort& port) {
    remote_.emplace(std::pair(port.host, port.key), id);
  });
  return now;
}

flow_log::PortNames FlowLogNames::names(const Uuid& id) {
  const Network& now = network();
  const auto* port = now.port(PortId(id));
  if (port == nullptr) return {};
  flow_log::PortNames out{port->name, {}};
  if (port->on_bridge()) {
    if (const auto* bridge = now.snapshot().find(BridgeId(port->device_id))) out.tenant = bridge->tenant;
  } else if (const auto* router = now.snapshot().find(RouterId(port->device_id))) {
    out.tenant = router->tenant;
  }
  return out;
}

void FlowLogNames::complete(flow_log::Record& record) {
  const Network& now = network();
  for (auto& to : record.egress) {
    if (to.key == 0) continue;
    const auto known = remote_.find({HostId(to.host), to.key});
    if (known == remote_.end()) continue;
    to.port = known->second.uuid();
    if (const auto* port = now.port(known->second)) record.add_device(port->device_id);
  }
}

FlowLog::FlowLog(const Config& config, const std::string& host, AgentState& state, WorkerPool& workers,
                 observability::Registry& registry)
    : names_(state.network),
      probe_(registry),
      writer_(options_of(config), context_of(host, names_), sources_of(state, workers, names_, probe_), probe_) {
  writer_.start();
}

}  // namespace viaduct::actors
