#include "topology/codec_session.hpp"

#include <capnp/message.h>

#include <algorithm>

#include "schema/session.capnp.h"
#include "schema/state.capnp.h"

namespace viaduct::topology {

namespace {

std::string text(capnp::Text::Reader from) { return {from.cStr(), from.size()}; }

std::string short_text(capnp::Text::Reader from) { return {from.cStr(), std::min(from.size(), kMaxAskedName)}; }

schema::Frame frame(capnp::Data::Reader from) { return {{from.begin(), from.end()}}; }

capnp::Data::Reader data(const schema::Frame& from) { return {from.bytes.data(), from.bytes.size()}; }

template <class T, class Schema, class F>
Decoded<T> read(const schema::Frame& frame, F&& take, size_t most = schema::kMaxFrameBytes) {
  schema::ReadLimits limits;
  limits.max_bytes = most;
  auto out = schema::with_root<Schema>(frame, limits, take);
  if (!out) return Decoded<T>::failure(out.failure().text);
  return std::move(*out);
}

}  // namespace

schema::Frame encode_join(const JoinRequest& join) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Join>();
  encode(join.host.uuid(), to.initHost());
  to.setName(text_of(join.name));
  to.setInstance(text_of(join.instance));
  to.setRevision(join.revision);
  to.setAnswers(join.answers);
  auto devices = to.initDevices(static_cast<unsigned>(join.devices.size()));
  for (unsigned i = 0; i < devices.size(); ++i) encode(join.devices[i], devices[i]);
  return schema::Frame::of(message);
}

Decoded<JoinRequest> decode_join(const schema::Frame& frame) {
  auto out = read<JoinRequest, schema::Join>(frame, [](schema::Join::Reader from) {
    JoinRequest join{HostId(decode(from.getHost())),
                     text(from.getName()),
                     text(from.getInstance()),
                     from.getRevision(),
                     {},
                     from.getAnswers()};
    for (auto id : from.getDevices()) join.devices.push_back(decode(id));
    return join;
  });
  if (out && out->host.is_nil()) return Decoded<JoinRequest>::failure("a host without an id");
  return out;
}

schema::Frame encode_joined(const JoinAnswer& joined) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Joined>();
  to.setRefused(text_of(joined.refused));
  to.setFresh(joined.fresh);
  to.setNode(text_of(joined.node));
  to.setBeatMilliseconds(static_cast<uint32_t>(joined.beat.count()));
  to.setRevision(joined.revision);
  to.setRelays(joined.relays);
  return schema::Frame::of(message);
}

Decoded<JoinAnswer> decode_joined(const schema::Frame& frame) {
  return read<JoinAnswer, schema::Joined>(frame, [](schema::Joined::Reader from) {
    return JoinAnswer{text(from.getRefused()), from.getFresh(),
                      text(from.getNode()),    std::chrono::milliseconds(from.getBeatMilliseconds()),
                      from.getRevision(),      from.getRelays()};
  });
}

schema::Frame encode_question(const Question& question) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Question>();
  to.setNumber(question.number);
  encode(question.port.uuid(), to.initPort());
  to.setAsked(text_of(question.asked));
  to.setBy(text_of(question.by));
  to.setName(text_of(question.name));
  to.setRequest(data(question.request));
  return schema::Frame::of(message);
}

Decoded<Question> decode_question(const schema::Frame& from) {
  return read<Question, schema::Question>(
      from,
      [](schema::Question::Reader question) {
        return Question{
            question.getNumber(),         PortId(decode(question.getPort())), short_text(question.getAsked()),
            short_text(question.getBy()), short_text(question.getName()),     frame(question.getRequest())};
      },
      kMaxQuestionBytes);
}

schema::Frame encode_answer(const Answer& answer) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::Answer>();
  to.setNumber(answer.number);
  to.setHost(text_of(answer.host));
  to.setError(text_of(answer.error));
  to.setCode(answer.code);
  to.setReply(data(answer.reply));
  return schema::Frame::of(message);
}

Decoded<Answer> decode_answer(const schema::Frame& from) {
  return read<Answer, schema::Answer>(
      from,
      [](schema::Answer::Reader answer) {
        return Answer{answer.getNumber(), short_text(answer.getHost()), text(answer.getError()), answer.getCode(),
                      frame(answer.getReply())};
      },
      kMaxAnswerBytes);
}

schema::Frame encode_cluster_node(const ClusterNode& node) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::ClusterNode>();
  to.setName(text_of(node.name));
  to.setSince(node.since);
  to.setAgents(node.agents);
  to.setApplied(node.applied);
  return schema::Frame::of(message);
}

Decoded<ClusterNode> decode_cluster_node(std::span<const uint8_t> bytes) {
  return read<ClusterNode, schema::ClusterNode>({{bytes.begin(), bytes.end()}}, [](schema::ClusterNode::Reader from) {
    return ClusterNode{text(from.getName()), from.getSince(), from.getAgents(), from.getApplied()};
  });
}

}  // namespace viaduct::topology
