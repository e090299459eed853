#include "actors/agent/port_bindings.hpp"

#include <set>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::EventKind;

namespace {

std::string explain(const std::error_code& error, const std::string& interface) {
  if (error == std::errc::no_such_device)
    return "no interface " + interface + " on this host; it is bound when it appears";
  if (error == std::errc::device_or_resource_busy) {
    return interface + " belongs to a Linux bridge or another datapath; release it there";
  }
  return interface + ": " + error.message();
}

}  // namespace

std::vector<PortId> PortBindings::reconcile(const ReconcileBindings& wish) {
  std::vector<PortId> rebound;
  std::set<PortId> named;
  for (const auto& binding : wish.bind) named.insert(binding.port);
  if (wish.complete) {
    std::vector<PortId> gone;
    for (const auto& [port, wanted] : wanted_) {
      if (!named.contains(port)) gone.push_back(port);
    }
    for (PortId port : gone) unbind(port, rebound);
  }
  for (PortId port : wish.unbind) unbind(port, rebound);
  for (const auto& binding : wish.bind) {
    auto it = wanted_.find(binding.port);
    if (it != wanted_.end() && it->second.interface != binding.interface) unbind(binding.port, rebound);
    Wanted& wanted = wanted_[binding.port];
    wanted.interface = binding.interface;
  }
  if (wish.complete) remove_strangers();
  for (const auto& binding : wish.bind) {
    Wanted& wanted = wanted_[binding.port];
    if (wanted.number) continue;
    auto added = try_add(wanted);
    if (settle(binding.port, wanted, added ? &*added : nullptr)) rebound.push_back(binding.port);
  }
  return rebound;
}

// Ports that an earlier life left and nobody wants any more. Those of tunnels are the tunnel manager's, which asks for
// them later: without one its flows, and all that come in by it, would be gone.
void PortBindings::remove_strangers() {
  std::set<std::string> interfaces;
  for (const auto& [port, wanted] : wanted_) interfaces.insert(wanted.interface);
  for (const auto& port : datapath_.ports()) {
    if (!port.tunnel && !interfaces.contains(port.interface)) {
      log::info(log::Component::datapath, "releasing an interface that no port is bound to",
                {{"interface", port.interface}});
      datapath_.remove_port(port.number);
    }
  }
}

void PortBindings::unbind(PortId port, std::vector<PortId>& rebound) {
  auto it = wanted_.find(port);
  if (it == wanted_.end()) return;
  if (it->second.number) datapath_.remove_port(it->second.number);
  if (it->second.active) {
    active_ = active_.erase(port);
    rebound.push_back(port);
  }
  wanted_.erase(it);
}

std::optional<flows::DatapathPort> PortBindings::try_add(Wanted& wanted) {
  std::error_code error;
  flows::DatapathPort added = datapath_.add_port(wanted.interface, error);
  if (error) {
    std::string reason = explain(error, wanted.interface);
    if (reason != wanted.reason) log::warning(log::Component::datapath, "cannot bind", {{"reason", reason}});
    wanted.reason = std::move(reason);
    wanted.number = {};
    return std::nullopt;
  }
  wanted.number = added.number;
  return added;
}

std::vector<PortId> PortBindings::refresh() {
  std::vector<PortId> rebound;
  std::map<uint32_t, flows::DatapathPort> found;
  for (auto& port : datapath_.ports()) found.emplace(port.number.value, std::move(port));
  for (auto& [port, wanted] : wanted_) {
    auto it = wanted.number ? found.find(wanted.number.value) : found.end();
    std::optional<flows::DatapathPort> seen;
    if (it != found.end() && it->second.present) seen = it->second;
    if (wanted.number && !seen) {  // the interface vanished; one of the same name may be there again
      datapath_.remove_port(wanted.number);
      wanted.number = {};
    }
    if (!wanted.number) seen = try_add(wanted);
    if (settle(port, wanted, seen ? &*seen : nullptr)) rebound.push_back(port);
  }
  return rebound;
}

// Makes the port active or inactive as it was found; true when that changed anything.
bool PortBindings::settle(PortId port, Wanted& wanted, const flows::DatapathPort* found) {
  bool active = found != nullptr && found->present && found->link_up;
  if (found != nullptr) wanted.reason = active ? "" : "the link of " + wanted.interface + " is down";
  const flows::PortNumber* was = active_.find(port);
  flows::PortNumber number = active ? wanted.number : flows::PortNumber{};
  bool changed = (was != nullptr ? *was : flows::PortNumber{}) != number;
  wanted.active = active;
  if (!changed) return false;
  active_ = active ? active_.insert(port, number) : active_.erase(port);
  log::event(log::Component::datapath, log::Level::info, active ? EventKind::port_active : EventKind::port_inactive,
             active ? "port active" : "port inactive",
             {{"port", port.to_string()}, {"interface", wanted.interface}, {"reason", wanted.reason}});
  return true;
}

void PortBindings::for_each(const Visit& visit) const {
  for (const auto& [port, wanted] : wanted_) visit(port, wanted.interface, wanted.number, wanted.active);
}

std::vector<DatapathReport::Port> PortBindings::report() {
  std::vector<DatapathReport::Port> out;
  for (auto& [port, wanted] : wanted_) {
    DatapathReport::Port line{port, wanted.interface, wanted.number, wanted.active, wanted.reason, {}};
    if (wanted.number) line.stats = datapath_.port_stats(wanted.number).value_or(flows::PortStats{});
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace viaduct::actors
