// A request that another host's daemon answers: what it is sent, what it takes, and what of its answer counts.
#include "actors/admin/relayed.hpp"

#include <capnp/message.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "topology/codec.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {
namespace {

using schema::AdminReply;
using schema::ErrorCode;
using testing::HasSubstr;

schema::Frame request(const std::function<void(schema::AdminRequest::Builder)>& fill) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::AdminRequest>();
  root.setMajor(schema::PROTOCOL_MAJOR);
  const std::string token(32, 't');
  root.setToken(kj::ArrayPtr<const uint8_t>(reinterpret_cast<const uint8_t*>(token.data()), token.size()));
  root.setId(42);
  fill(root);
  return schema::Frame::of(message);
}

schema::Frame reply(uint64_t id, const std::function<void(AdminReply::Builder)>& fill) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<AdminReply>();
  root.setId(id);
  fill(root);
  return schema::Frame::of(message);
}

const topology::Cause kCause{"4f7c", "rosa", {}};

std::string problem_with(const schema::Frame& answer, AdminReply::Which expected) {
  auto made = relayed_reply(answer, 42, expected, "h2");
  const auto* problem = std::get_if<AdminProblem>(&made);
  return problem == nullptr ? "" : problem->message;
}

TEST(RelayedRequest, HasNoTokenAndSaysWhoAsks) {
  const auto asked = request([](auto root) { root.initTrace().initPacket().setL4Dst(80); });
  const schema::Frame sent = relayed_request(asked, kCause);
  const std::string bytes(sent.bytes.begin(), sent.bytes.end());
  EXPECT_EQ(bytes.find("tttt"), bytes.npos);
  const AdminRequest decoded = decode_relayed(sent);
  EXPECT_EQ(decoded.id, 42U);
  EXPECT_EQ(decoded.cause, kCause);
  const auto& trace = std::get<TraceRequest>(std::get<AdminCommand>(decoded.content));
  EXPECT_TRUE(trace.relayed);
  EXPECT_EQ(trace.packet.l4_dst, 80);
}

TEST(RelayedRequest, IsAWhyOrATraceAndIsNotRelayedAgain) {
  const auto why = decode_relayed(request([](auto root) { root.initWhy(); }));
  EXPECT_TRUE(std::get<WhyRequest>(std::get<AdminCommand>(why.content)).relayed) << "whatever it says";
  const auto trace = decode_relayed(request([](auto root) { root.initTrace(); }));
  EXPECT_TRUE(std::get<TraceRequest>(std::get<AdminCommand>(trace.content)).relayed);
  const std::vector<std::function<void(schema::AdminRequest::Builder)>> others = {
      [](auto root) { root.initTransact(); }, [](auto root) { root.setStatus(); },
      [](auto root) { root.initFlush(); },    [](auto root) { root.initSetLogLevel(); },
      [](auto root) { root.initSuppose(); },  [](auto root) { root.initFlushConnections(); }};
  for (const auto& other : others) {
    const auto decoded = decode_relayed(request(other));
    ASSERT_TRUE(std::holds_alternative<AdminProblem>(decoded.content));
    EXPECT_THAT(std::get<AdminProblem>(decoded.content).message, HasSubstr("only why and trace"));
  }
  EXPECT_TRUE(std::holds_alternative<AdminProblem>(decode_relayed({std::vector<uint8_t>(64, 0xff)}).content));
  EXPECT_TRUE(std::holds_alternative<AdminProblem>(decode_relayed({}).content));
}

TEST(RelayedReply, CarriesTheNameThatTheHostHasProven) {
  auto made = relayed_reply(reply(42,
                                  [](auto root) {
                                    auto why = root.initWhy();
                                    why.setHost("a liar");
                                    why.initCauses(2)[1].setHost("a liar");
                                  }),
                            42, AdminReply::WHY, "h2");
  ASSERT_TRUE(std::holds_alternative<schema::Frame>(made));
  EXPECT_TRUE(schema::with_root<AdminReply>(std::get<schema::Frame>(made), {}, [](AdminReply::Reader root) {
    EXPECT_EQ(root.getId(), 42U);
    EXPECT_EQ(root.getWhy().getHost(), "h2");
    EXPECT_EQ(root.getWhy().getCauses()[1].getHost(), "h2");
  }));
  auto trace =
      relayed_reply(reply(42, [](auto root) { root.initTrace().setOutcome("drop"); }), 42, AdminReply::TRACE, "h2");
  ASSERT_TRUE(std::holds_alternative<schema::Frame>(trace));
  EXPECT_TRUE(schema::with_root<AdminReply>(std::get<schema::Frame>(trace), {}, [](AdminReply::Reader root) {
    EXPECT_EQ(root.getTrace().getHost(), "h2");
    EXPECT_EQ(root.getTrace().getOutcome(), "drop");
  }));
}

TEST(RelayedReply, ThatIsNoAnswerIsAProblem) {
  const auto trace = [](auto root) { root.initTrace(); };
  EXPECT_THAT(problem_with(reply(43, trace), AdminReply::TRACE), HasSubstr("another request"));
  EXPECT_THAT(problem_with(reply(42, trace), AdminReply::WHY), HasSubstr("another kind"));
  EXPECT_THAT(problem_with(reply(42, [](auto root) { root.initStatus(); }), AdminReply::STATUS),
              HasSubstr("another kind"));
  EXPECT_THAT(problem_with({std::vector<uint8_t>(64, 0xff)}, AdminReply::WHY), HasSubstr("host h2 makes no sense"));
  EXPECT_THAT(problem_with({}, AdminReply::WHY), HasSubstr("ask its own daemon"));
  EXPECT_THAT(problem_with({std::vector<uint8_t>(topology::kMaxAnswerBytes + 8, 0)}, AdminReply::WHY), HasSubstr("h2"));
}

TEST(RelayedReply, AnErrorOfTheHostIsToldAsItsOwn) {
  auto made = relayed_reply(reply(42,
                                  [](auto root) {
                                    auto error = root.initError();
                                    error.setCode(ErrorCode::INVALID);
                                    error.setMessage("ip proto 300\x1b[2J\n\xc2\x9b");
                                  }),
                            42, AdminReply::TRACE, "h2");
  const auto* problem = std::get_if<AdminProblem>(&made);
  ASSERT_NE(problem, nullptr);
  EXPECT_EQ(problem->code, ErrorCode::INVALID);
  EXPECT_EQ(problem->message, "host h2 answers: ip proto 300?[2J???");
  EXPECT_EQ(plain(std::string(10'000, 'x')).size(), 2'000U);
}

}  // namespace
}  // namespace viaduct::actors
