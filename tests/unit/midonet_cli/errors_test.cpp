// Sessions with mistakes: what they say, and how they end.
#include "tests/unit/midonet_cli/session.hpp"

namespace viaduct::api::midonet_cli::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MidonetErrors, NameTheFieldAndTheCure) {
  Session run(Aliases::Mode::given);
  run("create bridge name b");
  run("create bridge name b2");
  run("create chain name c");
  EXPECT_THAT(run.why("create bridge state upp"), HasSubstr("state: 'upp' makes no sense | it is to be up | down"));
  EXPECT_THAT(run.why("create bridge id 5a0c6e4a-1b3d-4a0a-8f0d-3d3f4e0b7a11"), HasSubstr("id is not for you to set"));
  EXPECT_THAT(run.why("create bridge name a name b"), HasSubstr("name is given twice"));
  EXPECT_THAT(run.why("bridge name nobody show"), HasSubstr("there is no bridge name nobody"));
  EXPECT_THAT(run.why("bridge state up show"), HasSubstr("there are 2 of bridge state up"));
  EXPECT_THAT(run.why("bridge 5a0c6e4a-1b3d-4a0a-8f0d-3d3f4e0b7a11 show"), HasSubstr("there is no bridge 5a0c"));
  EXPECT_THAT(run.why("list bridge state upp"), HasSubstr("state: 'upp' makes no sense"));
  EXPECT_THAT(run.why("bridge0 set infilter chain7"), HasSubstr("infilter: 'chain7' is no UUID, and no alias"));
  EXPECT_THAT(run.why("bridge0 set infilter 5a0c6e4a-1b3d-4a0a-8f0d-3d3f4e0b7a11"),
              HasSubstr("infilter: There is no chain"));
  EXPECT_THAT(run.why("bridge0 clear state"), HasSubstr("state cannot be cleared | set it: up | down"));
  EXPECT_THAT(run.why("chain0 add rule type accept jump-to chain0"),
              HasSubstr("jump-to: a rule of the type accept has none | such have it: jump"));
  EXPECT_THAT(run.why("chain0 add rule proto 6"), HasSubstr("type: "));
  EXPECT_THAT(run.why("chain0 add rule type accept proto 700"), HasSubstr("proto: "));
  EXPECT_THAT(run.why("chain0 add rule type redirect"), HasSubstr("type: "));
  EXPECT_THAT(run.why("create port"), HasSubstr("a port is not created at the root"));
  EXPECT_THAT(run.why("create tunnel-zone type gre"), HasSubstr("name: "));
  EXPECT_THAT(run.why("bridge0 set name 'open"), HasSubstr("quote at column 18"));
  EXPECT_THAT(run.why("show system-state information"), HasSubstr("'information' is nothing that"));
}

TEST(MidonetErrors, NamesThatAreHostileStayOnTheirLine) {
  MadeUpSource source;
  source.then(200, R"([{"id":"i","uri":"/midonet-api/bridges/i","name":"x\u001b[2J\nbridge evil"}])");
  std::ostringstream out, err;
  Aliases aliases;
  Interpreter interpreter(source, aliases, {out, err, Output::lines});
  ASSERT_TRUE(interpreter.run("list bridge"));
  EXPECT_EQ(out.str(), "bridge i name x\\x1b[2J\\x0abridge evil\n");
}

struct SessionEnd : ::testing::Test {
  Session run;
  std::vector<std::string> reported;
  ExitCode end(std::vector<std::string> lines, OnFailure on_failure = OnFailure::go_on) {
    size_t at = 0;
    return run_session(
        run.interpreter,
        [&]() -> std::optional<std::string> {
          return at < lines.size() ? std::optional<std::string>(lines[at++]) : std::nullopt;
        },
        [&](const Failure& failure, size_t line) { reported.push_back(std::to_string(line) + " " + failure.code); },
        on_failure);
  }
};

TEST_F(SessionEnd, HasTheCodeOfTheFirstFailure) {
  EXPECT_EQ(end({"create bridge name b", "list bridge"}), ExitCode::ok);
  EXPECT_EQ(end({"delete bridge name nobody", "nonsense", "create bridge name c"}), ExitCode::refused);
  EXPECT_THAT(reported, ElementsAre("1 not_found", "2 usage"));
  EXPECT_THAT(run("list bridge name c"), HasSubstr("name c"));  // it has gone on
  EXPECT_EQ(end({"nonsense", "delete bridge name nobody"}), ExitCode::usage);
  EXPECT_EQ(end({"nonsense", "create bridge name d"}, OnFailure::stop), ExitCode::usage);
  EXPECT_EQ(run("list bridge name d"), "");
  EXPECT_EQ(end({"quit", "nonsense"}), ExitCode::ok);
}

TEST(MidonetSession, EndsWhenNobodyIsThere) {
  GatewaySource source(
      [] {
        return Result<std::unique_ptr<Client>>(Failure{ExitCode::unreachable, "unreachable", "nobody", "start it", {}});
      },
      "nowhere", std::chrono::seconds(1));
  std::ostringstream out, err;
  Aliases aliases;
  Interpreter interpreter(source, aliases, {out, err, Output::lines});
  int read = 0, failures = 0;
  const ExitCode code = run_session(
      interpreter,
      [&]() -> std::optional<std::string> {
        ++read;
        return "list bridge";
      },
      [&](const Failure& failure, size_t) {
        ++failures;
        EXPECT_EQ(failure.message + failure.cure, "nobodystart it");
      },
      OnFailure::go_on);
  EXPECT_EQ(code, ExitCode::unreachable);
  EXPECT_EQ(read, 1);
  EXPECT_EQ(failures, 1);
}

// Somebody changes the bridge between the reading and the change.
class Meddler final : public RestSource {
 public:
  explicit Meddler(Session& session) : session_(session) {}
  Result<rest::Response> answer(const rest::Request& request) override {
    if (request.method == rest::Method::put && times-- > 0) session_("bridge name b set state down");
    return session_.source.answer(request);
  }
  const std::string& root() const override { return session_.source.root(); }
  const std::string& name() const override { return session_.source.name(); }
  int times = 1;

 private:
  Session& session_;
};

TEST(MidonetSession, AChangeThatMeetsAnotherLosesNothing) {
  Session run;
  run("create bridge name b");
  run("create chain name c");
  Meddler source(run);
  std::ostringstream out, err;
  Interpreter interpreter(source, run.aliases, {out, err, Output::lines});
  ASSERT_TRUE(interpreter.run("bridge name b set infilter chain name c"));
  EXPECT_THAT(run("bridge name b show"), HasSubstr("state down infilter "));
}

}  // namespace
}  // namespace viaduct::api::midonet_cli::testing
