// viaduct midonet-cli: its options and files. tests/unit/midonet_cli has what it does with a line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

struct MidonetCli : testing::Test {
  Outcome run(std::vector<std::string> words) {
    words.insert(words.begin(), "midonet-cli");
    return tool(words);
  }
  FakeDaemon daemon;
  Tool tool{daemon};
};

TEST_F(MidonetCli, EachEvalBeginsACommand) {
  Outcome all =
      run({"-e", "create", "bridge", "name", "b", "-e", "bridge name b show name", "--eval", "list", "-A", "router"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_THAT(all.out, MatchesRegex("[0-9a-f-]{36}\nb\n"));
  EXPECT_EQ(run({"-e", "host name x set container-limit -1"}).code, 1);
  EXPECT_THAT(run({"-e"}).err, HasSubstr("no command behind -e"));
  EXPECT_THAT(run({"bridge", "list"}).err, HasSubstr("no -e before 'bridge'"));
  EXPECT_EQ(run({"bridge", "list"}).code, 2);
}

TEST_F(MidonetCli, LinesOfAScriptAreNumbered) {
  tool.input = "create bridge name b\n\nlist bridg\nquit\nnonsense\n";
  Outcome script = run({});
  EXPECT_EQ(script.code, 2);
  EXPECT_THAT(script.err, AllOf(HasSubstr("line 3: 'bridg' is nothing"), testing::Not(HasSubstr("nonsense"))));
}

TEST_F(MidonetCli, JsonIsDocumentsAndFailures) {
  EXPECT_EQ(run({"--json", "-e", "create bridge name b"}).json().at("name"), "b");
  Outcome failed = run({"--json", "-e", "bridge name c show"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(Json::parse(failed.err).at("error").at("code"), "not_found") << failed.err;
}

TEST_F(MidonetCli, AUrlIsChecked) {
  for (const char* url : {"nonsense", "ftp://x", "http://", "http://x/y?z", "http://x y"}) {
    Outcome wrong = run({"--midonet-url", url, "-A", "-e", "list bridge"});
    EXPECT_EQ(wrong.code, 2) << url;
    EXPECT_THAT(wrong.err, HasSubstr("is no URL of a REST API")) << url;
  }
  EXPECT_THAT(run({"--midonet-url", "http://127.0.0.1:1/", "-u", "carol", "-e", "list bridge"}).err,
              HasSubstr("no password for the user carol"));
  tool.input = "secret\n";
  EXPECT_THAT(run({"--midonet-url", "http://127.0.0.1:1/", "-u", "carol", "-p", "-e", "list bridge"}).err,
              HasSubstr("no answer from http://127.0.0.1:1"));
}

TEST_F(MidonetCli, NobodyThere) {
  tool.address = "127.0.0.1:1";
  EXPECT_EQ(run({"-e", "list bridge", "-e", "list router"}).code, 3);
}

}  // namespace
}  // namespace viaduct::api::cli
