#include "observability/flow_log/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "literals.hpp"

namespace viaduct::observability::flow_log::testing {
namespace {

using namespace std::chrono_literals;

JsonWriter writer(std::string name = "vm1") {
  return JsonWriter({"h1", {"in_port", "eth_src", "ip_dst"}, [name](const Uuid& port) {
                       return port == id(1) ? PortNames{name, "green"} : PortNames{};
                     }});
}

std::string decided(const Record& record, const JsonWriter& json = writer()) {
  std::string out;
  json.decided(record, noon(), out);
  return out;
}

TEST(FlowLogJson, AFlowThatIsTranslated) {
  EXPECT_EQ(decided(v4()),
            R"({"event":"start","time":"2026-11-23T12:00:00.250000Z","host":"h1","id":"0000000000001234",)"
            R"("flow":"00000000000000010000000000000abc","verdict":"forwarded",)"
            R"("ingress":{"port":"11110000-0000-4000-8000-000000000001","name":"vm1","tenant":"green","interface":3},)"
            R"("egress":[{"port":"11110000-0000-4000-8000-000000000002","interface":4}],)"
            R"("devices":["11110000-0000-4000-8000-00000000000a","11110000-0000-4000-8000-00000000000b"],)"
            R"("src_mac":"02:00:00:00:00:01","dst_mac":"02:00:00:00:00:02","ether_type":"0x0800","protocol":6,)"
            R"("src":"10.0.0.1","dst":"10.0.0.100","src_port":40000,"dst_port":80,)"
            R"("translated":{"src":"10.0.0.1","dst":"10.0.1.5","src_port":40000,"dst_port":8080},)"
            R"("match":["in_port","ip_dst"],"frame_bytes":74})"
            "\n");
}

TEST(FlowLogJson, ADropNamesItsRule) {
  const auto json = nlohmann::json::parse(decided(v6_dropped()));
  EXPECT_EQ(json["verdict"], "dropped");
  EXPECT_EQ(json["reason"], "dropped_by_rule");
  EXPECT_EQ(json["at"], nlohmann::json::parse(R"({"kind":"router","id":"11110000-0000-4000-8000-00000000000b",
      "chain":"11110000-0000-4000-8000-000000000014","rule":"11110000-0000-4000-8000-000000000015","position":2})"));
  EXPECT_EQ(json["vlan"], 7);
  EXPECT_EQ(json["src"], "fd00:1::10");
  EXPECT_EQ(json["icmp_type"], 128);
  EXPECT_FALSE(json.contains("src_port"));
  EXPECT_FALSE(json.contains("translated"));
  EXPECT_EQ(json["egress"], nlohmann::json::array());
}

TEST(FlowLogJson, AnEndSaysWhatTheFlowCarried) {
  std::string out;
  writer().ended(v4(), end_of(v4(), 10, 5'000, 2500ms), noon(), out);
  const auto json = nlohmann::json::parse(out);
  EXPECT_EQ(json["event"], "end");
  EXPECT_EQ(json["start"], "2026-11-23T12:00:00.250000Z");
  EXPECT_EQ(json["time"], "2026-11-23T12:00:02.750000Z");
  EXPECT_EQ(json["id"], "0000000000001234");
  EXPECT_EQ(json["packets"], 10);
  EXPECT_EQ(json["bytes"], 5'000);
  EXPECT_EQ(json["duration"], 2.5);
  EXPECT_EQ(json["end_reason"], "idle");
}

TEST(FlowLogJson, APacketAloneHasNoFlow) {
  Record record = v4();
  record.alone = true;
  const auto json = nlohmann::json::parse(decided(record));
  EXPECT_EQ(json["event"], "packet");
  EXPECT_FALSE(json.contains("flow"));
  EXPECT_FALSE(json.contains("match"));
}

TEST(FlowLogJson, OfAFloodTheFirstPortsAndHowMany) {
  Record record = v4();
  for (uint64_t i = 0; i < 8; ++i) record.add(Egress{id(30 + i), 9});
  const auto json = nlohmann::json::parse(decided(record));
  EXPECT_EQ(json["egress"].size(), Record::kEgresses);
  EXPECT_EQ(json["egress_count"], 9);
}

TEST(FlowLogJson, ANameIsNeverMoreThanAString) {
  const std::string evil =
      std::string("a\"},\n{\"event\":\"start\"\\\x01\x7f") + '\0' + "\xff\xc0\xaf\xed\xa0\x80 \xc3\xa9";
  const std::string line = decided(v4(), writer(evil));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);  // throws on what is not UTF-8
  const auto name = json["ingress"]["name"].get<std::string>();
  EXPECT_TRUE(name.starts_with("a\"},\n{\"event\":\"start\"\\\x01\x7f"));
  EXPECT_TRUE(name.ends_with(" \xc3\xa9"));
  EXPECT_EQ(json["event"], "start");
}

}  // namespace
}  // namespace viaduct::observability::flow_log::testing
