#include "flows/health/check.hpp"

#include <deque>

#include "servers.hpp"

namespace viaduct::flows::health {
namespace {

using namespace std::chrono_literals;
using topology::HealthCheck;

class CheckTest : public testing::TestWithParam<bool> {
 protected:
  Family family = GetParam() ? family_v6() : family_v4();
  Server server{family};
  CheckSpec spec{HealthCheck::tcp, 5s, "/", 200, kRouter, family.member, 80};
  Time now{1h};
  int lose = 0;  // so many frames first

  // To the end, with the server's answers at once and time going on when nobody speaks.
  CheckOutcome run() {
    std::vector<Probe> send;
    Check check(spec, 61'500, 77, now, send);
    for (int steps = 0; steps < 100; ++steps) {
      const std::vector<Probe> sending = std::exchange(send, {});
      for (const Probe& probe : sending) {
        if (lose-- > 0) continue;
        for (FrameBytes frame : server.hear(probe)) {
          const auto answer = parse_answer(parse(frame, {}), kRouter);
          if (!answer) continue;
          if (const auto outcome = check.answer(*answer, now, send)) return finish(*outcome, send);
        }
      }
      if (!send.empty()) continue;
      EXPECT_GT(check.deadline(), now);
      now = check.deadline();
      if (const auto outcome = check.tick(now, send)) return finish(*outcome, send);
    }
    ADD_FAILURE() << "no end";
    return {};
  }
  CheckOutcome finish(const CheckOutcome& outcome, const std::vector<Probe>& send) {
    for (const Probe& probe : send) server.hear(probe);
    return outcome;
  }
  Time begin = now;
};

TEST_P(CheckTest, TcpAnsweredRefusedAndSilent) {
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  EXPECT_EQ(now, begin);
  EXPECT_EQ(server.resets, 1) << "the member's kernel keeps nothing";
  server.behaviour = Behaviour::refuses;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::refused});
  server.behaviour = Behaviour::unreachable;
  EXPECT_EQ(run().result, CheckResult::unreachable);
  server.behaviour = Behaviour::silent;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::no_answer});
  EXPECT_EQ(now, begin + 5s);
}

TEST_P(CheckTest, WhatIsLostIsSentAgain) {
  lose = 2;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  EXPECT_EQ(now, begin + 3s);
  spec.timeout = 1s;
  lose = 1;
  begin = now;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  EXPECT_LT(now, begin + 1s);
}

TEST_P(CheckTest, Http) {
  spec.type = HealthCheck::http;
  spec.http_path = "/alive";
  spec.port = 8'080;
  server.behaviour = Behaviour::serves;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  EXPECT_TRUE(server.request.starts_with("GET /alive HTTP/1.1\r\nHost: ")) << server.request;
  EXPECT_NE(server.request.find(GetParam() ? "[2001:db8::1]:8080\r\n" : "10.0.0.1:8080\r\n"), std::string::npos);
  EXPECT_EQ(server.resets, 1);
  server.page = "HTTP/1.0 503 Away\r\n\r\n";
  EXPECT_EQ(run(), (CheckOutcome{CheckResult::wrong_status, 503}));
  spec.http_status = 503;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  server.page = "220 mail.example ESMTP\r\n";
  EXPECT_EQ(run(), CheckOutcome{CheckResult::not_http});
  server.closes_first = true;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::closed});
}

TEST_P(CheckTest, HttpInSmallPiecesAndWithLosses) {
  spec.type = HealthCheck::http;
  server.behaviour = Behaviour::serves;
  for (const size_t piece : {1U, 2U, 5U, 12U}) {
    server.segment = piece;
    EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy}) << piece;
  }
  server.page = "";  // takes the request and says nothing
  EXPECT_EQ(run(), CheckOutcome{CheckResult::no_answer});
}

TEST_P(CheckTest, Icmp) {
  spec.type = HealthCheck::icmp;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  server.behaviour = Behaviour::unreachable;
  EXPECT_EQ(run().result, CheckResult::unreachable);
  server.behaviour = Behaviour::silent;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::no_answer});
}

TEST_P(CheckTest, UdpThatIsSilentIsHealthyAndOneThatIsUnreachableIsNot) {
  spec.type = HealthCheck::udp;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  EXPECT_EQ(now, begin);
  server.behaviour = Behaviour::unreachable;
  EXPECT_EQ(run().result, CheckResult::unreachable);
  server.behaviour = Behaviour::silent;
  EXPECT_EQ(run(), CheckOutcome{CheckResult::healthy});
  EXPECT_EQ(now, begin + 5s);
}

// Nobody who has not seen the probe can make a member look up or down.
TEST_P(CheckTest, ForgedSegmentsDoNotCount) {
  std::vector<Probe> send;
  Check check(spec, 61'500, 77, now, send);
  Answer forged{kRouter, Answer::Kind::packet, ProbeKind::tcp, family.member, family.router, 80, 61'500, 1, 79, 0x12};
  EXPECT_FALSE(check.answer(forged, now, send)) << "acknowledges what was not sent";
  forged.tcp_flags = 0x14;
  EXPECT_FALSE(check.answer(forged, now, send));
  forged.acknowledged = 78;
  forged.tcp_flags = 0x04;
  EXPECT_FALSE(check.answer(forged, now, send)) << "a reset that acknowledges nothing";
  forged.tcp_flags = 0x12;
  forged.from_port = 81;
  EXPECT_FALSE(check.answer(forged, now, send));
  forged.from_port = 80;
  forged.from = family.router;
  EXPECT_FALSE(check.answer(forged, now, send));
  forged.from = family.member;
  EXPECT_EQ(check.answer(forged, now, send), CheckOutcome{CheckResult::healthy});
}

TEST(StatusLine, AsTheStandardWritesIt) {
  EXPECT_EQ(parse_status("HTTP/1.1 200 OK\r\n"), 200);
  EXPECT_EQ(parse_status("HTTP/1.0 404\r\n"), 404);
  EXPECT_EQ(parse_status("HTTP/2.0 301\n"), 301);
  EXPECT_EQ(parse_status(""), std::nullopt);
  EXPECT_EQ(parse_status("HTTP/1."), std::nullopt);
  EXPECT_EQ(parse_status("HTTP/1.1 200"), std::nullopt) << "2000 may come";
  for (const char* bad :
       {"http/1.1 200 OK", "HTTP/1.1 2x0 OK", "HTTP/11 200 OK", "HTTP/1.1 2000", "SSH-2.0", "HTTP/1.1  200 "}) {
    EXPECT_EQ(parse_status(bad), 0) << bad;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, CheckTest, testing::Bool(),
                         [](const auto& of) { return of.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace viaduct::flows::health
