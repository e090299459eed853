#include <linux/netlink.h>
#include <linux/openvswitch.h>

#include <algorithm>
#include <cerrno>

#include "flows/datapath/ovs/channel.hpp"
#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/requests.hpp"

namespace viaduct::flows::ovs {

namespace {

InstallResult result_of(int error) {
  switch (error) {
    case ENOSPC:
    case EFBIG:
    case ENOMEM:
      return InstallResult::table_full;
    case EMSGSIZE:  // actions longer than the kernel keeps
      return InstallResult::unsupported;
    default:
      return InstallResult::error;
  }
}

}  // namespace

void OvsChannel::install(std::span<const FlowInstall> flows, std::span<InstallResult> results) {
  while (!flows.empty()) {
    size_t count = std::min(flows.size(), kBatch);
    install_batch(flows.first(count), results.first(count));
    flows = flows.subspan(count);
    results = results.subspan(count);
  }
}

void OvsChannel::install_batch(std::span<const FlowInstall> flows, std::span<InstallResult> results) {
  std::array<Step, kBatch> steps{};
  for (size_t i = 0; i < flows.size(); ++i) {
    const Flow& flow = flows[i].flow;
    results[i] = InstallResult::unsupported;
    if (!representable(flow.key, flow.mask) || !executable(flow, state_->support)) continue;
    steps[i] = state_->reserve_flow() ? Step::insert : Step::update_full;
  }
  send_inserts(flows, results, steps);
  send_updates(flows, results, steps);
  note_installed(flows, results);
}

// NLM_F_CREATE makes the module refuse what it has already, by id or because another flow covers the packet.
void OvsChannel::send_inserts(std::span<const FlowInstall> flows, std::span<InstallResult> results,
                              std::span<Step> steps) {
  batch_.clear();
  for (size_t i = 0; i < flows.size(); ++i) {
    if (steps[i] != Step::insert) continue;
    put_flow(flows[i], OVS_FLOW_CMD_NEW, NLM_F_CREATE, i);
    results[i] = InstallResult::installed;
  }
  auto refused = [&](const Message& message) {
    size_t i = message.sequence - 1;
    if (message.error == 0 || i >= flows.size() || results[i] != InstallResult::installed) return;
    state_->release_flows(1);
    if (message.error == EEXIST) {
      steps[i] = Step::update;
      return;
    }
    results[i] = result_of(message.error);
    state_->errors.add_errno("install", message.error);
  };
  std::error_code error = socket_.transact(batch_, refused);
  if (!error) return;
  state_->errors.add_errno("install.send", error.value());
  for (size_t i = 0; i < flows.size(); ++i) {
    if (steps[i] != Step::insert) continue;
    state_->release_flows(1);
    results[i] = InstallResult::error;
  }
}

void OvsChannel::send_updates(std::span<const FlowInstall> flows, std::span<InstallResult> results,
                              std::span<const Step> steps) {
  batch_.clear();
  for (size_t i = 0; i < flows.size(); ++i) {
    if (steps[i] != Step::update && steps[i] != Step::update_full) continue;
    put_flow(flows[i], OVS_FLOW_CMD_SET, 0, i);
    results[i] = InstallResult::replaced;
  }
  auto refused = [&](const Message& message) {
    size_t i = message.sequence - 1;
    if (message.error == 0 || i >= flows.size()) return;
    if (message.error == ENOENT) {
      results[i] = steps[i] == Step::update_full ? InstallResult::table_full : InstallResult::overlaps;
      return;
    }
    results[i] = result_of(message.error);
    state_->errors.add_errno("install", message.error);
  };
  std::error_code error = socket_.transact(batch_, refused);
  if (!error) return;
  state_->errors.add_errno("install.send", error.value());
  for (size_t i = 0; i < flows.size(); ++i) {
    if (steps[i] == Step::update || steps[i] == Step::update_full) results[i] = InstallResult::error;
  }
}

void OvsChannel::put_flow(const FlowInstall& install, uint8_t command, uint16_t flags, size_t index) {
  const Flow& flow = install.flow;
  batch_.begin(
      {state_->families.flow, command, OVS_FLOW_VERSION, flags, static_cast<uint32_t>(index + 1), state_->datapath});
  put_flow_id(batch_, flow.id);
  put_key_and_mask(batch_, best_key(flow, install.packet_key), flow.mask, tags_.find(install.packet_key));
  // A port that has just gone has no socket; the module refuses to hand packets to number 0.
  put_actions(batch_, flow, has_upcalls(flow.actions) ? queue_.id(flow.key.in_port) : 0);
  batch_.end();
}

void OvsChannel::note_installed(std::span<const FlowInstall> flows, std::span<const InstallResult> results) {
  installed_.clear();
  for (size_t i = 0; i < flows.size(); ++i) {
    if (results[i] == InstallResult::installed) installed_.push_back(flows[i].flow.id);
  }
  state_->install_times.installed(installed_, std::chrono::steady_clock::now());
}

}  // namespace viaduct::flows::ovs
