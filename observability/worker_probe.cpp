#include "observability/worker_probe.hpp"

namespace viaduct::observability {
namespace {

std::shared_ptr<PacketCell> single(Registry& registry, std::string_view name, std::string_view help) {
  static const std::vector<std::string> kNoLabel(1);
  return registry.packet_cell(name, help, "", kNoLabel);
}

}  // namespace

WorkerProbe::WorkerProbe(Registry& registry, const WorkerLabels& labels)
    : upcalls_(registry.packet_cell("viaduct_upcalls_total", "Packets that the datapath had no flow for, by reason.",
                                    "reason", labels.upcall_reasons)),
      verdicts_(registry.packet_cell("viaduct_verdicts_total", "Simulations, by outcome.", "outcome",
                                     labels.verdict_outcomes)),
      drops_(registry.packet_cell("viaduct_dropped_packets_total",
                                  "Packets dropped by the slow path, by the reason that a trace shows.", "reason",
                                  labels.drop_reasons)),
      installs_(registry.packet_cell("viaduct_flow_installs_total", "Flows handed to the datapath, by result.",
                                     "result", labels.install_results)),
      parked_(registry.packet_cell("viaduct_parked_packets_total",
                                   "Packets that had to wait for a missing fact, by what was missing.", "cause",
                                   labels.park_causes)),
      park_refusals_(registry.packet_cell("viaduct_park_refused_packets_total",
                                          "Packets that had to wait and found no room, by the limit that was reached.",
                                          "limit", labels.park_refusals)),
      emitted_(single(registry, "viaduct_emitted_packets_total",
                      "Packets made by virtual devices: ARP, neighbour discovery, ICMP.")),
      connections_(single(registry, "viaduct_connection_entries_opened_total",
                          "Entries of the connections' table that packets have opened.")),
      anomalies_(registry.packet_cell("viaduct_worker_anomalies_total",
                                      "Things that a packet worker coped with, by event.", "event",
                                      std::vector<std::string>{"learning_refused", "stale_verdict", "record_lost",
                                                               "install_deferred", "drop_unrecorded"})),
      upcall_to_flow_(
          registry
              .histogram("viaduct_upcall_to_flow_seconds", "From the arrival of an upcall to its flow in the datapath.")
              .claim_cell()),
      simulation_(registry
                      .histogram("viaduct_simulation_seconds",
                                 "Deciding one packet in 64: its simulation, and again when facts changed meanwhile.")
                      .claim_cell()),
      upcall_reasons_(labels.upcall_reasons.size()) {
  for (const std::string& cause : labels.park_causes) {
    parked_for_.push_back(registry
                              .histogram("viaduct_parked_seconds",
                                         "How long packets waited for a missing fact, found or not, by what it was.",
                                         {{"cause", cause}})
                              .claim_cell());
  }
}

uint64_t WorkerProbe::upcalls() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < upcall_reasons_; ++i) sum += upcalls_->value(i);
  return sum;
}

ExportedCallback export_workers(Registry& registry, std::function<std::vector<WorkerNumbers>()> read) {
  using enum MetricKind;
  return registry.export_families(
      {{"viaduct_worker_upcalls_total", "Upcalls that a packet worker has taken.", counter},
       {"viaduct_worker_cpu_seconds_total", "CPU time of a packet worker's thread.", counter},
       {"viaduct_worker_inbox_requests", "Requests of actors that wait for a packet worker.", gauge},
       {"viaduct_worker_ring_flows", "Flows of a packet worker that the flow controller has not taken yet.", gauge}},
      [read = std::move(read)] {
        std::vector<std::vector<Sample>> out(4);
        const auto workers = read();
        for (size_t i = 0; i < workers.size(); ++i) {
          const SampleLabels labels{{"worker", std::to_string(i)}};
          out[0].push_back({labels, static_cast<double>(workers[i].upcalls)});
          out[1].push_back({labels, workers[i].cpu_seconds});
          out[2].push_back({labels, static_cast<double>(workers[i].inbox)});
          out[3].push_back({labels, static_cast<double>(workers[i].ring)});
        }
        return out;
      });
}

}  // namespace viaduct::observability
