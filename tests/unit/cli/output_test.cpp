#include "api/cli/output.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace viaduct::api::cli {
namespace {

std::string printed(const Table& table) {
  std::ostringstream out;
  table.print(out);
  return out.str();
}

TEST(Table, AlignsAndLeavesOutWhatIsEmpty) {
  Table table({"NAME", "TENANT", "COUNT"});
  table.row({"ä", "", "7"});
  table.row({"blue", "", "123"});
  EXPECT_EQ(printed(table),
            "NAME  COUNT\n"
            "ä         7\n"
            "blue    123\n");
}

TEST(Table, ShortRowsAreFilled) {
  Table table({"A", "B"});
  table.row({"x"});
  table.row({"y", "10.0.0.1"});
  EXPECT_EQ(printed(table), "A  B\nx\ny  10.0.0.1\n");
}

TEST(Duration, ReadsWell) {
  EXPECT_EQ(duration(0), "0.0s");
  EXPECT_EQ(duration(59.94), "59.9s");
  EXPECT_EQ(duration(61), "1m 1s");
  EXPECT_EQ(duration(3725), "1h 2m");
  EXPECT_EQ(duration(200'000), "2d 7h");
  EXPECT_EQ(duration(-1), "?");
  EXPECT_EQ(duration(std::numeric_limits<double>::quiet_NaN()), "?");
}

TEST(Failures, ForPeopleAndForPrograms) {
  Failure failure{ExitCode::refused,
                  "invalid",
                  "refused",
                  "",
                  {{"address_in_use", "port", "id", "p1", "addresses", "10.0.0.1 is on port p2 too", "use another"}}};
  std::ostringstream people;
  print_failure(failure, Form::human, people);
  EXPECT_EQ(people.str(),
            "viaduct: refused\n"
            "  port p1: 10.0.0.1 is on port p2 too [address_in_use, field addresses]\n"
            "    cure: use another\n");
  std::ostringstream programs;
  print_failure(failure, Form::json, programs);
  EXPECT_EQ(Json::parse(programs.str())["error"]["violations"][0]["rule"], "address_in_use");
}

TEST(Dump, SurvivesWhatIsNotUtf8) { EXPECT_NO_THROW(dump(Json("\xff\xfe"))); }

}  // namespace
}  // namespace viaduct::api::cli
