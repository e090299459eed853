#include "observability/port_probe.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace viaduct::observability {
namespace {

SampleLabels labels_of(const PortName& name) {
  return {{"port", name.port}, {"interface", name.interface}, {"device", name.device}};
}

std::vector<FamilyDescription> families() {
  using enum MetricKind;
  return {{"viaduct_port_active", "1 when the port's interface is in the datapath and its link is up, else 0.", gauge},
          {"viaduct_port_received_packets_total", "Packets that came from a port into the datapath.", counter},
          {"viaduct_port_received_bytes_total", "Bytes of those packets.", counter},
          {"viaduct_port_sent_packets_total", "Packets that the datapath sent to a port.", counter},
          {"viaduct_port_sent_bytes_total", "Bytes of those packets.", counter},
          {"viaduct_port_upcalls_total", "Packets of a port that the datapath had no flow for.", counter},
          {"viaduct_port_upcalls_lost_total", "Of those, packets that never reached the daemon, and were dropped.",
           counter}};
}

}  // namespace

PortProbe::PortProbe(Registry& registry, Read read)
    : read_(std::move(read)), export_(registry.export_families(families(), [this] { return scrape(); })) {}

void PortProbe::observed(std::vector<Port> all) {
  std::lock_guard lock(mutex_);
  const std::vector<Shown>& before = *ports_;
  const auto shows = [](const Shown& shown, const Port& port) { return shown.port == port; };
  if (std::equal(before.begin(), before.end(), all.begin(), all.end(), shows)) return;
  std::map<std::string_view, const Shown*> known;
  for (const Shown& shown : before) known.emplace(shown.port.name.port, &shown);
  std::vector<Shown> next;
  next.reserve(all.size());
  for (Port& port : all) {
    const auto found = known.find(port.name.port);
    const bool kept = found != known.end() && found->second->port.name == port.name;
    SampleLabels labels = kept ? found->second->labels : labels_of(port.name);
    next.push_back({std::move(port), std::move(labels)});
  }
  ports_ = std::make_shared<const std::vector<Shown>>(std::move(next));
}

std::vector<std::vector<Sample>> PortProbe::scrape() const {
  ShownPorts ports;
  {
    std::lock_guard lock(mutex_);  // not held while the kernel is asked
    ports = ports_;
  }
  std::vector<std::vector<Sample>> out(families().size());
  for (auto& family : out) family.reserve(ports->size());
  for (const auto& [port, labels] : *ports) {
    out[0].push_back({labels, port.active ? 1.0 : 0.0});
    if (port.number == 0) continue;
    const auto numbers = read_(port.number);
    if (!numbers) continue;
    size_t at = 1;
    for (const uint64_t value : {numbers->received_packets, numbers->received_bytes, numbers->sent_packets,
                                 numbers->sent_bytes, numbers->upcalls, numbers->upcalls_lost}) {
      out[at++].push_back({labels, static_cast<double>(value)});
    }
  }
  return out;
}

}  // namespace viaduct::observability
