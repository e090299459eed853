#include "api/midonet_cli/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::api::midonet_cli {
namespace {

using ::testing::HasSubstr;

TEST(MidonetSettings, OfTheFile) {
  auto settings = parse_rc(
      "# comment\n[other]\napi_url = nowhere\n[cli]\r\napi_url = http://127.0.0.1:8181/midonet-api\n"
      "Username: carol\npassword = a=b:c # d\n\n; another\nproject_id=admin\ntenant=\nnonsense = 3\n");
  ASSERT_TRUE(settings) << settings.failure().message;
  EXPECT_EQ(settings->url, "http://127.0.0.1:8181/midonet-api");
  EXPECT_EQ(settings->user, "carol");
  EXPECT_EQ(settings->password, "a=b:c # d");
  EXPECT_EQ(settings->project, "admin");
  EXPECT_EQ(settings->tenant, "");
  EXPECT_EQ(settings->certificates, std::nullopt);
  EXPECT_EQ(parse_rc("")->url, std::nullopt);
}

TEST(MidonetSettings, AWrongLineIsNamed) {
  EXPECT_THAT(parse_rc("[cli]\nnonsense\n").failure().message, HasSubstr("line 2"));
  EXPECT_THAT(parse_rc("[cli\n").failure().message, HasSubstr("line 1"));
  EXPECT_THAT(parse_rc("\nuser = x\n").failure().message, HasSubstr("line 2"));
}

TEST(MidonetSettings, OptionsWinOverTheEnvironmentAndItOverTheFile) {
  Settings options, file;
  options.user = "by option";
  file.user = "by file";
  file.password = "of file";
  file.tenant = "t";
  const auto environment = of_environment([](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "MIDO_USER") return "by environment";
    if (std::string_view(name) == "MIDO_PASSWORD") return "of environment";
    if (std::string_view(name) == "MIDO_API_URL") return "http://there";
    return std::nullopt;
  });
  const Settings all = merged(options, merged(environment, file));
  EXPECT_EQ(all.user, "by option");
  EXPECT_EQ(all.password, "of environment");
  EXPECT_EQ(all.url, "http://there");
  EXPECT_EQ(all.tenant, "t");
  EXPECT_EQ(all.project, std::nullopt);
}

}  // namespace
}  // namespace viaduct::api::midonet_cli
