#include "actors/admin/why_run.hpp"

#include <algorithm>

#include "actors/admin/replies.hpp"

namespace viaduct::actors {

using topology::Kind;
using topology::ObjectRef;
using topology::Port;

namespace {

constexpr size_t kMostDevices = 64;
constexpr size_t kMostCauses = 32;

ObjectRef device_of(const Port& port) { return {port.on_bridge() ? Kind::bridge : Kind::router, port.device()}; }

// The port's device and those that are linked to it, the nearest first.
void take_surroundings(Inquiry& inquiry) {
  auto& devices = inquiry.devices;
  devices.push_back({device_of(inquiry.port), 0});
  for (size_t i = 0; i < devices.size(); ++i) {
    const auto [ref, distance] = devices[i];
    inquiry.snapshot.for_each_interior_port_of(ref.id, [&, distance = distance](const Port& port) {
      const Port* peer = inquiry.snapshot.find(port.peer);
      if (peer == nullptr || devices.size() >= kMostDevices) return;
      const ObjectRef other = device_of(*peer);
      const bool known =
          std::any_of(devices.begin(), devices.end(), [&](const auto& device) { return device.ref == other; });
      if (!known) devices.push_back({other, distance + 1});
    });
  }
}

void note_limits(const Inquiry& inquiry, WhyResult& result) {
  if (inquiry.devices.size() >= kMostDevices) {
    result.notes.push_back("only the " + std::to_string(kMostDevices) + " nearest devices were looked at");
  }
  if (inquiry.facts.drops.evicted > 0) {
    result.notes.push_back("the history of drops was full, and the oldest have made room");
  }
  if (!inquiry.port.host.is_nil() && inquiry.port.host != inquiry.facts.host.id) {
    result.notes.push_back("the port is on host " + result.port_host + ": what was dropped there is remembered there");
  }
  if (!inquiry.leaves_for.is_nil()) {
    result.notes.push_back("the packet goes on to host " +
                           name_or_id(inquiry.snapshot, {Kind::host, inquiry.leaves_for.uuid()}) +
                           ": what becomes of it there is known there; ask why of the receiver's port");
  }
}

}  // namespace

WhyResult run_why(const WhyRequest& request, const topology::Snapshot& snapshot, const AgentState& state,
                  const WhyFacts& facts) {
  WhyResult result;
  const Port* port = snapshot.find(request.port);
  if (port == nullptr) {
    result.error = "no port " + request.port.to_string() + " is known on host " + facts.host.name;
    return result;
  }
  const auto network = state.network.load();
  Inquiry inquiry{*port, snapshot, *network, state, facts};
  result.port = name_or_id(snapshot, {Kind::port, port->id.uuid()});
  result.host = facts.host.name;
  if (!port->host.is_nil()) result.port_host = name_or_id(snapshot, {Kind::host, port->host.uuid()});
  if (request.packet) add_traced_causes(*request.packet, inquiry, result);
  if (inquiry.devices.empty()) take_surroundings(inquiry);
  add_drop_causes(inquiry, result.causes);
  add_live_causes(inquiry, result.causes);
  rank(result.causes);
  if (result.causes.size() > kMostCauses) result.causes.resize(kMostCauses);
  for (Cause& cause : result.causes) cause.host = facts.host.name;
  note_limits(inquiry, result);
  return result;
}

}  // namespace viaduct::actors
