// What `viaduct why` and `viaduct top` are answered with.
#include <capnp/message.h>

#include <algorithm>

#include "actors/admin/replies.hpp"
#include "actors/admin/why_run.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

using topology::Kind;
using topology::ObjectRef;

namespace {

void encode_device(const ObjectRef& ref, const topology::Snapshot& snapshot, schema::WhyCause::Builder out) {
  if (ref.id.is_nil()) return;
  topology::encode(ref, out.initDevice());
  out.setDeviceName(name_or_id(snapshot, ref));
}

void encode(const Cause& cause, const topology::Snapshot& snapshot, schema::WhyCause::Builder out) {
  out.setCause(cause.name);
  out.setText(cause.text);
  out.setCure(cause.cure);
  out.setCertainty(std::string(to_string(cause.certainty)));
  encode_device(cause.device, snapshot, out);
  if (!cause.rule.is_nil()) {
    const ObjectRef chain{Kind::chain, cause.chain.uuid()};
    topology::encode(chain, out.initChain());
    out.setChainName(name_or_id(snapshot, chain));
    topology::encode(cause.rule.uuid(), out.initRule());
    out.setRulePosition(cause.position);
  }
  out.setHost(cause.host);
  out.setPackets(cause.packets);
  out.setFirstSeconds(cause.first_seconds);
  out.setLastSeconds(cause.last_seconds);
  out.setExample(cause.example);
  out.setOrdinary(cause.noise && cause.certainty != Certainty::traced);
  out.setDirection(cause.way == Way::forward ? "forward" : "back");
}

std::string port_name(const topology::Snapshot& snapshot, PortId port) {
  return port.is_nil() ? "" : name_or_id(snapshot, {Kind::port, port.uuid()});
}

void encode(const DropEntry& entry, const topology::Snapshot& snapshot, flows::Time now,
            schema::DropRecord::Builder out) {
  const auto& site = entry.note.site;
  const auto ago = [now](flows::Time then) { return std::max(0.0, std::chrono::duration<double>(now - then).count()); };
  out.setReason(std::string(flows::to_string(entry.note.reason)));
  out.setPort(port_name(snapshot, site.entered));
  if (!site.device.is_nil()) {
    topology::encode(ref_of(site), out.initDevice());
    out.setDeviceName(name_or_id(snapshot, ref_of(site)));
  }
  if (!site.rule.is_nil()) {
    out.setChainName(name_or_id(snapshot, {Kind::chain, site.chain.uuid()}));
    topology::encode(site.rule.uuid(), out.initRule());
    out.setRulePosition(site.position);
  }
  out.setOut(port_name(snapshot, site.out));
  if (!site.host.is_nil()) out.setHost(name_or_id(snapshot, {Kind::host, site.host.uuid()}));
  out.setPackets(entry.note.packets);
  out.setFirstSeconds(ago(entry.first));
  out.setLastSeconds(ago(entry.note.last));
  out.setExample(describe(entry.note.example, entry.note.bytes));
}

}  // namespace

schema::Frame why_reply(uint64_t id, const WhyResult& result, const topology::Snapshot& snapshot) {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(id);
  auto out = reply.initWhy();
  out.setPort(result.port);
  out.setHost(result.host);
  out.setPortHost(result.port_host);
  auto causes = out.initCauses(static_cast<unsigned>(result.causes.size()));
  for (unsigned i = 0; i < causes.size(); ++i) encode(result.causes[i], snapshot, causes[i]);
  auto notes = out.initNotes(static_cast<unsigned>(result.notes.size()));
  for (unsigned i = 0; i < notes.size(); ++i) notes.set(i, result.notes[i]);
  if (result.trace) encode(*result.trace, snapshot, out.initTrace());
  return schema::Frame::of(message);
}

schema::Frame drops_reply(uint64_t id, const DropReport& drops, size_t limit, const topology::Snapshot& snapshot,
                          flows::Time now) {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(id);
  auto out = reply.initDrops();
  out.setTotal(drops.drops.size());
  out.setEvicted(drops.evicted);
  auto lines = out.initDrops(static_cast<unsigned>(std::min(drops.drops.size(), limit)));
  for (unsigned i = 0; i < lines.size(); ++i) encode(drops.drops[i], snapshot, now, lines[i]);
  return schema::Frame::of(message);
}

}  // namespace viaduct::actors
