#include "flows/datapath/fake_flow_table.hpp"

#include <algorithm>

#include "flows/match/apply.hpp"

namespace viaduct::flows {

FakeFlowTable::Entry* FakeFlowTable::find(const FlowKey& key) {
  for (const Mask& mask : masks_) {
    auto at = entries_.find(FlowId::of(mask.fields.apply(key), mask.fields));
    if (at != entries_.end()) return &at->second;
  }
  return nullptr;
}

InstallResult FakeFlowTable::install(const FlowInstall& install, Time now) {
  if (!applicable(install.flow.actions.view(), install.packet_key)) return InstallResult::unsupported;
  auto at = entries_.find(install.flow.id);
  if (at != entries_.end()) {
    at->second.flow.actions = install.flow.actions;
    return InstallResult::replaced;
  }
  if (find(install.packet_key) != nullptr) return InstallResult::overlaps;
  if (entries_.size() >= max_flows_) return InstallResult::table_full;
  entries_.emplace(install.flow.id, Entry{install.flow, {}, now});
  add_mask(install.flow.mask);
  return InstallResult::installed;
}

bool FakeFlowTable::remove(const FlowId& id, Time now, FlowStats& last) {
  auto at = entries_.find(id);
  if (at == entries_.end()) return false;
  last = stats_of(at->second, now);
  drop_mask(at->second.flow.mask);
  entries_.erase(at);
  return true;
}

void FakeFlowTable::remove_port(PortNumber port) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (at->second.flow.key.in_port == port) {
      drop_mask(at->second.flow.mask);
      at = entries_.erase(at);
    } else {
      ++at;
    }
  }
}

bool FakeFlowTable::refers_to(PortNumber port) const {
  return std::any_of(entries_.begin(), entries_.end(), [port](const auto& item) {
    const Flow& flow = item.second.flow;
    return flow.key.in_port == port || std::any_of(flow.actions.begin(), flow.actions.end(), [port](const Action& one) {
             const Output* output = std::get_if<Output>(&one);
             const TunnelOutput* tunnel = std::get_if<TunnelOutput>(&one);
             return (output != nullptr && output->port == port) || (tunnel != nullptr && tunnel->port == port);
           });
  });
}

void FakeFlowTable::clear() {
  entries_.clear();
  masks_.clear();
}

FlowStats FakeFlowTable::stats_of(const Entry& entry, Time now) {
  FlowStats stats = entry.stats;
  stats.idle = std::max(now - entry.used, Time::duration::zero());
  return stats;
}

void FakeFlowTable::add_mask(FieldSet fields) {
  auto at = std::find_if(masks_.begin(), masks_.end(), [&](const Mask& mask) { return mask.fields == fields; });
  if (at == masks_.end()) at = masks_.insert(masks_.end(), Mask{fields});
  ++at->flows;
}

void FakeFlowTable::drop_mask(FieldSet fields) {
  auto at = std::find_if(masks_.begin(), masks_.end(), [&](const Mask& mask) { return mask.fields == fields; });
  if (at != masks_.end() && --at->flows == 0) masks_.erase(at);
}

}  // namespace viaduct::flows
