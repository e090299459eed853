// The form of topology files: what is read, and how complaints point at the line.
#include "api/cli/apply_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string complaint(const std::string& text) {
  auto document = parse_document(text, "t.yaml");
  return document ? "accepted" : document.failure().message + " | " + document.failure().cure;
}

TEST(ApplyDocument, NestedAndStandingAlone) {
  auto document = parse_document(R"(
bridges:
  - name: blue
    admin_up: false
    ports:
      - {name: vm1, interface: tap1}
routers:
  - name: r1
    ports:
      - {name: up, addresses: [10.0.0.1/24, "fd00::1/64"]}
    routes:
      - {to: 0.0.0.0/0, via: 10.0.0.254, port: up}
routes:
  - {router: r1, to: 10.9.0.0/16, blackhole: true}
)",
                                 "t.yaml");
  ASSERT_TRUE(document) << document.failure().message;
  ASSERT_EQ(document->objects.size(), 6U);
  const auto& objects = document->objects;
  EXPECT_EQ(objects[0].name(), "blue");
  EXPECT_EQ(objects[0].fields.at("admin_up").texts, std::vector<std::string>{"false"});
  EXPECT_EQ(objects[1].parent, 0U);
  EXPECT_EQ(objects[1].parent_field, "bridge");
  EXPECT_EQ(objects[1].at.line, 6);
  EXPECT_EQ(objects[3].fields.at("addresses").texts.size(), 2U);
  EXPECT_EQ(objects[4].kind->kind, Kind::ROUTE);
  EXPECT_EQ(objects[5].fields.at("next_hop").texts, std::vector<std::string>{"blackhole"});
}

TEST(ApplyDocument, BindingsJoinTheirPorts) {
  auto document = parse_document(
      "bridges:\n  - name: b\n    ports: [{name: p}]\nbindings:\n  - {port: p, interface: tap1, host: h}\n", "t.yaml");
  ASSERT_TRUE(document) << document.failure().message;
  EXPECT_EQ(document->objects[1].fields.at("host").texts, std::vector<std::string>{"h"});
  EXPECT_THAT(complaint("bindings:\n  - {port: p, interface: tap1}\n"), HasSubstr("port 'p' is not in this file"));
  EXPECT_THAT(complaint("bindings:\n  - {port: p}\n"), HasSubstr("needs port and interface"));
  EXPECT_THAT(complaint("bindings:\n  - {port: p, interface: i, colour: red}\n"), HasSubstr("unknown key 'colour'"));
}

TEST(ApplyDocument, UnknownKeysAreNamedWithTheirLine) {
  EXPECT_THAT(complaint("bridges:\n  - name: blue\n    colour: red\n"),
              StartsWith("t.yaml:3:5: unknown key 'colour' in bridge 'blue' | known keys: name, tenant, admin-up, "
                         "inbound-filter, outbound-filter, ports"));
  EXPECT_THAT(complaint("bridge:\n  - name: blue\n"), StartsWith("t.yaml:1:1: unknown key 'bridge' in the file"));
  EXPECT_THAT(complaint("routers:\n  - name: r\n    static-macs: []\n"), HasSubstr("unknown key 'static-macs'"));
}

TEST(ApplyDocument, FormIsChecked) {
  EXPECT_THAT(complaint(""), HasSubstr("is empty"));
  EXPECT_THAT(complaint("# nothing\n"), HasSubstr("is empty"));
  EXPECT_THAT(complaint("- a\n"), HasSubstr("must be a mapping"));
  EXPECT_THAT(complaint("bridges: blue\n"), HasSubstr("bridges must be a list"));
  EXPECT_THAT(complaint("bridges:\n  - blue\n"), HasSubstr("t.yaml:2:5: bridge must be a mapping"));
  EXPECT_THAT(complaint("bridges:\n  - tenant: t\n"), HasSubstr("this bridge has no name"));
  EXPECT_THAT(complaint("bridges:\n  - {name: a, name: b}\n"), HasSubstr("stands twice"));
  EXPECT_THAT(complaint("bridges:\n  - {name: a, admin-up: true, admin_up: false}\n"), HasSubstr("stands twice"));
  EXPECT_THAT(complaint("bridges:\n  - {name: [a, b]}\n"), HasSubstr("must be a single value"));
  EXPECT_THAT(complaint("bridges:\n  - {name: b, ports: [{name: p, bridge: c}]}\n"), HasSubstr("is nested under one"));
  EXPECT_THAT(complaint("routes:\n  - {router: r, to: ::/0, reject: maybe}\n"), HasSubstr("reject must be true"));
  EXPECT_THAT(complaint("routes:\n  - {router: r, to: ::/0, reject: true, blackhole: true}\n"),
              HasSubstr("'next_hop' is given twice"));
  EXPECT_THAT(complaint("bridges: [\n"), StartsWith("t.yaml:"));
  EXPECT_THAT(complaint("bridges: []\n---\nbridges: []\n"), HasSubstr("several YAML documents"));
  EXPECT_EQ(complaint("bridges:\n"), "accepted");
}

TEST(ApplyDocument, AnObjectMaySayItsId) {
  auto document = parse_document(
      "bridges:\n  - {id: 22222222-2222-4222-8222-222222222222}\n"
      "routes:\n  - {id: 33333333-3333-4333-8333-333333333333, router: r, to: ::/0, reject: true}\n",
      "t.yaml");
  ASSERT_TRUE(document) << document.failure().message;
  EXPECT_EQ(document->objects[0].id, Uuid::parse("22222222-2222-4222-8222-222222222222")) << "and needs no name";
  EXPECT_EQ(document->objects[1].id, Uuid::parse("33333333-3333-4333-8333-333333333333"));
  EXPECT_EQ(document->objects[1].fields.count("id"), 0U);
  EXPECT_THAT(complaint("bridges:\n  - name: b\n    id: blue\n"),
              StartsWith("t.yaml:3:5: id of bridge 'b' is not a UUID"));
  EXPECT_THAT(complaint("bridges:\n  - {name: b, id: [a]}\n"), HasSubstr("is not a UUID"));
  EXPECT_THAT(complaint("bridges:\n  - {name: b, id: 00000000-0000-0000-0000-000000000000}\n"),
              HasSubstr("is not a UUID"));
}

}  // namespace
}  // namespace viaduct::api::cli
