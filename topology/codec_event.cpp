// Events, and the causes of commits.
#include <capnp/message.h>

#include "topology/codec.hpp"

namespace viaduct::topology {
namespace {

using observability::Event;
using SystemTime = std::chrono::system_clock::time_point;

uint64_t nanoseconds(SystemTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

SystemTime time_of(uint64_t nanoseconds) {
  return SystemTime(
      std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(static_cast<int64_t>(nanoseconds))));
}

}  // namespace

void encode(const Event& event, schema::Event::Builder to) {
  to.setId(event.id);
  to.setOrigin(event.origin);
  to.setAt(nanoseconds(event.at));
  to.setKind(text_of(event.kind));
  to.setLevel(text_of(event.level));
  to.setHost(text_of(event.host));
  to.setMessage(text_of(event.message));
  auto fields = to.initFields(static_cast<unsigned>(event.fields.size()));
  for (unsigned i = 0; i < fields.size(); ++i) {
    fields[i].setKey(text_of(event.fields[i].first));
    fields[i].setValue(text_of(event.fields[i].second));
  }
}

Event decode(schema::Event::Reader from) {
  Event event;
  event.id = from.getId();
  event.origin = from.getOrigin();
  event.at = time_of(from.getAt());
  event.kind = from.getKind().cStr();
  event.level = from.getLevel().cStr();
  event.host = from.getHost().cStr();
  event.message = from.getMessage().cStr();
  for (auto field : from.getFields()) event.fields.emplace_back(field.getKey().cStr(), field.getValue().cStr());
  return event;
}

schema::Frame encode_cause(const Cause& cause) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Cause>();
  to.setRequest(text_of(cause.request));
  to.setBy(text_of(cause.by));
  to.setNode(text_of(cause.node));
  return schema::Frame::of(message);
}

Cause decode_cause(std::span<const uint8_t> bytes) {
  auto read = schema::with_root<schema::Cause>(bytes, {}, [](schema::Cause::Reader from) {
    return Cause{from.getRequest().cStr(), from.getBy().cStr(), from.getNode().cStr()};
  });
  return read ? std::move(*read) : Cause{};
}

}  // namespace viaduct::topology
