// The table of resources: it fits the table of kinds, and what it writes it reads.
#include "api/rest/document.hpp"

#include <gtest/gtest.h>

#include "tests/support/memory_daemon.hpp"

namespace viaduct::api::rest {
namespace {

std::vector<const Resource*> all() {
  std::vector<const Resource*> out(resources().begin(), resources().end());
  for (const Collection& each : collections()) {
    if (each.of->path.empty()) out.push_back(each.of);
  }
  return out;
}

TEST(RestTable, EveryMemberHasAFieldAndItsName) {
  for (const Resource* resource : all()) {
    std::map<std::string_view, uint8_t> names;
    for (const Member& member : resource->members) {
      EXPECT_FALSE(names.contains(member.name)) << resource->media << "." << member.name;
      names[member.name] = member.variants;
      if (!member.field.empty()) {
        EXPECT_NE(info(resource->kind).find(member.field), nullptr) << resource->media << "." << member.name;
      }
      const bool special = member.shape == Shape::special;
      EXPECT_TRUE(!special || member.emit != nullptr || member.direction == Direction::in) << member.name;
      EXPECT_TRUE(member.shape != Shape::choice || !member.words.empty()) << member.name;
    }
    for (const Link& link : resource->links) {
      EXPECT_FALSE(names.contains(link.name)) << resource->media << "." << link.name;
      EXPECT_TRUE(link.field.empty() || info(resource->kind).find(link.field) != nullptr) << link.name;
      EXPECT_TRUE(link.path.empty() || find_resource(link.path) != nullptr) << link.name;
    }
  }
}

// Whatever is no resource of its own says where below another it lies.
TEST(RestTable, CollectionsNameTheirParents) {
  for (const Collection& each : collections()) {
    EXPECT_NE(find_resource(each.parent), nullptr) << each.parent;
    EXPECT_NE(info(each.of->kind).find(each.field), nullptr) << each.parent << "/" << each.name;
    EXPECT_EQ(each.of->path.empty(), each.place != nullptr) << each.parent << "/" << each.name;
  }
}

class RestDocument : public ::testing::Test {
 protected:
  // What a body becomes, as a document.
  Result<Json> through(const Resource& resource, const Json& body) {
    Record record(resource.kind, *Uuid::parse("00000000-0000-4000-8000-00000000000a"));
    if (resource.kind == Kind::PORT) record.set("router", *Uuid::parse("00000000-0000-4000-8000-00000000000b"));
    Intake intake(resource, body, record, Intent::create, context);
    auto taken = intake.take();
    if (!taken) return taken.failure();
    return Emission(resource, record, context).document();
  }
  std::string flaw_of(const Resource& resource, const Json& body) {
    auto document = through(resource, body);
    return document || document.failure().violations.empty() ? "" : document.failure().violations.front().field;
  }

  viaduct::support::MemoryDaemon daemon;
  std::unique_ptr<Client> client = daemon.connect();
  Context context{*client, "http://h/midonet-api/"};
};

TEST_F(RestDocument, AConditionComesBackAsItWasGiven) {
  const Resource& rules = *find_collection("chains", "rules")->of;
  const Json given = {
      {"type", "dnat"},
      {"flowAction", "continue"},
      {"natTargets",
       {{{"addressFrom", "2001:db8::1"}, {"addressTo", "2001:db8::9"}, {"portFrom", 80}, {"portTo", 81}}}},
      {"nwProto", 6},
      {"invNwProto", false},
      {"nwSrcAddress", "2001:db8:1::"},
      {"nwSrcLength", 48},
      {"invNwSrc", true},
      {"dlType", 0x86dd},
      {"dlSrc", "02:00:00:00:00:00"},
      {"dlSrcMask", "ff00.0000.0000"},
      {"invDlSrc", true},
      {"inPorts", {"00000000-0000-4000-8000-00000000000c"}},
      {"invInPorts", true},
      {"portGroup", "00000000-0000-4000-8000-00000000000d"},
      {"invPortGroup", true},
      {"tpDst", {{"start", 1}, {"end", 65535}}},
      {"invTpDst", true},
      {"nwTos", 8},
      {"vlan", 7},
      {"matchReturnFlow", true},
      {"fragmentPolicy", "unfragmented"}};
  auto document = through(rules, given);
  ASSERT_TRUE(document) << document.failure().message;
  for (const auto& [name, value] : given.items()) EXPECT_EQ(document->at(name), value) << name;
  auto again = through(rules, *document);
  ASSERT_TRUE(again) << again.failure().message;
  EXPECT_EQ(*again, *document);
}

TEST_F(RestDocument, InputIsAsLenientAsMidonets) {
  const Resource& ports = *find_resource("ports");
  auto document = through(ports, {{"type", "InteriorRouter"},
                                  {"adminStateUp", "false"},
                                  {"portAddress", "10.0.0.1"},
                                  {"networkLength", " 24 "},
                                  {"inboundFilterId", ""},
                                  {"portMac", "02:00:00:00:00:01"},
                                  {"nobody knows", {1, 2}}});
  ASSERT_TRUE(document) << document.failure().message;
  EXPECT_EQ(document->at("portSubnet"), Json({"10.0.0.1/24"}));
  EXPECT_EQ(document->at("adminStateUp"), false);
  EXPECT_EQ(document->at("inboundFilterId"), nullptr);
  EXPECT_FALSE(document->contains("vlanId"));
  auto nulls = through(*find_resource("bridges"), {{"adminStateUp", nullptr}, {"name", nullptr}});
  ASSERT_TRUE(nulls);
  EXPECT_EQ(nulls->at("adminStateUp"), false);
  EXPECT_EQ(through(*find_resource("bridges"), Json::object())->at("adminStateUp"), true);
}

TEST_F(RestDocument, WhatMakesNoSenseIsNamed) {
  const Resource& rules = *find_collection("chains", "rules")->of;
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"nwProto", 300}}), "nwProto");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"nwProto", "0x6"}}), "nwProto");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"nwProto", true}}), "nwProto");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"dlType", 100}}), "dlType");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"tpSrc", {{"start", 5}, {"end", 4}}}}), "tpSrc");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"tpSrc", "80"}}), "tpSrc");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"nwSrcAddress", "10.0.0.0"}, {"nwSrcLength", 33}}), "nwSrcLength");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"dlSrc", "x"}}), "dlSrc");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"inPorts", "x"}}), "inPorts");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"inPorts", {"x"}}}), "inPorts");
  EXPECT_EQ(flaw_of(rules, {{"type", "accept"}, {"fragmentPolicy", "all"}}), "fragmentPolicy");
  EXPECT_EQ(flaw_of(rules, {{"type", "snat"}, {"flowAction", "accept"}}), "natTargets");
  EXPECT_EQ(flaw_of(rules, {{"type", "snat"}, {"natTargets", {{{"addressFrom", "x"}}}}}), "flowAction");
  EXPECT_EQ(flaw_of(rules, {{"type", "redirect"}}), "type");
  EXPECT_EQ(flaw_of(rules, Json::object()), "type");
  EXPECT_EQ(flaw_of(*find_resource("routers"), {{"name", {{"a", 1}}}}), "name");
}

TEST_F(RestDocument, WhatALaterVersionHasIsNotTakenAndDropped) {
  auto document = through(*find_resource("bridges"), {{"qosPolicyId", "00000000-0000-4000-8000-00000000000c"}});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.failure().code, "unsupported");
}

}  // namespace
}  // namespace viaduct::api::rest
