#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "flows/datapath/ovs/control.hpp"

namespace viaduct::flows::ovs {

namespace {

bool goes_to(const Action& action, PortNumber port) {
  const auto* output = std::get_if<Output>(&action);
  const auto* tunnel = std::get_if<TunnelOutput>(&action);
  return (output != nullptr && output->port == port) || (tunnel != nullptr && tunnel->port == port);
}

}  // namespace

std::optional<OvsDatapath::Dumped> OvsDatapath::decode(const RawFlow& raw, MaskResolver& masks) const {
  if (!raw.id) return std::nullopt;
  auto key = decode_key(raw.key, raw.mask);
  if (!key) return std::nullopt;
  auto mask = masks.resolve(*key, *raw.id);
  auto actions = decode_actions(raw.actions);
  if (!mask || !actions) return std::nullopt;
  return Dumped{{*raw.id, key->key, *mask, actions->actions},
                flow_stats(raw, state_->install_times.of(*raw.id)),
                key->tags,
                actions->upcall_id};
}

// What cannot be understood is deleted: its next packet comes up and gets a flow of ours.
std::vector<OvsDatapath::Dumped> OvsDatapath::all_flows(bool& foreign) {
  std::vector<Dumped> out;
  std::vector<FlowId> strange;
  foreign = false;
  MaskResolver masks;
  auto visit = [&](const RawFlow& raw) {
    if (parse_marker(raw)) return;
    if (auto dumped = decode(raw, masks)) {
      out.push_back(std::move(*dumped));
    } else if (raw.id) {
      strange.push_back(*raw.id);
    } else {
      foreign = true;
    }
  };
  noted("dump_flows", requests_->dump_flows(state_->datapath, Requests::Detail::all, visit));
  state_->errors.add("flow_not_understood", strange.size() + (foreign ? 1 : 0));
  delete_raw(strange);
  return out;
}

std::vector<OvsDatapath::Dumped> OvsDatapath::all_flows_locked() {
  bool foreign;
  std::vector<Dumped> out = all_flows(foreign);
  if (!foreign) return out;
  flush_locked();
  return {};
}

void OvsDatapath::delete_raw(std::span<const FlowId> ids) {
  auto refused = [&](int error) { state_->errors.add_errno("remove_flow", error); };
  state_->release_flows(requests_->delete_flows(
      state_->datapath, ids, [](const RawFlow&) {}, refused));
  for (const FlowId& id : ids) state_->install_times.forget(id);
}

size_t OvsDatapath::remove_flows(std::span<const FlowId> ids, const StatsVisitor& last) {
  std::vector<std::pair<FlowId, FlowStats>> removed;
  auto collect = [&](const RawFlow& raw) {
    if (raw.id) removed.emplace_back(*raw.id, flow_stats(raw, state_->install_times.of(*raw.id)));
  };
  auto refused = [&](int error) { state_->errors.add_errno("remove_flow", error); };
  size_t count = requests_->delete_flows(state_->datapath, ids, collect, refused);
  state_->release_flows(count);
  for (const auto& [id, stats] : removed) {
    state_->install_times.forget(id);
    if (last) last(id, stats);
  }
  return count;
}

void OvsDatapath::dump_stats(const StatsVisitor& visit) {
  std::unordered_set<FlowId> markers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [number, port] : ports_) markers.insert(marker_id(number));
  }
  auto one = [&](const RawFlow& raw) {
    if (!raw.id || markers.contains(*raw.id)) return;
    if (raw.used) {
      visit(*raw.id, flow_stats(raw, {}));
      state_->install_times.forget(*raw.id);
    } else {
      visit(*raw.id, flow_stats(raw, state_->install_times.of(*raw.id)));
    }
  };
  noted("dump_stats", requests_->dump_flows(state_->datapath, Requests::Detail::statistics, one));
  std::error_code error;
  if (requests_->restore_features(state_->datapath, error)) state_->errors.add("features_taken");
  noted("restore_features", error);
}

void OvsDatapath::dump_flows(const FlowVisitor& visit) {
  bool foreign;
  std::vector<Dumped> found = all_flows(foreign);
  if (foreign) return flush_flows();
  for (const Dumped& dumped : found) visit(dumped.flow, dumped.stats);
}

void OvsDatapath::flush_flows() {
  std::lock_guard lock(mutex_);
  flush_locked();
}

void OvsDatapath::flush_locked() {
  size_t before = state_->flows;
  if (noted("flush_flows", requests_->flush_flows(state_->datapath))) return;
  state_->release_flows(before);
  state_->install_times.clear();
  for (const auto& [number, port] : ports_) {
    noted("put_marker", requests_->put_marker(state_->datapath, number, port.interface));
  }
}

// Flows of others that output to the port stay until their owner invalidates them; the module drops what they send
// there without counting it, so that they exist is counted here.
void OvsDatapath::delete_flows_of(PortNumber port) {
  std::vector<FlowId> ids;
  size_t pointing = 0;
  for (const Dumped& dumped : all_flows_locked()) {
    const ActionList& actions = dumped.flow.actions;
    if (dumped.flow.mask.has(Field::in_port) && dumped.flow.key.in_port == port) {
      ids.push_back(dumped.flow.id);
    } else if (std::any_of(actions.begin(), actions.end(), [port](const Action& a) { return goes_to(a, port); })) {
      ++pointing;
    }
  }
  state_->errors.add("flow_to_removed_port", pointing);
  delete_raw(ids);
}

// --- adoption ------------------------------------------------------------------------------------

std::error_code OvsDatapath::adopt() {
  std::lock_guard lock(mutex_);
  std::error_code error;
  adopt_markers();
  for (const Vport& vport : requests_->vports(state_->datapath, error)) {
    if (std::error_code failed = listen_to(vport)) return noted("adopt", failed);
  }
  if (error) return noted("adopt", error);
  if (!ports_.empty()) next_number_ = ports_.rbegin()->first.value + 1;
  state_->flows = stats_locked().flows;
  refresh_stale_flows();
  return {};
}

void OvsDatapath::adopt_markers() {
  auto visit = [&](const RawFlow& raw) {
    if (auto marker = parse_marker(raw)) ports_[marker->number] = {marker->interface};
  };
  noted("adopt", requests_->dump_flows(state_->datapath, Requests::Detail::all, visit));
  for (const auto& [number, port] : ports_) noted("adopt", state_->sockets.add(number));
}

std::error_code OvsDatapath::listen_to(const Vport& vport) {
  if (std::error_code error = state_->sockets.add(vport.number)) return error;
  std::vector<uint32_t> ids = state_->sockets.ids(vport.number);
  if (std::error_code error = requests_->set_upcall_ids(state_->datapath, vport.number, ids)) return error;
  return take_interface(vport.number, vport.interface);
}

// A socket's id is the same in every life, unless somebody else had taken it or the number of workers has changed.
void OvsDatapath::refresh_stale_flows() {
  std::vector<Requests::Update> stale;
  std::vector<FlowId> orphans;
  for (Dumped& dumped : all_flows_locked()) {
    if (!dumped.upcall_id) continue;
    std::vector<uint32_t> ids = state_->sockets.ids(dumped.flow.key.in_port);
    if (ids.empty()) {
      orphans.push_back(dumped.flow.id);
    } else if (std::find(ids.begin(), ids.end(), *dumped.upcall_id) == ids.end()) {
      uint32_t upcall_id = ids[dumped.flow.id.low % ids.size()];
      stale.push_back({std::move(dumped.flow), dumped.tags, upcall_id});
    }
  }
  state_->errors.add("adopt.refresh_failed", requests_->set_actions(state_->datapath, stale));
  delete_raw(orphans);
}

}  // namespace viaduct::flows::ovs
