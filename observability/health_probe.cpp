#include "observability/health_probe.hpp"

namespace viaduct::observability {

HealthProbe::HealthProbe(Registry& registry, std::span<const std::string_view> results)
    : pools_(registry.gauge("viaduct_health_pools", "Load balancers' pools whose members this host checks.")),
      members_(registry.gauge("viaduct_health_members", "Members of those pools.")),
      down_(registry.gauge("viaduct_health_members_down", "Of those, members that are down.")),
      ups_(registry.counter("viaduct_health_turns_total", "Times that a member was found up or down again.",
                            {{"to", "up"}})),
      downs_(registry.counter("viaduct_health_turns_total", "Times that a member was found up or down again.",
                              {{"to", "down"}})),
      unexpected_(registry.counter("viaduct_health_answers_unexpected_total",
                                   "Answers that belong to no check under way: late, or forged.")) {
  for (const std::string_view result : results) {
    results_.push_back(&registry.counter("viaduct_health_checks_total", "Checks of members that have ended, by result.",
                                         {{"result", std::string(result)}}));
  }
  known_.resize(results.size());
}

void HealthProbe::checking(size_t pools, size_t members, size_t down, std::span<const uint64_t> results) {
  pools_.set(static_cast<double>(pools));
  members_.set(static_cast<double>(members));
  down_.set(static_cast<double>(down));
  for (size_t i = 0; i < known_.size() && i < results.size(); ++i) {
    results_[i]->add(results[i] - known_[i]);
    known_[i] = results[i];
  }
}

void HealthProbe::turned(bool up) { (up ? ups_ : downs_).add(); }
void HealthProbe::unexpected(uint64_t answers) { unexpected_.add(answers); }

}  // namespace viaduct::observability
