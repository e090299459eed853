// Lines as commands, before anything is looked up.
#include "api/midonet_cli/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/midonet_cli/tokenizer.hpp"

namespace viaduct::api::midonet_cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kId = "5a0c6e4a-1b3d-4a0a-8f0d-3d3f4e0b7a11";

// "verb|path|target|fields|names"
std::string shape(const std::string& line) {
  auto words = split_words(line);
  auto command = parse(*words);
  if (!command) return "FAILURE " + command.failure().message;
  const auto verb = std::ranges::find(verbs(), command->verb, &VerbName::verb);
  std::string out = std::string(verb->name) + "|" + to_text(command->path) + "|";
  if (command->target != nullptr) out += command->target->name;
  out += "|";
  for (const Assignment& each : command->fields)
    out += std::string(each.field->name) + "=" + (each.object.empty() ? each.value : to_text(each.object)) + ";";
  out += "|";
  for (const Field* each : command->names) out += std::string(each->name) + ";";
  return out;
}

TEST(MidonetParser, TheVerbIsBeforeInOrBehindThePath) {
  for (const char* line : {"list bridge bridge0 port", "bridge bridge0 list port", "bridge bridge0 port list",
                           "l bridge bridge0 port", "bridge0 port list", "list bridge0 port"}) {
    EXPECT_EQ(shape(line), "list|bridge bridge0|port||") << line;
  }
  for (const char* line :
       {"show router router0 port port1", "router router0 show port port1", "router router0 port port1 s",
        "router0:port1 show", "show router0:port1", "router router0 port port1", "router0 port port1 sh"}) {
    EXPECT_EQ(shape(line), "show|router router0 port port1|||") << line;
  }
  for (const char* line : {"delete router router0 port port1", "router router0 delete port port1",
                           "router router0 port port1 del", "delete router0:port1"}) {
    EXPECT_EQ(shape(line), "delete|router router0 port port1|||") << line;
  }
}

TEST(MidonetParser, CreateTakesFieldsOfTheNewOne) {
  EXPECT_EQ(shape("create bridge name foo state up"), "create||bridge|name=foo;state=up;|");
  EXPECT_EQ(shape("bridge create name foo"), "create||bridge|name=foo;|");
  EXPECT_EQ(shape("create bridge"), "create||bridge||");
  EXPECT_EQ(shape("router name r add port address 10.0.0.1 net 10.0.0.0/24"),
            "create|router name r|port|address=10.0.0.1;net=10.0.0.0/24;|");
  EXPECT_EQ(shape("add router name r port net 10.0.0.0/24"), "create|router name r|port|net=10.0.0.0/24;|");
  EXPECT_EQ(shape("router router0 port add"), "create|router router0|port||");
  EXPECT_EQ(shape(std::string("create bridge ") + kId + " port vlan 3"),
            std::string("create|bridge ") + kId + "|port|vlan=3;|");
}

TEST(MidonetParser, FiltersFindObjects) {
  EXPECT_EQ(shape("bridge name list list port"), "list|bridge name list|port||");
  EXPECT_EQ(shape("list bridge name foo state up"), "list||bridge|name=foo;state=up;|");
  EXPECT_EQ(shape("list bridge name foo port state up"), "list|bridge name foo|port|state=up;|");
  EXPECT_EQ(shape("bridge list name foo"), "list||bridge|name=foo;|");
  EXPECT_EQ(shape("bridge name foo"), "show|bridge name foo|||");
  EXPECT_EQ(shape("delete host name h binding interface tap1 port port0"),
            "delete|host name h binding interface tap1 port port0|||");
  EXPECT_EQ(shape("set bridge name foo name bar state down"), "set|bridge name foo||name=bar;state=down;|");
  EXPECT_EQ(shape("clear bridge name foo infilter outfilter"), "clear|bridge name foo|||infilter;outfilter;");
}

TEST(MidonetParser, ReferencesAreWordsOrPaths) {
  EXPECT_EQ(shape("bridge bridge0 port port0 set peer router0:port1 state up"),
            "set|bridge bridge0 port port0||peer=router0:port1;state=up;|");
  EXPECT_EQ(shape("set bridge bridge0 port port0 peer router router0 port port1 state up"),
            "set|bridge bridge0 port port0||peer=router router0 port port1;state=up;|");
  EXPECT_EQ(shape("router router0 add route type normal port router router0 port port1 weight 10"),
            "create|router router0|route|type=normal;port=router router0 port port1;weight=10;|");
  EXPECT_EQ(shape("bridge bridge0 set infilter chain name web outfilter chain1"),
            "set|bridge bridge0||infilter=chain name web;outfilter=chain1;|");
  EXPECT_EQ(shape("chain chain0 add rule port-group !pgroup0 type drop"),
            "create|chain chain0|rule|port-group=!pgroup0;type=drop;|");
}

TEST(MidonetParser, FieldsAreShown) {
  EXPECT_EQ(shape("show bridge bridge0 name"), "show|bridge bridge0|||name;");
  EXPECT_EQ(shape("bridge bridge0 name show"), "show|bridge bridge0|||name;");
  EXPECT_EQ(shape("bridge name foo show id name"), "show|bridge name foo|||id;name;");
  EXPECT_EQ(shape("show system-state state"), "show|system-state|||state;");
  EXPECT_EQ(shape("port router0:port1 show mac"), "show|port router0:port1|||mac;");
}

TEST(MidonetParser, OtherVerbs) {
  EXPECT_EQ(shape("describe"), "describe||||");
  EXPECT_EQ(shape("desc router port"), "describe||port||");
  EXPECT_EQ(shape("desc router prot"), "FAILURE 'prot' is nothing that a router has");
  EXPECT_EQ(shape("describe router"), "describe||router||");
  EXPECT_EQ(shape("router router0 describe port"), "describe|router router0|port||");
  for (const char* line : {"quit", "exit", "cleart", "sett admin", "debug on", "help", "help create"})
    EXPECT_THAT(shape(line), Not(HasSubstr("FAILURE"))) << line;
}

TEST(MidonetParser, FailuresNameTheWordAndWhatIsPossible) {
  const auto failure = [](const std::string& line) {
    auto command = parse(*split_words(line));
    EXPECT_FALSE(command) << line;
    if (command) return std::string();
    EXPECT_EQ(command.failure().exit, ExitCode::usage) << line;
    return command.failure().message + " | " + command.failure().cure;
  };
  EXPECT_THAT(failure("lisst bridge"), HasSubstr("'lisst' is nothing that the root has | collections: system-state, "
                                                 "router"));
  EXPECT_THAT(failure("frobnicate"), HasSubstr("verbs: list show create"));
  EXPECT_THAT(failure("bridge foo list port"), HasSubstr("'foo' is no UUID and no alias of a bridge"));
  EXPECT_THAT(failure("bridge router0 show"), HasSubstr("aliases are like bridge0"));
  EXPECT_THAT(failure("create bridge nme foo"), HasSubstr("'nme' is nothing that a bridge has"));
  EXPECT_THAT(failure("create bridge nme foo"), HasSubstr("fields: id, tenant, name, state"));
  EXPECT_THAT(failure("create bridge name"), HasSubstr("no value behind name"));
  EXPECT_THAT(failure("bridge bridge0 set state"), HasSubstr("it is to be up | down"));
  EXPECT_THAT(failure("list"), HasSubstr("list what? the root has the collections: system-state"));
  EXPECT_THAT(failure("list bridge bridge0"), HasSubstr("list what? a bridge has the collections: port, dhcp"));
  EXPECT_THAT(failure("delete bridge"), HasSubstr("which bridge?"));
  EXPECT_THAT(failure("bridge"), HasSubstr("which bridge?"));
  EXPECT_THAT(failure("set bridge bridge0"), HasSubstr("set which field"));
  EXPECT_THAT(failure("clear bridge bridge0"), HasSubstr("clear which field"));
  EXPECT_THAT(failure("bridge bridge0 delete name"), HasSubstr("fields are not deleted"));
  EXPECT_THAT(failure("tunnel-zone tzone0 member memb0 delete"), HasSubstr("such objects have no ids"));
  EXPECT_THAT(failure("debug maybe"), HasSubstr("debug is on or off"));
  EXPECT_THAT(failure("sett"), HasSubstr("usage: sett TENANT"));
  EXPECT_THAT(failure("quit now"), HasSubstr("stands alone"));
  EXPECT_THAT(failure("delete"), HasSubstr("which object?"));
}

TEST(MidonetParser, NothingEndsBadly) {
  const std::vector<std::string> some = {"bridge", "list",  "create",   "name",  "bridge0", "router0:port1",
                                         "port",   "set",   "",         "peer",  "!x",      ":",
                                         "show",   "chain", "rule",     "help",  kId,       "debug",
                                         "type",   "0",     "infilter", "clear", "::",      "tenant"};
  std::vector<size_t> at = {0};
  for (size_t round = 0; round < 40'000; ++round) {  // all lines of up to three of them, and then some
    std::vector<std::string> words;
    for (const size_t i : at) words.push_back(some[i]);
    auto command = parse(words);
    EXPECT_TRUE(command || !command.failure().message.empty());
    suggest(words, {"bridge0"});
    size_t digit = 0;
    while (digit < at.size() && ++at[digit] == some.size()) at[digit++] = 0;
    if (digit == at.size()) at.push_back(0);
  }
}

}  // namespace
}  // namespace viaduct::api::midonet_cli
