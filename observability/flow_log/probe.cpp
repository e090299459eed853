#include "observability/flow_log/probe.hpp"

#include <string>
#include <vector>

namespace viaduct::observability::flow_log {
namespace {

std::shared_ptr<PacketCell> losses(Registry& registry) {
  static const std::vector<std::string> kCauses = {"ring_full", "rate", "file", "collector", "untracked"};
  return registry.packet_cell("viaduct_flow_log_lost_records_total",
                              "Records of sampled flows that are not in the flow log, by cause.", "cause", kCauses);
}

Counter& written(Registry& registry, const char* output) {
  return registry.counter("viaduct_flow_log_records_total", "Records of the flow log, by where they went.",
                          {{"output", output}});
}

}  // namespace

Probe::Probe(Registry& registry)
    : written_file_(flow_log::written(registry, "file")),
      written_ipfix_(flow_log::written(registry, "ipfix")),
      file_errors_(
          registry.counter("viaduct_flow_log_file_errors_total", "Attempts to write the flow log's file that failed.")),
      send_errors_(registry.counter("viaduct_flow_log_ipfix_errors_total",
                                    "Messages to the IPFIX collector that failed, or were refused by its host.")),
      lost_(losses(registry)) {}

void Probe::lost(Loss cause, uint64_t records) {
  if (records > 0) lost_->add(cause, records);
}

Probe::Worker::Worker(Registry& registry)
    : sampled_out_(registry.packet_cell("viaduct_flow_log_sampled_out_total",
                                        "Decisions that the flow log's sampling left out.", "",
                                        std::vector<std::string>(1))),
      lost_(losses(registry)) {}

}  // namespace viaduct::observability::flow_log
