#include "actors/daemons/config_change.hpp"

#include <algorithm>

namespace viaduct::actors {

bool ConfigChange::has(std::string_view key) const {
  return std::ranges::any_of(live, [&](const Setting* each) { return each->key == key; });
}

ConfigChange compare(const Config& running, const Config& wanted) {
  ConfigChange change;
  // From the cluster node in this process to others, or back: another daemon.
  bool moves = running.agent.cluster.empty() != wanted.agent.cluster.empty();
  for (const Setting& setting : kSettings) {
    if (setting.get(running) == setting.get(wanted)) continue;
    bool live = setting.change == Change::live && !(moves && setting.key == "agent.cluster");
    (live ? change.live : change.restart).push_back(&setting);
  }
  return change;
}

Config apply_live(const Config& running, const Config& wanted, const ConfigChange& change) {
  Config next = running;
  for (const Setting* setting : change.live) setting->set(next, setting->get(wanted));
  return next;
}

std::string names_of(const std::vector<const Setting*>& settings) {
  std::string names;
  for (const Setting* setting : settings) names += (names.empty() ? "" : ", ") + std::string(setting->key);
  return names;
}

}  // namespace viaduct::actors
