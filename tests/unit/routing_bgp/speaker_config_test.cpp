#include <gtest/gtest.h>

#include "literals.hpp"

namespace viaduct::routing::bgp {
namespace {

std::string complaint(const SpeakerConfig& config) { return check(config).value_or(""); }

TEST(SpeakerConfigCheck, TakesWhatCanBeSpoken) { EXPECT_EQ(check(two_peers()), std::nullopt); }

TEST(SpeakerConfigCheck, APasswordAddsNoCommand) {
  for (const char* bad : {"x\nno router bgp 65001", "a b", "tab\t", "\x7f",
                          "gr\xc3\xbc"
                          "n"}) {
    SpeakerConfig config = two_peers();
    config.peers[0].password = bad;
    EXPECT_NE(complaint(config).find("peer 10.9.0.2: the password"), std::string::npos) << bad;
  }
  SpeakerConfig config = two_peers();
  config.peers[0].password = std::string(81, 'x');
  EXPECT_NE(complaint(config).find("80 bytes"), std::string::npos);
  config.peers[0].password = "a?b|c!#\"'\\z";
  EXPECT_EQ(complaint(config), "");
}

TEST(SpeakerConfigCheck, NamesThePeerAndTheRange) {
  SpeakerConfig config = two_peers();
  config.peers[1].hold_time = std::chrono::seconds(2);
  EXPECT_EQ(complaint(config), "peer 2001:db8:9::2: hold_time is neither 0 nor in 3 to 65535 s");
  config = two_peers();
  config.peers[1].address = ip("fe80::1");
  EXPECT_NE(complaint(config).find("link-local"), std::string::npos);
  config = two_peers();
  config.peers[1].address = config.peers[0].address;
  EXPECT_EQ(complaint(config), "peer 10.9.0.2: named twice");
  config = two_peers();
  config.peers[0].multihop = 0;
  EXPECT_NE(complaint(config).find("multihop"), std::string::npos);
}

TEST(SpeakerConfigCheck, FilterLengthsFitThePrefix) {
  for (const auto& [least, most] : {std::pair(8, 0), std::pair(0, 33), std::pair(26, 25), std::pair(33, 0)}) {
    SpeakerConfig config = two_peers();
    config.peers[0].import_filter = {
        {net("10.0.0.0/16"), static_cast<uint8_t>(least), static_cast<uint8_t>(most), true}};
    EXPECT_NE(complaint(config).find("import filter: rule for 10.0.0.0/16"), std::string::npos) << least << " " << most;
  }
}

TEST(SpeakerConfigCheck, NetworksAreNetworks) {
  SpeakerConfig config = two_peers();
  config.networks.push_back(net("10.1.1.1/24"));
  EXPECT_EQ(complaint(config), "network 10.1.1.1/24: has host bits; write 10.1.1.0/24");
  config.networks.back() = config.networks.front();
  EXPECT_EQ(complaint(config), "network 203.0.113.0/24: named twice");
}

}  // namespace
}  // namespace viaduct::routing::bgp
