// What goes wrong between the tool and a daemon: nobody there, no token, nonsense, silence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

std::string parsed(std::string_view text) {
  auto endpoint = Endpoint::parse(text);
  return endpoint ? endpoint->to_string() : "refused";
}

TEST(Endpoint, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parsed("127.0.0.1:6677"), "127.0.0.1:6677");
  EXPECT_EQ(parsed("127.0.0.2"), "127.0.0.2:6677");
  EXPECT_EQ(parsed("localhost:80"), "127.0.0.1:80");
  EXPECT_EQ(parsed("7000"), "127.0.0.1:7000");
  EXPECT_EQ(parsed(":7000"), "127.0.0.1:7000");
  EXPECT_EQ(parsed("[::1]:7000"), "[::1]:7000");
  EXPECT_EQ(parsed("::1"), "[::1]:6677");
}

TEST(Endpoint, RefusesTheRest) {
  for (const char* text : {"", "host.example:1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "[::1", "[::1]x",
                           "10.0.0.1:6677", "[2001:db8::1]:6677"})
    EXPECT_EQ(parsed(text), "refused") << text;
  EXPECT_THAT(Endpoint::parse("10.0.0.1:6677").failure().message, HasSubstr("loopback"));
}

struct Trouble : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};
};

TEST_F(Trouble, NoDaemon) {
  tool.address = "127.0.0.1:1";
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("no daemon answers at 127.0.0.1:1"));
  EXPECT_THAT(status.err, HasSubstr("systemctl start viaductd"));
}

TEST_F(Trouble, NoToken) {
  tool.token_file = testing::TempDir() + "no-such-token";
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("No such file"));
  EXPECT_THAT(status.err, HasSubstr("the daemon writes it when it starts"));
}

TEST_F(Trouble, TokenOfOthers) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read every file";
  ::chmod(daemon.token_file().c_str(), 0);
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("group viaduct"));
}

TEST_F(Trouble, TokensThatAreNone) {
  std::string path = testing::TempDir() + "viaduct-odd-token";
  std::ofstream(path).close();
  tool.token_file = path;
  EXPECT_THAT(tool({"status"}).err, HasSubstr("is empty"));
  std::ofstream(path) << std::string(5000, 'x');
  EXPECT_THAT(tool({"status"}).err, HasSubstr("is longer than"));
  ::unlink(path.c_str());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(tool({"status"}).code, 3) << "a FIFO does not block the tool";
  ::unlink(path.c_str());
  tool.token_file = testing::TempDir();
  EXPECT_EQ(tool({"status"}).code, 3);
}

TEST_F(Trouble, WrongToken) {
  std::string path = testing::TempDir() + "viaduct-wrong-token";
  std::ofstream(path) << "guess";
  tool.token_file = path;
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("wrong token"));
  EXPECT_THAT(status.err, HasSubstr("--token-file"));
  ::unlink(path.c_str());
}

TEST_F(Trouble, AnotherVersion) {
  daemon.answer(schema::AdminRequest::STATUS, [](auto, schema::AdminReply::Builder reply) {
    auto error = reply.initError();
    error.setCode(schema::ErrorCode::VERSION);
    error.setMessage("this daemon speaks protocol 2");
  });
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 1);
  EXPECT_THAT(status.err, HasSubstr("this daemon speaks protocol 2"));
  EXPECT_THAT(status.err, HasSubstr("this one speaks protocol 1"));
}

TEST_F(Trouble, SilenceEndsInATimeout) {
  daemon.stay_silent();
  auto before = std::chrono::steady_clock::now();
  Outcome status = tool({"--timeout", "0.2", "status"});
  EXPECT_EQ(status.code, 4);
  EXPECT_THAT(status.err, HasSubstr("did not answer in time"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST_F(Trouble, Garbage) {
  daemon.answer_with_bytes({'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', '4', '0', '0'});
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("does not speak Viaduct's admin protocol (wrong_magic)"));
}

TEST_F(Trouble, LyingLength) {
  daemon.answer_with_bytes({'V', 'D', 'T', '1', 0xff, 0xff, 0xff, 0xff});
  EXPECT_THAT(tool({"status"}).err, HasSubstr("(too_big)"));
}

TEST_F(Trouble, CutOff) {
  daemon.answer_with_bytes({'V', 'D', 'T', '1', 64, 0, 0, 0, 0, 0, 0, 0});
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("in the middle of its answer"));
  daemon.answer_with_bytes({});
  EXPECT_THAT(tool({"--timeout", "1", "status"}).err, HasSubstr("without an answer"));
}

TEST_F(Trouble, AFrameThatIsNoMessage) {
  std::vector<uint8_t> bytes = {'V', 'D', 'T', '1', 16, 0, 0, 0};
  bytes.insert(bytes.end(), 16, 0xee);
  daemon.answer_with_bytes(bytes);
  Outcome status = tool({"status"});
  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err, HasSubstr("makes no sense"));
}

TEST_F(Trouble, AnswersToOtherQuestions) {
  daemon.answer(schema::AdminRequest::STATUS, [](auto, schema::AdminReply::Builder reply) {
    reply.setId(999);
    reply.initStatus();
  });
  EXPECT_THAT(tool({"status"}).err, HasSubstr("belongs to another request"));
  daemon.answer(schema::AdminRequest::STATUS, [](auto, schema::AdminReply::Builder reply) { reply.setDone(); });
  EXPECT_THAT(tool({"status"}).err, HasSubstr("of another kind"));
}

TEST_F(Trouble, EveryPrefixOfAnAnswerIsRefused) {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::AdminReply>();
  reply.setId(1);
  reply.initStatus().setVersion("0.1.0");
  std::vector<uint8_t> whole;
  ASSERT_FALSE(schema::append_framed(schema::Frame::of(message), whole));
  for (size_t size = 1; size < whole.size(); size += 7) {
    daemon.answer_with_bytes({whole.begin(), whole.begin() + static_cast<long>(size)});
    EXPECT_EQ(tool({"status"}).code, 3) << size;
  }
  daemon.answer_with_bytes(whole);
  EXPECT_EQ(tool({"status"}).code, 0);
}

TEST_F(Trouble, FailuresInJson) {
  tool.address = "127.0.0.1:1";
  Json error = Json::parse(tool({"status", "--json"}).err)["error"];
  EXPECT_EQ(error["code"], "unreachable");
  EXPECT_EQ(error["exit_code"], 3);
  EXPECT_EQ(error["violations"], Json::array());
}

TEST_F(Trouble, RestartingParts) {
  daemon.answer(schema::AdminRequest::LIST, [](auto, schema::AdminReply::Builder reply) {
    auto error = reply.initError();
    error.setCode(schema::ErrorCode::UNAVAILABLE);
    error.setMessage("the topology store is restarting");
  });
  Outcome list = tool({"bridge", "list"});
  EXPECT_EQ(list.code, 3);
  EXPECT_THAT(list.err, HasSubstr("try again in a moment"));
}

}  // namespace
}  // namespace viaduct::api::cli
