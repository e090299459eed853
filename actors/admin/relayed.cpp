#include "actors/admin/relayed.hpp"

#include <capnp/message.h>

#include "topology/codec.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {

using schema::AdminReply;
using schema::ErrorCode;

namespace {

AdminProblem nonsense(const std::string& host, const std::string& what) {
  return {ErrorCode::UNAVAILABLE,
          "the answer of host " + host + " makes no sense: " + what +
              "; ask its own daemon (viaduct --address), whose version may be another one",
          {}};
}

AdminProblem problem_of(schema::AdminError::Reader error, const std::string& host) {
  return {error.getCode(), "host " + host + " answers: " + plain(error.getMessage().cStr()), {}};
}

// True when there is such a member, and it has been copied.
bool copy(AdminReply::Reader from, const std::string& host, AdminReply::Builder to) {
  switch (from.which()) {
    case AdminReply::TRACE:
      to.setTrace(from.getTrace());
      to.getTrace().setHost(host);
      return true;
    case AdminReply::WHY: {
      to.setWhy(from.getWhy());
      auto why = to.getWhy();
      why.setHost(host);
      for (auto cause : why.getCauses()) cause.setHost(host);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

std::string plain(std::string_view text) {
  constexpr size_t kMost = 2'000;
  std::string out(text.substr(0, kMost));
  for (size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<uint8_t>(out[i]);
    const bool c1 = byte == 0xc2 && i + 1 < out.size() && static_cast<uint8_t>(out[i + 1]) < 0xa0;  // in UTF-8
    if (c1) out[i + 1] = '?';
    if (byte < 0x20 || byte == 0x7f || c1) out[i] = '?';
  }
  return out;
}

schema::Frame relayed_request(const schema::Frame& asked, const topology::Cause& cause) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<schema::AdminRequest>();
  to.setMajor(schema::PROTOCOL_MAJOR);
  to.setRequest(topology::text_of(cause.request));
  to.setBy(topology::text_of(cause.by));
  schema::with_root<schema::AdminRequest>(asked, {}, [&](schema::AdminRequest::Reader from) {
    to.setId(from.getId());
    if (from.isWhy()) {
      to.setWhy(from.getWhy());
      to.getWhy().setRelayed(true);
    } else if (from.isTrace()) {
      to.setTrace(from.getTrace());
      to.getTrace().setRelayed(true);
    }
  });
  return schema::Frame::of(message);
}

std::variant<schema::Frame, AdminProblem> relayed_reply(const schema::Frame& reply, uint64_t id,
                                                        AdminReply::Which expected, const std::string& host) {
  using Result = std::variant<schema::Frame, AdminProblem>;
  schema::ReadLimits limits;
  limits.max_bytes = topology::kMaxAnswerBytes;
  auto read = schema::with_root<AdminReply>(reply, limits, [&](AdminReply::Reader from) -> Result {
    if (from.isError()) return problem_of(from.getError(), host);
    if (from.getId() != id) return nonsense(host, "it belongs to another request");
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<AdminReply>();
    to.setId(id);
    if (from.which() != expected || !copy(from, host, to)) {
      return nonsense(host, "it is of another kind than what was asked for");
    }
    // Pointers that share what they point to become copies: an answer must not grow by that.
    if (message.sizeInWords() * sizeof(capnp::word) > 2 * topology::kMaxAnswerBytes) {
      return nonsense(host, "it is too big");
    }
    return schema::Frame::of(message);
  });
  if (!read) return nonsense(host, read.failure().text);
  return std::move(*read);
}

}  // namespace viaduct::actors
