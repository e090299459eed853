// A session of MidoNet's command line over a daemon in memory, and over answers that a test makes up.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "api/midonet_cli/gateway_source.hpp"
#include "api/midonet_cli/interpreter.hpp"
#include "api/midonet_cli/shell.hpp"
#include "tests/support/memory_daemon.hpp"

namespace viaduct::api::midonet_cli::testing {

// The last line, or the whole text when it has one line.
inline std::string without_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

struct Session {
  explicit Session(Aliases::Mode mode = Aliases::Mode::known, Output output = Output::lines)
      : aliases(mode), interpreter(source, aliases, {out, err, output}) {}

  // What the command prints. It has to succeed.
  std::string operator()(const std::string& line) {
    out.str({});
    auto done = interpreter.run(line);
    EXPECT_TRUE(done) << line << ": " << (done ? "" : text_of_failure(done.failure()));
    return without_end(out.str());
  }
  // How it fails. It has to.
  Failure fails(const std::string& line) {
    out.str({});
    auto done = interpreter.run(line);
    EXPECT_FALSE(done) << line << " has printed: " << out.str();
    EXPECT_EQ(out.str(), "") << line;
    return done ? Failure{} : done.failure();
  }
  std::string why(const std::string& line) { return text_of_failure(fails(line)); }
  static std::string text_of_failure(const Failure& failure) {
    std::string text = failure.message + " | " + failure.cure;
    for (const Violation& each : failure.violations) text += " | " + each.field + ": " + each.message;
    return text;
  }

  viaduct::support::MemoryDaemon daemon;
  GatewaySource source{[this] { return Result<std::unique_ptr<Client>>(daemon.connect()); }, "memory",
                       std::chrono::seconds(10)};
  std::ostringstream out, err;
  Aliases aliases;
  Interpreter interpreter;
};

// Answers in turn what it was told to, and remembers what it was asked.
class MadeUpSource final : public RestSource {
 public:
  Result<rest::Response> answer(const rest::Request& request) override {
    asked.push_back(std::string(rest::to_string(request.method)) + " " + request.path +
                    (request.body.empty() ? "" : " " + request.body));
    if (answers.empty()) return Failure{ExitCode::refused, "made_up", "nobody has said what to answer", {}, {}};
    rest::Response next = answers.front();
    answers.pop_front();
    return next;
  }
  const std::string& root() const override { return root_; }
  const std::string& name() const override { return name_; }
  void then(int status, std::string body, std::string location = {}) {
    rest::Response response{.status = status, .body = std::move(body)};
    if (!location.empty()) response.headers.emplace_back("Location", location);
    answers.push_back(std::move(response));
  }

  std::deque<rest::Response> answers;
  std::vector<std::string> asked;

 private:
  const std::string root_ = "/midonet-api", name_ = "made-up";
};

}  // namespace viaduct::api::midonet_cli::testing
