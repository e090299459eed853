// What `viaduct trace` is answered with.
#include <capnp/message.h>

#include "actors/admin/replies.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

using topology::Kind;
using topology::ObjectRef;

namespace {

Kind kind_of(flows::simulation::DeviceKind device) {
  using flows::simulation::DeviceKind;
  switch (device) {
    case DeviceKind::bridge:
      return Kind::bridge;
    case DeviceKind::router:
      return Kind::router;
    case DeviceKind::chain:
      return Kind::chain;
    case DeviceKind::load_balancer:
      return Kind::load_balancer;
    case DeviceKind::port:
    case DeviceKind::none:
      break;
  }
  return Kind::port;
}

void encode(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder to) {
  for (unsigned i = 0; i < texts.size(); ++i) to.set(i, texts[i]);
}

}  // namespace

void encode(const TraceResult& trace, const topology::Snapshot& snapshot, schema::TraceReply::Builder out) {
  using flows::simulation::DeviceKind;
  out.setDescription(trace.description);
  out.setOutcome(trace.outcome);
  out.setDropReason(trace.drop_reason);
  out.setActions(trace.actions);
  out.setMatch(trace.match);
  encode(trace.outputs, out.initOutputs(static_cast<unsigned>(trace.outputs.size())));
  auto steps = out.initSteps(static_cast<unsigned>(trace.trace.steps.size()));
  for (unsigned i = 0; i < trace.trace.steps.size(); ++i) {
    const auto& step = trace.trace.steps[i];
    steps[i].setDepth(step.depth);
    steps[i].setStage(std::string(flows::simulation::to_string(step.stage)));
    steps[i].setDetail(step.detail);
    if (step.device_kind == DeviceKind::none) continue;
    const Kind kind = kind_of(step.device_kind);
    topology::encode(ObjectRef{kind, step.device}, steps[i].initDevice());
    steps[i].setDeviceName(name_or_id(snapshot, {kind, step.device}));
  }
}

schema::Frame trace_reply(uint64_t id, const TraceResult& trace, const topology::Snapshot& snapshot,
                          const std::string& host) {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(id);
  auto out = reply.initTrace();
  encode(trace, snapshot, out);
  out.setHost(host);
  return schema::Frame::of(message);
}

schema::Frame supposed_reply(uint64_t id, const Supposed& supposed, const topology::Snapshot& snapshot) {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(id);
  auto out = reply.initSupposed();
  encode(supposed.now, snapshot, out.initNow());
  encode(supposed.changed, supposed.next, out.initChanged());
  out.setOutcomeDiffers(!supposed.differences.empty());
  out.setPathDiffers(supposed.path_differs);
  encode(supposed.differences, out.initDifferences(static_cast<unsigned>(supposed.differences.size())));
  encode(supposed.notes, out.initNotes(static_cast<unsigned>(supposed.notes.size())));
  auto changes = out.initChanges(static_cast<unsigned>(supposed.changes.size()));
  for (unsigned i = 0; i < changes.size(); ++i) topology::encode(supposed.changes[i], changes[i]);
  return schema::Frame::of(message);
}

}  // namespace viaduct::actors
