#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/midonet_cli/parser.hpp"

namespace viaduct::api::midonet_cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Words = std::vector<std::string>;

const Words kAliases = {"bridge0", "bridge0:port0", "router0"};
Words after(Words words) { return suggest(words, kAliases); }

TEST(MidonetCompletion, OffersWhatMayFollow) {
  EXPECT_THAT(after({"cr"}), ElementsAre("create"));
  EXPECT_THAT(after({"bri"}), ElementsAre("bridge", "bridge0", "bridge0:port0"));
  EXPECT_THAT(after({""}), Contains("tunnel-zone"));
  EXPECT_THAT(after({"bridge", "bridge0", "add", ""}), ElementsAre("dhcp", "port"));
  EXPECT_THAT(after({"create", "bridge", "n"}), ElementsAre("name"));
  EXPECT_THAT(after({"create", "bridge", "state", ""}), ElementsAre("down", "up"));
  EXPECT_THAT(after({"bridge", "bridge0", "set", "s"}), ElementsAre("state"));
  EXPECT_THAT(after({"chain0", "add", "rule", "type", "rev"}), ElementsAre("rev_dnat", "rev_snat"));
  EXPECT_THAT(after({"bridge0:port0", "set", "peer", "rou"}), ElementsAre("router", "router0"));
  EXPECT_THAT(after({"show", "bridge", "b"}), ElementsAre("bridge0", "bridge0:port0"));
  EXPECT_THAT(after({"debug", ""}), ElementsAre("off", "on"));
  EXPECT_THAT(after({"nonsense", ""}), IsEmpty());
}

}  // namespace
}  // namespace viaduct::api::midonet_cli
